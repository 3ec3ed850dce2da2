//! Rights that are taken away while somebody listens.

use super::*;

const ALICE: [&str; 4] = ["--role", "user", "--customer", "777"];
const ADMIN: [&str; 2] = ["--role", "admin"];

#[tokio::test]
async fn who_is_removed_is_out_in_5_s_and_the_others_hear_on() {
    let relay = Guarded::new();
    let (alice, bob) = (
        relay.token("alice", &ALICE).await,
        relay.token("bob", &ALICE).await,
    );
    let relay = relay.start(&[]).await;
    let (call, stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &bob).await;
    let [mut alices, mut bobs] = [relay.listen(&alice).await, relay.listen(&bob).await];
    for listener in [&mut alices, &mut bobs] {
        listener.subscribe(call.sid()).await;
    }
    let talk = Talk::begin(stream);
    alices.next_frame("a frame").await;
    relay.forget("alice").await;
    let closed = within(ACTS, "the removal to act", alices.closed()).await;
    assert_eq!(closed, NOT_AUTHORISED);
    let so_far = bobs.next_frame("a frame for bob").await.chunk();
    bobs.until_so("what was said after alice left", |bobs| {
        let frames = &bobs.heard(call.sid()).frames.inbound;
        frames.last().is_some_and(|frame| frame.chunk() > so_far + 50)
    })
    .await;
    assert_eq!(relay.ask(Method::GET, "/api/v1/calls", &alice).await.status, 401);
    talk.end().await.hang_up().await;
    bobs.close().await;
    // By listener, begun and ended; bob's end is told when his socket is gone.
    let story = until(SOON, "two ends on record", async || {
        let lines = relay.audit();
        let of = |event: &str, who: &str| {
            lines
                .iter()
                .filter(|line| line["event"] == event && line["who"] == who)
                .count()
        };
        let both = ["alice", "bob"].map(|who| (of("listen_begin", who), of("listen_end", who)));
        (both == [(1, 1), (1, 1)]).then_some(lines)
    })
    .await;
    assert!(
        story
            .iter()
            .any(|line| line["event"] == "token_removed" && line["who"] == "alice")
    );
}

#[tokio::test]
async fn who_has_a_token_for_a_while_is_out_when_that_is_over() {
    let relay = Guarded::new().start(&[]).await;
    let (call, stream) = relay.live_call("777").await;
    let ends = tokio::time::Instant::now() + Duration::from_secs(10);
    let alice = relay
        .token("alice", &[&ALICE[..], &["--expires", "10s"]].concat())
        .await;
    until(SOON, "the token to count", async || {
        (relay.ask(Method::GET, "/api/v1/calls", &alice).await.status == 200).then_some(())
    })
    .await;
    let mut alices = relay.listen(&alice).await;
    alices.subscribe(call.sid()).await;
    let talk = Talk::begin(stream);
    alices.next_frame("a frame").await;
    assert_eq!(alices.closed().await, NOT_AUTHORISED);
    let now = tokio::time::Instant::now();
    assert!(now >= ends && now < ends + ACTS, "it ended at another time");
    talk.end().await;
}

#[tokio::test]
async fn a_lesser_grant_ends_what_it_does_not_cover() {
    let relay = Guarded::new();
    let alice = relay
        .token("alice", &[&ALICE[..], &["--customer", "778"]].concat())
        .await;
    let relay = relay.start(&[]).await;
    let (call, stream) = relay.live_call("777").await;
    let (other, _stream) = relay.live_call("778").await;
    relay.is_live(call.sid(), &alice).await;
    let mut alices = relay.listen(&alice).await;
    alices.subscribe(call.sid()).await;
    alices.subscribe(other.sid()).await;
    let talk = Talk::begin(stream);
    alices.next_frame("a frame").await;
    let text = std::fs::read_to_string(relay.tokens()).unwrap();
    let less = text.replace(r#"["777", "778"]"#, r#"["778"]"#);
    assert_ne!(text, less);
    std::fs::write(relay.tokens(), less).unwrap();
    loses(&mut alices, call.sid()).await;
    assert_eq!(alices.calls.keys().collect::<Vec<_>>(), [other.sid()]);
    // What is still hers goes on.
    alices.subscribe(other.sid()).await;
    talk.end().await;
}

#[tokio::test]
async fn a_call_that_becomes_another_customers_is_no_longer_heard() {
    let relay = Guarded::new();
    let alice = relay.token("alice", &ALICE).await;
    let bob = relay.token("bob", &["--role", "user", "--customer", "778"]).await;
    let relay = relay.start(&[]).await;
    let (call, stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &alice).await;
    let (mut alices, mut bobs) = (relay.listen(&alice).await, relay.listen(&bob).await);
    assert!(bobs.calls.is_empty());
    alices.subscribe(call.sid()).await;
    let talk = Talk::begin(stream);
    alices.next_frame("a frame").await;
    call.webhook(&[("customer_id", "778")]).await.expect(200);
    loses(&mut alices, call.sid()).await;
    bobs.until_so("the call on bob's list", |bobs| {
        bobs.calls.contains_key(call.sid())
    })
    .await;
    bobs.subscribe(call.sid()).await;
    bobs.next_frame("a frame for bob").await;
    talk.end().await;
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_all_the_same() {
    let relay = Guarded::new();
    let (alice, admin) = (
        relay.token("alice", &ALICE).await,
        relay.token("root", &ADMIN).await,
    );
    let relay = relay.start(&[]).await;
    let (call, mut stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &admin).await;
    let mut deaf = relay.deaf(&alice, call.sid(), &mut stream).await;
    relay.forget("alice").await;
    let path = format!("/api/v1/calls/{}/listeners", call.sid());
    until(ACTS, "nobody to listen", async || {
        let answer = relay.ask(Method::GET, &path, &admin).await.expect(200).json();
        answer["listeners"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
    // It reads again, and they talk on: nothing of that arrives.
    let said = 1_500;
    let talk = Talk::begin(stream);
    let closed = deaf.closed().await;
    assert!(matches!(closed, None | Some(4001)), "{closed:?}");
    let heard = deaf.heard(call.sid());
    for frames in [&heard.frames.inbound, &heard.frames.outbound] {
        assert!(frames.iter().all(|frame| frame.chunk() <= said));
    }
    assert!(heard.frames.inbound.len() < said as usize, "all of it had room");
    talk.end().await;
}
