//! The pitch stays, the length is as asked, nothing clicks, and both tracks stay in step.

use std::f32::consts::TAU;

use super::*;

mod any;

/// Samples a second.
const RATE: f32 = 8000.0;

fn tone(hz: f32, seconds: usize) -> Vec<f32> {
    (0..seconds * 8000)
        .map(|n| 0.3 * (TAU * hz * n as f32 / RATE).sin())
        .collect()
}

/// A vowel of a voice whose pitch wanders, in words: harmonics that are loud around 700 Hz.
fn voice(pitch: f32, seconds: usize) -> Vec<f32> {
    let mut phase = 0.0;
    (0..seconds * 8000)
        .map(|n| {
            let at = n as f32 / RATE;
            let now = pitch * (1.0 + 0.05 * (at * 11.0).sin());
            phase += TAU * now / RATE;
            let harmonic = |k: f32| (phase * k).sin() / (1.0 + ((now * k - 700.0) / 300.0).powi(2));
            let all: f32 = (1..=(3000.0 / now) as usize).map(|k| harmonic(k as f32)).sum();
            0.15 * all * ((at * 8.0).sin() * 3.0).clamp(0.0, 1.0)
        })
        .collect()
}

/// Plays both at a speed, until too little is left.
fn play(speed: f32, inbound: &[f32], outbound: &[f32]) -> (Stretch, PerTrack<Vec<f32>>) {
    let mut stretch = Stretch::new();
    let mut heard = PerTrack::<Vec<f32>>::default();
    let mut out = PerTrack {
        inbound: [0.0; SLOT],
        outbound: [0.0; SLOT],
    };
    let slots = inbound
        .as_chunks::<SLOT>()
        .0
        .iter()
        .zip(outbound.as_chunks::<SLOT>().0);
    for (inbound, outbound) in slots {
        stretch.push(&PerTrack {
            inbound: *inbound,
            outbound: *outbound,
        });
        while stretch.pull(speed, &mut out) {
            heard.inbound.extend(out.inbound);
            heard.outbound.extend(out.outbound);
        }
        assert!(stretch.held() < 4 * SLOT, "{}", stretch.held());
    }
    (stretch, heard)
}

/// How often it goes up through zero, a second.
fn pitch(samples: &[f32]) -> f32 {
    let ups = |pair: &[f32]| pair[0] < 0.0 && pair[1] >= 0.0;
    let at: Vec<_> = (1..samples.len()).filter(|&n| ups(&samples[n - 1..=n])).collect();
    (at.len() - 1) as f32 * RATE / (at[at.len() - 1] - at[0]) as f32
}

fn steps(samples: &[f32]) -> Vec<f32> {
    let mut steps: Vec<_> = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    steps.sort_by(f32::total_cmp);
    steps
}

/// Fails if a step is a click.
fn assert_smooth(original: &[f32], played: &[f32], what: &str) {
    let usual = steps(original);
    let usual = usual[usual.len() * 999 / 1000];
    let largest = steps(played).last().copied().unwrap_or_default();
    assert!(
        largest < 4.0 * usual,
        "{what}: {largest} is {} times",
        largest / usual
    );
}

/// How long a period is by its likeness with itself, in samples, on average where there is one.
fn period(samples: &[f32], about: f32) -> f32 {
    let mut found = Vec::new();
    let (least, most) = ((about * 0.7) as usize, (about * 1.4) as usize);
    for part in samples.windows(400).step_by(200) {
        let power: f32 = part.iter().map(|x| x * x).sum();
        let like = |lag: usize| {
            let pairs = part.iter().zip(&part[lag..]);
            let (mut ab, mut aa, mut bb) = (0.0, 1e-9, 1e-9);
            for (a, b) in pairs {
                (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
            }
            ab / f32::sqrt(aa * bb)
        };
        let best = (least..most)
            .max_by(|a, b| like(*a).total_cmp(&like(*b)))
            .unwrap();
        if power > 0.5 && like(best) > 0.85 {
            found.push(best as f32);
        }
    }
    assert!(found.len() > 10, "{}", found.len());
    found.iter().sum::<f32>() / found.len() as f32
}

#[test]
fn at_speed_1_it_is_what_came() {
    let (a, b) = (voice(110.0, 2), voice(190.0, 2));
    let (stretch, heard) = play(1.0, &a, &b);
    assert_eq!(heard.inbound, a);
    assert_eq!(heard.outbound, b);
    assert_eq!((stretch.held(), stretch.changed_samples()), (0, 0));
}

#[test]
fn a_tone_keeps_its_pitch_and_is_as_long_as_asked() {
    for hz in [100.0, 333.0, 951.0] {
        let said = tone(hz, 4);
        for speed in [0.5, 0.8, 1.25, 1.5, 2.0] {
            let (stretch, heard) = play(speed, &said, &said);
            let what = format!("{hz} Hz at {speed}");
            let off = pitch(&heard.inbound) / hz - 1.0;
            assert!(off.abs() < 0.01, "{what}: {off}");
            let length = (heard.inbound.len() as f32 * speed + stretch.held() as f32) / said.len() as f32;
            assert!((length - 1.0).abs() < 0.01, "{what}: {length}");
            assert_smooth(&said, &heard.inbound, &what);
            let changed = heard.inbound.len() + stretch.held() + stretch.removed() as usize;
            assert_eq!(changed, said.len() + stretch.inserted() as usize);
        }
    }
}

#[test]
fn a_voice_keeps_its_pitch_and_does_not_click() {
    for hz in [90.0, 210.0] {
        let said = voice(hz, 4);
        let before = period(&said, RATE / hz);
        for speed in [0.8, 1.25, 1.5, 2.0] {
            let (stretch, heard) = play(speed, &said, &vec![0.0; said.len()]);
            let what = format!("{hz} Hz at {speed}");
            let after = period(&heard.inbound, RATE / hz);
            assert!(
                (after / before - 1.0).abs() < 0.01,
                "{what}: {after} for {before}"
            );
            let length = (heard.inbound.len() as f32 * speed + stretch.held() as f32) / said.len() as f32;
            assert!((length - 1.0).abs() < 0.01, "{what}: {length}");
            assert_smooth(&said, &heard.inbound, &what);
            assert!(
                heard.outbound.iter().all(|sample| *sample == 0.0),
                "silence stays"
            );
        }
    }
}

#[test]
fn both_tracks_stay_in_step_to_the_sample() {
    let said = voice(130.0, 4);
    let half: Vec<_> = said.iter().map(|sample| sample * 0.5).collect();
    for speed in [0.7, 1.1, 1.5, 2.0] {
        let (_, heard) = play(speed, &said, &half);
        for (a, b) in heard.inbound.iter().zip(&heard.outbound) {
            assert!((a * 0.5 - b).abs() < 1e-6, "{speed}: {a} and {b}");
        }
    }
}

#[test]
fn slower_needs_no_more_than_the_slot_that_is_due() {
    let said = tone(200.0, 1);
    let mut stretch = Stretch::new();
    let mut out = PerTrack {
        inbound: [0.0; SLOT],
        outbound: [0.0; SLOT],
    };
    let slot = PerTrack {
        inbound: said[..SLOT].try_into().unwrap(),
        outbound: [0.0; SLOT],
    };
    stretch.push(&slot);
    assert!(stretch.pull(1.0, &mut out));
    stretch.push(&slot);
    assert!(stretch.pull(0.5, &mut out), "one in, one out");
    assert!(stretch.held() >= 40 && stretch.inserted() >= 40, "{stretch:?}");
    stretch.clear();
    assert_eq!(stretch.held(), 0);
}
