//! What the relay does for each message of a stream, before it knows who listens; and for the levels of its list.

use std::time::{Duration, Instant};

use divan::{Bencher, black_box};
use partyline_relay::listen::levels::Watch;
use partyline_relay::twilio::stream::{Said, Stream};
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::audio::level::Energy;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::MAX_LEVELS_HZ;
use partyline_shared::track::{PerTrack, Track};
use partyline_shared::twilio::media::{Message, decode_payload};

use crate::input::{AUDIO_ID, Frames, messages};

/// Calls whose levels one listener watches.
const CALLS: usize = 100;

/// The JSON of one media message.
#[divan::bench]
fn parse_media(bencher: Bencher<'_, '_>) {
    let (_, media) = messages();
    let mut texts = media.iter().cycle();
    bencher.bench_local(|| {
        Message::parse(black_box(texts.next().unwrap()))
            .unwrap()
            .sequence_number
    });
}

/// The base64 of 20 ms.
#[divan::bench]
fn decode_base64(bencher: Bencher<'_, '_>) {
    let (_, media) = messages();
    let payload = |text: &String| Message::parse(text).unwrap().media.unwrap().payload.into_owned();
    let payloads: Vec<String> = media.iter().map(payload).collect();
    let mut payloads = payloads.iter().cycle();
    let mut audio = Vec::with_capacity(partyline_shared::audio::FRAME_BYTES + 2);
    bencher.bench_local(|| {
        decode_payload(black_box(payloads.next().unwrap()), &mut audio).unwrap();
        black_box(audio.last().copied())
    });
}

/// A frame is made: its head, its audio, its allocation.
#[divan::bench]
fn make_frame(bencher: Bencher<'_, '_>) {
    let frame = Frames::new().one();
    let audio = frame.mulaw().to_vec();
    bencher.bench_local(|| AudioFrame::new(Track::Outbound, AUDIO_ID, 7, 177, black_box(&audio)));
}

/// A frame is read off the wire, and all of its head with it; this is the listener's side.
#[divan::bench]
fn read_frame(bencher: Bencher<'_, '_>) {
    let frame = Frames::new().one();
    bencher.bench_local(|| {
        let wire = black_box(frame.bytes()).clone();
        let frame = AudioFrame::parse(wire).unwrap().unwrap();
        (
            frame.track(),
            frame.flags(),
            frame.audio_id(),
            frame.chunk(),
            frame.timestamp_ms(),
        )
    });
}

/// All of that for one message: text in, frame out.
#[divan::bench]
fn message_to_frame(bencher: Bencher<'_, '_>) {
    let (start, media) = messages();
    let mut stream = Stream::new(AUDIO_ID);
    let mut out = Vec::with_capacity(4);
    assert!(matches!(stream.on_text(&start, &mut out), Ok(Said::Started(_))));
    let mut texts = media.iter().cycle();
    bencher.bench_local(|| {
        out.clear();
        stream
            .on_text(black_box(texts.next().unwrap()), &mut out)
            .unwrap();
        black_box(out.len())
    });
    assert_eq!(out.len(), 1, "a message is a frame and no gap");
}

/// The energy of 20 ms.
#[divan::bench]
fn energy_of_frame(bencher: Bencher<'_, '_>) {
    let frame = Frames::new().one();
    bencher.bench_local(|| Energy::of(black_box(frame.mulaw())));
}

/// The levels of a hundred calls for one listener, as often as it may ask for them.
#[divan::bench]
fn levels_of_100_calls(bencher: Bencher<'_, '_>) {
    let sids: Vec<CallSid> = (0..CALLS)
        .map(|n| CallSid::parse(&format!("CA{n:032x}")).unwrap())
        .collect();
    let mut now = Instant::now();
    let mut watch = Watch::new(now, MAX_LEVELS_HZ, None).unwrap();
    let mut frames = Frames::new();
    let mut sums = vec![PerTrack::<Energy>::default(); CALLS];
    bencher
        .with_inputs(|| {
            let [inbound, outbound] = frames.both().map(|frame| Energy::of(frame.mulaw()));
            for sum in &mut sums {
                sum.inbound.add(inbound);
                sum.outbound.add(outbound);
            }
            now += Duration::from_millis(20);
            let calls = sids.iter().cloned().zip(&sums);
            let calls: Vec<_> = calls.map(|(sid, sum)| (sid, *sum, false)).collect();
            (now, calls)
        })
        .bench_local_values(|(now, calls)| watch.measure(now, calls));
}
