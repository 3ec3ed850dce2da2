//! Low and loud voices come to one level, slowly, and nothing but a voice moves the gain.

use proptest::prelude::*;

use super::*;

/// dB a second that are promised.
const PROMISED: f64 = 3.0;

/// Slots in a second.
const SECOND: usize = 50;

/// A voice of so many dB RMS while it speaks: a buzz that comes and goes as syllables and words do, over a line's own
/// noise.
fn voice(db: f64, slots: usize) -> Vec<Mono> {
    let level = 10f64.powf(db / 20.0) * std::f64::consts::SQRT_2;
    let mut seed = 7u32;
    (0..slots)
        .map(|slot| {
            // Syllables of 0.16 s with 0.04 s between them, words of four, a breath of 0.5 s behind eight of those.
            let speaks = slot % 10 < 8 && slot % 345 < 320;
            std::array::from_fn(|n| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (f64::from(seed) / f64::from(u32::MAX) - 0.5) * 0.000_6;
                let at = (slot * SLOT + n) as f64 / 8000.0 * std::f64::consts::TAU;
                let buzz = if speaks { level * (at * 210.0).sin() } else { 0.0 };
                (buzz + noise) as f32
            })
        })
        .collect()
}

/// Gains of all samples, dB.
fn gains(leveller: &mut Leveller, slots: &[Mono]) -> Vec<f64> {
    let mut all = Vec::new();
    for slot in slots {
        leveller.hear(slot);
        all.extend((0..SLOT).map(|_| 20.0 * f64::from(leveller.step()).log10()));
    }
    all
}

/// No two samples are farther apart in gain than is promised, whatever lies between them.
fn keeps_the_promise(gains: &[f64]) -> Result<(), TestCaseError> {
    for apart in [1, 7, SLOT, 8000, 8003] {
        for (n, pair) in gains.windows(apart + 1).enumerate() {
            let moved = (pair[apart] - pair[0]).abs();
            // The last bit of an f32 is half a millionth of a dB.
            let most = PROMISED * apart as f64 / 8000.0 + 1e-6;
            prop_assert!(moved <= most, "{} dB in {} samples from {}", moved, apart, n);
        }
    }
    Ok(())
}

fn on() -> Leveller {
    let mut leveller = Leveller::default();
    leveller.turn(true);
    leveller
}

#[test]
fn low_and_loud_voices_come_to_one_level() {
    for (db, gain) in [(-34.0, 14.0), (-26.0, 6.0), (-20.0, 0.0), (-10.0, -10.0)] {
        let mut leveller = on();
        let heard = gains(&mut leveller, &voice(db, 12 * SECOND));
        let end = heard.last().unwrap();
        assert!((end - gain).abs() < 2.0, "{db} dB: {end} instead of {gain}");
        assert!((heard[0]).abs() < 0.001, "it starts at 0 dB");
        keeps_the_promise(&heard).unwrap();
    }
}

#[test]
fn the_gain_has_bounds() {
    let end = |db| *gains(&mut on(), &voice(db, 15 * SECOND)).last().unwrap();
    assert!((end(-48.0) - 18.0).abs() < 1e-3);
    assert!((end(-3.0) + 12.0).abs() < 1e-3);
}

#[test]
fn silence_noise_and_music_leave_it_where_it_is() {
    let mut leveller = on();
    gains(&mut leveller, &voice(-32.0, 10 * SECOND));
    let rests = leveller.now_db;
    assert!(rests > 8.0);
    let noise: Vec<Mono> = voice(-90.0, 10 * SECOND)
        .into_iter()
        .map(|slot| slot.map(|sample| sample * 30.0))
        .collect();
    // Three notes that swell and fade, without a pause: by 7 dB.
    let music: Vec<Mono> = (0..10 * SECOND)
        .map(|slot| {
            std::array::from_fn(|n| {
                let at = (slot * SLOT + n) as f32 / 8000.0 * std::f32::consts::TAU;
                let swell = 0.2 * (1.0 + 0.38 * (at * 1.3).sin());
                swell * ((at * 262.0).sin() + (at * 330.0).sin() + (at * 392.0).sin()) / 3.0
            })
        })
        .collect();
    for (what, slots) in [
        ("silence", vec![[0.0; SLOT]; 500]),
        ("noise", noise),
        ("music", music),
    ] {
        gains(&mut leveller, &slots);
        assert!(
            (leveller.now_db - rests).abs() < 0.01,
            "{what}: {}",
            leveller.now_db
        );
    }
}

#[test]
fn off_goes_back_as_slowly_and_then_passes_to_the_bit() {
    let mut leveller = on();
    gains(&mut leveller, &voice(-34.0, 12 * SECOND));
    let was = leveller.now_db;
    leveller.turn(false);
    let heard = gains(&mut leveller, &voice(-34.0, 6 * SECOND));
    keeps_the_promise(&heard).unwrap();
    let back = heard.iter().position(|db| db.abs() < 1e-9).unwrap() as f64 / 8000.0;
    assert!(
        (was / PROMISED..was / PROMISED + 0.3).contains(&back),
        "{back} s for {was} dB"
    );
    assert!((0..SLOT).all(|_| leveller.step() == 1.0));
    // What it learnt meanwhile it knows when it is on again.
    leveller.turn(true);
    let again = gains(&mut leveller, &voice(-34.0, SECOND / 2));
    assert!(*again.last().unwrap() > 1.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever is said and pressed, the gain moves by at most 3 dB a second, and within its bounds.
    #[test]
    fn the_gain_moves_by_at_most_three_db_a_second(
        parts in proptest::collection::vec((any::<bool>(), -70.0f64..0.0, 1..60usize), 1..12)
    ) {
        let mut leveller = Leveller::default();
        let mut all = Vec::new();
        for (on, db, slots) in parts {
            leveller.turn(on);
            all.extend(gains(&mut leveller, &voice(db, slots)));
        }
        keeps_the_promise(&all)?;
        prop_assert!(all.iter().all(|db| (-12.001..18.001).contains(db)));
    }
}
