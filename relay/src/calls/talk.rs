//! Who spoke for how long, by energy over a tracked noise floor, on media time: what arrives late or in
//! bursts counts where it was said. No clock, no I/O.

use std::collections::VecDeque;

use partyline_shared::audio::FRAME_MS;
use partyline_shared::audio::level::{Energy, FLOOR_DB};
use partyline_shared::call::Talk;
use partyline_shared::track::{PerTrack, Track};

/// Over the noise floor by this much, dB, somebody speaks …
const ON_DB: f64 = 12.0;
/// … until it is over the floor by less than this.
const OFF_DB: f64 = 6.0;
/// Quieter than this is no speech, whatever the floor: a digital line's floor is at -90 dBFS.
const QUIETEST_DB: f64 = -50.0;
/// Louder than this the floor is not believed to be noise.
const LOUDEST_FLOOR_DB: f64 = -30.0;
/// Frames of energy that make speech: 60 ms, so that a click is none.
const ATTACK: u32 = 3;
/// Frames that speech outlives its energy: 240 ms, so that words are not chopped.
const HANGOVER: u32 = 12;
/// How fast the floor rises, dB a frame: 3 dB a second, slower than speech pauses.
const FLOOR_RISE_DB: f64 = 0.06;
/// Slots that the slower track is waited for before it counts as silent: 400 ms.
const LAG: u64 = 20;

#[derive(Debug)]
struct Side {
    floor_db: f64,
    loud: u32,
    hang: u32,
    speaking: bool,
    /// Timestamp and slot of the first frame: slots are counted from there, so jitter rounds away.
    first: Option<(u32, u64)>,
    slots: VecDeque<(u64, bool)>,
}

impl Default for Side {
    fn default() -> Self {
        Side {
            floor_db: FLOOR_DB,
            loud: 0,
            hang: 0,
            speaking: false,
            first: None,
            slots: VecDeque::new(),
        }
    }
}

impl Side {
    fn hear(&mut self, energy: Energy) -> bool {
        let db = energy.dbfs().unwrap_or(FLOOR_DB);
        self.floor_db = db.min(self.floor_db + FLOOR_RISE_DB).min(LOUDEST_FLOOR_DB);
        let over = db - self.floor_db;
        let enough = if self.speaking { OFF_DB } else { ON_DB };
        if db > QUIETEST_DB && over >= enough {
            self.loud += 1;
            if self.speaking || self.loud >= ATTACK {
                self.speaking = true;
                self.hang = HANGOVER;
            }
        } else {
            self.loud = 0;
            self.hang = self.hang.saturating_sub(1);
            self.speaking = self.hang > 0;
        }
        self.speaking
    }

    fn slot(&mut self, timestamp_ms: u32) -> u64 {
        let frame = u64::from(FRAME_MS);
        let (from, slot) = *self
            .first
            .get_or_insert((timestamp_ms, u64::from(timestamp_ms) / frame));
        slot + (u64::from(timestamp_ms.saturating_sub(from)) + frame / 2) / frame
    }
}

/// The running account of one stream after another.
#[derive(Debug, Default)]
pub struct TalkMeter {
    sides: PerTrack<Side>,
    total: Talk,
}

impl TalkMeter {
    /// Takes one frame's energy at its media time.
    pub fn hear(&mut self, track: Track, timestamp_ms: u32, energy: Energy) {
        let side = self.sides.get_mut(track);
        let speaking = side.hear(energy);
        let slot = side.slot(timestamp_ms);
        match side.slots.back_mut() {
            // A clock that stands or steps back tells nothing new: one slot is one slot.
            Some((newest, spoke)) if slot <= *newest => *spoke |= speaking,
            _ => side.slots.push_back((slot, speaking)),
        }
        self.settle(LAG);
    }

    /// Nothing is heard for a while: what is pending is settled, and who spoke does so no more.
    pub fn pause(&mut self) {
        self.settle(0);
        for side in [&mut self.sides.inbound, &mut self.sides.outbound] {
            (side.loud, side.hang, side.speaking) = (0, 0, false);
        }
    }

    /// A new stream begins at its own media time: what is pending is settled, the account goes on.
    pub fn restart(&mut self) {
        self.settle(0);
        self.sides = PerTrack::default();
    }

    /// The account stands at so much.
    pub fn resume(&mut self, total: Talk) {
        self.total = total;
    }

    /// The account so far; the last 400 ms may be missing while one track waits for the other.
    pub fn total(&self) -> Talk {
        self.total
    }

    /// Counts every slot that both tracks have passed, or that one is `lag` slots past.
    fn settle(&mut self, lag: u64) {
        loop {
            let head = |side: &Side| side.slots.front().map(|(slot, _)| *slot);
            let newest = |side: &Side| side.slots.back().map_or(0, |(slot, _)| *slot);
            let (inbound, outbound) = (&self.sides.inbound, &self.sides.outbound);
            let slot = match (head(inbound), head(outbound)) {
                (Some(i), Some(o)) => i.min(o),
                (Some(i), None) if newest(inbound).saturating_sub(i) >= lag => i,
                (None, Some(o)) if newest(outbound).saturating_sub(o) >= lag => o,
                _ => return,
            };
            let inbound = take(&mut self.sides.inbound, slot);
            let outbound = take(&mut self.sides.outbound, slot);
            let account = match (inbound, outbound) {
                (true, true) => &mut self.total.both_ms,
                (true, false) => &mut self.total.inbound_ms,
                (false, true) => &mut self.total.outbound_ms,
                (false, false) => &mut self.total.silence_ms,
            };
            *account = account.saturating_add(u64::from(FRAME_MS));
        }
    }
}

/// Takes all of a side that lies at or before `slot`; whether it spoke there.
fn take(side: &mut Side, slot: u64) -> bool {
    let mut spoke = false;
    while let Some((_, speaking)) = side.slots.front().filter(|(at, _)| *at <= slot) {
        spoke |= speaking;
        side.slots.pop_front();
    }
    spoke
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOUD: u8 = 0x90;
    const QUIET: u8 = 0xff;

    fn energy(byte: u8) -> Energy {
        Energy::of(&[byte; 160])
    }

    #[test]
    fn turns_and_cross_talk_are_told_apart_on_media_time() {
        let mut talk = TalkMeter::default();
        // 5 s of the one, 5 s of both, 5 s of the other, 5 s of nothing, with jittered timestamps.
        for n in 0..1000u32 {
            let (i, o) = match n / 250 {
                0 => (LOUD, QUIET),
                1 => (LOUD, LOUD),
                2 => (QUIET, LOUD),
                _ => (QUIET, QUIET),
            };
            talk.hear(Track::Inbound, 57 + n * 20 + n % 3, energy(i));
            talk.hear(Track::Outbound, 50 + n * 20 + n % 2, energy(o));
        }
        talk.restart();
        let Talk {
            inbound_ms,
            outbound_ms,
            both_ms,
            silence_ms,
        } = talk.total();
        for (what, ms) in [
            ("inbound", inbound_ms),
            ("outbound", outbound_ms),
            ("both", both_ms),
            ("silence", silence_ms),
        ] {
            assert!((4600..=5400).contains(&ms), "{what} {ms}: {:?}", talk.total());
        }
        let all = inbound_ms + outbound_ms + both_ms + silence_ms;
        assert!((19_980..=20_060).contains(&all), "{all}");
    }

    #[test]
    fn a_track_that_never_comes_is_silent_and_nothing_piles_up() {
        let mut talk = TalkMeter::default();
        for n in 0..1000u32 {
            talk.hear(Track::Inbound, n * 20, energy(LOUD));
            assert!(talk.sides.inbound.slots.len() <= LAG as usize + 1);
        }
        assert!(talk.total().inbound_ms > 19_000);
    }

    #[test]
    fn a_clock_that_stands_or_steps_back_piles_nothing_up() {
        let mut talk = TalkMeter::default();
        for n in 0..10_000u32 {
            talk.hear(Track::Inbound, [0, 900, 40][n as usize % 3], energy(LOUD));
            assert!(talk.sides.inbound.slots.len() <= 2 * LAG as usize + 2);
        }
    }

    #[test]
    fn a_click_is_no_talk() {
        let mut talk = TalkMeter::default();
        for n in 0..500u32 {
            talk.hear(
                Track::Inbound,
                n * 20,
                energy(if n % 50 == 0 { LOUD } else { QUIET }),
            );
        }
        assert_eq!(talk.total().inbound_ms, 0);
    }
}
