//! One heard call on a card that takes 20 ms every 20 ms: live, held, behind, and from one to the other.

mod any;
mod replayed;
mod speeds;

use std::sync::LazyLock;

use partyline_shared::audio::g711;
use partyline_shared::track::roles;

use super::super::super::decode;
use super::super::super::jitter::{State, Stats};
use super::*;
use crate::event::Ears;

/// Where a slot's samples are in µs.
const SLOT_US: u64 = 20_000;

/// The wall clock at timestamp 0.
const ZERO_MS: i64 = 1_700_000_000_000;

/// What a track says, as µ-law, sample by sample.
type Speech = fn(Track, i64) -> u8;

/// Two voices that are hardly ever twice the same: tones that glide, for half a minute.
fn speech(track: Track, at: i64) -> u8 {
    static SAID: LazyLock<PerTrack<Vec<u8>>> = LazyLock::new(|| PerTrack {
        inbound: (0..LONG).map(|at| voice(170.0, at)).collect(),
        outbound: (0..LONG).map(|at| voice(260.0, at)).collect(),
    });
    SAID.get(track)[at.rem_euclid(LONG) as usize]
}

/// Half a minute, samples.
const LONG: i64 = 240_000;

fn voice(hz: f64, at: i64) -> u8 {
    let t = at as f64 / 8000.0;
    // Whole waves fit into it.
    let glide = 40.0 * (std::f64::consts::TAU * t / 7.5).sin();
    let phase = std::f64::consts::TAU * (hz * t + glide);
    let sample = 7000.0 * phase.sin() + 2500.0 * (2.0 * phase + 1.0).sin();
    g711::encode(sample as i16)
}

struct Story {
    voice: Voice,
    memory: Kept,
    seat: Seat,
    mix: Mix,
    speech: Speech,
    /// The next slot that is said.
    said: i64,
    now_us: u64,
    /// Left and right, all that was heard.
    heard: Vec<[f32; 2]>,
}

impl Story {
    fn new(speech: Speech) -> Story {
        Story::remembering(speech, Kept::of(2_000))
    }

    fn remembering(speech: Speech, memory: Kept) -> Story {
        let seat = Seat::new(1, roles(Track::Outbound));
        let mix = Mix {
            ears: Ears::Wide,
            ..Mix::default()
        };
        memory.lock().on_stream(Some(ZERO_MS));
        Story {
            voice: Voice::new(&seat, mix, memory.clone()),
            memory,
            seat,
            mix,
            speech,
            said: 0,
            now_us: 1_000_000,
            heard: Vec::new(),
        }
    }

    fn frame(&self, track: Track, slot: i64) -> AudioFrame {
        let first = slot * SLOT_SAMPLES;
        let bytes: Vec<u8> = (first..first + SLOT_SAMPLES)
            .map(|at| (self.speech)(track, at))
            .collect();
        AudioFrame::new(track, 7, slot as u32 + 1, slot as u32 * 20, &bytes)
    }

    fn put(&mut self, frame: &AudioFrame) {
        self.memory.lock().on_frame(frame, 0);
        self.voice.on_frame(self.now_us, frame);
    }

    /// The next slot of both comes.
    fn say(&mut self) {
        for track in Track::BOTH {
            let frame = self.frame(track, self.said);
            self.put(&frame);
        }
        self.said += 1;
    }

    /// The card takes 20 ms.
    fn take(&mut self) -> bool {
        self.now_us += SLOT_US;
        let samples = match self.voice.next(self.now_us, 20_000) {
            Some(ready) => ready.samples,
            None if self.voice.sounds => self.voice.rest(),
            None => {
                self.heard.extend([[0.0; 2]; SLOT]);
                return false;
            }
        };
        self.heard.extend(samples.as_chunks::<2>().0);
        true
    }

    /// So many slots are said, and taken.
    fn go(&mut self, slots: i64) {
        for _ in 0..slots {
            self.say();
            self.take();
        }
    }

    fn want(&mut self, change: impl FnOnce(&mut Seat)) {
        change(&mut self.seat);
        self.voice.follow(&self.seat, self.mix);
    }

    /// The left and right that were said from a sample on.
    fn original(&self, from: i64, samples: usize) -> Vec<[f32; 2]> {
        let of = |track, at| decode::sample((self.speech)(track, at));
        let at = (from..).take(samples);
        at.map(|at| [of(Track::Inbound, at), of(Track::Outbound, at)])
            .collect()
    }

    /// The last samples that were heard.
    fn last(&self, slots: usize) -> &[[f32; 2]] {
        &self.heard[self.heard.len() - slots * SLOT..]
    }

    /// Where the last slot was said, if it was said like that.
    fn place_of_last(&self) -> Option<i64> {
        let last = self.last(1);
        let slots = (0..self.said).rev();
        slots
            .into_iter()
            .find(|slot| self.original(slot * SLOT_SAMPLES, SLOT) == last)
    }

    fn stats(&self) -> Stats {
        self.voice.stats()
    }

    /// No step is larger than the speech's own, by half as much again.
    #[track_caller]
    fn has_no_click(&self) {
        let step = |all: &[[f32; 2]]| {
            let steps = all
                .windows(2)
                .flat_map(|pair| [0, 1].map(|ear: usize| (pair[1][ear] - pair[0][ear]).abs()));
            steps.fold(0.0f32, f32::max)
        };
        let original = step(&self.original(0, self.said as usize * SLOT));
        let heard = step(&self.heard);
        assert!(heard < 1.5 * original, "{heard} of {original}");
    }
}

#[test]
fn ten_seconds_back_is_what_was_said_then_sample_for_sample() {
    let mut story = Story::new(speech);
    story.go(600);
    let live = story.place_of_last().unwrap();
    assert!(story.said - live < 6, "{live} of {}", story.said);
    story.want(|seat| seat.seek_ms -= 10_000);
    story.go(200);
    let first = live + 1 - 500;
    let heard = story.last(199);
    assert!(
        heard == story.original((first + 1) * SLOT_SAMPLES, 199 * SLOT),
        "what was said then"
    );
    let stats = story.stats();
    assert_eq!((stats.state, stats.behind_ms), (State::Behind, 10_000));
    assert_eq!((stats.concealed_ms, stats.dropped_ms), (0, 0));
    story.has_no_click();
    // Forward again, and further than there is.
    story.want(|seat| seat.seek_ms += 4_000);
    story.go(3);
    assert_eq!(story.place_of_last(), Some(first + 200 + 200 + 2));
    story.want(|seat| seat.seek_ms += 100_000);
    story.go(10);
    assert_eq!(story.stats().state, State::Playing);
    assert_eq!(story.place_of_last(), Some(live + 213));
    story.has_no_click();
}

#[test]
fn what_lies_before_all_that_is_there_is_the_first_of_it() {
    let mut story = Story::new(speech);
    story.go(100);
    story.want(|seat| seat.seek_ms -= 3_600_000);
    story.go(5);
    assert_eq!(story.place_of_last(), Some(4));
    story.want(|seat| seat.jumps = (1, ZERO_MS + 1_000));
    story.go(3);
    assert_eq!(story.place_of_last(), Some(52));
    assert_eq!(story.memory.lock().heard_ms(), Some(ZERO_MS + 52 * 20 - 20));
    story.want(|seat| seat.jumps = (2, 0));
    story.go(3);
    assert_eq!(story.place_of_last(), Some(2));
    story.want(|seat| seat.jumps = (3, i64::MAX));
    story.go(3);
    assert_eq!(story.stats().state, State::Playing);
    story.has_no_click();
}

#[test]
fn live_is_joined_without_a_step_and_where_it_would_have_been() {
    let mut story = Story::new(speech);
    let mut other = Story::new(speech);
    story.go(300);
    other.go(300);
    story.want(|seat| seat.seek_ms -= 5_000);
    story.go(50);
    story.want(|seat| seat.lives += 1);
    story.go(50);
    other.go(100);
    assert_eq!(story.last(49), other.last(49), "it is where it would have been");
    assert_eq!(story.stats(), other.stats());
    story.has_no_click();
}

#[test]
fn it_stands_still_and_goes_on_from_there_while_live_goes_on_unheard() {
    let mut story = Story::new(speech);
    story.go(100);
    let at = story.place_of_last().unwrap();
    story.want(|seat| seat.held = true);
    story.go(150);
    assert!(
        story.last(148).iter().all(|ears| *ears == [0.0; 2]),
        "it is silent"
    );
    let stats = story.stats();
    assert_eq!(stats.state, State::Held);
    assert!((2_900..3_100).contains(&stats.behind_ms), "{stats:?}");
    assert!(stats.waiting < 12, "what is live is taken out: {stats:?}");
    story.want(|seat| seat.held = false);
    story.go(20);
    // The slot in which it died away comes again.
    assert_eq!(story.place_of_last(), Some(at + 20));
    assert_eq!(story.stats().state, State::Behind);
    assert_eq!((story.stats().dropped_ms, story.stats().concealed_ms), (0, 0));
    story.has_no_click();
}

#[test]
fn what_is_held_for_longer_than_is_remembered_is_left_out_and_counted() {
    let mut story = Story::remembering(speech, Kept::of(500));
    story.go(50);
    story.want(|seat| seat.held = true);
    story.go(600);
    story.want(|seat| seat.held = false);
    story.go(10);
    let stats = story.stats();
    assert_eq!(stats.state, State::Behind);
    assert!((9_900..=10_000).contains(&stats.behind_ms), "{stats:?}");
    assert!((1_900..3_100).contains(&stats.dropped_ms), "{stats:?}");
}

#[test]
fn a_call_that_is_over_is_played_to_its_end_from_wherever_one_is() {
    let mut story = Story::new(speech);
    story.go(200);
    story.want(|seat| seat.seek_ms -= 2_000);
    story.want(|seat| seat.over = true);
    let mut slots = 0;
    while story.stats().state != State::Over {
        story.take();
        slots += 1;
        assert!(slots < 300, "it ends");
    }
    assert!((95..115).contains(&slots), "{slots}");
    story.has_no_click();
    // And from there back into it.
    story.want(|seat| seat.seek_ms -= 1_000);
    assert!(story.voice.waits());
    story.take();
    story.take();
    assert_eq!(story.place_of_last(), Some(151));
    assert_eq!(story.stats().state, State::Behind);
}

#[test]
fn who_goes_back_to_live_where_nothing_is_said_is_no_longer_behind() {
    let mut story = Story::new(speech);
    story.go(200);
    story.want(|seat| seat.over = true);
    while story.stats().state != State::Over {
        story.take();
    }
    story.want(|seat| seat.seek_ms -= 2_000);
    for _ in 0..10 {
        story.take();
    }
    let clip_ends = |story: &Story| story.memory.lock().clip(1_000).unwrap().to_ms;
    assert!(clip_ends(&story) < ZERO_MS + 2_500);
    story.want(|seat| seat.lives += 1);
    for _ in 0..10 {
        story.take();
    }
    assert_eq!(clip_ends(&story), ZERO_MS + 4_000);
    assert_eq!(story.memory.lock().heard_ms(), Some(ZERO_MS + 4_000));
}

#[test]
fn losses_that_nobody_heard_count_as_lost_and_not_as_covered_up() {
    let mut story = Story::new(speech);
    story.go(300);
    story.want(|seat| seat.seek_ms -= 5_000);
    story.go(10);
    story.said += 2;
    story.voice.on_missed(story.now_us, Track::Inbound, 311, 312);
    story.go(10);
    let stats = story.stats();
    assert_eq!((stats.lost_ms, stats.concealed_ms), (40, 0), "{stats:?}");
}
