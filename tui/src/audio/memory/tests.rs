//! What is remembered, where, and how it is let go.

use proptest::prelude::*;

use super::*;

/// The wall clock at timestamp 0.
const ZERO_MS: i64 = 1_700_000_000_000;

fn frame(track: Track, chunk: u32, at_ms: u32, byte: u8) -> AudioFrame {
    AudioFrame::new(track, 7, chunk, at_ms, &[byte; 160])
}

fn of(slots: usize) -> Memory {
    let mut memory = Memory::of(slots);
    memory.on_stream(Some(ZERO_MS));
    memory
}

/// Says slots, each with its own byte, on both tracks.
fn say(memory: &mut Memory, slots: std::ops::Range<u32>) {
    for slot in slots {
        for track in Track::BOTH {
            let byte = (slot as u8).wrapping_add(100 * track.index() as u8);
            memory.on_frame(&frame(track, slot + 1, slot * 20, byte), 0);
        }
    }
}

#[test]
fn it_holds_so_much_and_no_more() {
    let mut memory = of(50);
    let bytes = memory.rings.inbound.bytes().len();
    say(&mut memory, 0..120);
    assert_eq!(memory.places(), (70, 120));
    assert!(memory.mulaw(Track::Inbound, 69).is_empty());
    assert_eq!(memory.mulaw(Track::Inbound, 70), [70; 160]);
    assert_eq!(memory.mulaw(Track::Outbound, 119), [219; 160]);
    assert_eq!(memory.rings.inbound.bytes().len(), bytes);
    assert_eq!(memory.clip(60_000).unwrap().tracks.inbound.len(), 50 * 160);
    assert_eq!(SLOTS * 20, 5 * 60 * 1000);
}

#[test]
fn what_comes_late_has_its_place_and_what_never_comes_is_a_hole() {
    let mut memory = of(50);
    for slot in [0u32, 3, 1, 6] {
        memory.on_frame(&frame(Track::Inbound, slot + 1, slot * 20, slot as u8 + 1), 0);
    }
    assert_eq!(
        memory.on_frame(&frame(Track::Inbound, 4, 60, 9), 0),
        None,
        "it is there"
    );
    let firsts: Vec<_> = (0..7)
        .map(|place| memory.mulaw(Track::Inbound, place).first().copied())
        .collect();
    assert_eq!(firsts, [Some(1), Some(2), None, Some(4), None, None, Some(7)]);
    let clip = memory.clip(140).unwrap();
    assert_eq!((clip.from_ms, clip.to_ms), (ZERO_MS, ZERO_MS + 140));
    assert_eq!(clip.tracks.inbound[319..321], [2, SILENCE]);
    assert_eq!(clip.tracks.outbound, [SILENCE; 7 * 160]);
}

#[test]
fn both_tracks_are_on_one_clock_whichever_comes_first() {
    let mut memory = of(50);
    // The relay replays one track, then the other, which began earlier.
    for slot in 10..20 {
        memory.on_frame(&frame(Track::Outbound, slot - 9, slot * 20, slot as u8), 0);
    }
    for slot in 5..20 {
        memory.on_frame(&frame(Track::Inbound, slot - 4, slot * 20, slot as u8), 0);
    }
    let (low, end) = memory.places();
    assert_eq!(end - low, 15);
    assert_eq!(memory.wall_ms(low * SLOT), Some(ZERO_MS + 100));
    for place in low + 5..end {
        assert_eq!(
            memory.mulaw(Track::Inbound, place),
            memory.mulaw(Track::Outbound, place)
        );
    }
}

#[test]
fn streams_follow_one_another_as_far_apart_as_they_were_said() {
    let mut memory = of(500);
    say(&mut memory, 0..50);
    // A second later another stream takes over, which counts anew.
    memory.on_stream(Some(ZERO_MS + 2_000));
    let place = memory.on_frame(&frame(Track::Inbound, 1, 40, 77), 0);
    assert_eq!(place, Some(102));
    assert_eq!(memory.wall_ms(102 * SLOT + 80), Some(ZERO_MS + 2_050));
    assert_eq!(memory.wall_ms(49 * SLOT), Some(ZERO_MS + 980));
    assert_eq!(memory.find(ZERO_MS + 2_040), 102 * SLOT);
    assert_eq!(memory.find(ZERO_MS + 990), 49 * SLOT + 80);
    assert_eq!(memory.find(ZERO_MS + 1_500), 102 * SLOT, "the nearest after it");
    assert_eq!((memory.find(0), memory.find(i64::MAX)), (0, 103 * SLOT));
    // One whose clock is behind, and one without any: right after what is there.
    memory.on_stream(Some(ZERO_MS));
    assert_eq!(memory.on_frame(&frame(Track::Inbound, 1, 0, 1), 0), Some(103));
    memory.on_stream(None);
    let arrived = ZERO_MS + 60_000;
    assert_eq!(
        memory.on_frame(&frame(Track::Inbound, 1, 500_000, 1), arrived),
        Some(104)
    );
    assert_eq!(
        memory.wall_ms(104 * SLOT),
        Some(arrived - 20),
        "when it came, for want of better"
    );
}

#[test]
fn a_clip_ends_where_the_ear_is_or_at_what_came_last() {
    let mut memory = of(500);
    assert!(memory.clip(1_000).is_none());
    say(&mut memory, 0..200);
    let clip = |memory: &Memory| {
        let clip = memory.clip(1_000).unwrap();
        (clip.from_ms - ZERO_MS, clip.to_ms - ZERO_MS, clip.tracks.inbound)
    };
    let (from, to, bytes) = clip(&memory);
    assert_eq!((from, to, bytes.len()), (3_000, 4_000, 8_000));
    memory.note_heard(100 * SLOT + 8, true);
    let (from, to, bytes) = clip(&memory);
    assert_eq!((from, to, bytes.len()), (1_001, 2_001, 8_000));
    assert_eq!((bytes[0], bytes[151], bytes[152]), (50, 50, 51));
    memory.note_heard(190 * SLOT, false);
    assert_eq!(clip(&memory).1, 4_000);
    assert_eq!(memory.heard_ms(), Some(ZERO_MS + 3_800));
    let until = memory.clip_until(ZERO_MS + 2_000, 1_000).unwrap();
    assert_eq!((until.from_ms, until.to_ms), (ZERO_MS + 1_000, ZERO_MS + 2_000));
    assert!(
        !format!("{until:?}").contains("50"),
        "no audio is printed: {until:?}"
    );
}

#[test]
fn nothing_of_it_is_left_when_it_is_closed_or_run_over() {
    let mut memory = of(50);
    say(&mut memory, 1..40);
    let left = |memory: &Memory| {
        let rings = [&memory.rings.inbound, &memory.rings.outbound];
        rings.map(|ring| ring.bytes().iter().filter(|byte| **byte != 0).count())
    };
    assert_eq!(left(&memory), [39 * 160; 2]);
    // A hole of half its length: what lay there is gone.
    memory.on_frame(&frame(Track::Inbound, 65, 64 * 20, 9), 0);
    assert_eq!(left(&memory), [26 * 160, 25 * 160]);
    memory.close();
    assert_eq!(left(&memory), [0; 2]);
    say(&mut memory, 40..50);
    assert_eq!(left(&memory), [0; 2], "nothing more is taken");
    assert_eq!((memory.places(), memory.heard_ms()), ((0, 0), None));
}

#[test]
fn pieces_of_odd_length_are_joined() {
    let mut memory = of(50);
    let mut at = 0;
    for (n, length) in [160usize, 60, 160, 100, 160].into_iter().enumerate() {
        let audio = vec![n as u8 + 1; length];
        memory.on_frame(&AudioFrame::new(Track::Inbound, 7, n as u32 + 1, at, &audio), 0);
        at += length as u32 / 8;
    }
    let clip = memory.clip(1_000).unwrap().tracks.inbound;
    let runs: Vec<_> = clip
        .chunk_by(|a, b| a == b)
        .map(|run| (run[0], run.len()))
        .collect();
    assert_eq!(runs, [(1, 160), (2, 60), (3, 160), (4, 100), (5, 160)]);
}

#[test]
fn a_clock_that_breaks_is_another_stream() {
    let mut memory = of(500);
    say(&mut memory, 0..50);
    let place = memory.on_frame(&frame(Track::Inbound, 51, 3_600_000, 1), ZERO_MS + 1_020);
    assert_eq!(place, Some(50));
    assert_eq!(memory.streams.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_comes_stays_within_its_bounds(
        frames in prop::collection::vec(
            (any::<bool>(), 0..3u32, any::<bool>(), prop_oneof![0..200u32, any::<u32>()], prop_oneof![0..5_000u32, any::<u32>()], 1..=160usize, any::<bool>()),
            0..120,
        ),
        zero in prop_oneof![Just(None), any::<i64>().prop_map(Some)],
        moment: i64,
        heard: i64,
    ) {
        let mut memory = Memory::of(60);
        for (outbound, id, replayed, chunk, at, length, begins) in frames {
            if begins {
                memory.on_stream(zero);
            }
            let track = if outbound { Track::Outbound } else { Track::Inbound };
            let frame = AudioFrame::new(track, id, chunk, at, &vec![3; length]);
            let frame = if replayed { frame.replayed() } else { frame };
            memory.on_frame(&frame, moment);
            let (low, end) = memory.places();
            prop_assert!((0..=60).contains(&(end - low)));
            prop_assert!(memory.streams.len() <= STREAMS);
            let found = memory.find(moment);
            prop_assert!((low * SLOT..=end * SLOT).contains(&found));
            memory.note_heard(heard, outbound);
            memory.heard_ms();
            if let Some(clip) = memory.clip(at) {
                prop_assert_eq!(clip.tracks.inbound.len(), clip.tracks.outbound.len());
                prop_assert!(clip.tracks.inbound.len() <= 60 * 160);
            }
        }
    }
}
