//! What `partyline` says of it: exit 3 for who is not authorised, 4 for a call that is not granted.

use super::*;
use harness::supervisor;

#[tokio::test]
async fn the_exit_code_says_whether_it_was_the_token_or_the_call() {
    let relay = Guarded::new();
    let alice = relay
        .token(
            "alice",
            &["--role", "user", "--customer", "777", "--allow", "save"],
        )
        .await;
    let carol = relay
        .token("carol", &["--role", "user", "--customer", "777"])
        .await;
    let relay = relay.start(&[]).await;
    let (call, stream) = relay.live_call("777").await;
    let (others, _other) = relay.live_call("778").await;
    relay.is_live(call.sid(), &alice).await;
    let [alice, carol, wrong] = [&alice, &carol, "pl_wrong"].map(|token| relay.token_file(token));
    let url = relay.url();
    let run = async |token: &str, args: &[&str]| {
        let args = [&["--token-file", token], args].concat();
        supervisor::start(&url, &args).finish(SOON).await
    };
    let sid = call.sid().as_str();
    let (wav, output) = (relay.path("call.wav"), "--output");
    run(&wrong, &["calls"]).await.expect_code(3);
    run(&wrong, &["listen", sid, output, &wav]).await.expect_code(3);
    supervisor::start(&url, &["calls"])
        .finish(SOON)
        .await
        .expect_code(3);
    let listed = run(&alice, &["calls"]).await.expect_code(0).text();
    assert!(
        listed.contains(sid) && !listed.contains(others.sid().as_str()),
        "{listed}"
    );
    for call in [others.sid().as_str(), "CA00000000000000000000000000000000"] {
        run(&alice, &["listen", call, output, &wav]).await.expect_code(4);
        run(&alice, &["transcript", call]).await.expect_code(4);
    }
    // Who may hear it may not yet keep it.
    let kept = run(&carol, &["listen", sid, output, &wav]).await;
    assert!(kept.code != Some(0), "it was kept without the right");
    let listening = supervisor::start(&url, &["--token-file", &alice, "listen", sid, output, &wav]);
    let mut watcher = relay.listen(&std::fs::read_to_string(&alice).unwrap()).await;
    watcher
        .until_so("somebody to listen", |watcher| {
            watcher
                .calls
                .get(call.sid())
                .is_some_and(|call| call.listeners == 1)
        })
        .await;
    let talk = Talk::begin(stream);
    watcher.subscribe(call.sid()).await;
    watcher.next_frame("a frame").await;
    talk.end().await.hang_up().await;
    listening.finish(SOON).await.expect_code(0);
    assert!(std::fs::metadata(&wav).unwrap().len() > 44);
}
