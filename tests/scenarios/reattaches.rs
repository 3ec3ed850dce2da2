//! A stream that Twilio lost is asked for again by its REST API, also by a relay that was started anew.

mod fails;
mod fifty;
mod full_disk;
mod lost;
mod once;
mod restarts;

use std::time::Duration;

use harness::guarded::Guarded;
use harness::rest::{Rest, RestCall};
use harness::{Listener, MediaSocket, TwilioCall};
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;

const AT_ONCE: Duration = Duration::ZERO;

/// A relay that asks `rest`, and an admin's token for it.
async fn relay(rest: &Rest, extra: &[&str]) -> (Guarded, String) {
    let relay = Guarded::new();
    let token = relay.token("admin", &["--role", "admin"]).await;
    let url = rest.url();
    let relay = relay.start(&[&["--twilio-api", &url], extra].concat()).await;
    rest.aim(Some(relay.addr()));
    (relay, token)
}

/// A live call of customer 7 that Twilio knows, and who hears it.
async fn heard_call(relay: &Guarded, rest: &Rest, token: &str) -> (TwilioCall, MediaSocket, Listener) {
    let (call, stream) = relay.live_call("7").await;
    relay.is_live(call.sid(), token).await;
    rest.has(call.sid().as_str(), RestCall::default());
    let mut listener = relay.listen(token).await;
    listener.subscribe(call.sid()).await;
    (call, stream, listener)
}

fn count(listener: &Listener, sid: &CallSid, kind: EventKind) -> usize {
    let events = &listener.heard(sid).events;
    events.iter().filter(|event| event.kind == kind).count()
}

/// Waits for an error of the call that says so.
async fn told(listener: &mut Listener, sid: &CallSid, text: &str) {
    let says = |l: &Listener| {
        l.heard(sid).events.iter().any(|event| {
            let message = event.detail.get("message").and_then(|message| message.as_str());
            event.kind == EventKind::Error && message.is_some_and(|message| message.contains(text))
        })
    };
    listener.until_so(text, says).await;
}
