//! What a stream's messages mean.

use partyline_shared::twilio::media::write;
use proptest::prelude::*;

use super::*;

fn started() -> Stream {
    let mut stream = Stream::new(9);
    let start = write::start("AC1", "MZ1", "CA1", &Track::BOTH, &[]);
    assert!(matches!(
        stream.on_text(write::CONNECTED, &mut Vec::new()),
        Ok(Said::Nothing)
    ));
    assert!(matches!(
        stream.on_text(&start, &mut Vec::new()),
        Ok(Said::Started(_))
    ));
    stream
}

fn media(stream: &mut Stream, sequence: u64, track: Track, at: u64, bytes: usize) -> Vec<Item> {
    let mut out = Vec::new();
    let text = write::media("MZ1", sequence, track, 1, at, &vec![0x55; bytes]);
    stream.on_text(&text, &mut out).unwrap();
    out
}

type Pair = Option<(u32, u32)>;

/// A gap's first and last chunk, or a frame's chunk and timestamp.
fn told(items: &[Item]) -> Vec<(Pair, Pair)> {
    items
        .iter()
        .map(|item| match item {
            Item::Gap(gap) => (Some((gap.from_chunk, gap.to_chunk)), None),
            Item::Frame(frame) => (None, Some((frame.chunk(), frame.timestamp_ms()))),
            Item::Stream(_) => unreachable!(),
        })
        .collect()
}

#[test]
fn consecutive_frames_are_counted_by_track() {
    let mut stream = started();
    assert_eq!(
        told(&media(&mut stream, 2, Track::Inbound, 57, 160)),
        [(None, Some((1, 57)))]
    );
    assert_eq!(
        told(&media(&mut stream, 3, Track::Outbound, 900, 160)),
        [(None, Some((1, 900)))],
        "late is no gap"
    );
    assert_eq!(
        told(&media(&mut stream, 4, Track::Inbound, 79, 160)),
        [(None, Some((2, 79)))]
    );
}

#[test]
fn a_jump_of_the_sequence_is_measured_by_timestamp_on_each_track_once() {
    let mut stream = started();
    media(&mut stream, 2, Track::Inbound, 0, 160);
    media(&mut stream, 3, Track::Outbound, 1, 160);
    // 4 and 5 (both tracks at 20) are gone.
    assert_eq!(
        told(&media(&mut stream, 6, Track::Inbound, 42, 160)),
        [(Some((2, 2)), None), (None, Some((3, 42)))]
    );
    assert_eq!(
        told(&media(&mut stream, 7, Track::Outbound, 39, 160)),
        [(Some((2, 2)), None), (None, Some((3, 39)))]
    );
    assert_eq!(told(&media(&mut stream, 8, Track::Inbound, 62, 160)).len(), 1);
    // A lost mark is a jump without a hole.
    assert_eq!(told(&media(&mut stream, 10, Track::Inbound, 82, 160)).len(), 1);
}

#[test]
fn a_step_of_more_than_the_frame_and_thirty_is_a_hole_without_a_jump() {
    let mut stream = started();
    media(&mut stream, 2, Track::Inbound, 0, 160);
    assert_eq!(
        told(&media(&mut stream, 3, Track::Inbound, 50, 160)).len(),
        1,
        "50 is jitter"
    );
    assert_eq!(
        told(&media(&mut stream, 4, Track::Inbound, 101, 160)),
        [(Some((3, 4)), None), (None, Some((5, 101)))]
    );
}

#[test]
fn long_payloads_are_cut_and_short_ones_stand() {
    let mut stream = started();
    assert_eq!(
        told(&media(&mut stream, 2, Track::Inbound, 100, 400)),
        [
            (None, Some((1, 100))),
            (None, Some((2, 120))),
            (None, Some((3, 140)))
        ]
    );
    // 400 bytes are 50 ms: the next is due at 150.
    assert_eq!(
        told(&media(&mut stream, 3, Track::Inbound, 150, 80)),
        [(None, Some((4, 150)))]
    );
    assert_eq!(
        told(&media(&mut stream, 9, Track::Inbound, 160, 160)),
        [(None, Some((5, 160)))]
    );
}

#[test]
fn what_is_wrong_is_skipped_or_ends_the_stream() {
    let mut out = Vec::new();
    let early = write::media("MZ1", 2, Track::Inbound, 1, 0, &[1]);
    let before = Stream::new(1).on_text(&early, &mut out);
    assert!(matches!(before, Err(Wrong::Fatal(Fatal::MediaBeforeStart))));
    let g711a = write::start("AC1", "MZ1", "CA1", &Track::BOTH, &[]).replace("x-mulaw", "x-alaw");
    assert!(matches!(
        Stream::new(1).on_text(&g711a, &mut out),
        Err(Wrong::Fatal(Fatal::Format { .. }))
    ));
    let mut stream = started();
    for (text, skip) in [
        ("{", Skip::NotAMessage),
        (r#"{"event":"media"}"#, Skip::NotAMessage),
        (r#"{"event":"hologram"}"#, Skip::UnknownEvent),
        (
            r#"{"event":"media","media":{"payload":"***","timestamp":"1"}}"#,
            Skip::Payload,
        ),
        (
            r#"{"event":"media","media":{"payload":"/w==","timestamp":"1","track":"sideways"}}"#,
            Skip::Track,
        ),
        (r#"{"event":"media","media":{"payload":"/w=="}}"#, Skip::Timestamp),
        (
            r#"{"event":"media","media":{"payload":"/w==","timestamp":"99999999999"}}"#,
            Skip::Timestamp,
        ),
        (
            &write::start("AC1", "MZ1", "CA1", &Track::BOTH, &[]),
            Skip::StartTwice,
        ),
    ] {
        let said = stream.on_text(text, &mut out);
        assert!(matches!(said, Err(Wrong::Skip(why)) if why == skip), "{text}");
    }
    assert!(out.is_empty());
    assert!(matches!(
        stream.on_text(&write::stop("AC1", "MZ1", "CA1", 3), &mut out),
        Ok(Said::Stopped)
    ));
}

#[test]
fn audio_that_cannot_be_taken_is_missing() {
    let mut stream = started();
    media(&mut stream, 2, Track::Inbound, 57, 160);
    media(&mut stream, 3, Track::Outbound, 57, 160);
    let bad = r#"{"event":"media","sequenceNumber":"4","media":{"track":"inbound","timestamp":"77","payload":"*"}}"#;
    stream.on_text(bad, &mut Vec::new()).unwrap_err();
    assert_eq!(media(&mut stream, 5, Track::Outbound, 77, 160).len(), 1);
    assert_eq!(
        told(&media(&mut stream, 6, Track::Inbound, 97, 160)),
        [(Some((2, 2)), None), (None, Some((3, 97)))]
    );
}

proptest! {
    /// Whatever Twilio leaves out, frames and gaps of a track are one unbroken count.
    #[test]
    fn frames_and_gaps_are_one_unbroken_count(steps in prop::collection::vec((any::<bool>(), 0u64..4, 0u64..4, 1usize..500), 1..200)) {
        let mut stream = started();
        let (mut sequence, mut at, mut next) = (1u64, 0u64, [1u32, 1]);
        for (outbound, skipped, late, bytes) in steps {
            sequence += 1 + skipped;
            at += 20 + late * 20;
            let track = Track::BOTH[usize::from(outbound)];
            for item in media(&mut stream, sequence, track, at, bytes) {
                let expected = &mut next[track.index()];
                match item {
                    Item::Frame(frame) => {
                        prop_assert_eq!((frame.chunk(), frame.track(), frame.audio_id()), (*expected, track, 9));
                        *expected += 1;
                    }
                    Item::Gap(gap) => {
                        prop_assert_eq!((gap.from_chunk, gap.track), (*expected, track));
                        prop_assert!(gap.to_chunk >= gap.from_chunk);
                        *expected = gap.to_chunk + 1;
                    }
                    Item::Stream(_) => unreachable!(),
                }
            }
        }
    }

    /// Jitter of Twilio's kind is never a gap, whichever way chunks are numbered.
    #[test]
    fn jitter_is_no_gap(jitter in prop::collection::vec((0i64..=4, 0i64..=4, any::<bool>()), 1..300), late in 0i64..2000) {
        let mut stream = started();
        let mut sequence = 1;
        for (n, (i, o, swap)) in jitter.into_iter().enumerate() {
            let n = n as i64;
            let mut pair = [(Track::Inbound, 57 + n * 20 + i), (Track::Outbound, 57 + late + n * 20 + o)];
            if swap {
                pair.reverse();
            }
            for (track, at) in pair {
                sequence += 1;
                prop_assert_eq!(media(&mut stream, sequence, track, at as u64, 160).len(), 1);
            }
        }
    }

    #[test]
    fn no_text_can_crash_a_stream(texts in prop::collection::vec(r#"\{"event":"(media|start|stop|mark)","(media|start|mark)":\{"(payload|timestamp|track|callSid|name)":"?[0-9a-z/=]{0,8}"?\}\}|.{0,60}"#, 0..20)) {
        let mut stream = started();
        for text in texts {
            let _ = stream.on_text(&text, &mut Vec::new());
        }
    }
}
