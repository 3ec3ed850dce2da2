//! What the relay has remembered.

use super::*;

impl Story {
    /// The next slots come out of the relay's memory, one track after the other.
    fn replay(&mut self, slots: i64) {
        for track in Track::BOTH {
            for slot in self.said..self.said + slots {
                let frame = self.frame(track, slot).replayed();
                self.put(&frame);
            }
        }
        self.said += slots;
    }
}

#[test]
fn seconds_out_of_the_relays_memory_are_played_from_their_beginning() {
    let mut story = Story::new(speech);
    story.replay(250);
    story.go(4);
    assert_eq!(story.stats().state, State::Waiting, "it is gathered");
    story.go(50);
    assert_eq!(story.stats().state, State::Behind);
    let place = story.place_of_last().unwrap();
    assert!((45..52).contains(&place), "{place}");
    assert!(
        (4_900..5_100).contains(&story.stats().behind_ms),
        "{:?}",
        story.stats()
    );
    story.want(|seat| seat.lives += 1);
    story.go(10);
    assert_eq!(story.stats().state, State::Playing);
    let place = story.place_of_last().unwrap();
    assert!(story.said - place < 8, "{place} of {}", story.said);
    story.has_no_click();
}

#[test]
fn a_frame_or_two_out_of_it_are_as_good_as_live() {
    let mut story = Story::new(speech);
    story.replay(2);
    story.go(100);
    assert!(story.voice.past.is_none());
    let stats = story.stats();
    assert_eq!((stats.state, stats.behind_ms), (State::Playing, 0));
    let first = story.heard.iter().position(|ears| ears[0].abs() > 0.05).unwrap();
    let slot = first / SLOT + 1;
    let heard = &story.heard[slot * SLOT..(slot + 1) * SLOT];
    assert_eq!(
        heard,
        story.original(SLOT_SAMPLES, SLOT),
        "nothing of it is left out"
    );
}

#[test]
fn all_there_is_out_of_it_is_played_though_nothing_live_follows() {
    for slots in [3, 60] {
        let mut story = Story::new(speech);
        story.replay(slots);
        story.want(|seat| seat.over = true);
        let mut taken = 0;
        while story.stats().state != State::Over {
            story.take();
            taken += 1;
            assert!(taken < 200, "{:?}", story.stats());
        }
        let loud = story.heard.iter().filter(|ears| ears[0].abs() > 0.05).count();
        assert!(
            loud as i64 > slots * SLOT_SAMPLES * 7 / 10,
            "{loud} samples of {slots} slots"
        );
        story.has_no_click();
    }
}

#[test]
fn what_was_missed_while_away_is_heard_and_what_was_heard_is_not_heard_again() {
    let mut story = Story::new(speech);
    story.go(100);
    let heard = story.place_of_last().unwrap();
    // Nothing for three seconds; then all of that comes, and some that came already.
    for _ in 0..150 {
        story.take();
    }
    story.said -= 20;
    story.replay(170);
    story.go(20);
    let stats = story.stats();
    assert_eq!(stats.state, State::Behind);
    let place = story.place_of_last().unwrap();
    assert!(place > heard && place < 120, "{place} after {heard}");
    story.has_no_click();
}
