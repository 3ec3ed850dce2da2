//! A relay that drains lets sources speak to their end; one that comes back knows a call by the name that its source
//! has for it.

use harness::network::quiet_port;
use harness::wait::SOON;
use harness::{Listener, Relay};
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use serde_json::json;

use super::{CALLS, COMPLETE, STREAM, audio, made, post};

#[tokio::test]
async fn a_relay_that_drains_waits_for_who_still_speaks() {
    let relay = Relay::start(&["--drain-timeout", "1h"]).await;
    let at = relay.addr();
    let sid = made(at, "", "7").await;
    post(at, STREAM, "", &audio(&sid, "inbound", &[0x55; 160]))
        .await
        .expect(202);
    relay.program().signal("TERM");
    relay
        .program()
        .complains(SOON, "draining: live streams go on")
        .await;
    let refused = post(at, CALLS, "", &json!({ "customer_id": "7" }))
        .await
        .expect(503);
    assert_eq!(refused.json()["error"]["code"], "draining");
    post(at, STREAM, "", &audio(&sid, "inbound", &[0x55; 160]))
        .await
        .expect(202);
    post(at, COMPLETE, "", &json!({ "call_sid": sid }))
        .await
        .expect(200);
    let log = relay.ended(SOON).await.expect_code(0).stderr;
    assert!(log.contains("drained: the last live stream has ended"), "{log}");
}

#[tokio::test]
async fn who_speaks_on_is_ended_when_the_time_is_over_and_listeners_are_told() {
    let relay = Relay::start(&["--drain-timeout", "1s"]).await;
    let at = relay.addr();
    let sid = made(at, "", "7").await;
    let call = CallSid::parse(&sid).expect("a name");
    let mut listener = Listener::connect(at).await;
    listener.subscribe(&call).await;
    post(at, STREAM, "", &audio(&sid, "inbound", &[0x55; 65_536]))
        .await
        .expect(202);
    relay.program().signal("TERM");
    let lost = |l: &Listener| l.heard(&call).event(EventKind::StreamLost).is_some();
    listener.until_so("the loss of the stream", lost).await;
    relay.ended(SOON).await.expect_code(0);
}

#[tokio::test]
async fn the_same_name_is_the_same_call_after_a_restart() {
    let at = quiet_port();
    let relay = Relay::start_on(&at.to_string(), &[]).await;
    let new = json!({ "customer_id": "7", "external_id": "x-1" });
    let first = post(at, CALLS, "", &new).await.expect(201).json();
    relay.kill().await;
    let relay = Relay::start_on(&at.to_string(), &[]).await;
    let sid = first["call_sid"].as_str().expect("a name");
    post(at, STREAM, "", &audio(sid, "inbound", &[1]))
        .await
        .expect(404);
    assert_eq!(post(at, CALLS, "", &new).await.expect(201).json(), first);
    post(at, STREAM, "", &audio(sid, "inbound", &[1]))
        .await
        .expect(202);
    relay.stop().await.expect_code(0);
}
