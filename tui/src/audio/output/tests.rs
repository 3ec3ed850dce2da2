//! What the device gets, sample by sample.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::*;

const RATE: u32 = 48_000;

fn open() -> (Output, Line) {
    pair(RATE, 960, Instant::now())
}

/// Takes so many frames of two channels.
fn taken(output: &mut Output, frames: usize) -> Vec<Frame> {
    let mut out = vec![9.0f32; frames * 2];
    output.fill(&mut out, 2);
    out.as_chunks::<2>().0.to_vec()
}

fn tone(frames: usize) -> Vec<Frame> {
    let at = |n: usize| (n as f32 * 0.05).sin() * 0.5;
    (0..frames).map(|n| [at(n), -at(n)]).collect()
}

fn largest_step(frames: &[Frame]) -> f32 {
    let steps = frames.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs());
    steps.fold(0.0, f32::max)
}

#[test]
fn what_is_put_in_comes_out_behind_a_short_rise() {
    let (mut output, mut line) = open();
    let sent = tone(4000);
    assert_eq!(line.push(&sent), 4000);
    let got: Vec<Frame> = [960, 1, 1920, 300]
        .iter()
        .flat_map(|n| taken(&mut output, *n))
        .collect();
    let risen = (RATE as f32 * FADE_MS / 1000.0) as usize + 1;
    assert_eq!(got[risen..], sent[risen..got.len()]);
    assert!(
        got[..risen]
            .iter()
            .zip(&sent)
            .all(|(got, sent)| got[0].abs() <= sent[0].abs())
    );
    assert_eq!((line.waiting(), line.put()), (4000 - got.len(), 4000));
}

#[test]
fn running_dry_and_going_on_is_no_click() {
    let (mut output, mut line) = open();
    line.expect(true);
    let mut got = Vec::new();
    for _ in 0..6 {
        // Ends at a high sample each time, and begins with one.
        line.push(&[[0.5, -0.5]; 700]);
        got.extend(taken(&mut output, 960));
    }
    assert!(largest_step(&got) < 0.02, "{}", largest_step(&got));
    for time in got.chunks(960) {
        assert_eq!(time[690..700], [[0.5, -0.5]; 10]);
    }
    assert!(got[959][0].abs() < 0.01, "{:?}", got[959]);
    assert_eq!(line.health().underruns.load(Relaxed), 6);
}

#[test]
fn silence_ends_at_exactly_nothing() {
    let (mut output, mut line) = open();
    line.push(&[[1.0, 0.3]; 200]);
    taken(&mut output, 2000);
    assert_eq!(taken(&mut output, 960), [[0.0; 2]; 960]);
}

/// Before the first sample, while held, and once for a long want.
#[test]
fn only_what_was_meant_to_be_there_is_missed() {
    let (mut output, mut line) = open();
    line.expect(true);
    taken(&mut output, 960);
    let missed = |line: &Line| line.health().underruns.load(Relaxed);
    assert_eq!(missed(&line), 0, "nothing was there before");
    line.push(&tone(1000));
    line.expect(false);
    taken(&mut output, 1920);
    assert_eq!(missed(&line), 0, "held");
    line.expect(true);
    line.push(&tone(100));
    taken(&mut output, 960);
    taken(&mut output, 960);
    assert_eq!(missed(&line), 1);
    assert_eq!(line.health().calls.load(Relaxed), 4);
}

#[test]
fn the_callback_says_when_it_took_what() {
    let (mut output, mut line) = open();
    line.push(&tone(1000));
    for frames in [480, 960] {
        taken(&mut output, frames);
    }
    let takes = [line.take().unwrap(), line.take().unwrap()];
    assert_eq!((takes[0].upto, takes[1].upto), (480, 1000));
    assert!(takes[0].at_us <= takes[1].at_us);
    assert_eq!(line.take(), None);
}

/// A worker that does not read them loses notes, not sound.
#[test]
fn notes_that_nobody_reads_stop_nothing() {
    let (mut output, mut line) = open();
    for _ in 0..TAKES + 10 {
        line.push(&[[0.25; 2]; 10]);
        taken(&mut output, 10);
    }
    let last = std::iter::from_fn(|| line.take()).last().unwrap();
    assert_eq!(last.upto, TAKES as u64 * 10);
    assert_eq!(line.waiting(), 0);
}

#[test]
fn one_channel_gets_the_middle_and_of_six_two_are_used() {
    let (mut output, mut line) = open();
    line.push(&[[0.5, -0.25]; 400]);
    let mut mono = [0i16; 200];
    output.fill(&mut mono, 1);
    assert_eq!(mono[199], 4096);
    let mut six = [7i32; 600];
    output.fill(&mut six, 6);
    assert_eq!(six[594..], [1 << 30, -(1 << 29), 0, 0, 0, 0]);
    let mut three = [1u8; 8];
    output.fill(&mut three, 3);
    assert_eq!(
        three,
        [192, 96, 128, 192, 96, 128, 1, 1],
        "half a frame is left alone"
    );
}

#[test]
fn whatever_the_form_full_scale_stays_in_it() {
    for sample in [1.0, 1.5, f32::INFINITY] {
        assert_eq!(
            (i16::from_f32(sample), i16::from_f32(-sample)),
            (i16::MAX, i16::MIN)
        );
        assert_eq!(
            (i32::from_f32(sample), i32::from_f32(-sample)),
            (i32::MAX, i32::MIN)
        );
        assert_eq!((u16::from_f32(sample), u16::from_f32(-sample)), (u16::MAX, 0));
        assert_eq!((u8::from_f32(sample), i8::from_f32(-sample)), (u8::MAX, i8::MIN));
        assert_eq!((u32::from_f32(sample), u32::from_f32(-sample)), (u32::MAX, 0));
        assert_eq!((f32::from_f32(sample), f64::from_f32(-sample)), (1.0, -1.0));
    }
    assert_eq!(
        (i16::from_f32(0.0), u16::from_f32(0.0), u32::from_f32(0.0)),
        (0, 1 << 15, 1 << 31)
    );
    assert_eq!((i16::from_f32(1.0 / 32_768.0), i16::from_f32(f32::NAN)), (1, 0));
}
