//! One call through one network onto one card, as fast as the machine can: what the worker's thread, the card's
//! callback and the socket do, in the order of their times. Nothing here waits.

use harness::speech;
use partyline::audio::player::Stats;
use partyline::audio::rig::Rig;
use partyline::event::{Ears, Mix};
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{PerTrack, Track, roles};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::network::{Network, What, Wire};

/// Bytes of a frame.
const FRAME: usize = 160;

/// A thread that is to run runs up to so much later, µs.
const WAKES_US: u64 = 1_000;

/// How long the card still plays once the last frame was sent, µs.
const REST_US: u64 = 1_500_000;

/// How often it is looked at how it goes, µs.
const LOOK_US: u64 = 100_000;

/// What the card takes at once is this part of a second.
const PERIODS_A_SECOND: u32 = 50;

/// So many seconds of two people, who begin elsewhere for each seed and never say the same at once.
pub(crate) fn two_people(seconds: usize, seed: u64) -> PerTrack<Vec<u8>> {
    let of = |names: &[&str]| {
        let all: Vec<u8> = names.iter().flat_map(|name| speech::mulaw(name)).collect();
        let from = (seed as usize * 7 * 8000 + 4000) % all.len();
        all.into_iter().cycle().skip(from).take(seconds * 8000).collect()
    };
    let [a, b, c] = speech::LONG;
    PerTrack {
        inbound: of(&[a, b]),
        outbound: of(&[c, speech::SHORT[3], b]),
    }
}

/// How it went at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// When, µs.
    pub(crate) at_us: u64,
    /// All that is known.
    pub(crate) stats: Stats,
}

/// A card that plays a call.
pub(crate) struct Card {
    /// Samples a second, by its own clock.
    pub(crate) rate: u32,
    /// How often it is looked at, µs.
    pub(crate) look_us: u64,
}

impl Card {
    /// As most have it.
    pub(crate) const USUAL: Card = Card {
        rate: 48_000,
        look_us: LOOK_US,
    };

    /// Frames that it takes at once.
    pub(crate) fn period(&self) -> usize {
        (self.rate / PERIODS_A_SECOND) as usize
    }

    /// Plays what comes; `heard` is given each period's samples, left and right in turn, and `look` how it goes.
    /// What is said begins again where the call lasts longer.
    pub(crate) fn play(
        &self,
        said: &PerTrack<Vec<u8>>,
        (network, frames, seed): (Network, u32, u64),
        mut heard: impl FnMut(&[f32]),
        mut look: impl FnMut(Moment),
    ) {
        let mix = Mix {
            ears: Ears::Wide,
            ..Mix::default()
        };
        let mut rig = Rig::new(self.rate, self.period(), roles(Track::Inbound), mix);
        let mut wire = Wire::new(network, frames, seed);
        let ends_us = wire.ends_us() + REST_US;
        let mut late = SmallRng::seed_from_u64(!seed);
        let mut out = vec![0.0; 2 * self.period()];
        let period_us = 1e6 / f64::from(PERIODS_A_SECOND) / (1.0 + network.card_ppm / 1e6);
        let (mut period, mut fills_us, mut looks_us) = (0u64, 0, 0);
        let mut coming = wire.next();
        let mut wakes_us = None;
        rig.on_stream(0, None);
        loop {
            let comes_us = coming.map_or(u64::MAX, |event| event.at_us);
            // Drawn once for each time that it is to wake.
            let due_us = rig.due_us();
            if wakes_us.map(|(due, _)| due) != due_us {
                wakes_us = due_us.map(|due| (due, due + late.random_range(0..WAKES_US)));
            }
            let turn_us = wakes_us.map_or(u64::MAX, |(_, wakes)| wakes);
            let now = comes_us.min(turn_us).min(fills_us);
            if now > ends_us {
                return;
            }
            if now == comes_us {
                match coming.map(|event| event.what) {
                    Some(What::Frame(track, n)) => rig.on_frame(now, &frame(said, track, n)),
                    Some(What::Missed(track, from, to)) => rig.on_missed(now, track, from + 1, to + 1),
                    None => {}
                }
                coming = wire.next();
                if coming.is_none() {
                    rig.want(now, |seat| seat.over = true);
                }
            } else if now == fills_us {
                rig.fill(now, &mut out);
                heard(&out);
                period += 1;
                fills_us = (period as f64 * period_us) as u64 + late.random_range(0..WAKES_US);
            } else {
                rig.turn(now);
            }
            if now >= looks_us {
                looks_us = now + self.look_us;
                look(Moment {
                    at_us: now,
                    stats: rig.stats(),
                });
            }
        }
    }
}

fn frame(said: &PerTrack<Vec<u8>>, track: Track, n: u32) -> AudioFrame {
    let said = said.get(track);
    let at = n as usize * FRAME % said.len();
    AudioFrame::new(track, 1, n + 1, n.wrapping_mul(20), &said[at..at + FRAME])
}

/// What the card got of a call, and how that went.
#[derive(Debug, Clone)]
pub(crate) struct Played {
    /// Samples a second.
    pub(crate) rate: u32,
    /// The customer, who is on the outbound track, and the agent.
    pub(crate) sides: [Vec<f32>; 2],
    /// In order; the last is the end.
    pub(crate) moments: Vec<Moment>,
}

impl Played {
    /// A call that lasts as long as what is said.
    pub(crate) fn of(said: &PerTrack<Vec<u8>>, network: Network, seed: u64) -> Played {
        let frames = (said.inbound.len() / FRAME) as u32;
        let mut played = Played {
            rate: Card::USUAL.rate,
            sides: [Vec::new(), Vec::new()],
            moments: Vec::new(),
        };
        let [left, right] = &mut played.sides;
        let heard = |out: &[f32]| {
            left.extend(out.iter().step_by(2));
            right.extend(out.iter().skip(1).step_by(2));
        };
        let look = |moment| played.moments.push(moment);
        Card::USUAL.play(said, (network, frames, seed), heard, look);
        played
    }

    /// How it went as a whole.
    pub(crate) fn stats(&self) -> Stats {
        self.moments.last().map(|moment| moment.stats).unwrap_or_default()
    }
}
