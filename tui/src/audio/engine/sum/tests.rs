//! Several heard calls: who is how loud, and that nobody comes, goes or changes places with a step.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::audio::g711;
use partyline_shared::track::{Track, roles};

use super::super::super::decode;
use super::*;
use crate::event::{Ears, Mix};

/// What each says, of full scale.
fn level() -> f32 {
    decode::sample(g711::encode(8_000))
}

/// Calls that say one level each: of those heard, the first on the left, the second on the right.
struct Story {
    sum: Sum,
    shelf: Shelf,
    wanted: Wanted,
    said: u32,
    now_us: u64,
    heard: Vec<[f32; 2]>,
}

impl Story {
    fn new() -> Story {
        let mix = Mix {
            ears: Ears::Wide,
            ..Mix::default()
        };
        let wanted = Wanted {
            mix,
            ..Wanted::default()
        };
        Story {
            sum: Sum::new(Arc::default()),
            shelf: Shelf::default(),
            wanted,
            said: 0,
            now_us: 0,
            heard: Vec::new(),
        }
    }

    fn want<T>(&mut self, change: impl FnOnce(&mut Wanted) -> T) -> (T, Change) {
        let done = change(&mut self.wanted);
        self.shelf.follow(&self.wanted);
        (done, self.sum.follow(&self.wanted, &self.shelf))
    }

    fn also(&mut self) -> u64 {
        self.want(|wanted| wanted.also(roles(Track::Outbound)).0).0
    }

    /// So many slots come of all that are heard, and are taken.
    fn go(&mut self, slots: usize) {
        for _ in 0..slots {
            self.said += 1;
            for generation in 1..=self.wanted.newest {
                let loud = if generation % 2 == 1 {
                    Track::Inbound
                } else {
                    Track::Outbound
                };
                for track in Track::BOTH {
                    let byte = g711::encode(if track == loud { 8_000 } else { 0 });
                    let frame = AudioFrame::new(track, 1, self.said, self.said * 20, &[byte; 160]);
                    if let Some(kept) = self.shelf.get(generation) {
                        kept.lock().on_frame(&frame, 0);
                    }
                    if let Some(voice) = self.sum.voice(generation) {
                        voice.on_frame(self.now_us, &frame);
                    }
                }
            }
            self.take();
        }
    }

    fn take(&mut self) {
        self.now_us += 20_000;
        let ready = self.sum.next(self.now_us, 20_000);
        let samples = ready.map_or_else(|| self.sum.rest(), |ready| ready.samples);
        self.heard.extend(samples.as_chunks::<2>().0);
    }

    /// How loud the left and the right are at last, dB of what is said.
    fn levels(&self) -> [f32; 2] {
        self.heard[self.heard.len() - 1].map(|sample| 20.0 * (sample / level()).log10())
    }

    /// A voice begins and ends within 5 ms: no step is larger than that.
    #[track_caller]
    fn has_no_click(&self) {
        let steps = self.heard.windows(2).flat_map(|pair| {
            let [a, b] = [pair[0], pair[1]];
            [(a[0] - b[0]).abs(), (a[1] - b[1]).abs()]
        });
        let largest = steps.fold(0.0, f32::max);
        assert!(largest < 2.0 * level() / 40.0, "{largest}");
    }
}

#[test]
fn one_call_is_as_it_is() {
    let mut story = Story::new();
    assert_eq!(story.want(|_| ()).1, Change::None);
    let (_, change) = story.want(|wanted| wanted.hear(roles(Track::Outbound), wanted.mix));
    assert_eq!(change, Change::Front { first: true });
    story.go(20);
    assert_eq!(story.heard.last(), Some(&[level(), 0.0]));
}

#[test]
fn who_is_behind_is_twelve_decibels_quieter_and_who_comes_to_the_front_is_not() {
    let mut story = Story::new();
    let first = story.also();
    story.go(20);
    let second = story.also();
    story.go(20);
    let [left, right] = story.levels();
    assert!(
        (left + 12.0).abs() < 0.5 && right.abs() < 0.5,
        "{left} {right} dB"
    );
    let (_, change) = story.want(|wanted| wanted.bring_to_front(first));
    assert_eq!(change, Change::Front { first: false });
    let begun = story.heard.len();
    story.go(20);
    let [left, right] = story.levels();
    assert!(
        left.abs() < 0.5 && (right + 12.0).abs() < 0.5,
        "{left} {right} dB"
    );
    // It takes 50 ms, evenly.
    let ramp = &story.heard[begun..];
    let whole = ramp.iter().position(|ears| ears[0] > 0.999 * level()).unwrap();
    assert!((380..=400).contains(&whole), "{whole} samples");
    assert!(
        ramp.windows(2)
            .all(|pair| pair[1][0] >= pair[0][0] && pair[1][1] <= pair[0][1])
    );
    story.has_no_click();
    // Whoever is in front says how deep it is buffered.
    assert_eq!(story.sum.front().map(Voice::generation), Some(first));
    assert!(story.sum.depth().is_some());
    // The one in front is left: the other one is there alone.
    let (_, change) = story.want(|wanted| wanted.leave(first));
    assert_eq!(change, Change::Front { first: false });
    story.go(20);
    assert_eq!(story.sum.front().map(Voice::generation), Some(second));
    let [left, right] = story.levels();
    assert!(left.is_infinite() && right.abs() < 0.5, "{left} {right} dB");
    story.has_no_click();
}

#[test]
fn one_that_stands_still_or_ends_leaves_the_others_as_they_are() {
    let mut story = Story::new();
    story.also();
    story.go(20);
    story.also();
    story.go(20);
    story.want(|wanted| wanted.change_front(|seat| seat.held = true));
    story.go(20);
    let [left, right] = story.levels();
    assert!(
        (left + 12.0).abs() < 0.5 && right.is_infinite(),
        "{left} {right} dB"
    );
    story.want(|wanted| wanted.change_front(|seat| seat.held = false));
    story.go(20);
    let [left, right] = story.levels();
    assert!(
        (left + 12.0).abs() < 0.5 && right.abs() < 0.5,
        "{left} {right} dB"
    );
    story.has_no_click();
    // All of it ends.
    for _ in 0..60 {
        story.take();
    }
    assert_eq!(story.heard.last(), Some(&[0.0; 2]));
    story.has_no_click();
}

#[test]
fn there_are_so_many_seats_and_the_oldest_behind_gives_up_its_own() {
    let mut story = Story::new();
    for _ in 0..SEATS {
        story.also();
        story.go(10);
    }
    story.want(|wanted| wanted.bring_to_front(1));
    story.go(10);
    let ((newest, gone), _) = story.want(|wanted| wanted.also(roles(Track::Outbound)));
    assert_eq!((newest, gone), (SEATS as u64 + 1, Some(2)));
    story.go(10);
    assert_eq!(story.sum.voices().count(), SEATS);
    assert!(story.sum.voice(2).is_none() && story.sum.voice(1).is_some());
    story.has_no_click();
    let (_, change) = story.want(Wanted::clear);
    assert_eq!(change, Change::Left { instead: false });
    assert!(story.sum.is_empty());
}
