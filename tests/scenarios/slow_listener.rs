//! A listener that stops reading is its own loss: nobody else misses a byte, and it keeps every line and
//! event, told what audio it missed or come back for the rest.

use std::net::SocketAddr;
use std::time::Duration;

use harness::listener::{Heard, Item};
use harness::wait::{SOON, until, within};
use harness::{Listener, Relay, api, speech};
use partyline_shared::call::Call;
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::Subscribe;
use partyline_shared::protocol::close;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::{PerTrack, Track};

/// A kernel's buffer that is soon full, bytes.
const NARROW: u32 = 4 << 10;
/// Finals said while somebody does not read.
const LINES: usize = 40;
/// Listeners that never read.
const DEAF: usize = 20;
/// What the relay may grow by meanwhile, kB: a mailbox of 256 frames and some buffers each are 2 MB together,
/// and an allocator keeps more than is used. All that is said to them, kept for them, would be 15 MB.
const GROWTH_KB: u64 = 8 << 10;

/// A listener of the call that has read up to `subscribed` and reads no further by itself.
async fn narrow_listener(relay: SocketAddr, sid: &CallSid) -> Listener {
    let mut listener = Listener::open(relay, Some(NARROW)).await.expect("/listen");
    listener.subscribe(sid).await;
    listener
}

fn speech_of(millis: usize) -> PerTrack<Vec<u8>> {
    PerTrack {
        inbound: speech::piece(speech::LONG[0], 0, millis),
        outbound: speech::piece(speech::LONG[1], 0, millis),
    }
}

fn is_over(heard: &Heard) -> bool {
    heard.event(EventKind::StreamStopped).is_some()
}

/// Reads to the call's end. Where the relay closed for slowness it comes back and resumes, as a client
/// does. Gives what each connection heard.
async fn to_the_end(mut listener: Listener, relay: SocketAddr, sid: &CallSid) -> Vec<Heard> {
    let mut parts = Vec::new();
    let read = async {
        loop {
            if is_over(listener.heard(sid)) {
                parts.push(listener.heard.remove(sid).unwrap());
                return;
            }
            if let Item::Closed(code) = listener.next("the rest of the call").await {
                assert!(
                    matches!(code, None | Some(close::TOO_SLOW)),
                    "closed with {code:?}"
                );
                let heard = listener.heard.remove(sid).unwrap();
                let after = Some(heard.after());
                parts.push(heard);
                listener = Listener::connect(relay).await;
                let resume = Subscribe {
                    call_sid: sid.clone(),
                    audio: true,
                    after,
                    replay_ms: 0,
                    save: false,
                    saved: None,
                };
                assert!(
                    listener.subscribe_with(resume).await.resumed,
                    "the relay remembers it all"
                );
            }
        }
    };
    within(SOON, "the call to be read to its end", read).await;
    parts
}

/// Every final and every event that the relay remembers, once and in order.
async fn has_all_words(parts: &[Heard], relay: SocketAddr, sid: &CallSid) {
    let lines: Vec<_> = parts.iter().flat_map(|part| &part.lines).collect();
    assert!(
        lines.is_sorted_by(|a, b| a.seq < b.seq),
        "lines are out of order, or doubled"
    );
    let finals: Vec<&str> = lines
        .iter()
        .filter(|l| l.is_final)
        .map(|l| l.text.as_str())
        .collect();
    let said: Vec<String> = (0..LINES).map(|n| format!("line {n}")).collect();
    assert_eq!(finals, said);
    let events: Vec<u64> = parts
        .iter()
        .flat_map(|part| &part.events)
        .map(|event| event.seq)
        .collect();
    let last = *events.last().expect("there were events");
    assert_eq!(
        events,
        (1..=last).collect::<Vec<u64>>(),
        "events are missing, or doubled"
    );
    let known = api::events(relay, sid).await;
    let stopped = known.iter().find(|e| e.kind == EventKind::StreamStopped);
    assert!(stopped.is_some_and(|stopped| stopped.seq <= last));
}

#[tokio::test]
async fn who_stops_reading_delays_nobody_and_keeps_its_lines() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    // Twice real time, for seven seconds: four times what sockets and mailbox of the slow one can hold, and
    // less than the ten seconds after which a blocked write ends it.
    let sent = speech_of(14_000);
    let (mut call, mut stream) = api::live_call(&relay).await;
    let sid = call.sid().clone();
    let mut fast = Vec::new();
    for _ in 0..3 {
        let mut listener = Listener::connect(at).await;
        listener.subscribe(&sid).await;
        let sid = sid.clone();
        fast.push(tokio::spawn(async move { to_the_end(listener, at, &sid).await }));
    }
    let slow = narrow_listener(at, &sid).await;

    let audio = sent.clone();
    let playing = tokio::spawn(async move {
        let pace = Duration::from_millis(10);
        stream.play(&audio.inbound, &audio.outbound, pace).await;
        stream
    });
    for number in 0..LINES {
        let track = Track::BOTH[number % 2];
        call.says(track, "so far", false).await.expect(204);
        call.says(track, &format!("line {number}"), true)
            .await
            .expect(204);
        // Spread over the call: a line each few frames.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let stream = within(SOON, "the last frame to be sent", playing).await.unwrap();
    stream.hang_up().await;

    for listener in fast {
        let parts = within(SOON, "a fast listener", listener).await.unwrap();
        let [heard] = parts.as_slice() else {
            panic!("a listener that read was closed")
        };
        assert_eq!(heard.gaps, [], "a listener that read lost audio");
        heard.assert_no_hole();
        for track in Track::BOTH {
            assert!(
                heard.audio(track) == *sent.get(track),
                "{track}: not what was sent, byte for byte"
            );
            assert!(heard.frames.get(track).is_sorted_by_key(|f| f.timestamp_ms()));
        }
        has_all_words(&parts, at, &sid).await;
    }

    let parts = to_the_end(slow, at, &sid).await;
    has_all_words(&parts, at, &sid).await;
    for heard in &parts {
        heard.assert_no_hole();
    }
    // Where it was not closed, it knows of each chunk whether it missed it.
    if let [heard] = parts.as_slice() {
        assert!(heard.gaps.iter().all(|gap| gap.reason == GapReason::SlowListener));
        for track in Track::BOTH {
            let missed: u32 = heard
                .gaps
                .iter()
                .filter(|gap| gap.track == track)
                .map(|gap| gap.to_chunk + 1 - gap.from_chunk)
                .sum();
            let frames = heard.frames.get(track);
            assert!(missed > 0, "{track}: nothing was missed: the story is too short");
            assert_eq!(frames.len() as u32 + missed, 700, "{track}");
            let last = frames.last().unwrap();
            assert_eq!(
                (last.chunk(), last.mulaw()),
                (700, &sent.get(track)[699 * 160..]),
                "the newest stays"
            );
        }
    }
}

#[tokio::test]
async fn who_never_reads_is_sent_away_and_loses_no_line() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    let (mut call, mut stream) = api::live_call(&relay).await;
    let sid = call.sid().clone();
    let speech = speech_of(10_000);
    let mut deaf = Vec::new();
    for _ in 0..DEAF {
        deaf.push(narrow_listener(at, &sid).await);
    }
    // The relay has its ten seconds of history and its buffers before it is measured.
    stream
        .play(&speech.inbound, &speech.outbound, Duration::ZERO)
        .await;
    let played = |talk: partyline_shared::call::Talk| {
        talk.inbound_ms + talk.outbound_ms + talk.both_ms + talk.silence_ms
    };
    api::call_once(at, &sid, "ten seconds", |call| played(call.talk) >= 9_500).await;
    let before = relay.rss_kb();
    for _ in 0..11 {
        stream
            .play(&speech.inbound, &speech.outbound, Duration::ZERO)
            .await;
    }
    api::call_once(at, &sid, "two minutes", |call| played(call.talk) >= 119_500).await;
    let grown = relay.rss_kb().saturating_sub(before);
    assert!(grown < GROWTH_KB, "the relay grew by {grown} kB");
    for number in 0..LINES {
        call.says(Track::Inbound, &format!("line {number}"), true)
            .await
            .expect(204);
    }
    // A write that waits ten seconds is the end; a close that nobody takes, one more.
    let gone = |call: &Call| call.listeners == 0;
    api::call_once(at, &sid, "those who never read to be gone", gone).await;
    // Those who leave at once are summed up, a second later.
    until(SOON, "the event of each that left", async || {
        let events = api::events(at, &sid).await;
        let left = events.iter().filter(|e| e.kind == EventKind::ListenerLeft);
        let many = left.map(|e| e.detail.get("count").map_or(1, |count| count.as_u64().unwrap()));
        (many.sum::<u64>() == DEAF as u64).then_some(())
    })
    .await;
    stream.hang_up().await;
    let parts = to_the_end(deaf.remove(0), at, &sid).await;
    assert!(parts.len() > 1, "it was not sent away");
    has_all_words(&parts, at, &sid).await;
}
