//! Who is heard where, how loud, and that nothing ever steps.

use partyline_shared::track::roles;
use proptest::prelude::*;

use super::super::SLOT;
use super::ramp::RAMP;
use super::*;

/// Each side on one ear alone, where samples pass as they are.
const WIDE: Mix = Mix {
    ears: Ears::Wide,
    ..start()
};

/// As [`Mix::default`].
const fn start() -> Mix {
    let side = Side {
        gain_db: 0,
        muted: false,
    };
    Mix {
        volume_db: 0,
        muted: false,
        sides: Sides::Both,
        customer: side,
        agent: side,
        ears: Ears::Stereo,
        auto_level: false,
    }
}

fn tone(hz: f32, level: f32, slot: usize) -> Mono {
    std::array::from_fn(|n| level * ((slot * SLOT + n) as f32 * hz / 8000.0 * std::f32::consts::TAU).sin())
}

fn ears(out: &Stereo) -> (Vec<f32>, Vec<f32>) {
    out.as_chunks::<2>()
        .0
        .iter()
        .map(|&[left, right]| (left, right))
        .unzip()
}

#[test]
fn wide_has_the_customer_left_and_the_agent_right_to_the_bit() {
    assert_eq!(start(), Mix::default());
    let (a, b) = (tone(440.0, 0.98, 0), tone(700.0, 0.5, 0));
    let mut out = [9.0; 2 * SLOT];
    Mixer::new(roles(Track::Outbound), WIDE).mix(&a, &b, &mut out);
    assert_eq!(ears(&out), (a.to_vec(), b.to_vec()));
    Mixer::new(roles(Track::Inbound), WIDE).mix(&a, &b, &mut out);
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
    let alone = [
        Mix {
            sides: Sides::Agent,
            ..WIDE
        },
        Mix {
            customer: Side {
                gain_db: 0,
                muted: true,
            },
            ..WIDE
        },
    ];
    for mix in alone {
        Mixer::new(roles, mix).mix(&a, &b, &mut out);
        assert_eq!(ears(&out), (vec![0.0; SLOT], b.to_vec()));
    }
    let mix = Mix {
        ears: Ears::Mono,
        ..WIDE
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
fn each_side_has_a_gain_of_its_own() {
    let (a, b) = (tone(440.0, 0.5, 0), tone(700.0, 0.5, 0));
    let side = |gain_db| Side {
        gain_db,
        muted: false,
    };
    let mix = Mix {
        volume_db: 2,
        customer: side(-8),
        agent: side(4),
        ..WIDE
    };
    let mut out = [9.0; 2 * SLOT];
    Mixer::new(roles(Track::Outbound), mix).mix(&a, &b, &mut out);
    let (left, right) = ears(&out);
    let is = |heard: &[f32], said: &Mono, db: f32| {
        let gain = 10f32.powf(db / 20.0);
        heard
            .iter()
            .zip(said)
            .all(|(heard, said)| (heard - said * gain).abs() < 1e-6)
    };
    assert!(is(&left, &a, -6.0) && is(&right, &b, 6.0));
}

/// RMS of a tone on the customer's side, at the near ear and the far one, and by how many samples the far one is late.
fn crossed(hz: f32) -> (f64, f64, f64) {
    let mut mixer = Mixer::new(roles(Track::Outbound), Mix::default());
    let (mut near, mut far, mut out) = (Vec::new(), Vec::new(), [0.0; 2 * SLOT]);
    for slot in 0..50 {
        mixer.mix(&tone(hz, 0.5, slot), &[0.0; SLOT], &mut out);
        let (left, right) = ears(&out);
        near.extend(left);
        far.extend(right);
    }
    // By the phase of each, after the filter has settled.
    let phasor = |samples: &[f32]| {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in samples.iter().enumerate().skip(4000) {
            let angle = n as f64 * f64::from(hz) / 8000.0 * std::f64::consts::TAU;
            re += f64::from(*sample) * angle.cos();
            im += f64::from(*sample) * angle.sin();
        }
        (re.hypot(im) / 4000.0 / 0.25, re.atan2(im))
    };
    let ((near, at), (far, later)) = (phasor(&near), phasor(&far));
    let late = (at - later) / std::f64::consts::TAU * 8000.0 / f64::from(hz);
    (near, far, late)
}

#[test]
fn the_other_ear_hears_low_tones_quieter_and_a_little_later() {
    let db = |gain: f64| 20.0 * gain.log10();
    let (near, far, late) = crossed(200.0);
    assert!((db(far / near) + 10.0).abs() < 0.5, "{} dB", db(far / near));
    let ms = late / 8.0;
    assert!((0.25..0.32).contains(&ms), "{ms} ms");
    let (_, at_cut, _) = crossed(700.0);
    assert!((db(at_cut) + 13.0).abs() < 0.7, "{} dB", db(at_cut));
    let (_, high, _) = crossed(3000.0);
    assert!(db(high) < -20.0, "{} dB", db(high));
    // Both ears together are as loud as without.
    for hz in [100.0, 200.0, 400.0, 700.0, 1000.0, 2000.0, 3000.0, 3400.0] {
        let (near, far, _) = crossed(hz);
        let all = 10.0 * (near * near + far * far).log10();
        assert!(all.abs() < 0.1, "{hz} Hz: {all} dB");
    }
}

#[test]
fn every_change_ramps_and_arrives() {
    let level: Mono = [0.5; SLOT];
    let mut mixer = Mixer::new(roles(Track::Outbound), WIDE);
    let mut out = [0.0; 2 * SLOT];
    let mut last = 0.5;
    let muted = Mix { muted: true, ..WIDE };
    let mono = Mix {
        ears: Ears::Mono,
        ..WIDE
    };
    let quieter = Mix {
        volume_db: -6,
        ..WIDE
    };
    let agent = Mix {
        sides: Sides::Agent,
        ..WIDE
    };
    let crossed = 0.5 * (1.0 - cross::GIVEN + cross::FAR);
    let changes = [
        (muted, 0.0),
        (WIDE, 0.5),
        (quieter, 0.5 * 10f32.powf(-0.3)),
        (agent, 0.0),
        (mono, MONO),
        (start(), crossed),
        (WIDE, 0.5),
        (start(), crossed),
    ];
    for (mix, end) in changes {
        mixer.set_mix(mix);
        mixer.mix(&level, &level, &mut out);
        let (left, _) = ears(&out);
        for heard in left {
            assert!((heard - last).abs() < 1.5 / RAMP, "{mix:?}");
            last = heard;
        }
        assert!((last - end).abs() < 1e-5, "{mix:?}: {last}");
    }
    // A change in the middle of a ramp, and back.
    mixer.set_mix(muted);
    mixer.set_mix(mono);
    mixer.mix(&level, &level, &mut out);
    assert!(out.iter().all(|&s| (s - MONO).abs() < 0.2));
    mixer.mix(&level, &level, &mut out);
    assert!(out.iter().all(|&s| (s - MONO).abs() < 1e-5));
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

fn any_mix() -> impl Strategy<Value = Mix> {
    let side = || {
        (-10..=6i8, any::<bool>()).prop_map(|(step, muted)| Side {
            gain_db: 2 * step,
            muted,
        })
    };
    let sides = prop_oneof![Just(Sides::Both), Just(Sides::Customer), Just(Sides::Agent)];
    let ears = prop_oneof![Just(Ears::Stereo), Just(Ears::Wide), Just(Ears::Mono)];
    let switches = (any::<bool>(), any::<bool>());
    (-20..=6i8, switches, sides, side(), side(), ears).prop_map(
        |(step, (muted, auto_level), sides, customer, agent, ears)| Mix {
            volume_db: 2 * step,
            muted,
            sides,
            customer,
            agent,
            ears,
            auto_level,
        },
    )
}

/// What a person presses, and when: before which of the slots.
fn presses() -> impl Strategy<Value = Vec<(Mix, bool)>> {
    proptest::collection::vec((any_mix(), any::<bool>()), 1..30)
}

proptest! {
    /// Whatever is pressed, whatever is said: what comes out is a number, and behind the limiter at most full scale.
    #[test]
    fn nothing_that_is_pressed_makes_it_too_loud(
        presses in presses(),
        level in 0.0f32..=1.0,
        hz in 0.0f32..4000.0,
        mut seed in 1u32..,
    ) {
        let mut mixer = Mixer::new(roles(Track::Outbound), Mix::default());
        let mut limiter = limiter::Limiter::new(8000);
        let mut out = [0.0; 2 * SLOT];
        for (n, (mix, swaps)) in presses.into_iter().enumerate() {
            mixer.set_mix(mix);
            mixer.set_roles(roles(if swaps { Track::Inbound } else { Track::Outbound }));
            let noise: Mono = std::array::from_fn(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed as f32 / u32::MAX as f32 * 2.0 - 1.0
            });
            mixer.mix(&tone(hz, level, n), &noise, &mut out);
            prop_assert!(out.iter().all(|sample| sample.is_finite()));
            limiter.limit(&mut out);
            prop_assert!(out.iter().all(|sample| sample.abs() <= limiter::CEILING));
        }
    }

    /// Each side on one ear alone and at no gain: whatever is said leaves as it came, but for the limiter's millisecond.
    #[test]
    fn wide_changes_nothing(said in proptest::collection::vec((-0.985f32..0.985, -0.985f32..0.985), 320)) {
        let mut mixer = Mixer::new(roles(Track::Outbound), WIDE);
        let mut limiter = limiter::Limiter::new(8000);
        let (mut out, mut heard) = ([0.0; 2 * SLOT], Vec::new());
        for slot in said.as_chunks::<SLOT>().0 {
            mixer.mix(&slot.map(|(left, _)| left), &slot.map(|(_, right)| right), &mut out);
            limiter.limit(&mut out);
            heard.extend(out.as_chunks::<2>().0.iter().map(|&[left, right]| (left, right)));
        }
        prop_assert!(heard[limiter.delay()..] == said[..said.len() - limiter.delay()]);
    }

    /// What a steady voice is heard at never steps, by whatever keys: 1 at each ear, with the cross-feed and what
    /// levelling may do to it within the ramp's length.
    #[test]
    fn no_key_makes_a_gain_step(presses in presses(), both in any::<bool>()) {
        let mut mixer = Mixer::new(roles(Track::Outbound), Mix::default());
        let one: Mono = [1.0; SLOT];
        let other = if both { one } else { [0.0; SLOT] };
        let mut out = [0.0; 2 * SLOT];
        // The cross-feed's own filter is full before it begins.
        mixer.mix(&one, &other, &mut out);
        let mut last = *out.last_chunk::<2>().unwrap();
        let mut from = Mix::default();
        for (mix, _) in presses {
            mixer.set_mix(mix);
            mixer.mix(&one, &other, &mut out);
            // The largest gain that either mix has, of both sides, and a change of it within a ramp.
            let most = |mix: Mix| gain(mix, mix.customer).max(gain(mix, mix.agent));
            let bound = 2.0 * 1.4 * most(mix).max(most(from)) / RAMP + 1e-3;
            for ears in out.as_chunks::<2>().0 {
                for (now, before) in ears.iter().zip(last) {
                    prop_assert!((now - before).abs() <= bound, "{} to {}, {:?}", before, now, mix);
                }
                last = *ears;
            }
            from = mix;
        }
    }
}
