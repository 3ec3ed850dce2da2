//! Whatever is pushed, at whatever speed: nothing panics, nothing grows, every sample is accounted for.

use proptest::prelude::*;

use super::*;

fn sample() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -1.0_f32..1.0,
        1 => any::<f32>(),
        1 => Just(f32::NAN),
    ]
}

/// Pushed (a seed of noise, or a tone, or hostile samples), or pulled at a speed.
#[derive(Debug, Clone)]
enum Step {
    Noise(u32),
    Tone(f32),
    Raw(Vec<f32>),
    Pull(f32),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let speed = prop_oneof![4 => 0.4_f32..2.2, 2 => Just(1.0), 1 => any::<f32>()];
    prop_oneof![
        3 => any::<u32>().prop_map(Step::Noise),
        3 => (0.0_f32..4000.0).prop_map(Step::Tone),
        1 => prop::collection::vec(sample(), SLOT).prop_map(Step::Raw),
        8 => speed.prop_map(Step::Pull),
        1 => Just(Step::Clear),
    ]
}

fn noise(seed: u32) -> Mono {
    let mut state = seed | 1;
    [0.0; SLOT].map(|_: f32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn nothing_breaks_it(steps in prop::collection::vec(step(), 0..200)) {
        let mut stretch = Stretch::new();
        let mut out = PerTrack { inbound: [0.0; SLOT], outbound: [0.0; SLOT] };
        let (mut pushed, mut pulled, mut cleared, mut calm) = (0, 0, 0, true);
        for step in steps {
            match step {
                Step::Pull(speed) => {
                    let before = stretch.held();
                    if stretch.pull(speed, &mut out) {
                        pulled += SLOT;
                        let least = out.inbound.iter().all(|sample| sample.is_finite() && (!calm || sample.abs() <= 1.0));
                        prop_assert!(least, "{:?}", out.inbound);
                    } else {
                        prop_assert!(before < 5 * SLOT, "it asks for more while it holds {before}");
                    }
                }
                Step::Clear => {
                    cleared += stretch.held();
                    stretch.clear();
                }
                push => {
                    let one = match push {
                        Step::Noise(seed) => noise(seed),
                        Step::Tone(hz) => tone(hz.max(1.0), 1)[..SLOT].try_into().unwrap(),
                        Step::Raw(raw) => {
                            calm = false;
                            raw.try_into().unwrap()
                        }
                        _ => unreachable!(),
                    };
                    pushed += SLOT;
                    stretch.push(&PerTrack { inbound: one, outbound: noise(7) });
                }
            }
            prop_assert!(stretch.held() <= MOST + SPARE);
            let out = pulled + cleared + stretch.held() + stretch.removed() as usize;
            prop_assert_eq!(out, pushed + stretch.inserted() as usize);
        }
    }
}
