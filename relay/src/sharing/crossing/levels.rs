//! How loud calls of ours were, told to relays where somebody looks at levels: as often as the most eager one there does,
//! and only of calls that had any sound and are not heard there anyway.

use std::time::{Duration, Instant};

use partyline_shared::audio::level::Energy;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::MAX_LEVELS_HZ;
use partyline_shared::track::{PerTrack, Track};
use tokio::time::{MissedTickBehavior, interval};

use super::Crossing;
use super::book::Levels;
use super::codec::Writer;

/// The most often that anybody is told.
const TICK: Duration = Duration::from_millis(100);

/// A call and its sums so far.
type Sum = (CallSid, PerTrack<Energy>);

impl Crossing {
    /// Tells them, until it is dropped.
    pub(super) async fn tell_levels(&self) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let now = Instant::now();
            let due: Vec<_> = self
                .all_ears()
                .into_iter()
                .filter(|ear| ear.with_levels(|levels, _| levels.is_due(now)))
                .collect();
            if due.is_empty() {
                if !self.is_watched() {
                    self.watched.notified().await;
                }
                tick.tick().await;
                continue;
            }
            let calls = self.hub.registry.live_of_ours();
            let sums: Vec<Sum> = calls
                .iter()
                .map(|call| (call.sid().clone(), call.energy()))
                .collect();
            for ear in due {
                let messages = ear.with_levels(|levels, heard| levels.tell(&sums, heard));
                for message in messages {
                    // What does not arrive is a level that did not move for a moment.
                    let channel = format!("audio:{}", ear.node);
                    let _ = self.hub.broker.publish_audio(&channel, &message).await;
                }
            }
            tick.tick().await;
        }
    }

    fn is_watched(&self) -> bool {
        let asked = |levels: &mut Levels| levels.asked.is_some();
        self.all_ears()
            .iter()
            .any(|ear| ear.with_levels(|levels, _| asked(levels)))
    }
}

impl Levels {
    /// Whether its time has come, and then when the next is.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let Some((hz, _)) = self.asked else { return false };
        if self.due.is_some_and(|due| now + TICK / 2 < due) {
            return false;
        }
        self.due = Some(now + Duration::from_secs_f64(1.0 / hz.clamp(0.1, MAX_LEVELS_HZ)));
        true
    }

    /// What had sound since the last time, as messages. The first interval of a call begins when it is first looked at.
    pub(super) fn tell(&mut self, sums: &[Sum], is_heard: &dyn Fn(&CallSid) -> bool) -> Vec<Vec<u8>> {
        let mut before = std::mem::take(&mut self.told);
        let moved = sums.iter().filter_map(|(sid, sum)| {
            let earlier = before.remove(sid);
            self.told.insert(sid.clone(), *sum);
            let earlier = earlier.filter(|_| !is_heard(sid))?;
            let mut since = PerTrack::<Energy>::default();
            for track in Track::BOTH {
                *since.get_mut(track) = sum.get(track).since(*earlier.get(track));
            }
            (since != PerTrack::default()).then_some((sid, since))
        });
        let mut moved = moved.peekable();
        let mut messages = Vec::new();
        while moved.peek().is_some() {
            let mut message = Vec::new();
            let mut writer = Writer::new(&mut message);
            writer.levels();
            while writer.has_room()
                && let Some((sid, since)) = moved.next()
            {
                writer.level(sid, &since);
            }
            messages.push(message);
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_had_sound_is_told_no_oftener_than_is_looked() {
        let (now, sid) = (Instant::now(), CallSid::parse("CA1").unwrap());
        let mut levels = Levels {
            asked: Some((5.0, now)),
            ..Levels::default()
        };
        let ms = Duration::from_millis;
        let due: Vec<u64> = (0..10)
            .map(|n| n * 100)
            .filter(|at| levels.is_due(now + ms(*at)))
            .collect();
        assert_eq!(due, [0, 200, 400, 600, 800]);
        let mut sum = PerTrack::<Energy>::default();
        let tell = |levels: &mut Levels, heard: bool| levels.tell(&[(sid.clone(), sum)], &|_| heard).len();
        assert_eq!(tell(&mut levels, false), 0, "the first look begins the interval");
        assert_eq!(tell(&mut levels, false), 0, "no sound");
        sum.inbound.add(Energy::of(&[0x90; 160]));
        let tell = |levels: &mut Levels, heard: bool| levels.tell(&[(sid.clone(), sum)], &|_| heard).len();
        assert_eq!(tell(&mut levels, false), 1);
        sum.inbound.add(Energy::of(&[0x90; 160]));
        assert_eq!(
            levels.tell(&[(sid.clone(), sum)], &|_| true).len(),
            0,
            "it is heard"
        );
        assert!(levels.tell(&[], &|_| false).is_empty() && levels.told.is_empty());
    }
}
