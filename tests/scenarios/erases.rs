//! A call is erased, live or over: nothing of it is left for anybody, and nothing that still comes of it is taken.

mod heard;

use std::time::Duration;

use harness::guarded::Guarded;
use harness::network::quiet_port;
use harness::wait::{SOON, until};
use http::Method;
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;

#[tokio::test]
async fn an_erased_call_is_gone_and_does_not_come_back_by_what_is_late() {
    let guarded = Guarded::new();
    let admin = guarded.token("admin", &["--role", "admin"]).await;
    let mine = ["--role", "user", "--customer", "7", "--allow", "pause,save"];
    let user = guarded.token("user", &mine).await;
    let other = guarded
        .token("other", &["--role", "user", "--customer", "8"])
        .await;
    let state = guarded.path("calls.state");
    let at = quiet_port();
    let guarded = guarded.start_at(at, &["--state", &state]).await;
    let (mut live, mut stream) = guarded.live_call("7").await;
    let (mut over, ends) = guarded.live_call("7").await;
    let mut listener = guarded.listen(&user).await;
    for call in [&mut live, &mut over] {
        guarded.is_live(call.sid(), &admin).await;
        listener.subscribe(call.sid()).await;
        call.says(Track::Inbound, "remembered", true).await.expect(204);
        let (sid, said) = (call.sid().clone(), |l: &harness::Listener, sid| {
            !l.heard(sid).lines.is_empty()
        });
        listener.until_so("the line", |l| said(l, &sid)).await;
    }
    let file = || std::fs::read_to_string(&state).unwrap_or_default();
    let has = |sid: &CallSid| file().contains(&format!(r#""call_sid":"{sid}""#));
    until(SOON, "the calls in the state file", async || {
        has(live.sid()).then_some(())
    })
    .await;
    ends.hang_up().await;
    let ended = over.sid().clone();
    listener
        .until_so("its end", |l| l.calls[&ended].ended_at.is_some())
        .await;

    for call in [&live, &over] {
        let path = format!("/api/v1/calls/{}", call.sid());
        guarded.ask(Method::DELETE, &path, &other).await.expect(404);
        let refused = guarded.ask(Method::DELETE, &path, &user).await.expect(403);
        assert_eq!(refused.json()["error"]["code"], "not_allowed");
        guarded.ask(Method::DELETE, &path, &admin).await.expect(204);
        // At once: a relay that is killed now and started again does not know it either.
        assert!(!has(call.sid()));
        guarded.ask(Method::DELETE, &path, &admin).await.expect(404);
        for what in ["", "/transcript", "/events", "/listeners"] {
            guarded
                .ask(Method::GET, &format!("{path}{what}"), &admin)
                .await
                .expect(404);
        }
        let sid = call.sid().clone();
        listener
            .until_so("its removal", |l| l.removed.contains(&sid))
            .await;
    }
    let gone = live.sid().clone();
    let frames = |l: &harness::Listener| l.heard(&gone).frames.inbound.len() + l.strays.len();
    let before = frames(&listener);
    stream.play(&[7; 1600], &[], Duration::ZERO).await;
    for call in [&mut live, &mut over] {
        call.says(Track::Inbound, "late", true).await.expect(204);
        call.status("completed", &[]).await.expect(204);
    }
    stream.hang_up().await;
    // Behind all of that: another call, which the listener is told of.
    let (next, _stream) = guarded.live_call("7").await;
    listener
        .until_so("the next call", |l| l.calls.contains_key(next.sid()))
        .await;
    let listed = guarded
        .ask(Method::GET, "/api/v1/calls?status=all", &admin)
        .await
        .json();
    assert_eq!(listed["calls"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!((frames(&listener), listener.calls.len()), (before, 1));
    until(SOON, "the state file with that one, and without it", async || {
        (has(next.sid()) && !has(&gone)).then_some(())
    })
    .await;

    // Nor does what is late make it anew after a kill and a start.
    let guarded = guarded.kill().await;
    let guarded = guarded.start_at(at, &["--state", &state]).await;
    for call in [&mut live, &mut over] {
        call.says(Track::Inbound, "later", true).await.expect(204);
        let path = format!("/api/v1/calls/{}", call.sid());
        guarded.ask(Method::GET, &path, &admin).await.expect(404);
    }
}
