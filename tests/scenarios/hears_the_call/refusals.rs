//! What cannot be listened to, or not so: each with its exit code, and a word on what to do.

use harness::network::quiet_port;
use harness::wait::SOON;
use harness::{Network, Relay, Scratch, TwilioCall, supervisor};

#[tokio::test]
async fn what_cannot_be_heard_is_said_by_exit_code_and_words() {
    let relay = Relay::start(&[]).await;
    let scratch = Scratch::new();
    let call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    let (known, path) = (call.sid().as_str(), scratch.file("x.wav"));
    let (unknown, file) = ("CA00000000000000000000000000000000", path.to_string_lossy());
    let stories: [(&[&str], i32, &str); 9] = [
        (&[unknown, "--output", &file], 4, "no such call"),
        (&[known, "--format", "wav"], 2, "--output"),
        (
            &[known, "--format", "raw", "--output", &file],
            2,
            "--track inbound",
        ),
        (&[known, "--output", &file, "--track", "left"], 2, "left"),
        (&[known, "--output", &file, "--format", "mp3"], 2, "mp3"),
        (&[known, "--output", &file, "--replay", "soon"], 2, "1h30m"),
        (&[known, "--output", &file, "--loud"], 2, "--loud"),
        (&["CA/1", "--output", &file], 2, "CA/1"),
        (&["--output", &file], 2, "CALL_SID"),
    ];
    for (args, code, says) in stories {
        let mut all = vec!["listen"];
        all.extend(args);
        let done = supervisor::start(&relay.url(), &all).finish(SOON).await;
        assert_eq!(done.code, Some(code), "{args:?}: {}", done.stderr);
        assert!(done.stderr.contains(says), "{args:?} said {:?}", done.stderr);
        assert_eq!(done.text(), "", "{args:?}");
        assert!(!path.exists(), "{args:?} made a file");
    }
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_and_a_relay_that_is_not_there_are_failures() {
    let relay = Relay::start_on(&quiet_port().to_string(), &[]).await;
    let call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    let args = ["listen", call.sid().as_str(), "--output", "/no/such/folder/x.wav"];
    let done = supervisor::start(&relay.url(), &args).finish(SOON).await;
    let done = done.expect_code(1);
    assert!(done.stderr.contains("/no/such/folder/x.wav"), "{}", done.stderr);
    let url = relay.url();
    relay.kill().await;
    let done = supervisor::start(&url, &["listen", call.sid().as_str(), "--output", "-"])
        .finish(SOON)
        .await;
    let done = done.expect_code(1);
    assert!(done.stderr.contains("cannot reach the relay"), "{}", done.stderr);
}

#[tokio::test]
async fn a_call_that_is_over_leaves_the_recording_that_is_there() {
    let relay = Relay::start(&[]).await;
    let mut call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    call.status("completed", &[]).await.expect(204);
    let scratch = Scratch::new();
    let path = scratch.write("x.wav", b"yesterday's");
    let args = ["listen", call.sid().as_str(), "--output", &path.to_string_lossy()];
    let done = supervisor::start(&relay.url(), &args)
        .finish(SOON)
        .await
        .expect_code(0);
    assert!(done.stderr.contains("nothing was written"), "{}", done.stderr);
    assert_eq!(std::fs::read(&path).unwrap(), b"yesterday's");
}

/// A proxy before a relay that is down takes connections and drops them.
#[tokio::test]
async fn who_waits_also_waits_behind_a_proxy_whose_relay_is_down() {
    let relay = Relay::start(&[]).await;
    let mut call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    let network = Network::to(relay.addr(), 1).await;
    network.down(true);
    let args = ["events", call.sid().as_str(), "--follow"];
    let waits = supervisor::start(&network.url(), &args);
    waits.complains(SOON, "again in").await;
    network.down(false);
    call.status("ringing", &[]).await.expect(204);
    waits
        .line(SOON, "the event", |line| line.contains("status=ringing"))
        .await;
    waits.signal("INT");
    waits.finish(SOON).await.expect_code(0);
}
