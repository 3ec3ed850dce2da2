//! Calls one after another on one card.

use std::sync::Arc;
use std::time::Instant;

use partyline_shared::track::{Track, roles};

use super::super::output::{Output, pair};
use super::*;

/// Two people who say something, and a card that takes 20 ms every 20 ms, as its clock has it.
struct Story {
    engine: Engine,
    output: Output,
    wanted: Wanted,
    now_ms: u64,
}

impl Story {
    fn new() -> Story {
        let mut engine = Engine::new(Arc::new(Scope::new()), true);
        let (output, line) = pair(8_000, 160, Instant::now());
        engine.on_line(0, Some(line));
        Story {
            engine,
            output,
            wanted: Wanted::default(),
            now_ms: 0,
        }
    }

    /// This call is heard for so many seconds, from its first frame on.
    fn hear(&mut self, generation: u64, seconds: u64) {
        let mut out = [0.0; 320];
        let mut said = 0;
        for _ in 0..seconds * 1000 {
            let now_us = self.now_ms * 1000;
            self.engine.want(now_us, self.wanted);
            match self.now_ms % 20 {
                3 => {
                    for track in Track::BOTH {
                        let frame = AudioFrame::new(track, 1, said + 1, said * 20, &[0x90; 160]);
                        self.engine.on_frame(generation, now_us, &frame);
                    }
                    said += 1;
                }
                10 => self.output.fill_at(now_us, &mut out, 2),
                _ => {}
            }
            self.engine.step(now_us);
            self.now_ms += 1;
        }
    }
}

#[test]
fn the_next_call_says_nothing_new_of_the_cards_clock() {
    let mut story = Story::new();
    for after_ms in [0, 7, 700] {
        let mix = story.wanted.mix;
        let generation = story.wanted.hear(roles(Track::Outbound), mix);
        story.hear(generation, 20);
        let stats = story.engine.stats(0);
        assert!(stats.drift_ppm.abs() < 5.0, "{generation}: {stats:?}");
        assert_eq!(stats.playback.stretched_ms, 0, "{generation}: {stats:?}");
        if after_ms > 0 {
            // Nobody is heard for a while, and the card is kept.
            story.wanted.leave(generation);
            for _ in 0..after_ms {
                let now_us = story.now_ms * 1000;
                story.engine.want(now_us, story.wanted);
                story.engine.step(now_us);
                story.now_ms += 1;
            }
        }
    }
}
