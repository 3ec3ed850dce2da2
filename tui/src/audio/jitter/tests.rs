//! Stories of arrivals: a sender, a network with a delay for each frame, and a card that takes 20 ms every 20 ms.

mod any;
mod streams;

use partyline_shared::audio::FRAME_BYTES;

use super::*;

/// What lies behind the buffer in these stories, µs: a ring of 30 ms.
const RING_US: u64 = 30_000;

/// Loud µ-law, and silence.
const LOUD: u8 = 0x90;
const QUIET: u8 = 0xff;

/// A random number of 0 to `below`, the same each run.
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn frame(track: Track, chunk: u32, at_ms: u32, byte: u8) -> AudioFrame {
    AudioFrame::new(track, 1, chunk, at_ms, &[byte; FRAME_BYTES])
}

/// One frame with its arrival.
#[derive(Debug, Clone)]
struct Arrival {
    at_us: u64,
    frame: AudioFrame,
}

/// Frames `from..to` of a track, 20 ms each, each delayed by what `delay` says, none before the one ahead.
fn sent(
    track: Track,
    chunks: std::ops::Range<u32>,
    byte: u8,
    mut delay: impl FnMut(u32) -> u64,
) -> Vec<Arrival> {
    let mut last = 0;
    chunks
        .map(|n| {
            last = last.max(u64::from(n) * 20_000 + delay(n));
            Arrival {
                at_us: last,
                frame: frame(track, n + 1, n * 20, byte),
            }
        })
        .collect()
}

fn merged(mut tracks: Vec<Vec<Arrival>>) -> Vec<Arrival> {
    let mut all: Vec<_> = tracks.drain(..).flatten().collect();
    all.sort_by_key(|arrival| arrival.at_us);
    all
}

/// What the card got.
#[derive(Debug, Default)]
struct Heard {
    /// Of each pull: when, and what.
    slots: Vec<(u64, Option<Slot>)>,
    /// Arrival to leaving, ms, of each frame played.
    delays: Vec<u64>,
}

impl Heard {
    fn chunks(&self, track: Track) -> Vec<u32> {
        let pieces = self.slots.iter().filter_map(|(_, slot)| slot.as_ref());
        pieces
            .filter_map(|slot| match slot.tracks.get(track) {
                Piece::Play(frame) => Some(frame.chunk()),
                _ => None,
            })
            .collect()
    }

    fn count(&self, meant: impl Fn(&Slot) -> bool) -> usize {
        self.slots
            .iter()
            .filter(|(_, slot)| slot.as_ref().is_some_and(&meant))
            .count()
    }

    fn p95(&self, from: usize) -> u64 {
        let mut delays = self.delays[from..].to_vec();
        delays.sort_unstable();
        delays[delays.len() * 95 / 100]
    }
}

/// Plays `arrivals` from now until `until_us`, at the card's pace; `ppm`: how much too fast the card is.
struct Card {
    jitter: Jitter,
    now_us: u64,
    /// When the next slot is due.
    due_us: u64,
}

impl Card {
    fn new() -> Self {
        Card {
            jitter: Jitter::new(),
            now_us: 0,
            due_us: 0,
        }
    }

    fn play(&mut self, arrivals: &[Arrival], until_us: u64) -> Heard {
        let mut heard = Heard::default();
        let from_us = self.now_us;
        let mut coming = arrivals
            .iter()
            .filter(|arrival| arrival.at_us >= from_us)
            .peekable();
        while self.due_us < until_us {
            while let Some(next) = coming.next_if(|next| next.at_us <= self.due_us) {
                self.jitter.on_frame(next.at_us, &next.frame);
            }
            self.now_us = self.due_us + 1;
            let pulled = match self.jitter.pull(self.due_us, RING_US) {
                Pull::Wait => None,
                Pull::Play(slot) => {
                    for arrived in [slot.arrived_us.inbound, slot.arrived_us.outbound]
                        .into_iter()
                        .flatten()
                    {
                        heard.delays.push((self.due_us + RING_US - arrived) / 1000);
                    }
                    Some(slot)
                }
            };
            heard.slots.push((self.due_us, pulled));
            self.due_us += 20_000;
        }
        heard
    }
}

impl Card {
    /// Plays as [`Card::play`]; what speed was asked for.
    fn speeds(&mut self, arrivals: &[Arrival], until_us: u64) -> Vec<f32> {
        let mut speeds = Vec::new();
        while self.due_us < until_us {
            self.play(arrivals, self.due_us + 1);
            speeds.push(self.jitter.speed(self.due_us, RING_US));
        }
        speeds
    }
}

fn two(seconds: u32, byte: u8, delay: impl Fn(u32) -> u64) -> Vec<Arrival> {
    let n = seconds * 50;
    merged(vec![
        sent(Track::Inbound, 0..n, byte, &delay),
        sent(Track::Outbound, 0..n, byte, &delay),
    ])
}

#[test]
fn an_even_pace_is_played_whole_at_a_small_delay() {
    let mut card = Card::new();
    let heard = card.play(&two(20, LOUD, |_| 7_000), 20_000_000);
    let stats = card.jitter.stats();
    assert_eq!((stats.concealed_ms, stats.dropped, stats.late), (0, 0, 0));
    assert_eq!(stats.state, State::Playing);
    assert!(
        stats.depth_ms <= 90 && stats.target_ms <= stats.depth_ms,
        "{stats:?}"
    );
    let played = heard.chunks(Track::Inbound);
    assert_eq!(played, (1..=played.len() as u32).collect::<Vec<_>>());
    assert_eq!(played, heard.chunks(Track::Outbound));
    assert!(heard.p95(0) < 90, "{}", heard.p95(0));
}

#[test]
fn up_to_30_ms_of_jitter_costs_nothing_and_stays_under_100_ms() {
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let delays: Vec<_> = (0..6000).map(|_| dice.roll(30_001)).collect();
        let tracks = [Track::Inbound, Track::Outbound]
            .map(|track| sent(track, 0..3000, LOUD, |n| delays[2 * n as usize + track.index()]));
        let mut card = Card::new();
        let heard = card.play(&merged(tracks.into()), 59_900_000);
        let stats = card.jitter.stats();
        assert_eq!(
            (stats.concealed_ms, stats.late, stats.dropped),
            (0, 0, 0),
            "{seed}: {stats:?}"
        );
        assert!(heard.p95(1000) < 100, "{seed}: {} {stats:?}", heard.p95(1000));
        assert!((60..=90).contains(&stats.target_ms), "{seed}: {stats:?}");
        assert_eq!(
            heard.chunks(Track::Inbound).len(),
            heard.chunks(Track::Outbound).len()
        );
    }
}

#[test]
fn a_stall_is_covered_once_and_the_delay_is_given_back_by_playing_faster() {
    // Everything sent between 10.0 s and 10.2 s comes at 10.2 s.
    let stall = |n: u32| {
        if (500..510).contains(&n) {
            u64::from(510 - n) * 20_000
        } else {
            0
        }
    };
    let mut card = Card::new();
    let mut calls = two(20, LOUD, stall);
    calls.extend(
        two(90, QUIET, |_| 0)
            .into_iter()
            .filter(|arrival| arrival.at_us >= 20_000_000),
    );
    let heard = card.play(&calls, 20_000_000);
    let stats = card.jitter.stats();
    assert!((100..=260).contains(&stats.concealed_ms), "{stats:?}");
    assert_eq!((stats.late, stats.dropped), (0, 0), "{stats:?}");
    assert!((200..300).contains(&stats.depth_ms), "{stats:?}");
    let played = heard.chunks(Track::Inbound);
    assert_eq!(played, (1..=played.len() as u32).collect::<Vec<_>>());

    let later = card.speeds(&calls, 50_000_000);
    assert!(later.contains(&2.0) && !later.iter().any(|speed| *speed < 1.0));
    let after = card.jitter.stats();
    assert_eq!((after.concealed_ms, after.dropped), (stats.concealed_ms, 0));
}

#[test]
fn slower_is_asked_for_when_a_network_gets_uneven_and_nothing_while_it_is_even() {
    let mut card = Card::new();
    let growing = |n: u32| u64::from(n.saturating_sub(500).min(400)) * u64::from(n % 3) * 100;
    let calls = two(20, LOUD, growing);
    assert!(card.speeds(&calls, 9_900_000).iter().all(|speed| *speed == 1.0));
    let uneven = card.speeds(&calls, 19_000_000);
    assert!(uneven.iter().any(|speed| *speed < 1.0));
    assert!(uneven.iter().all(|speed| (0.5..=1.0).contains(speed)));
}

#[test]
fn what_a_long_stall_held_back_is_left_out() {
    let stall = |n: u32| {
        if (500..600).contains(&n) {
            u64::from(600 - n) * 20_000
        } else {
            0
        }
    };
    let mut card = Card::new();
    card.play(&two(20, LOUD, stall), 19_000_000);
    let stats = card.jitter.stats();
    assert!(stats.concealed_ms < 500, "{stats:?}");
    assert!((1_400..2_000).contains(&stats.dropped_ms), "{stats:?}");
    assert!(stats.depth_ms < 520, "{stats:?}");
}

#[test]
fn a_lost_frame_is_covered_and_time_goes_on() {
    let mut card = Card::new();
    let mut calls = two(4, LOUD, |_| 0);
    calls.retain(|a| a.frame.chunk() != 100 || a.frame.track() != Track::Inbound);
    let heard = card.play(&calls, 3_900_000);
    let stats = card.jitter.stats();
    assert_eq!((stats.concealed_ms, stats.late), (20, 0), "{stats:?}");
    let at =
        |slot: &Slot, chunk| matches!(slot.tracks.get(Track::Outbound), Piece::Play(f) if f.chunk() == chunk);
    assert_eq!(
        heard.count(|slot| at(slot, 100) && slot.tracks.inbound == Piece::Conceal),
        1
    );
    assert_eq!(
        heard.count(|slot| at(slot, 101) && matches!(slot.tracks.inbound, Piece::Play(_))),
        1
    );
}

#[test]
fn a_track_that_starts_late_stops_or_never_comes_does_not_disturb_the_other() {
    let mut card = Card::new();
    // Inbound begins at 3 s with chunk 1, and has no place before.
    let inbound = sent(Track::Inbound, 150..300, LOUD, |_| 0);
    let inbound = inbound.into_iter().enumerate().map(|(n, arrival)| Arrival {
        frame: frame(Track::Inbound, n as u32 + 1, arrival.frame.timestamp_ms(), LOUD),
        ..arrival
    });
    let calls = merged(vec![
        inbound.collect(),
        sent(Track::Outbound, 0..500, LOUD, |_| 0),
    ]);
    let heard = card.play(&calls, 9_900_000);
    let stats = card.jitter.stats();
    assert_eq!((stats.late, stats.dropped), (0, 0), "{stats:?}");
    assert!(
        stats.concealed_ms <= 420,
        "what stopped is covered until it is a stop: {stats:?}"
    );
    assert!(heard.chunks(Track::Outbound).len() > 485);
    assert_eq!(heard.chunks(Track::Inbound), (1..=150).collect::<Vec<_>>());
    let together = |slot: &Slot| match (&slot.tracks.inbound, &slot.tracks.outbound) {
        (Piece::Play(a), Piece::Play(b)) => a.timestamp_ms() == b.timestamp_ms(),
        _ => true,
    };
    assert_eq!(heard.count(|slot| !together(slot)), 0);

    let mut card = Card::new();
    let heard = card.play(&sent(Track::Outbound, 0..500, LOUD, |_| 0), 9_900_000);
    assert_eq!(card.jitter.stats().concealed_ms, 0);
    assert_eq!(heard.count(|slot| slot.tracks.inbound != Piece::Silence), 0);
}

#[test]
fn who_stops_sending_is_waited_for_in_silence_and_taken_up_again() {
    let mut card = Card::new();
    let mut calls = two(30, LOUD, |_| 0);
    calls.retain(|a| !(5_000_000..20_000_000).contains(&a.at_us));
    card.play(&calls, 19_900_000);
    let stats = card.jitter.stats();
    assert_eq!(stats.state, State::Waiting);
    assert!(stats.concealed_ms <= 420, "{stats:?}");
    let heard = card.play(&calls, 29_900_000);
    let after = card.jitter.stats();
    assert_eq!(
        (after.state, after.concealed_ms),
        (State::Playing, stats.concealed_ms)
    );
    assert!(heard.chunks(Track::Inbound).len() > 490);
    assert!(after.depth_ms < 100, "{after:?}");
}

#[test]
fn short_pieces_are_joined_and_a_short_end_is_played() {
    let mut jitter = Jitter::new();
    let mut now = 0;
    // 100 ms as pieces of 160, 160, 40 and so on; each timestamp where the piece begins.
    let mut at = 0;
    for (n, len) in [160usize, 160, 40, 160, 160, 40, 80].into_iter().enumerate() {
        let audio = vec![n as u8; len];
        jitter.on_frame(now, &AudioFrame::new(Track::Inbound, 1, n as u32 + 1, at, &audio));
        at += len as u32 / 8;
        now += 1000;
    }
    jitter.on_over();
    let mut audio = Vec::new();
    while let Pull::Play(slot) = jitter.pull(now, 0) {
        let Piece::Play(frame) = slot.tracks.inbound else {
            panic!("{slot:?}")
        };
        audio.extend_from_slice(frame.mulaw());
        now += 20_000;
    }
    let runs: Vec<_> = audio
        .chunk_by(|a, b| a == b)
        .map(|run| (run[0], run.len()))
        .collect();
    assert_eq!(
        runs,
        [(0, 160), (1, 160), (2, 40), (3, 160), (4, 160), (5, 40), (6, 80)]
    );
    let stats = jitter.stats();
    assert_eq!(stats.state, State::Over);
    assert_eq!(stats.received, stats.played + stats.joined);
}
