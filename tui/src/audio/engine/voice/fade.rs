//! From one sound to another without a step.

use partyline_shared::track::{PerTrack, Track};

use super::super::super::{Mono, SLOT};

/// 20 ms of both tracks.
pub(super) type Pair = PerTrack<Mono>;

/// Nothing.
pub(super) const SILENCE: Pair = PerTrack {
    inbound: [0.0; SLOT],
    outbound: [0.0; SLOT],
};

/// So many samples a fade takes: 10 ms, a period of a low voice.
const FADE: usize = 80;

/// So like each other two sounds have to be for their cross-fade to be heard as one.
const LIKE: f32 = 0.7;

/// Both together under this, as the sum of their squares over a fade, any join does: -45 dBFS.
const QUIET: f32 = 3.2e-5 * FADE as f32;

/// The start of `new` begins as `old` does, and ends as it is.
pub(super) fn cross(old: &Pair, new: &mut Pair) {
    for track in Track::BOTH {
        let samples = new.get_mut(track).iter_mut().zip(old.get(track));
        for (n, (new, old)) in samples.take(FADE).enumerate() {
            *new = old + (*new - old) * ((n + 1) as f32 / (FADE + 1) as f32);
        }
    }
}

/// It dies away.
pub(super) fn out(of: &mut Pair) {
    for track in Track::BOTH {
        for (n, sample) in of.get_mut(track).iter_mut().enumerate() {
            *sample *= 1.0 - ((n + 1) as f32 / (FADE + 1) as f32).min(1.0);
        }
    }
}

/// Whether two sounds are so like each other, or so low, that nobody hears one become the other.
pub(super) fn is_like(one: &Pair, other: &Pair) -> bool {
    let (mut product, mut a, mut b) = (0.0, 0.0, 0.0);
    for track in Track::BOTH {
        for (one, other) in one.get(track).iter().zip(other.get(track)).take(FADE) {
            product += one * other;
            a += one * one;
            b += other * other;
        }
    }
    a + b < QUIET || product >= LIKE * f32::sqrt(a * b)
}
