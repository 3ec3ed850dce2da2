//! Two tracks to left and right: who is heard where and how loud. Gains ramp, so that no key clicks; where nothing
//! changes, and each side is on one ear alone, samples pass as they are. What it gives may be over full scale: the
//! [`limiter`] stands behind it, where all calls are together.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `ramp` | a gain that never steps |
//! | [`cross`] | what the other ear hears of a side |
//! | [`level`] | who speaks low is made louder |
//! | [`limiter`] | never over full scale |

pub mod cross;
pub mod level;
pub mod limiter;
mod ramp;

use partyline_shared::track::{PerTrack, Role, Track};

use crate::event::{Column, Ears, Mix, Side, Sides};

use super::{Mono, Stereo};
use cross::Cross;
use level::Leveller;
use ramp::Ramp;

/// In mono each side goes to both ears; this keeps its power what it is in one ear alone.
const MONO: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// The track that the agent is on; the outbound one where nobody says.
pub fn agent_on(roles: PerTrack<Role>) -> Track {
    match (roles.inbound, roles.outbound) {
        (Role::Agent, Role::Agent) => Track::Outbound,
        (Role::Agent, _) | (_, Role::Customer) => Track::Inbound,
        _ => Track::Outbound,
    }
}

/// The lowest and highest of some samples, for the screen.
pub fn column(samples: &[f32]) -> Column {
    let (low, high) = samples
        .iter()
        .fold((0.0f32, 0.0f32), |(low, high), &s| (low.min(s), high.max(s)));
    // A cast saturates, and takes NaN for 0.
    Column {
        low: (low * 128.0) as i8,
        high: (high * 128.0) as i8,
    }
}

/// One track on its way to both ears.
#[derive(Debug)]
struct Strip {
    level: Leveller,
    cross: Cross,
    /// To the left and the right.
    gains: [Ramp; 2],
}

impl Strip {
    fn new(gains: [f32; 2], levels: bool) -> Strip {
        let mut level = Leveller::default();
        level.turn(levels);
        Strip {
            level,
            cross: Cross::default(),
            gains: gains.map(Ramp::at),
        }
    }

    /// A sample, to the left and the right; `far` is how much of the cross-feed there is, from 0 to 1.
    fn next(&mut self, sample: f32, far: f32) -> [f32; 2] {
        let sample = sample * self.level.step();
        let (low, before) = self.cross.next(sample);
        let [to_left, to_right] = self.gains.each_mut().map(Ramp::next);
        let near = sample - low * (cross::GIVEN * far);
        let far = before * (cross::FAR * far);
        [to_left * near + to_right * far, to_right * near + to_left * far]
    }
}

/// The mixer.
#[derive(Debug)]
pub struct Mixer {
    strips: PerTrack<Strip>,
    /// How much of the cross-feed there is.
    far: Ramp,
    roles: PerTrack<Role>,
    mix: Mix,
}

impl Mixer {
    /// A mixer that is where it should be from the first sample on; only levelling has yet to learn.
    pub fn new(roles: PerTrack<Role>, mix: Mix) -> Self {
        let gains = targets(roles, mix);
        Mixer {
            strips: PerTrack {
                inbound: Strip::new(gains.inbound, mix.auto_level),
                outbound: Strip::new(gains.outbound, mix.auto_level),
            },
            far: Ramp::at(far(mix)),
            roles,
            mix,
        }
    }

    /// Who is on which track.
    pub fn set_roles(&mut self, roles: PerTrack<Role>) {
        self.roles = roles;
        self.aim();
    }

    /// How it is to sound.
    pub fn set_mix(&mut self, mix: Mix) {
        self.mix = mix;
        self.aim();
    }

    fn aim(&mut self) {
        let targets = targets(self.roles, self.mix);
        for track in Track::BOTH {
            let strip = self.strips.get_mut(track);
            strip.level.turn(self.mix.auto_level);
            for (gain, &end) in strip.gains.iter_mut().zip(targets.get(track)) {
                gain.go_to(end);
            }
        }
        self.far.go_to(far(self.mix));
    }

    /// Mixes a slot; what comes out may be over full scale.
    pub fn mix(&mut self, inbound: &Mono, outbound: &Mono, out: &mut Stereo) {
        self.strips.inbound.level.hear(inbound);
        self.strips.outbound.level.hear(outbound);
        let ears = out.as_chunks_mut::<2>().0;
        for ((ears, &inbound), &outbound) in ears.iter_mut().zip(inbound).zip(outbound) {
            let far = self.far.next();
            let [left, right] = self.strips.inbound.next(inbound, far);
            let [more_left, more_right] = self.strips.outbound.next(outbound, far);
            *ears = [left + more_left, right + more_right];
        }
    }
}

/// How much of the cross-feed there is.
fn far(mix: Mix) -> f32 {
    if mix.ears == Ears::Stereo { 1.0 } else { 0.0 }
}

/// The gains of each track to the left and the right.
fn targets(roles: PerTrack<Role>, mix: Mix) -> PerTrack<[f32; 2]> {
    let agent = agent_on(roles);
    let gains = |track: Track| {
        let is_agent = track == agent;
        let (heard, side) = if is_agent {
            (mix.sides != Sides::Customer, mix.agent)
        } else {
            (mix.sides != Sides::Agent, mix.customer)
        };
        let gain = if heard { gain(mix, side) } else { 0.0 };
        match (mix.ears, is_agent) {
            (Ears::Mono, _) => [gain * MONO; 2],
            (_, false) => [gain, 0.0],
            (_, true) => [0.0, gain],
        }
    };
    PerTrack {
        inbound: gains(Track::Inbound),
        outbound: gains(Track::Outbound),
    }
}

/// A side's gain and that of all.
fn gain(mix: Mix, side: Side) -> f32 {
    if mix.muted || side.muted {
        return 0.0;
    }
    10f32.powf((f32::from(mix.volume_db) + f32::from(side.gain_db)) / 20.0)
}

#[cfg(test)]
mod tests;
