//! Tones keep their pitch, their length and their loudness, and bring no others with them.

use super::*;

/// What telephone speech is made of, Hz.
const SPEECH_HZ: [f64; 6] = [300.0, 1000.0, 2000.0, 3000.0, 3200.0, 3400.0];

/// What it may be louder or quieter by, dB.
const FLAT_DB: f64 = 0.5;

/// What else there may be, dB.
const IMAGES_DB: f64 = -70.0;

/// Resamples both channels to the end of the input; what came out.
fn run(rate: u32, nudge: f64, input: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let mut resampler = Resampler::new(rate).unwrap();
    resampler.nudge(nudge);
    let mut out = vec![0.0; 2 * resampler.gives()];
    let (mut all, mut at) = (Vec::new(), 0);
    while at + resampler.needs() <= input.len() {
        let needs = resampler.needs();
        assert!(needs <= resampler.needs_at_most());
        assert!(resampler.process(input[at..at + needs].as_flattened(), &mut out));
        at += needs;
        all.extend_from_slice(out.as_chunks().0);
    }
    all
}

fn tone(hz: f64, seconds: usize) -> Vec<[f32; 2]> {
    let at = |n: usize| (n as f64 * hz / 8000.0 * std::f64::consts::TAU).sin() as f32 * 0.5;
    (0..8000 * seconds).map(|n| [at(n), -at(n)]).collect()
}

/// How often the wave goes up through zero; what is near it is neither above nor below.
fn crossings(samples: &[[f32; 2]]) -> usize {
    let signs = samples.iter().filter(|s| s[0].abs() > 0.05).map(|s| s[0] > 0.0);
    let signs: Vec<_> = signs.collect();
    signs.windows(2).filter(|pair| pair == &[false, true]).count()
}

#[test]
fn every_rate_gives_the_same_tone_and_the_right_length() {
    for rate in [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000] {
        let out = run(rate, 1.0, &tone(487.3, 4));
        let seconds = out.len() as f64 / f64::from(rate);
        assert!((seconds - 4.0).abs() < 0.02, "{rate}: {seconds} s");
        let hz = crossings(&out) as f64 / seconds;
        assert!((hz - 487.3).abs() < 1.0, "{rate}: {hz} Hz");
        assert!(
            out.iter()
                .all(|[left, right]| *left == -*right && left.abs() < 0.51)
        );
    }
}

#[test]
fn a_nudge_changes_how_much_is_taken_and_is_bounded() {
    let takes = |nudge| 8000.0 * 4.0 / run(48_000, nudge, &tone(500.0, 4)).len() as f64 * 6.0;
    let (plain, fast, slow) = (takes(1.0), takes(1.0 - 0.005), takes(1.1));
    assert!((fast / plain - 1.005).abs() < 0.001, "{}", fast / plain);
    assert!((slow / plain - 0.995).abs() < 0.001, "{}", slow / plain);
    assert!((takes(f64::NAN) / plain - 1.0).abs() < 1e-9);
}

#[test]
fn rates_of_no_card_and_short_slices_are_refused() {
    for rate in [0, 7_999, 768_001, u32::MAX] {
        assert_eq!(Resampler::new(rate).unwrap_err().rate, rate);
    }
    let mut resampler = Resampler::new(48_000).unwrap();
    let (input, mut out) = (vec![0.5; 2 * resampler.needs()], vec![9.0; 959]);
    assert!(!resampler.process(&input, &mut out));
    assert_eq!(out, [0.0; 959]);
    assert!(!resampler.process(&input[1..], &mut [0.0; 960]));
    assert!(resampler.process(&input, &mut [0.0; 960]));
}

/// How much louder a tone is, and how loud all else against it, up to half the rate; both dB.
fn measured(rate: u32, nudge: f64, hz: f64) -> (f64, f64) {
    let out = run(rate, nudge, &tone(hz, 1)[..4_000]);
    // The first is the filter, filling.
    let settled = &out[rate as usize / 10..];
    let turn = hz / (f64::from(rate) * nudge) * std::f64::consts::TAU;
    // The sine and cosine of this pitch that are likest, and what is left when they are taken away.
    let (mut ss, mut cc, mut sc, mut xs, mut xc) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let wave = |n: usize| (n as f64 * turn).sin_cos();
    for (n, [x, _]) in settled.iter().enumerate() {
        let ((s, c), x) = (wave(n), f64::from(*x));
        ss += s * s;
        cc += c * c;
        sc += s * c;
        xs += x * s;
        xc += x * c;
    }
    let whole = ss * cc - sc * sc;
    let (a, b) = ((xs * cc - xc * sc) / whole, (xc * ss - xs * sc) / whole);
    let rest = settled.iter().enumerate().map(|(n, [x, _])| {
        let (s, c) = wave(n);
        (f64::from(*x) - a * s - b * c).powi(2)
    });
    let rest = rest.sum::<f64>() / settled.len() as f64;
    let level = a.hypot(b);
    (
        20.0 * (level / 0.5).log10(),
        10.0 * (rest / (level * level / 2.0)).log10(),
    )
}

#[test]
fn speech_is_as_loud_as_it_was_and_has_no_images() {
    let (mut uneven, mut loudest) = (0.0f64, f64::NEG_INFINITY);
    for rate in [44_100, 48_000, 96_000] {
        for nudge in [1.0, 1.0 - MAX_NUDGE, 1.0 + MAX_NUDGE] {
            for hz in SPEECH_HZ {
                let (gain, images) = measured(rate, nudge, hz);
                assert!(gain.abs() < FLAT_DB, "{rate}, {nudge}, {hz} Hz: {gain} dB");
                assert!(images < IMAGES_DB, "{rate}, {nudge}, {hz} Hz: {images} dB");
                uneven = uneven.max(gain.abs());
                loudest = loudest.max(images);
            }
        }
    }
    // As the comment at the filter says, and with something to spare.
    assert!(uneven < 0.02 && loudest < -80.0, "{uneven} dB, {loudest} dB");
    println!("flat within {uneven:.3} dB, images at {loudest:.1} dB");
}

#[test]
fn it_delays_by_as_much_as_it_says() {
    for rate in [8_000, 44_100, 48_000, 96_000] {
        let mut input = vec![[0.0; 2]; 1_000];
        input[400] = [1.0; 2];
        let out = run(rate, 1.0, &input);
        let loudest = out.iter().enumerate().max_by(|a, b| a.1[0].total_cmp(&b.1[0]));
        let at = loudest.unwrap().0 as f64 / f64::from(rate) * 1000.0;
        let late = at - 400.0 / 8.0;
        assert!((late - DELAY_MS).abs() < 0.2, "{rate}: {late} ms");
        let says = Resampler::new(rate).unwrap().delay() as f64 / f64::from(rate) * 1000.0;
        assert!((says - DELAY_MS).abs() < 0.05, "{rate}: {says} ms");
    }
}
