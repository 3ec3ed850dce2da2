//! How loud a call is and who spoke, from its frames. Frames are measured some at a time: the tables and the
//! mathematics that one frame needs would be cold again at the next, and nobody asks for levels that often. Where the
//! call remembers its audio they wait there; pure.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::audio::level::Energy;
use partyline_shared::call::Talk;
use partyline_shared::track::{PerTrack, Track};

use super::replay::Replay;
use super::talk::TalkMeter;

/// Frames that are measured together: 200 ms of two tracks, half of what [`TalkMeter`] lets one track be ahead of
/// the other.
pub const TOGETHER: usize = 20;

/// The running account of one call.
#[derive(Debug, Default)]
pub struct Meter {
    energy: PerTrack<Energy>,
    talk: TalkMeter,
}

impl Meter {
    /// Takes a frame: measured with those to come where `replay` has it, else now.
    pub fn hear(&mut self, frame: &AudioFrame, replay: &mut Replay) {
        if !replay.push(frame) {
            self.measure(frame.track(), frame.timestamp_ms(), frame.mulaw());
        } else if replay.unmeasured() >= TOGETHER {
            self.settle(replay);
        }
    }

    /// Measures what waits.
    pub fn settle(&mut self, replay: &mut Replay) {
        replay.measure(|track, timestamp_ms, mulaw| self.measure(track, timestamp_ms, mulaw));
    }

    fn measure(&mut self, track: Track, timestamp_ms: u32, mulaw: &[u8]) {
        let energy = Energy::of(mulaw);
        self.energy.get_mut(track).add(energy);
        self.talk.hear(track, timestamp_ms, energy);
    }

    /// Nothing is heard for a while; what waits is measured first.
    pub fn pause(&mut self, replay: &mut Replay) {
        self.settle(replay);
        self.talk.pause();
    }

    /// A new stream begins, at its own media time.
    pub fn restart(&mut self) {
        self.talk.restart();
    }

    /// Sums of squares and samples so far.
    pub fn energy(&self) -> PerTrack<Energy> {
        self.energy
    }

    /// Another relay measured so much; what comes is added to it.
    pub fn resume(&mut self, talk: Talk) {
        self.talk.resume(talk);
    }

    /// Another relay measured so much of a track, in the moment that it tells of.
    pub fn heard_elsewhere(&mut self, track: Track, energy: Energy) {
        self.energy.get_mut(track).add(energy);
    }

    /// Who spoke for how long.
    pub fn talk(&self) -> Talk {
        self.talk.total()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn frame(track: Track, n: u32, byte: u8) -> AudioFrame {
        AudioFrame::new(track, 1, n + 1, n * 20, &[byte; 160])
    }

    proptest! {
        #[test]
        fn measured_together_or_one_by_one_it_is_the_same(
            loud in proptest::collection::vec((any::<bool>(), any::<bool>(), 0usize..8), 0..300),
        ) {
            let mut together = (Meter::default(), Replay::new(Duration::from_secs(1)));
            let mut at_once = (Meter::default(), Replay::new(Duration::ZERO));
            for (n, (inbound, outbound, asked)) in loud.iter().enumerate() {
                for (track, is_loud) in [(Track::Inbound, *inbound), (Track::Outbound, *outbound)] {
                    let frame = frame(track, n as u32, if is_loud { 0x90 } else { 0xff });
                    for (meter, replay) in [&mut together, &mut at_once] {
                        meter.hear(&frame, replay);
                    }
                }
                prop_assert!(together.1.unmeasured() < TOGETHER);
                if *asked == 0 {
                    together.0.settle(&mut together.1);
                    prop_assert_eq!(together.0.energy(), at_once.0.energy());
                    prop_assert_eq!(together.0.talk(), at_once.0.talk());
                }
            }
            together.0.settle(&mut together.1);
            prop_assert_eq!(together.0.energy(), at_once.0.energy());
            prop_assert_eq!(together.0.talk(), at_once.0.talk());
        }
    }

    #[test]
    fn a_track_that_stands_is_not_waited_for() {
        let (mut meter, mut replay) = (Meter::default(), Replay::new(Duration::from_secs(10)));
        for n in 0..100 {
            meter.hear(&frame(Track::Inbound, n, 0x90), &mut replay);
        }
        assert_eq!(replay.unmeasured(), 0);
        assert_eq!(meter.energy().inbound.samples, 16_000);
        assert!(meter.talk().inbound_ms > 1000);
    }
}
