//! A relay is killed while a call is held back: the next one holds it back as well.

use std::time::Duration;

use harness::guarded::Guarded;
use harness::http::Answer;
use harness::rest::{Rest, RestCall};
use http::Method;
use partyline_shared::protocol::server::GapReason;

#[tokio::test]
async fn a_call_that_is_held_back_does_not_come_back_otherwise() {
    let mut rest = Rest::start().await;
    let guarded = Guarded::new();
    let token = guarded.token("admin", &["--role", "admin"]).await;
    let (state, url) = (guarded.path("calls.state"), rest.url());
    let flags = ["--twilio-api", &url, "--state", &state];
    let guarded = guarded.start(&flags).await;
    rest.aim(Some(guarded.addr()));
    let (call, stream) = guarded.live_call("7").await;
    let sid = call.sid();
    guarded.is_live(sid, &token).await;
    rest.has(sid.as_str(), RestCall::default());
    let hold = async |guarded: &Guarded, what: &str| -> Answer {
        let path = format!("/api/v1/calls/{sid}/{what}");
        guarded.ask(Method::POST, &path, &token).await.expect(200)
    };
    hold(&guarded, "pause").await;
    // At once: what was answered is kept.
    rest.aim(None);
    let guarded = guarded.kill().await;
    drop(stream);
    let guarded = guarded.start(&flags).await;
    rest.aim(Some(guarded.addr()));
    let mut again = rest.stream().await;
    guarded.is_live(sid, &token).await;
    let mut listener = guarded.listen(&token).await;
    listener.subscribe(sid).await;
    assert!(listener.calls[sid].paused);
    again.stream.play(&[7; 1600], &[], Duration::ZERO).await;
    again.stream.raw_text("no message").await.unwrap();
    listener
        .until_so("all that was said", |l| {
            l.heard(sid)
                .events
                .iter()
                .any(|event| event.kind.as_str() == "bad_message")
        })
        .await;
    hold(&guarded, "resume").await;
    again.stream.play(&[8; 160], &[], Duration::ZERO).await;
    assert_eq!(listener.next_frame("a frame").await.mulaw(), [8; 160]);
    let gap = &listener.heard(sid).gaps[0];
    assert_eq!(
        (gap.from_chunk, gap.to_chunk, gap.reason),
        (1, 10, GapReason::Paused)
    );
}
