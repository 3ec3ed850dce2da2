//! Relays that share their calls over a real redis-server: whatever reaches whichever of them belongs to one call, which
//! is seen, heard and governed at all of them; what becomes of it when a relay or Redis goes.

mod acts;
mod carries;
mod hands_over;
mod one_view;
mod owner_dies;
mod redis_goes;
mod rolling;

use std::time::Duration;

use harness::wait::within;
use harness::{Listener, Relays, TwilioCall};
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{After, Subscribe};
use partyline_shared::track::Track;
use serde_json::{Value, json};

/// Real time.
const PACE: Duration = Duration::from_millis(20);
const AT_ONCE: Duration = Duration::ZERO;

/// So many frames of which none is like another, nor like another call's.
fn said(call: u8, frames: usize) -> Vec<u8> {
    let frame = |n: usize| {
        let mut frame = [call; 160];
        frame[..2].copy_from_slice(&(n as u16).to_be_bytes());
        frame
    };
    (0..frames).flat_map(frame).collect()
}

/// Hears and reads a call from where it was.
fn from(sid: &CallSid, after: After) -> Subscribe {
    Subscribe {
        after: Some(after),
        ..heard(sid)
    }
}

fn heard(sid: &CallSid) -> Subscribe {
    Subscribe {
        call_sid: sid.clone(),
        audio: true,
        after: None,
        replay_ms: 0,
        save: false,
        saved: None,
    }
}

/// Reads until so many final lines are there.
async fn finals(listener: &mut Listener, sid: &CallSid, count: usize) {
    let what = format!("{count} final lines of {sid}");
    listener
        .until_so(&what, |l| l.heard(sid).finals().len() >= count)
        .await;
}

/// Reads until the call's stream has stopped; fails the story where that takes longer than it should.
async fn to_the_end(listener: &mut Listener, sid: &CallSid, limit: Duration) {
    let over = |l: &Listener| l.heard(sid).event(EventKind::StreamStopped).is_some();
    within(limit, "the end of what is heard", async {
        listener.until_so("the stream's stop", over).await;
    })
    .await;
}

/// One final line, as Twilio tells it.
async fn says(call: &mut TwilioCall, text: &str) {
    call.says(Track::Inbound, text, true).await.expect(204);
}

/// One final line, as a speech-to-text worker posts it; its number in the call.
async fn posts(relays: &Relays, nth: usize, sid: &CallSid, text: &str) -> Value {
    let line = json!({ "track": "outbound", "text": text, "final": true });
    let path = format!("/api/v1/calls/{sid}/transcript");
    relays.post(nth, &path, &line).await.expect(201).json()
}

/// Fails the story unless each of these is there, once.
#[track_caller]
fn once_each(what: &str, mut texts: Vec<&str>, mut expected: Vec<String>) {
    texts.sort_unstable();
    expected.sort_unstable();
    assert_eq!(texts, expected, "{what}");
}

/// Fails the story unless all is there once and in the order in which it was numbered.
#[track_caller]
fn in_order(listener: &Listener, sid: &CallSid) {
    let heard = listener.heard(sid);
    let lines: Vec<u64> = heard.lines.iter().map(|line| line.seq).collect();
    let events: Vec<u64> = heard.events.iter().map(|event| event.seq).collect();
    for seqs in [lines, events] {
        assert!(seqs.windows(2).all(|two| two[0] < two[1]), "{sid}: {seqs:?}");
    }
}
