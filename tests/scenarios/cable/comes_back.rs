//! A relay that is killed and started again has its clients back, each by its own pace, and they hear on.

use std::time::Duration;

use harness::cable::{CLIENTS, Clients};
use harness::guarded::Talk;
use harness::{Network, Relay, TwilioCall, api};
use serde_json::{Value, json};

use super::MEDIA;

/// The slowest looks again after 18 s.
const COME_BACK: Duration = Duration::from_secs(40);

#[tokio::test]
async fn all_four_come_back_after_a_restart_and_hear_on() {
    let relay = Relay::start(&[]).await;
    let wire = Network::to(relay.addr(), 11).await;
    let mut call = TwilioCall::new(&relay);
    let first = api::live_stream(&relay, &call).await;
    let mut clients = Clients::start(wire.addr(), "", &CLIENTS);
    clients
        .all("subscribe", MEDIA, json!({ "call_sid": call.sid() }))
        .await;
    clients.each(&CLIENTS, "connected", MEDIA, 1).await;
    // Away until the call is known again: who asked before would be rejected, and for good.
    wire.down(true);
    relay.kill().await;
    drop(first);
    let relay = Relay::start(&[]).await;
    call.aim(relay.addr());
    let talk = Talk::begin(api::live_stream(&relay, &call).await);
    wire.aim(relay.addr());
    wire.down(false);
    let hears_again = |told: &[Value], name: &str| {
        let of = |what: &str| {
            let is = move |told: &&Value| told["client"] == name && told["what"] == what;
            told.iter().filter(is).count()
        };
        of("connected") >= 2 && of("received") >= 3
    };
    let all = |told: &[Value]| CLIENTS.iter().all(|name| hears_again(told, name));
    clients.until(COME_BACK, "all four to be back", all).await;
    talk.end().await;
}
