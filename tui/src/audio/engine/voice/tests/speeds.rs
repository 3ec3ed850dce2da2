//! Faster, and without silences.

use super::*;

/// How often a second the left ear's wave goes up through zero.
fn hz(heard: &[[f32; 2]]) -> f64 {
    let ups = heard
        .windows(2)
        .filter(|pair| pair[0][0] < 0.0 && pair[1][0] >= 0.0);
    ups.count() as f64 * 8000.0 / heard.len() as f64
}

/// A steady tone of 200 Hz on both.
fn tone(_: Track, at: i64) -> u8 {
    let phase = std::f64::consts::TAU * 200.0 * at as f64 / 8000.0;
    g711::encode((9000.0 * phase.sin()) as i16)
}

#[test]
fn faster_takes_two_thirds_of_the_time_at_the_same_pitch_and_joins_live() {
    let mut story = Story::new(tone);
    story.go(1_200);
    story.want(|seat| {
        seat.seek_ms -= 12_000;
        seat.fast = true;
    });
    let mut slots = 0;
    while story.stats().state != State::Behind || slots < 5 {
        story.go(1);
        slots += 1;
        assert!(slots < 10, "{:?}", story.stats());
    }
    while story.stats().state == State::Behind {
        story.go(1);
        slots += 1;
        assert!(slots < 3_000, "{:?}", story.stats());
    }
    // Twelve seconds and what is said meanwhile at half as much again: 24 s.
    assert!((1_150..=1_210).contains(&slots), "{slots} slots");
    let pitch = hz(story.last(1_000));
    assert!((198.0..202.0).contains(&pitch), "{pitch} Hz");
    story.go(50);
    assert!(story.voice.past.is_none(), "it is live");
    let stats = story.stats();
    assert_eq!(
        (stats.state, stats.stretched_ms),
        (State::Playing, 0),
        "that is not of the delay"
    );
    story.has_no_click();
    let pitch = hz(story.last(40));
    assert!((197.0..203.0).contains(&pitch), "{pitch} Hz");
}

#[test]
fn a_voice_that_glides_is_joined_without_a_step() {
    let mut story = Story::new(speech);
    let mut other = Story::new(speech);
    story.go(300);
    story.want(|seat| {
        seat.seek_ms -= 2_000;
        seat.fast = true;
    });
    story.go(300);
    other.go(600);
    assert!(story.voice.past.is_none(), "{:?}", story.stats());
    assert_eq!(story.last(50), other.last(50));
    story.has_no_click();
}

/// A second of speech, and two of silence.
fn pauses(track: Track, at: i64) -> u8 {
    if at.rem_euclid(24_000) < 8_000 {
        speech(track, at)
    } else {
        0xFF
    }
}

/// As above with pauses of a quarter of a second.
fn breaths(track: Track, at: i64) -> u8 {
    if at.rem_euclid(10_000) < 8_000 {
        speech(track, at)
    } else {
        0xFF
    }
}

#[test]
fn of_long_silences_two_tenths_of_a_second_are_left() {
    let mut story = Story::new(pauses);
    story.go(1_500);
    story.want(|seat| {
        seat.jumps = (1, ZERO_MS);
        seat.skip_silence = true;
    });
    let begun = story.heard.len();
    story.go(300);
    let heard = &story.heard[begun..];
    // Runs of silence between the first speech and the last.
    let runs: Vec<usize> = heard
        .chunk_by(|a, b| (a[0].abs() < 0.005) == (b[0].abs() < 0.005))
        .filter(|run| run[0][0].abs() < 0.005 && run.len() > 400)
        .map(<[_]>::len)
        .collect();
    assert!(runs.len() >= 3, "{runs:?}");
    for run in &runs[..runs.len() - 1] {
        assert!((1_500..1_700).contains(run), "{runs:?}");
    }
    story.has_no_click();
    // It gets to live by that.
    story.go(1_500);
    assert_eq!(story.stats().state, State::Playing);
    story.has_no_click();
}

#[test]
fn a_breath_is_no_silence() {
    let mut story = Story::new(breaths);
    story.go(500);
    story.want(|seat| {
        seat.jumps = (1, ZERO_MS);
        seat.skip_silence = true;
    });
    story.go(100);
    assert_eq!(story.last(99), story.original(SLOT_SAMPLES, 99 * SLOT));
}
