//! Two tracks to left and right: who is heard where, how loud, and never over full scale. Gains ramp, so that
//! no key clicks; where nothing changes and nothing is too loud, samples pass as they are.

use partyline_shared::track::{PerTrack, Role, Track};

use crate::event::{Column, Mix, Sides};

use super::{Mono, Stereo};

/// A gain takes so many samples to change: 10 ms.
const RAMP: f32 = 80.0;

/// In mono each side goes to both ears; this keeps its power what it is in one ear alone, and two that speak at
/// once within full scale.
const MONO: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Up to here nothing is limited: above the loudest that µ-law can say (32,124 of 32,768).
const CEILING: f32 = 0.985;

/// How much of what the limiter took is given back with each sample: a tenth of a second to a third of it.
const RELEASE: f32 = 1.0 / 800.0;

/// So near to nothing taken the limiter lets go.
const NOTHING: f32 = 1e-4;

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

/// What goes from one track to one ear.
#[derive(Debug, Clone, Copy)]
struct Gain {
    now: f32,
    step: f32,
    end: f32,
}

impl Gain {
    fn at(gain: f32) -> Self {
        Gain {
            now: gain,
            step: 0.0,
            end: gain,
        }
    }

    fn go_to(&mut self, end: f32) {
        self.end = end;
        self.step = (end - self.now) / RAMP;
    }

    fn next(&mut self) -> f32 {
        if self.now != self.end {
            self.now += self.step;
            if (self.end - self.now) * self.step <= 0.0 {
                self.now = self.end;
            }
        }
        self.now
    }
}

/// The mixer.
#[derive(Debug)]
pub struct Mixer {
    /// Of each track, to the left and the right.
    gains: PerTrack<[Gain; 2]>,
    roles: PerTrack<Role>,
    mix: Mix,
    /// What the limiter leaves, at most 1.
    limit: f32,
}

impl Mixer {
    /// A mixer that is where it should be from the first sample on.
    pub fn new(roles: PerTrack<Role>, mix: Mix) -> Self {
        let gains = targets(roles, mix);
        Mixer {
            gains: PerTrack {
                inbound: gains.inbound.map(Gain::at),
                outbound: gains.outbound.map(Gain::at),
            },
            roles,
            mix,
            limit: 1.0,
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
            let gains = self.gains.get_mut(track).iter_mut();
            for (gain, &end) in gains.zip(targets.get(track)) {
                if gain.end != end {
                    gain.go_to(end);
                }
            }
        }
    }

    /// Mixes a slot.
    pub fn mix(&mut self, inbound: &Mono, outbound: &Mono, out: &mut Stereo) {
        let ears = out.as_chunks_mut::<2>().0;
        for ((ears, &inbound), &outbound) in ears.iter_mut().zip(inbound).zip(outbound) {
            let [to_left, to_right] = &mut self.gains.inbound;
            let from_inbound = [inbound * to_left.next(), inbound * to_right.next()];
            let [to_left, to_right] = &mut self.gains.outbound;
            let from_outbound = [outbound * to_left.next(), outbound * to_right.next()];
            let [left, right] = from_inbound;
            let [more_left, more_right] = from_outbound;
            *ears = self.limit(left + more_left, right + more_right);
        }
    }

    /// Takes both ears back together, at once as far as needed, and gives back slowly.
    fn limit(&mut self, left: f32, right: f32) -> [f32; 2] {
        let peak = left.abs().max(right.abs());
        self.limit += (1.0 - self.limit) * RELEASE;
        if self.limit > 1.0 - NOTHING {
            self.limit = 1.0;
        }
        if peak * self.limit > CEILING {
            self.limit = CEILING / peak;
        }
        [left * self.limit, right * self.limit]
    }
}

/// The gains of each track to the left and the right.
fn targets(roles: PerTrack<Role>, mix: Mix) -> PerTrack<[f32; 2]> {
    let volume = if mix.muted {
        0.0
    } else {
        10f32.powf(f32::from(mix.volume_db) / 20.0)
    };
    let agent = agent_on(roles);
    let gains = |track: Track| {
        let is_agent = track == agent;
        let heard = match mix.sides {
            Sides::Both => true,
            Sides::Customer => !is_agent,
            Sides::Agent => is_agent,
        };
        match (heard, mix.stereo, is_agent) {
            (false, ..) => [0.0; 2],
            (true, false, _) => [volume * MONO; 2],
            (true, true, false) => [volume, 0.0],
            (true, true, true) => [0.0, volume],
        }
    };
    PerTrack {
        inbound: gains(Track::Inbound),
        outbound: gains(Track::Outbound),
    }
}

#[cfg(test)]
mod tests {
    use partyline_shared::track::roles;

    use super::super::SLOT;
    use super::*;

    fn tone(hz: f32, level: f32, slot: usize) -> Mono {
        std::array::from_fn(|n| {
            level * ((slot * SLOT + n) as f32 * hz / 8000.0 * std::f32::consts::TAU).sin()
        })
    }

    fn ears(out: &Stereo) -> (Vec<f32>, Vec<f32>) {
        out.as_chunks::<2>()
            .0
            .iter()
            .map(|&[left, right]| (left, right))
            .unzip()
    }

    #[test]
    fn the_customer_is_left_and_the_agent_right_to_the_bit() {
        let (a, b) = (tone(440.0, 0.98, 0), tone(700.0, 0.5, 0));
        let mut out = [9.0; 2 * SLOT];
        Mixer::new(roles(Track::Outbound), Mix::default()).mix(&a, &b, &mut out);
        assert_eq!(ears(&out), (a.to_vec(), b.to_vec()));
        Mixer::new(roles(Track::Inbound), Mix::default()).mix(&a, &b, &mut out);
        assert_eq!(ears(&out), (b.to_vec(), a.to_vec()));
    }

    #[test]
    fn a_lone_role_says_who_the_other_is() {
        use Role::{Agent, Customer, Unknown};
        for (inbound, outbound, agent) in [
            (Unknown, Unknown, Track::Outbound),
            (Agent, Unknown, Track::Inbound),
            (Unknown, Customer, Track::Inbound),
            (Customer, Unknown, Track::Outbound),
            (Agent, Agent, Track::Outbound),
        ] {
            assert_eq!(agent_on(PerTrack { inbound, outbound }), agent);
        }
    }

    #[test]
    fn one_side_alone_and_mono() {
        let (a, b) = (tone(440.0, 0.5, 0), tone(700.0, 0.5, 0));
        let roles = roles(Track::Outbound);
        let mut out = [9.0; 2 * SLOT];
        let mix = Mix {
            sides: Sides::Agent,
            ..Mix::default()
        };
        Mixer::new(roles, mix).mix(&a, &b, &mut out);
        assert_eq!(ears(&out), (vec![0.0; SLOT], b.to_vec()));
        let mix = Mix {
            stereo: false,
            ..Mix::default()
        };
        Mixer::new(roles, mix).mix(&a, &b, &mut out);
        let (left, right) = ears(&out);
        assert_eq!(left, right);
        assert!(
            left.iter()
                .zip(a.iter().zip(&b))
                .all(|(m, (a, b))| (m - (a + b) * MONO).abs() < 1e-6)
        );
    }

    #[test]
    fn every_change_ramps_and_arrives() {
        let level: Mono = [0.5; SLOT];
        let mut mixer = Mixer::new(roles(Track::Outbound), Mix::default());
        let mut out = [0.0; 2 * SLOT];
        let mut last = 0.5;
        let changes = [
            (
                Mix {
                    muted: true,
                    ..Mix::default()
                },
                0.0,
            ),
            (Mix::default(), 0.5),
            (
                Mix {
                    volume_db: -6,
                    ..Mix::default()
                },
                0.5 * 10f32.powf(-0.3),
            ),
            (
                Mix {
                    sides: Sides::Agent,
                    ..Mix::default()
                },
                0.0,
            ),
            (
                Mix {
                    stereo: false,
                    ..Mix::default()
                },
                MONO,
            ),
        ];
        for (mix, end) in changes {
            mixer.set_mix(mix);
            mixer.mix(&level, &level, &mut out);
            let (left, _) = ears(&out);
            for heard in left {
                assert!((heard - last).abs() < 0.02, "{mix:?}");
                last = heard;
            }
            assert!((last - end).abs() < 1e-5, "{mix:?}: {last}");
        }
        // A change in the middle of a ramp, and back.
        mixer.set_mix(Mix {
            muted: true,
            ..Mix::default()
        });
        mixer.set_mix(Mix {
            stereo: false,
            ..Mix::default()
        });
        mixer.mix(&level, &level, &mut out);
        assert!(out.iter().all(|&s| (s - MONO).abs() < 1e-5));
    }

    #[test]
    fn too_loud_is_limited_without_a_step_and_let_go_of() {
        let loud = Mix {
            volume_db: 20,
            ..Mix::default()
        };
        let mut mixer = Mixer::new(roles(Track::Outbound), loud);
        let mut out = [0.0; 2 * SLOT];
        let mut before = [0.0; 2];
        for slot in 0..50 {
            mixer.mix(&tone(200.0, 0.6, slot), &tone(300.0, 0.01, slot), &mut out);
            for &ears in out.as_chunks::<2>().0 {
                for (now, before) in ears.into_iter().zip(before) {
                    assert!(now.abs() <= 1.0);
                    // 6 at 200 Hz moves by 0.94 a sample; what is left of it may not move by more.
                    assert!((now - before).abs() < 0.95, "{before} {now}");
                }
                before = ears;
            }
        }
        let peak = out.iter().fold(0.0f32, |peak, s| peak.max(s.abs()));
        assert!((0.9..=CEILING + 1e-6).contains(&peak), "{peak}");
        mixer.set_mix(Mix::default());
        let quiet = tone(200.0, 0.3, 0);
        for _ in 0..80 {
            mixer.mix(&quiet, &quiet, &mut out);
        }
        assert_eq!(ears(&out).0, quiet);
    }

    #[test]
    fn a_column_is_lowest_and_highest() {
        let column_of = |samples: &[f32]| {
            let Column { low, high } = column(samples);
            (low, high)
        };
        assert_eq!(column_of(&[0.25, -0.5, 0.1]), (-64, 32));
        assert_eq!(column_of(&[0.5, 0.6]), (0, 76));
        assert_eq!(column_of(&[-2.0, 2.0, f32::NAN]), (-128, 127));
        assert_eq!(column_of(&[]), (0, 0));
    }
}
