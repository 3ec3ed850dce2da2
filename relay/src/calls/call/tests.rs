//! One call as its writers and listeners meet it.

use std::collections::VecDeque;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::call::{CallStatus, StreamState};
use partyline_shared::protocol::REMEMBERED;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::Track;
use serde_json::Value;

use super::tests_support::media;
use super::*;
use crate::access::Role;
use crate::calls::fanout::{Gap, Item};
use crate::calls::fanout::{Mailbox, StreamInfo};
use crate::calls::journal::NewLine;
use crate::calls::parties::FromWebhook;
use crate::calls::transcription::Heard;

fn call() -> (Arc<Call>, Now) {
    let shared = Shared::new("n".into(), Arc::default());
    let now = Now::take();
    let sid = CallSid::parse("CA1").unwrap();
    (
        Arc::new(Call::new(
            sid,
            now,
            Arc::new(shared),
            "j".into(),
            Duration::from_secs(10),
        )),
        now,
    )
}

fn frame(key: u32, chunk: u32) -> Item {
    Item::Frame(AudioFrame::new(
        Track::Inbound,
        key,
        chunk,
        chunk * 20,
        &[0xff; 160],
    ))
}

fn accept(call: &Call, now: Now, key: u32) {
    let accepted = Accepted {
        stream_sid: format!("MZ{key}"),
        tracks: vec![Track::Inbound],
        ..Accepted::default()
    };
    call.accept_stream(now, key, accepted);
}

fn listen(call: &Arc<Call>, now: Now, replay_ms: u64) -> (Arc<Mailbox>, Subscription) {
    let mailbox = Arc::new(Mailbox::default());
    mailbox.set_subs(vec![1]);
    let ask = Ask {
        mailbox: &mailbox,
        sub: 1,
        audio: true,
        form: None,
        from: Begin::Remembered,
        replay_ms,
    };
    let subscription = call.subscribe(now, &Grant::insecure(), ask).unwrap();
    (mailbox, subscription)
}

fn items(mailbox: &Mailbox) -> Vec<Item> {
    let mut out = VecDeque::new();
    mailbox.take(&mut out, usize::MAX);
    out.into_iter().map(|(_, item)| item).collect()
}

fn remembered(call: &Call, kind: Kind, after: Option<(u64, Option<String>)>) -> Vec<Encoded> {
    let (_, told) = call.remembered(&Grant::insecure(), kind, after).unwrap();
    told
}

fn kinds(call: &Call) -> Vec<String> {
    let kind = |told: &Encoded| {
        let event: Value = serde_json::from_str(told.json()).unwrap();
        event["kind"].as_str().unwrap().to_owned()
    };
    let lines = remembered(call, Kind::Lines, None);
    let events = remembered(call, Kind::Events, None);
    let lines = lines.iter().map(|_| "line".to_owned());
    lines.chain(events.iter().map(kind)).collect()
}

#[test]
fn a_second_stream_takes_over_and_the_first_ones_stop_is_an_event_only() {
    let (call, now) = call();
    accept(&call, now, 1);
    let (mailbox, subscription) = listen(&call, now, 0);
    assert_eq!(subscription.stream.map(|s| s.audio_id), Some(1));
    media(&call, now.mono, 1, &[frame(1, 1)]);
    accept(&call, now, 2);
    media(&call, now.mono, 1, &[frame(1, 2)]);
    media(&call, now.mono, 2, &[frame(2, 1)]);
    call.stream_stopped(now, 1);
    let told = items(&mailbox);
    assert_eq!(told.len(), 3, "the replaced stream is not heard: {told:?}");
    assert!(matches!(told[1], Item::Stream(StreamInfo { audio_id: 2, .. })));
    assert_eq!(call.view().status, CallStatus::InProgress);
    assert_eq!(
        kinds(&call),
        [
            "stream_started",
            "listener_joined",
            "stream_replaced",
            "stream_started",
            "stream_stopped"
        ]
    );
    call.stream_stopped(now, 2);
    assert_eq!(call.view().status, CallStatus::Completed);
    media(&call, now.mono, 2, &[frame(2, 2)]);
    assert!(items(&mailbox).is_empty(), "late media is dropped");
    assert_eq!(call.shared.metrics.frames_late.get(), 2);
}

#[test]
fn who_joins_late_hears_the_last_seconds_once() {
    let (call, now) = call();
    accept(&call, now, 1);
    media(
        &call,
        now.mono,
        1,
        &(1..=20).map(|chunk| frame(1, chunk)).collect::<Vec<_>>(),
    );
    let (mailbox, subscription) = listen(&call, now, 100);
    media(&call, now.mono, 1, &[frame(1, 21)]);
    let chunk = |item: &Item| match item {
        Item::Frame(frame) => frame.chunk(),
        other => panic!("nothing is missing: {other:?}"),
    };
    let replayed: Vec<u32> = subscription.replay.iter().map(chunk).collect();
    assert_eq!(replayed, [16, 17, 18, 19, 20]);
    assert_eq!(items(&mailbox), [frame(1, 21)]);
    assert_eq!(call.view().listeners, 1);
    drop(subscription);
    assert_eq!(call.view().listeners, 0);
}

#[test]
fn gaps_are_told_and_counted_and_their_events_summed_up() {
    let (call, now) = call();
    accept(&call, now, 1);
    let (mailbox, _subscription) = listen(&call, now, 0);
    let gap = |from_chunk, to_chunk| {
        Item::Gap(Gap {
            track: Track::Inbound,
            from_chunk,
            to_chunk,
            reason: GapReason::Upstream,
        })
    };
    for n in 0..10 {
        media(
            &call,
            now.mono,
            1,
            &[gap(n * 2 + 1, n * 2 + 1), frame(1, n * 2 + 2)],
        );
        call.on_deadline(now.plus(Duration::from_millis(20)), false);
    }
    assert_eq!(items(&mailbox).len(), 20);
    assert_eq!(call.view().lost_chunks, 10);
    assert_eq!(kinds(&call).iter().filter(|kind| *kind == "gap").count(), 1);
    call.stream_lost(now, 1, "gone");
    assert_eq!(kinds(&call)[2..], ["gap", "gap", "stream_lost"]);
    assert_eq!(call.view().stream, StreamState::Lost);
}

#[test]
fn a_repeated_callback_is_one_event() {
    let (call, now) = call();
    let note = |leg: &str, status| StatusNote {
        leg: CallSid::parse(leg).unwrap(),
        parties: Default::default(),
        status: Some(status),
        at: None,
        duration_s: None,
        sip_response_code: None,
    };
    for _ in 0..3 {
        call.status(now, note("CA1", CallStatus::Ringing));
        call.status(now, note("CA2", CallStatus::Completed));
    }
    assert_eq!(kinds(&call), ["call_status", "call_status"]);
    assert_eq!(call.view().ended_at, None, "a child never ends its parent");
}

#[test]
fn what_is_forgotten_of_events_hides_no_reader_of_lines_its_place() {
    let (call, now) = call();
    for text in ["one", "two"] {
        let line = NewLine {
            at: now.wall,
            start_ms: None,
            end_ms: None,
            track: Track::Inbound,
            text: text.to_owned(),
            is_final: true,
            confidence: None,
            engine: "twilio".to_owned(),
            sequence: None,
        };
        call.transcribed(now, None, "", None, (now.wall, Heard::Line(line)));
    }
    for _ in 0..=REMEMBERED {
        call.stream_note(now, None, None, Some("31901"));
    }
    let known = Some((1, Some("j".to_owned())));
    let lines = remembered(&call, Kind::Lines, known);
    assert_eq!(lines.len(), 1, "only what follows the first line");
    assert_eq!(
        remembered(&call, Kind::Events, Some((0, None))).len(),
        REMEMBERED,
        "all there is"
    );
}

mod forms;
/// A call that was found may be another customer's by the time that it is read.
#[test]
fn what_a_grant_does_not_cover_now_is_not_read() {
    let (call, now) = call();
    let belongs_to = |customer: &str| {
        let from = FromWebhook {
            customer_id: Some(customer.to_owned()),
            ..FromWebhook::default()
        };
        call.webhook(now, from, None);
    };
    let alice = Grant::new("alice", Role::User, vec!["777".to_owned()], Vec::new());
    belongs_to("777");
    let kinds = [Kind::Lines, Kind::Events];
    assert!(call.shown_to(&alice).is_some());
    assert!(
        kinds
            .iter()
            .all(|kind| call.remembered(&alice, *kind, None).is_some())
    );
    belongs_to("888");
    assert!(call.shown_to(&alice).is_none());
    assert!(
        kinds
            .iter()
            .all(|kind| call.remembered(&alice, *kind, None).is_none())
    );
}
