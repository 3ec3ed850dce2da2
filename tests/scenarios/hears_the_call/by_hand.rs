//! A stream that is driven by hand, so that every timestamp and every hole is known.

use std::time::Duration;

use harness::wait::SOON;
use harness::{MediaSocket, Relay, Scratch, TwilioCall, api, media, speech};
use partyline_shared::audio::SILENCE;
use partyline_shared::event::EventKind;
use partyline_shared::track::{PerTrack, Track};
use serde_json::json;

use super::{assert_is_after_silence, channels, heard_by, listen, padded, whole_file};

/// Between two steps of what is played while somebody listens: twice as fast as people talk, and slow
/// enough that a busy machine does not lose what it could keep.
const LIVELY: Duration = Duration::from_millis(10);

/// Some seconds of two people, not in whole frames.
fn two_people(inbound_ms: usize, outbound_ms: usize) -> PerTrack<Vec<u8>> {
    let mut said = PerTrack {
        inbound: speech::piece("demo-instruct", 700, inbound_ms),
        outbound: speech::piece("demo-congrats", 900, outbound_ms),
    };
    said.inbound.truncate(inbound_ms * 8 - 23);
    said
}

async fn hang_up(call: &mut TwilioCall, stream: MediaSocket) {
    stream.hang_up().await;
    call.status("completed", &[]).await.expect(204);
}

/// Silence of so many ms, and then this.
fn after(ms: usize, samples: &[i16]) -> Vec<i16> {
    let mut all = vec![0; ms * 8];
    all.extend(samples);
    all
}

/// Fails unless a channel is exactly this, and silence behind it.
#[track_caller]
fn assert_channel(channel: &[i16], expected: &[i16]) {
    let differs = channel
        .iter()
        .zip(expected)
        .position(|(heard, sent)| heard != sent);
    assert_eq!(differs, None, "the first sample that differs");
    assert!(
        channel.len() >= expected.len(),
        "{} of {}",
        channel.len(),
        expected.len()
    );
    assert!(channel[expected.len()..].iter().all(|sample| *sample == 0));
}

#[tokio::test]
async fn tracks_begin_when_they_begin_also_for_who_waited_before_there_was_a_call() {
    let (relay, scratch) = (Relay::start(&[]).await, Scratch::new());
    let mut call = TwilioCall::new(&relay);
    let sid = call.sid().clone();
    let early = listen(&relay, sid.as_str(), &scratch.file("early.wav"), &["--wait"]);
    let said = two_people(1500, 1100);
    call.webhook(&[]).await.expect(200);
    let mut stream = call.live_stream().await;
    (stream.clock.inbound, stream.clock.outbound) = (57, 171);
    stream.play(&said.inbound, &said.outbound, LIVELY).await;
    let late = listen(&relay, sid.as_str(), &scratch.file("late.wav"), &["--wait"]);
    heard_by(&relay, &sid, 2).await;
    hang_up(&mut call, stream).await;
    for (listener, name) in [(early, "early.wav"), (late, "late.wav")] {
        listener.finish(SOON).await.expect_code(0);
        let [left, right] = channels(&whole_file(&scratch.file(name)));
        assert_channel(&left, &speech::decoded(&padded(&said.inbound)));
        assert_channel(&right, &after(114, &speech::decoded(&padded(&said.outbound))));
        assert_eq!(left.len(), padded(&said.inbound).len());
    }
    relay.stop().await.expect_code(0);
}

/// Frames that never reached the relay are 20 ms of silence each, whether one heard it live or later.
#[tokio::test]
async fn a_hole_is_as_long_as_what_is_missing() {
    let (relay, scratch) = (Relay::start(&[]).await, Scratch::new());
    let mut call = TwilioCall::new(&relay);
    let sid = call.sid().clone();
    call.webhook(&[]).await.expect(200);
    let args = ["--stats", "--json"];
    let live = listen(&relay, sid.as_str(), &scratch.file("live.wav"), &args);
    heard_by(&relay, &sid, 1).await;
    let said = two_people(1200, 1200);
    let mut stream = call.live_stream().await;
    // Which frames Twilio threw away, on which track.
    let lost = |track, step| match track {
        Track::Inbound => [7, 20, 21, 22].contains(&step),
        Track::Outbound => (20..30).contains(&step),
    };
    let mut kept = PerTrack::<Vec<u8>>::default();
    for step in 0..60 {
        for track in Track::BOTH {
            let frame = said.get(track).chunks(160).nth(step).unwrap();
            if lost(track, step) {
                stream.sequence += 1;
                *stream.chunk.get_mut(track) += 1;
                kept.get_mut(track).extend([SILENCE; 160]);
                continue;
            }
            // Timestamps jitter by a few ms, as Twilio's do.
            let jitter = [0, 3, 0, 4, 1][step % 5];
            let at = media::LEAD_IN_MS + 20 * step as u64 + jitter;
            stream.media(track, at, frame).await;
            kept.get_mut(track).extend(frame);
        }
        tokio::time::sleep(LIVELY).await;
    }
    let later = [&args[..], &["--wait"]].concat();
    let later = listen(&relay, sid.as_str(), &scratch.file("later.wav"), &later);
    heard_by(&relay, &sid, 2).await;
    hang_up(&mut call, stream).await;
    for (listener, name) in [(live, "live.wav"), (later, "later.wav")] {
        let told = listener.finish(SOON).await.expect_code(0).json_lines();
        let wav = whole_file(&scratch.file(name));
        for (channel, track) in channels(&wav).iter().zip(Track::BOTH) {
            assert_channel(channel, &speech::decoded(&padded(kept.get(track))));
        }
        let stats = told.last().expect("--stats says something");
        assert_eq!(
            (&stats["missing"], &stats["frames"]),
            (&json!({ "upstream": 14 }), &json!(106)),
            "{name}: {stats}"
        );
    }
    assert_eq!(api::call(relay.addr(), &sid).await.lost_chunks, 14);
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn no_count_of_chunks_makes_a_hole_where_there_is_none() {
    let relay = Relay::start(&[]).await;
    for chunks in [media::Chunks::PerTrack, media::Chunks::Global] {
        let scratch = Scratch::new();
        let mut twilio = TwilioCall::new(&relay);
        let sid = twilio.sid().clone();
        let mut stream = twilio.live_stream().await;
        stream.chunks = chunks;
        let said = two_people(800, 800);
        stream.play(&said.inbound, &said.outbound, Duration::ZERO).await;
        let raw = ["--wait", "--format", "raw", "--track", "outbound"];
        let listener = listen(&relay, sid.as_str(), &scratch.file("raw"), &raw);
        heard_by(&relay, &sid, 1).await;
        hang_up(&mut twilio, stream).await;
        listener.finish(SOON).await.expect_code(0);
        let heard = std::fs::read(scratch.file("raw")).unwrap();
        assert_eq!(heard, said.outbound, "{chunks:?}");
        assert_eq!(api::call(relay.addr(), &sid).await.lost_chunks, 0, "{chunks:?}");
    }
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn who_joins_late_hears_what_is_remembered_for_as_long_as_asked() {
    let (relay, scratch) = (Relay::start(&["--history", "2s"]).await, Scratch::new());
    let mut call = TwilioCall::new(&relay);
    let sid = call.sid().clone();
    let mut stream = call.live_stream().await;
    let said = two_people(3800, 3800);
    let before = 140 * 160;
    stream
        .play(&said.inbound[..before], &said.outbound[..before], Duration::ZERO)
        .await;
    // What was sent before a mark has come when the mark has.
    let mark = r#"{"event":"mark","streamSid":"MZ1","mark":{"name":"played"}}"#;
    stream.raw_text(mark).await.expect("the socket takes a mark");
    api::event_once(relay.addr(), &sid, EventKind::Mark, |_| true).await;
    let raw = ["--format", "raw", "--track", "inbound"];
    let mut listeners = Vec::new();
    // Half a second, and all of what two seconds of memory have.
    for (replay, frames) in [("500ms", 25), ("1m", 100)] {
        let args = [&raw[..], &["--replay", replay]].concat();
        let path = scratch.file(replay);
        listeners.push((listen(&relay, sid.as_str(), &path, &args), path, frames));
        heard_by(&relay, &sid, listeners.len() as u32).await;
    }
    let rest = (&said.inbound[before..], &said.outbound[before..]);
    stream.play(rest.0, rest.1, LIVELY).await;
    hang_up(&mut call, stream).await;
    for (listener, path, frames) in listeners {
        listener.finish(SOON).await.expect_code(0);
        let heard = std::fs::read(&path).unwrap();
        assert!(
            heard == padded(&said.inbound[before - frames * 160..]),
            "{frames} frames and what followed; {} bytes",
            heard.len()
        );
    }
    relay.stop().await.expect_code(0);
}

/// Another stream takes over: both are heard, in order, and what the old one still says is not.
#[tokio::test]
async fn a_second_stream_is_heard_behind_the_first() {
    let (relay, scratch) = (Relay::start(&[]).await, Scratch::new());
    let mut call = TwilioCall::new(&relay);
    let sid = call.sid().clone();
    let first = two_people(1000, 900);
    let second = PerTrack {
        inbound: speech::mulaw("vm-goodbye"),
        outbound: speech::piece("demo-thanks", 1000, 700),
    };
    let mut stream = call.live_stream().await;
    let listener = listen(&relay, sid.as_str(), &scratch.file("x.wav"), &["--wait"]);
    heard_by(&relay, &sid, 1).await;
    stream.play(&first.inbound, &first.outbound, LIVELY).await;
    let mut other = call.live_stream().await;
    api::event_once(relay.addr(), &sid, EventKind::StreamReplaced, |_| true).await;
    other.play(&second.inbound, &second.outbound, LIVELY).await;
    stream.play(&[0x11; 1600], &[0x22; 1600], Duration::ZERO).await;
    // The stop of the one that was replaced ends nothing.
    stream.hang_up().await;
    hang_up(&mut call, other).await;
    listener.finish(SOON).await.expect_code(0);
    let wav = whole_file(&scratch.file("x.wav"));
    for (channel, track) in channels(&wav).iter().zip(Track::BOTH) {
        let [one, two] = [&first, &second].map(|said| speech::decoded(&padded(said.get(track))));
        assert_eq!(channel[..one.len()], one, "{track}: the first stream");
        let lead = assert_is_after_silence(&channel[one.len()..], &two);
        // No more than the time between: a second, and what a busy machine takes for it.
        assert!(lead < SOON.as_millis() as usize * 8, "{track}: {lead}");
    }
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn ctrl_c_keeps_what_was_heard_with_a_header_that_is_right() {
    let (relay, scratch) = (Relay::start(&[]).await, Scratch::new());
    let call = TwilioCall::new(&relay);
    let mut stream = call.live_stream().await;
    let said = two_people(1000, 1000);
    stream.play(&said.inbound, &said.outbound, Duration::ZERO).await;
    for signal in ["INT", "TERM"] {
        let path = scratch.file(signal);
        let listener = listen(&relay, call.sid().as_str(), &path, &["--wait"]);
        let filled = async || {
            let bytes = std::fs::metadata(&path).map_or(0, |meta| meta.len());
            (bytes as usize >= 44 + said.inbound.len() * 4).then_some(())
        };
        harness::wait::until(SOON, "a second of audio in the file", filled).await;
        listener.signal(signal);
        listener.finish(SOON).await.expect_code(0);
        let [left, right] = channels(&whole_file(&path));
        assert_channel(&left, &speech::decoded(&padded(&said.inbound)));
        assert_channel(&right, &speech::decoded(&padded(&said.outbound)));
    }
    relay.stop().await.expect_code(0);
}
