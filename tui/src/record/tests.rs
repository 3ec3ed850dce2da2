//! The recorder against a plain model: both tracks laid out whole in memory.

use super::*;
use proptest::prelude::*;

/// One track of a call: when it starts, and its chunks; `None` is missing.
#[derive(Debug, Clone)]
struct Spoken {
    start_ms: u32,
    chunks: Vec<Option<u8>>,
    last_len: usize,
}

/// Every chunk of a track has its own byte, so that a chunk at the wrong place shows. The first and last exist.
fn spoken() -> impl Strategy<Value = Spoken> {
    (
        0u32..3000,
        prop::collection::vec(prop::option::weighted(0.8, 0u8..0x70), 0..60),
        0u8..0x70,
        1usize..=160,
    )
        .prop_map(|(start_ms, mut chunks, byte, last_len)| {
            chunks.insert(0, Some(byte));
            chunks.push(Some(byte));
            Spoken {
                start_ms,
                chunks,
                last_len,
            }
        })
}

fn frames(track: Track, spoken: &Spoken) -> Vec<AudioFrame> {
    let last = spoken.chunks.len() - 1;
    let frame = |(at, byte): (usize, u8)| {
        let len = if at == last { spoken.last_len } else { 160 };
        // Timestamps jitter; only the first counts.
        let jitter = if at == 0 { 0 } else { (at as u32 * 7) % 11 };
        AudioFrame::new(
            track,
            1,
            at as u32 + 1,
            spoken.start_ms + at as u32 * 20 + jitter,
            &vec![byte; len],
        )
    };
    let there = |(at, byte): (usize, &Option<u8>)| byte.map(|byte| (at, byte));
    spoken
        .chunks
        .iter()
        .enumerate()
        .filter_map(there)
        .map(frame)
        .collect()
}

/// µ-law of a channel as it should be, from `from_ms` on.
fn model(spoken: &Spoken, from_ms: u32) -> Vec<u8> {
    let mut out = vec![0xff; ((spoken.start_ms - from_ms) * 8) as usize];
    let last = spoken.chunks.len() - 1;
    for (at, byte) in spoken.chunks.iter().enumerate() {
        let len = if at == last { spoken.last_len } else { 160 };
        let mut chunk = [0xff; 160];
        chunk[..len].fill(byte.unwrap_or(0xff));
        out.extend_from_slice(&chunk);
    }
    out
}

fn all(recorder: &mut Recorder) -> Vec<u8> {
    let mut out = Vec::new();
    while recorder.read(&mut out) {}
    out
}

fn stereo(left: &[u8], right: &[u8]) -> Vec<u8> {
    let len = left.len().max(right.len());
    let at = |side: &[u8], i: usize| g711::decode(side.get(i).copied().unwrap_or(0xff)).to_le_bytes();
    (0..len)
        .flat_map(|i| [at(left, i), at(right, i)].concat())
        .collect()
}

/// Both tracks' frames in one order, each track's own order kept.
fn mingle(order: &[bool], mut inbound: Vec<AudioFrame>, mut outbound: Vec<AudioFrame>) -> Vec<AudioFrame> {
    inbound.reverse();
    outbound.reverse();
    let mut all = Vec::new();
    for &first in order.iter().cycle() {
        let (one, other) = if first {
            (&mut inbound, &mut outbound)
        } else {
            (&mut outbound, &mut inbound)
        };
        match one.pop().or_else(|| other.pop()) {
            Some(frame) => all.push(frame),
            None => break,
        }
    }
    all
}

proptest! {

    #[test]
    fn any_interleaving_gives_the_file_of_the_plain_model(
        left in spoken(), right in spoken(), order in prop::collection::vec(any::<bool>(), 1..40), told: bool, reads: bool,
    ) {
        let mut recorder = Recorder::new(Format::Pcm, Kept::Both);
        let mut out = Vec::new();
        let mut last = [0u32; 2];
        recorder.on_stream(None);
        for frame in mingle(&order, frames(Track::Inbound, &left), frames(Track::Outbound, &right)) {
            let before = &mut last[frame.track().index()];
            if told && frame.chunk() > *before + 1 {
                recorder.on_missed(frame.track(), frame.chunk() - 1);
            }
            *before = frame.chunk();
            recorder.on_frame(&frame);
            if reads {
                recorder.read(&mut out);
            }
        }
        recorder.finish();
        out.extend(all(&mut recorder));
        let from = left.start_ms.min(right.start_ms);
        prop_assert!(out == stereo(&model(&left, from), &model(&right, from)));
        prop_assert_eq!(recorder.late(), 0);
    }

    #[test]
    fn one_track_alone_is_its_bytes(one in spoken(), other in spoken(), order in prop::collection::vec(any::<bool>(), 1..40)) {
        let mut recorder = Recorder::new(Format::Mulaw, Kept::One(Track::Outbound));
        for frame in mingle(&order, frames(Track::Inbound, &other), frames(Track::Outbound, &one)) {
            recorder.on_frame(&frame);
        }
        recorder.finish();
        prop_assert!(all(&mut recorder) == model(&one, one.start_ms));
    }

    /// Whatever a relay sends: no panic, both channels stay level, memory is bounded by the hold.
    #[test]
    fn nonsense_is_bounded(steps in prop::collection::vec((0u8..8, any::<bool>(), any::<u32>(), any::<u32>(), 1usize..=160), 0..60), both: bool) {
        let mut recorder = Recorder::new(Format::Pcm, if both { Kept::Both } else { Kept::One(Track::Inbound) });
        let mut bytes = 0usize;
        let mut out = Vec::new();
        for (what, outbound, a, b, len) in steps {
            let track = if outbound { Track::Outbound } else { Track::Inbound };
            match what {
                0 => recorder.on_stream((a % 2 == 0).then(|| UtcTime::from_unix_ms(i64::from(b) * 1_000_000))),
                1 => recorder.on_missed(track, a % 100_000),
                2 => recorder.on_missed(track, a),
                _ => recorder.on_frame(&AudioFrame::new(track, 1, if what == 3 { a } else { a % 200 }, b, &vec![1; len])),
            }
            // A few blocks: what a jump of hours makes is not laid out whole.
            for _ in 0..4 {
                out.clear();
                recorder.read(&mut out);
                bytes += out.len();
                prop_assert!(out.len() <= 32 << 10);
                prop_assert_eq!(out.len() % if both { 4 } else { 2 }, 0);
            }
        }
        recorder.finish();
        prop_assert!(bytes < 60 * 4 * (32 << 10) + 1);
    }
}

fn frame(track: Track, chunk: u32, ms: u32) -> AudioFrame {
    AudioFrame::new(track, 1, chunk, ms, &[0x10; 160])
}

#[test]
fn a_track_that_never_begins_holds_ten_seconds_and_no_more() {
    let mut recorder = Recorder::new(Format::Pcm, Kept::Both);
    for chunk in 1..=500 {
        recorder.on_frame(&frame(Track::Inbound, chunk, chunk * 20));
    }
    assert!(all(&mut recorder).is_empty(), "ten seconds are waited for");
    recorder.on_frame(&frame(Track::Inbound, 501, 501 * 20));
    assert_eq!(all(&mut recorder).len(), 160 * 4);
    // It begins after all, inside what is still open: its place is its own.
    recorder.on_frame(&frame(Track::Outbound, 1, 1000));
    recorder.finish();
    let out = all(&mut recorder);
    assert_eq!(out.len(), 500 * 160 * 4);
    let at = ((1000 - 40) * 8) * 4;
    assert_eq!(out[at + 2..at + 4], g711::decode(0x10).to_le_bytes());
    assert_eq!(out[at - 2..at], [0, 0]);
}

#[test]
fn what_comes_too_late_is_counted_and_moves_nothing() {
    let mut recorder = Recorder::new(Format::Pcm, Kept::Both);
    recorder.on_frame(&frame(Track::Outbound, 1, 0));
    for chunk in 1..=1000 {
        recorder.on_frame(&frame(Track::Inbound, chunk, (chunk - 1) * 20));
    }
    let before = all(&mut recorder).len() / 4;
    assert_eq!(before, 500 * 160, "the other is silent up to ten seconds behind");
    for chunk in 2..=1000 {
        recorder.on_frame(&frame(Track::Outbound, chunk, (chunk - 1) * 20));
    }
    recorder.finish();
    let after = all(&mut recorder);
    assert_eq!((recorder.late(), after.len() / 4), (499, 500 * 160));
    assert!(
        after.chunks(4).all(|pair| pair[..2] == pair[2..]),
        "continuity has kept its place"
    );
}

#[test]
fn another_stream_follows_after_the_time_that_passed_or_at_once() {
    let at = |ms| Some(UtcTime::from_unix_ms(ms));
    for (first, second, samples) in [
        (at(1_000_000), at(1_005_000), 5000 * 8 + 160),
        (at(1_000_000), None, 320),
        (None, at(1_005_000), 320),
        (at(1_000_000), at(999_000), 320),
        (at(1_000_000), at(1_000_000_000_000), 320),
    ] {
        let mut recorder = Recorder::new(Format::Mulaw, Kept::One(Track::Inbound));
        recorder.on_stream(first);
        recorder.on_frame(&AudioFrame::new(Track::Inbound, 1, 9, 0, &[1; 100]));
        recorder.on_stream(second);
        recorder.on_frame(&frame(Track::Inbound, 1, 0));
        recorder.finish();
        let out = all(&mut recorder);
        assert_eq!(out.len(), samples, "{first:?} then {second:?}");
        assert_eq!(
            (out[99], out[100], out[159]),
            (1, 0xff, 0xff),
            "a last frame is padded, also of a stream"
        );
        assert_eq!(out[samples - 160..], [0x10; 160]);
    }
}

#[test]
fn a_header_says_what_follows() {
    let recorder = Recorder::new(Format::Pcm, Kept::Both);
    assert_eq!(recorder.header(Some(8)), wav::header(2, 8));
    assert_eq!(recorder.header(None), wav::header(2, wav::UNKNOWN_SIZE));
    assert_eq!(recorder.header(Some(1 << 40)), wav::header(2, wav::UNKNOWN_SIZE));
    assert!(
        Recorder::new(Format::Mulaw, Kept::One(Track::Inbound))
            .header(Some(8))
            .is_empty()
    );
}
