//! A disk that takes no more: nobody begins to listen, who listens goes on, and no call is touched. A limit on how
//! long the relay's files may be stands for the disk: the kernel answers a write in the same way.

use std::time::Duration;

use ::http::Method;
use harness::cable::{Cable, stream_of};
use harness::wait::{SOON, until};
use harness::{Listener, MediaSocket, Record, Relay, TwilioCall, api, http};
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::ClientMessage;
use partyline_shared::protocol::server::{ErrorCode, ServerMessage};
use partyline_shared::track::Track;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::hear;

/// Lets no file of the relay grow beyond the audit's length now, or frees it.
fn limit(relay: &Relay, record: &Record, full: bool) {
    let pid = Pid::from_raw(relay.program().pid() as i32).expect("it runs");
    let unlimited = Rlimit {
        current: None,
        maximum: None,
    };
    // Half a line more, so that a write begins and breaks off.
    let current = full.then(|| record.length() + 100);
    prlimit(Some(pid), Resource::Fsize, Rlimit { current, ..unlimited }).expect("a limit can be set");
}

/// Says something; who hears gets it without a hole.
async fn is_heard(stream: &mut MediaSocket, listener: &mut Listener, call: &CallSid) {
    let got = |listener: &Listener| listener.heard(call).audio(Track::Inbound).len();
    let before = got(listener);
    stream.play(&[0x33; 1600], &[0x44; 1600], Duration::ZERO).await;
    listener
        .until_so("what is said meanwhile", |listener| {
            got(listener) == before + 1600
        })
        .await;
    listener.heard(call).assert_no_hole();
}

/// What the relay answers who asks to hear: `None` for yes.
async fn answer(listener: &mut Listener, call: &CallSid) -> Option<String> {
    listener
        .say(&ClientMessage::Subscribe(hear(call, 0, false)))
        .await;
    let answered = |message: &ServerMessage| {
        matches!(
            message,
            ServerMessage::Subscribed { .. } | ServerMessage::Error { .. }
        )
    };
    match listener.until("an answer to subscribe", answered).await {
        ServerMessage::Error { code, message, re } => {
            assert_eq!(
                (code, re.as_deref()),
                (ErrorCode::NotAllowed, Some(call.as_str()))
            );
            Some(message)
        }
        _ => None,
    }
}

/// A relay, a call that alice hears, and bob at the door.
async fn scene(record: &Record, more: &[&str]) -> (Relay, TwilioCall, MediaSocket, Listener, Listener) {
    let alice = record.add("alice", &["--role", "admin"]).await;
    let bob = record.add("bob", &["--role", "admin"]).await;
    let relay = record.relay(more).await;
    let (call, mut stream) = api::live_call(&relay).await;
    let mut alice = Listener::connect_as(relay.addr(), &alice).await;
    alice.subscribe(call.sid()).await;
    is_heard(&mut stream, &mut alice, call.sid()).await;
    let bob = Listener::connect_as(relay.addr(), &bob).await;
    limit(&relay, record, true);
    (relay, call, stream, alice, bob)
}

/// The counter that the relay tells when it ends.
#[track_caller]
fn expect_counted(log: &str, name: &str, total: u64) {
    let told = format!("name=\"{name}\" total={total}");
    assert!(log.contains(&told), "{told} is not in\n{log}");
}

#[tokio::test]
async fn on_a_full_disk_nobody_begins_and_all_else_goes_on() {
    let record = Record::new();
    let (relay, call, mut stream, mut alice, mut bob) = scene(&record, &[]).await;
    for _ in 0..2 {
        let refused = answer(&mut bob, call.sid()).await;
        let refused = refused.expect("it cannot be put on record");
        assert!(refused.contains("cannot be put on record now"), "{refused}");
    }
    is_heard(&mut stream, &mut alice, call.sid()).await;
    // To read is no listening.
    let mut read = hear(call.sid(), 0, false);
    read.audio = false;
    bob.subscribe_with(read).await;
    // Calls come and go as ever.
    let twiml = TwilioCall::new(&relay).webhook(&[]).await.expect(200);
    assert!(
        twiml.text().contains("<Stream") && twiml.text().contains("<Dial"),
        "{}",
        twiml.text()
    );
    let (_other, _others_stream) = api::live_call(&relay).await;
    // To be on record anew is not possible, to go on as one is.
    assert!(answer(&mut alice, call.sid()).await.is_some());
    is_heard(&mut stream, &mut alice, call.sid()).await;
    // A call that comes back is begun to be heard, and that is not.
    stream.hang_up().await;
    let mut stream = api::live_stream(&relay, &call).await;
    let unsubscribed = |message: &ServerMessage| matches!(message, ServerMessage::Unsubscribed { call_sid } if call_sid == call.sid());
    alice.until("the end of what she hears", unsubscribed).await;
    assert!(alice.strays.is_empty(), "nothing of the new stream");
    // Her end waits until there is room.
    alice.close().await;
    limit(&relay, &record, false);
    until(SOON, "bob to be let in", async || {
        answer(&mut bob, call.sid()).await.is_none().then_some(())
    })
    .await;
    is_heard(&mut stream, &mut bob, call.sid()).await;
    assert_eq!(record.once("listen_end", "alice", 1).await.len(), 1);
    assert_eq!(record.of("listen_begin", "bob").len(), 1, "only what came to be");
    let log = relay.stop().await.expect_code(0).stderr;
    assert_eq!(log.matches("the audit cannot be written").count(), 1, "{log}");
    assert!(log.contains("the audit can be written again"), "{log}");
    expect_counted(&log, "audit_lost", 0);
    partyline_relay::audit::verify(&[record.audit()]).unwrap_or_else(|bad| panic!("{bad}"));
}

#[tokio::test]
async fn where_the_operator_wants_it_so_they_are_let_in_counted_and_told() {
    let record = Record::new();
    let (relay, call, mut stream, alice, mut bob) = scene(&record, &["--audit-fail", "open"]).await;
    assert_eq!(answer(&mut bob, call.sid()).await, None);
    is_heard(&mut stream, &mut bob, call.sid()).await;
    assert_eq!(record.of("listen_begin", "bob").len(), 0, "there is no room");
    limit(&relay, &record, false);
    record.once("listen_begin", "bob", 1).await;
    drop(alice);
    let log = relay.stop().await.expect_code(0).stderr;
    assert!(log.contains("let in without being on record"), "{log}");
    expect_counted(&log, "audit_unrecorded", 1);
    expect_counted(&log, "audit_refused", 0);
    partyline_relay::audit::verify(&[record.audit()]).unwrap_or_else(|bad| panic!("{bad}"));
}

#[tokio::test]
async fn no_door_lets_anybody_in_who_cannot_be_put_on_record_and_no_call_is_held_back_unseen() {
    let record = Record::new();
    let (relay, call, mut stream, mut alice, _bob) = scene(&record, &[]).await;
    let (at, sid) = (relay.addr(), call.sid().clone());
    let path = |what: &str| format!("/api/v1/calls/{sid}/{what}");
    let hold = async |what: &str| http::send(at, Method::POST, &path(what), &[], "").await;
    let told = |answer: &http::Answer| answer.json()["error"]["code"].clone();
    // Nothing happens to the call: who hears it goes on, and it is told as it was.
    let refused = hold("pause").await.expect(503);
    assert_eq!(told(&refused), "unavailable");
    is_heard(&mut stream, &mut alice, &sid).await;
    assert!(!api::call(at, &sid).await.paused);
    let refused = http::get(at, &path("audio.wav")).await.expect(503);
    assert_eq!(told(&refused), "not_on_record");
    assert_eq!(refused.header("cache-control"), "no-store");
    let mut cable = Cable::welcome(at, "", &[]).await;
    let identifier = stream_of(&sid);
    let rejected = serde_json::json!({ "identifier": &identifier, "type": "reject_subscription" });
    cable.say("subscribe", &identifier).await;
    assert_eq!(cable.next("a rejection").await, rejected);
    is_heard(&mut stream, &mut alice, &sid).await;
    let heard_by = |call: &partyline_shared::call::Call| call.listeners;
    assert_eq!(heard_by(&api::call(at, &sid).await), 1, "alice alone");

    limit(&relay, &record, false);
    until(SOON, "the call to be held back", async || {
        (hold("pause").await.status == 200).then_some(())
    })
    .await;
    assert!(api::call(at, &sid).await.paused);
    // What is held back is not let go unseen either.
    limit(&relay, &record, true);
    hold("resume").await.expect(503);
    assert!(api::call(at, &sid).await.paused);
    limit(&relay, &record, false);
    until(SOON, "the call to be let go", async || {
        (hold("resume").await.status == 200).then_some(())
    })
    .await;
    cable.subscribe(&identifier).await;
    let begun = record.once("listen_begin", "insecure", 1).await;
    assert_eq!((begun.len(), &begun[0]["door"]), (1, &"cable".into()));
    for event in ["pause", "resume"] {
        assert_eq!(
            record.of(event, "insecure").len(),
            1,
            "{event}: only what was done"
        );
    }
    relay.stop().await.expect_code(0);
    partyline_relay::audit::verify(&[record.audit()]).unwrap_or_else(|bad| panic!("{bad}"));
}
