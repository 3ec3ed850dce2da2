//! What comes out of decoding, mixing and resampling, with the ratio fixed and nothing else in the way, is what
//! was said: recorded people on both tracks, against `sox`.

mod levels;

use harness::speech;
use partyline::audio::conceal::Concealer;
use partyline::audio::jitter::Piece;
use partyline::audio::mix::Mixer;
use partyline::audio::resample::Resampler;
use partyline::audio::{Mono, SLOT, Stereo};
use partyline::event::{Ears, Mix};
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{Track, roles};

/// What is compared, seconds.
const SECONDS: usize = 12;

/// What may be left of the difference below 3.4 kHz, dB of the original.
const RESIDUAL_DB: f64 = -45.0;

/// How alike they are, at least.
const CORRELATION: f64 = 0.999;

/// Both tracks through the client's rooms: left, right at the card's rate, and by how many frames they are late.
fn heard(inbound: &[u8], outbound: &[u8], rate: u32) -> (Vec<f64>, Vec<f64>, usize) {
    let mut concealers = [Concealer::new(), Concealer::new()];
    // Each side on one ear alone.
    let wide = Mix {
        ears: Ears::Wide,
        ..Mix::default()
    };
    let mut mixer = Mixer::new(roles(Track::Outbound), wide);
    let mut resampler = Resampler::new(rate).unwrap();
    let mut mixed = Vec::new();
    for (n, audio) in inbound.chunks(SLOT).zip(outbound.chunks(SLOT)).enumerate() {
        let tracks = [(Track::Inbound, audio.0), (Track::Outbound, audio.1)];
        let mut decoded: [Mono; 2] = [[0.0; SLOT]; 2];
        for (((track, mulaw), concealer), out) in tracks.iter().zip(&mut concealers).zip(&mut decoded) {
            let frame = AudioFrame::new(*track, 1, n as u32 + 1, n as u32 * 20, mulaw);
            concealer.next(&Piece::Play(frame), false, out);
        }
        let mut out: Stereo = [0.0; 2 * SLOT];
        mixer.mix(&decoded[0], &decoded[1], &mut out);
        mixed.extend_from_slice(&out);
    }
    // What the filter holds back at the end is pushed out by silence.
    mixed.extend([0.0; 8 * SLOT]);
    let (mut left, mut right, mut at) = (Vec::new(), Vec::new(), 0);
    let mut out = vec![0.0; 2 * resampler.gives()];
    while at + 2 * resampler.needs() <= mixed.len() {
        let needs = 2 * resampler.needs();
        assert!(resampler.process(&mixed[at..at + needs], &mut out));
        at += needs;
        left.extend(out.iter().step_by(2).map(|&s| f64::from(s)));
        right.extend(out.iter().skip(1).step_by(2).map(|&s| f64::from(s)));
    }
    (left, right, resampler.delay())
}

/// Samples as sox's effects leave them.
fn sox(input: &[u8], from: &[&str], rate: u32, effects: &[&str]) -> Vec<f64> {
    let rate = rate.to_string();
    let mut args = from.to_vec();
    args.extend(["-", "-t", "f64", "-L", "-r", &rate, "-"]);
    args.extend(effects);
    let out = speech::sox(&args, input);
    out.as_chunks()
        .0
        .iter()
        .map(|&bytes| f64::from_le_bytes(bytes))
        .collect()
}

/// Below 3.4 kHz, where a telephone's voice is: what our short filter does above that is its price.
fn low(samples: &[f64], rate: u32) -> Vec<f64> {
    let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let name = rate.to_string();
    sox(
        &bytes,
        &["-t", "f64", "-L", "-r", &name, "-c", "1"],
        rate,
        &["sinc", "-a", "100", "-3400"],
    )
}

fn energy(samples: &[f64]) -> f64 {
    samples.iter().map(|s| s * s).sum()
}

/// The residual in dB and the correlation of two waves.
fn compare(original: &[f64], heard: &[f64]) -> (f64, f64) {
    let residual: Vec<_> = original.iter().zip(heard).map(|(a, b)| a - b).collect();
    let product: f64 = original.iter().zip(heard).map(|(a, b)| a * b).sum();
    let (a, b) = (energy(original), energy(heard));
    (10.0 * (energy(&residual) / a).log10(), product / (a * b).sqrt())
}

/// `length` samples from `at` on, which may lie between two.
fn shifted(samples: &[f64], at: f64, length: usize) -> Vec<f64> {
    /// Samples to each side that one is made of.
    const REACH: isize = 12;
    let (whole, part) = (at.floor() as isize, at.fract());
    let weights: Vec<f64> = (1 - REACH..=REACH)
        .map(|n| {
            let x = n as f64 - part;
            let window = (x / REACH as f64 * std::f64::consts::FRAC_PI_2).cos().powi(2);
            let x = x * std::f64::consts::PI;
            if x.abs() < 1e-9 { 1.0 } else { x.sin() / x * window }
        })
        .collect();
    let sample = |n: isize| {
        usize::try_from(n)
            .ok()
            .and_then(|n| samples.get(n))
            .copied()
            .unwrap_or_default()
    };
    (0..length as isize)
        .map(|n| {
            (1 - REACH..)
                .zip(&weights)
                .map(|(k, weight)| weight * sample(whole + n + k))
                .sum()
        })
        .collect()
}

/// Where `heard` is most like the original, to a part of a sample: the difference is a parabola around it.
fn finest(original: &[f64], heard: &[f64], near: f64) -> f64 {
    let middle = original.len() / 2..original.len() / 2 + original.len() / 6;
    let left = |at: f64| {
        let heard = shifted(heard, at + middle.start as f64, middle.len());
        let pairs = original[middle.clone()].iter().zip(&heard);
        pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
    };
    let (before, here, after) = (left(near - 1.0), left(near), left(near + 1.0));
    near + 0.5 * (before - after) / (before - 2.0 * here + after)
}

fn stays_true(rate: u32) {
    let customer = speech::piece(speech::LONG[0], 0, SECONDS * 1000);
    let agent = speech::piece(speech::LONG[1], 0, SECONDS * 1000);
    let (left, right, delay) = heard(&customer, &agent, rate);
    for (side, said, heard) in [("customer", &customer, &left), ("agent", &agent, &right)] {
        let original = sox(
            said,
            &["-t", "ul", "-r", "8000", "-c", "1"],
            rate,
            &["rate", "-v"],
        );
        let length = original.len();
        assert_eq!(length, SECONDS * rate as usize);
        let (original, low_heard) = (low(&original, rate), low(heard, rate));
        let at = finest(&original, &low_heard, delay as f64);
        assert!((at - delay as f64).abs() < 2.0, "{at} for {delay}");
        let (residual, correlation) = compare(&original, &shifted(&low_heard, at, length));
        let about = format!("{rate} Hz, {side}: {residual:.1} dB left, correlation {correlation:.5}");
        assert!(residual < RESIDUAL_DB && correlation > CORRELATION, "{about}");
        // Right length: after what was said comes nothing but the filter's own end.
        let rest = &heard[delay + length + delay..];
        assert!(
            !rest.is_empty() && rest.iter().all(|s| s.abs() < 1e-3),
            "{rate} Hz, {side}"
        );
    }
}

#[test]
fn people_sound_at_48_khz_as_they_were_recorded() {
    stays_true(48_000);
}

#[test]
fn and_at_44_1_khz() {
    stays_true(44_100);
}
