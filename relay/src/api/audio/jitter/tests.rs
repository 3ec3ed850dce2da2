//! What a player is given: as much as there was time, and each frame at its place.

use proptest::prelude::*;

use super::*;

mod clocks;

/// A moment, ms after the player came.
fn at(begun: Instant, ms: u64) -> Instant {
    begun + Duration::from_millis(ms)
}

/// A frame of which every sample is this loud.
fn frame(track: Track, chunk: u32, timestamp_ms: u32, mulaw: u8) -> AudioFrame {
    AudioFrame::new(track, 7, chunk, timestamp_ms, &[mulaw; FRAME_BYTES])
}

/// A player, and all that it was given of each track, as samples.
struct Player {
    begun: Instant,
    jitter: Jitter,
    heard: PerTrack<Vec<i16>>,
}

impl Player {
    fn new() -> Player {
        let begun = Instant::now();
        Player {
            begun,
            jitter: Jitter::new(begun, Kept::Both),
            heard: PerTrack::default(),
        }
    }

    fn hear(&mut self, ms: u64, frame: &AudioFrame) {
        self.jitter.on_frame(at(self.begun, ms), frame);
    }

    /// Takes all that is due at `ms`; how many samples of each track.
    fn read(&mut self, ms: u64) -> usize {
        let (mut bytes, now) = (Vec::new(), at(self.begun, ms));
        while self.jitter.read(now, &mut bytes) {}
        assert!(self.jitter.due() > now && self.jitter.due() <= now + Duration::from_millis(40));
        self.keep(&bytes)
    }

    fn finish(&mut self) -> usize {
        let mut bytes = Vec::new();
        self.jitter.finish(&mut bytes);
        self.keep(&bytes)
    }

    fn keep(&mut self, bytes: &[u8]) -> usize {
        let (pairs, rest) = bytes.as_chunks::<4>();
        assert!(rest.is_empty(), "both channels are of one length");
        for &[a, b, c, d] in pairs {
            self.heard.inbound.push(i16::from_le_bytes([a, b]));
            self.heard.outbound.push(i16::from_le_bytes([c, d]));
        }
        pairs.len()
    }

    /// Runs of one sample each of a track, as (value, how long), silence too.
    fn runs(&self, track: Track) -> Vec<(i16, usize)> {
        let mut runs: Vec<(i16, usize)> = Vec::new();
        for &sample in self.heard.get(track) {
            match runs.last_mut() {
                Some((value, length)) if *value == sample => *length += 1,
                _ => runs.push((sample, 1)),
            }
        }
        runs
    }
}

/// Samples of so many ms.
const fn ms(ms: usize) -> usize {
    ms * MS as usize
}

const LOUD: u8 = 0x12;

#[test]
fn there_is_silence_from_the_first_moment_on_though_nobody_speaks() {
    let mut player = Player::new();
    assert_eq!(player.read(39), 0);
    assert_eq!(player.read(40), ms(40));
    let all: usize = (41..=5000).map(|now| player.read(now)).sum();
    assert_eq!(all, ms(4960));
    assert!(player.heard.inbound.iter().all(|&sample| sample == 0));
    assert_eq!(player.finish(), 0, "nothing waits");
}

#[test]
fn a_frame_is_given_a_little_late_and_a_track_that_starts_late_is_silence_before() {
    let mut player = Player::new();
    for n in 0..50 {
        let now = 100 + 20 * u64::from(n);
        player.hear(now, &frame(Track::Inbound, n + 1, 57 + 20 * n, LOUD));
        if n >= 10 {
            player.hear(now, &frame(Track::Outbound, n - 9, 57 + 20 * n, LOUD));
        }
        player.read(now);
    }
    player.finish();
    let loud = g711::decode(LOUD);
    let before = ms(100) + HOLD as usize;
    assert_eq!(player.runs(Track::Inbound), [(0, before), (loud, ms(1000))]);
    assert_eq!(
        player.runs(Track::Outbound),
        [(0, before + ms(200)), (loud, ms(800))]
    );
}

#[test]
fn what_is_missing_is_silence_of_its_length_and_what_is_short_is_followed_at_once() {
    let mut player = Player::new();
    let mut chunk = 0;
    for n in 0..20u32 {
        chunk += if n == 10 { 4 } else { 1 };
        let mulaw = if n == 5 {
            &[LOUD; 40][..]
        } else {
            &[LOUD; FRAME_BYTES]
        };
        player.hear(
            20 * u64::from(n),
            &AudioFrame::new(Track::Inbound, 7, chunk, 20 * n, mulaw),
        );
        player.read(20 * u64::from(n));
    }
    player.finish();
    let loud = g711::decode(LOUD);
    let runs = [(0, HOLD as usize), (loud, ms(185)), (0, ms(60)), (loud, ms(200))];
    assert_eq!(player.runs(Track::Inbound), runs);
    assert_eq!(player.heard.outbound.len(), player.heard.inbound.len());
}

#[test]
fn another_stream_goes_on_behind_the_one_before_and_both_tracks_stay_in_step() {
    let mut player = Player::new();
    let mut hear = |now: u64, said: Option<(u32, u32, u32)>| {
        for (track, (id, chunk, timestamp)) in Track::BOTH
            .into_iter()
            .flat_map(|track| said.map(|said| (track, said)))
        {
            let mulaw = if id == 1 { LOUD } else { 0x34 };
            let frame = AudioFrame::new(track, id, chunk, timestamp, &[mulaw; FRAME_BYTES]);
            player.hear(now, &frame);
        }
        player.read(now);
    };
    for n in 0..50 {
        hear(20 * u64::from(n), Some((1, n + 1, 20 * n)));
    }
    // It takes over at once, counts anew, and is lost; the third one comes after 3 s.
    for n in 0..50 {
        hear(1000 + 20 * u64::from(n), Some((2, n + 1, 500 + 20 * n)));
    }
    for now in (2000..5000).step_by(20) {
        hear(now, None);
    }
    for n in 0..50 {
        hear(5000 + 20 * u64::from(n), Some((3, n + 1, 20 * n)));
    }
    player.finish();
    let (first, other) = (g711::decode(LOUD), g711::decode(0x34));
    let runs = [
        (0, HOLD as usize),
        (first, ms(1000)),
        (other, ms(1000)),
        (0, ms(3000)),
        (other, ms(1000)),
    ];
    assert_eq!(player.runs(Track::Inbound), runs);
    assert_eq!(player.runs(Track::Outbound), runs);
}

#[test]
fn after_a_stall_all_is_heard_that_was_said_and_pauses_bring_it_back_to_now() {
    let mut player = Player::new();
    let mut n = 0u32;
    let mut speak = |player: &mut Player, at: u64, mulaw: u8| {
        n += 1;
        for track in Track::BOTH {
            player.hear(at, &frame(track, n, 20 * n, mulaw));
        }
    };
    for now in (0..10_000).step_by(20) {
        speak(&mut player, now, LOUD);
        player.read(now);
    }
    for now in (10_000..11_500).step_by(20) {
        player.read(now);
    }
    // All of 1.5 s at once, and then as before, with pauses.
    for _ in (10_000..11_500).step_by(20) {
        speak(&mut player, 11_500, LOUD);
    }
    for now in (11_500..60_000u64).step_by(20) {
        let mulaw = if now / 1000 % 3 == 0 { 0xff } else { LOUD };
        speak(&mut player, now, mulaw);
        player.read(now);
    }
    let waits = player.finish();
    assert!(waits <= ms(360), "{waits} samples behind");
    assert_eq!(player.jitter.take_lost(), 0);
    let loud = |track| {
        player
            .heard
            .get(track)
            .iter()
            .filter(|&&sample| sample != 0)
            .count()
    };
    let said = (0..60_000u64)
        .step_by(20)
        .filter(|now| *now < 11_500 || now / 1000 % 3 != 0)
        .count();
    assert_eq!(
        (loud(Track::Inbound), loud(Track::Outbound)),
        (ms(20 * said), ms(20 * said))
    );
}

#[test]
fn of_a_longer_stall_the_end_is_heard_and_it_is_told_what_was_not() {
    let mut player = Player::new();
    for n in 0..1000u32 {
        // All of 6 s come at once.
        let now = if (100..400).contains(&n) {
            8000
        } else {
            20 * u64::from(n)
        };
        if now == 8000 && n == 100 {
            for now in (2000..8000).step_by(20) {
                player.read(now);
            }
        }
        player.hear(now, &frame(Track::Inbound, n + 1, 20 * n, LOUD));
        player.read(now);
    }
    let waits = player.finish();
    assert!((ms(1900)..=ms(2100)).contains(&waits), "{waits}");
    let lost = player.jitter.take_lost();
    let heard = player.heard.inbound.iter().filter(|&&sample| sample != 0).count();
    assert_eq!(heard / FRAME_BYTES + lost as usize, 1000);
    assert!((200..=220).contains(&lost), "{lost}");
}

#[test]
fn a_reader_that_stalls_goes_on_with_what_is_said_now() {
    let mut player = Player::new();
    let late = |ms| player.jitter.is_behind(at(player.begun, ms));
    assert!(!late(2000) && late(2001));
    for n in 0..1500u32 {
        let now = 20 * u64::from(n);
        // It does not read from second 5 to 25, and what its mailbox has then is let go.
        if (5_000..25_000).contains(&now) {
            continue;
        }
        let mulaw = (n / 8 % 100 + 1) as u8;
        player.hear(now, &frame(Track::Inbound, n + 1, 20 * n, mulaw));
        let got = player.read(now);
        assert!(got <= ms(40), "{got} at {now}");
    }
    assert!(
        (9..=13).contains(&player.jitter.take_lost()),
        "what waited is told"
    );
    // In the last second is what was said in it.
    let last = *player.heard.inbound.last().unwrap();
    let n = 1499 - HOLD / FRAME;
    let code = (n / 8 % 100 + 1) as u8;
    assert!([code, code - 1].map(g711::decode).contains(&last));
}

#[test]
fn one_side_alone_is_that_side_and_the_other_says_nothing_of_it() {
    let begun = Instant::now();
    let mut jitter = Jitter::new(begun, Kept::One(Track::Outbound));
    jitter.on_frame(begun, &frame(Track::Inbound, 1, 0, 0x01));
    jitter.on_frame(begun, &frame(Track::Outbound, 1, 500, LOUD));
    let mut bytes = Vec::new();
    jitter.finish(&mut bytes);
    let silence = 2 * HOLD as usize;
    assert_eq!(bytes.len(), silence + 2 * FRAME_BYTES);
    let loud = g711::decode(LOUD).to_le_bytes();
    assert!(bytes[silence..].as_chunks().0.iter().all(|pair| *pair == loud));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Both tracks, as a network brings them: late by chance, with holes, never out of order. What lies within the time
    /// that is held back is heard to the sample, and nothing else is.
    #[test]
    fn every_frame_that_came_in_order_is_at_its_place(
        steps in prop::collection::vec((0u64..90, any::<bool>(), any::<bool>()), 1..300),
        timestamp in 0u32..1_000_000,
        reads in prop::collection::vec(1u64..120, 1..400),
    ) {
        let mut player = Player::new();
        let (mut expected, mut loss) = (PerTrack::<Vec<i16>>::default(), PerTrack { inbound: 0, outbound: 0 });
        let mut reads = reads.into_iter().cycle();
        let mut next_read = 0;
        let mut last = 0;
        let mut first = None;
        for (n, (jitter, inbound, outbound)) in steps.iter().enumerate() {
            let now = (300 + 20 * n as u64 + jitter).max(last);
            last = now;
            while next_read <= now {
                player.read(next_read);
                next_read += reads.next().unwrap();
            }
            for (track, comes) in [(Track::Inbound, *inbound), (Track::Outbound, *outbound)] {
                if !comes {
                    *loss.get_mut(track) += 1;
                    continue;
                }
                let from = *first.get_or_insert((n, now));
                let expected = expected.get_mut(track);
                expected.resize(ms(20 * (n - from.0)), 0);
                let mulaw = (n % 100) as u8 + 1;
                expected.extend([g711::decode(mulaw); FRAME_BYTES]);
                let frame = frame(track, n as u32 + 1, timestamp + 20 * n as u32, mulaw);
                player.hear(now, &frame);
            }
        }
        player.read(last + 1);
        player.finish();
        if let Some((_, came)) = first {
            let lead = ms(came as usize) + HOLD as usize;
            for track in Track::BOTH {
                let (heard, expected) = (player.heard.get(track), expected.get(track));
                prop_assert!(heard[..lead.min(heard.len())].iter().all(|&sample| sample == 0));
                if !expected.is_empty() {
                    prop_assert_eq!(&heard[lead..lead + expected.len()], &expected[..]);
                    prop_assert!(heard[lead + expected.len()..].iter().all(|&sample| sample == 0));
                }
            }
        }
    }

    /// Whatever comes, as much is given as there was time, and what waits is bounded.
    #[test]
    fn as_much_is_given_as_there_was_time(
        items in prop::collection::vec((0u64..4000, any::<bool>(), 0u32..400, prop::num::u32::ANY, 1usize..=160, 0u32..3), 1..200),
    ) {
        let mut player = Player::new();
        let (mut now, mut chunk, mut given) = (0, PerTrack { inbound: 1u32, outbound: 1 }, 0);
        for (wait, inbound, step, timestamp, length, id) in items {
            now += wait / 10;
            let track = if inbound { Track::Inbound } else { Track::Outbound };
            let chunk = chunk.get_mut(track);
            *chunk = if step == 399 { u32::MAX } else { chunk.saturating_add(step) };
            let frame = AudioFrame::new(track, id, *chunk, timestamp, &vec![LOUD; length]);
            player.hear(now, &frame);
            given += player.read(now);
            prop_assert!(now as usize * 8 - given < ms(40));
            let waits = player.jitter.lines.inbound.waits().max(player.jitter.lines.outbound.waits());
            prop_assert!(waits <= CEILING + BEHIND + FRAME, "{}", waits);
        }
    }
}
