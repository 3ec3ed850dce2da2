//! Losses, pauses, cuts and short frames of a voice-like wave: nothing clicks, and what is whole stays whole.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::audio::g711;
use partyline_shared::track::Track;

use super::*;

/// A voice-like wave: a fundamental of `hz` and two of its harmonics.
fn voice(hz: f32, n: usize) -> f32 {
    let at = n as f32 * hz / 8000.0 * std::f32::consts::TAU;
    0.3 * at.sin() + 0.15 * (2.0 * at + 1.0).sin() + 0.05 * (5.0 * at).sin()
}

fn frame(samples: &[f32]) -> Piece {
    let mulaw: Vec<u8> = samples
        .iter()
        .map(|s| g711::encode((s * 32_768.0) as i16))
        .collect();
    Piece::Play(AudioFrame::new(Track::Inbound, 1, 1, 0, &mulaw))
}

fn slot(hz: f32, number: usize) -> Vec<f32> {
    (number * SLOT..(number + 1) * SLOT)
        .map(|n| voice(hz, n))
        .collect()
}

/// Plays pieces; all samples.
fn play(pieces: &[(Piece, bool)]) -> Vec<f32> {
    let mut concealer = Concealer::new();
    let mut out = [0.0; SLOT];
    let mut all = Vec::new();
    for (piece, cut) in pieces {
        concealer.next(piece, *cut, &mut out);
        all.extend_from_slice(&out);
    }
    all
}

fn steepest(samples: &[f32]) -> f32 {
    samples
        .windows(2)
        .map(|w| (w[1] - w[0]).abs())
        .fold(0.0, f32::max)
}

fn energy(samples: &[f32]) -> f32 {
    samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32
}

#[test]
fn frames_that_follow_each_other_pass_untouched() {
    let pieces: Vec<_> = (0..20).map(|n| (frame(&slot(133.0, n)), false)).collect();
    let out = play(&pieces);
    // The first has nothing before it, and its first sample is bent to start from silence.
    for (n, (heard, meant)) in out
        .iter()
        .zip((0..).map(|n| voice(133.0, n)))
        .enumerate()
        .skip(SEAM)
    {
        let exact = decode::sample(g711::encode((meant * 32_768.0) as i16));
        assert_eq!(*heard, exact, "{n}");
    }
}

#[test]
fn a_lost_frame_sounds_as_the_voice_went_on_and_nothing_clicks() {
    for hz in [90.0, 133.0, 210.0, 333.0] {
        let clean: Vec<_> = (0..12).map(|n| (frame(&slot(hz, n)), false)).collect();
        let whole = play(&clean);
        let mut holed = clean.clone();
        holed[6].0 = Piece::Conceal;
        let out = play(&holed);
        assert!(
            steepest(&out) < 1.2 * steepest(&whole),
            "{hz}: {}",
            steepest(&out)
        );
        let (lost, meant) = (&out[6 * SLOT..7 * SLOT], &whole[6 * SLOT..7 * SLOT]);
        let share = energy(lost) / energy(meant);
        assert!((0.4..1.0).contains(&share), "{hz}: {share}");
        let error: Vec<f32> = lost[..80].iter().zip(&meant[..80]).map(|(a, b)| a - b).collect();
        let wrong = energy(&error) / energy(&meant[..80]);
        assert!(wrong < 0.15, "{hz}: {wrong}");
        assert_eq!(out[7 * SLOT + SEAM..], whole[7 * SLOT + SEAM..]);
    }
}

#[test]
fn a_long_loss_is_silent_after_60_ms_and_comes_back_without_a_click() {
    let mut pieces: Vec<_> = (0..14).map(|n| (frame(&slot(133.0, n)), false)).collect();
    let natural = steepest(&play(&pieces));
    for piece in &mut pieces[4..9] {
        piece.0 = Piece::Conceal;
    }
    let out = play(&pieces);
    assert!(out[7 * SLOT..9 * SLOT].iter().all(|&s| s == 0.0));
    assert!(energy(&out[6 * SLOT..7 * SLOT]) > 0.0);
    assert!(steepest(&out) < 1.2 * natural);
}

#[test]
fn pauses_cuts_and_short_frames_do_not_click() {
    let natural = steepest(&(0..1600).map(|n| voice(133.0, n)).collect::<Vec<_>>());
    let mut pieces: Vec<_> = [0, 1, 2, 9, 10, 30, 31]
        .map(|n| (frame(&slot(133.0, n)), false))
        .into();
    pieces[3].1 = true; // 2 to 9
    pieces[5].1 = true;
    pieces.push((frame(&slot(133.0, 32)[..77]), false));
    pieces.push((frame(&slot(133.0, 50)), false));
    pieces.push((Piece::Silence, false));
    pieces.push((Piece::Silence, false));
    pieces.push((frame(&slot(133.0, 77)), false));
    let out = play(&pieces);
    assert!(steepest(&out) < 1.3 * natural, "{} {natural}", steepest(&out));
    assert_eq!(&out[10 * SLOT..11 * SLOT], &[0.0; SLOT]);
}

#[test]
fn what_begins_in_the_middle_of_a_wave_is_no_louder_than_it_is_and_does_not_click() {
    for hz in [133.0, 400.0, 1_000.0] {
        let wave = |n: usize| 0.5 * (n as f32 * hz / 8000.0 * std::f32::consts::TAU).cos();
        let slot = |number: usize| frame(&(number * SLOT..(number + 1) * SLOT).map(wave).collect::<Vec<_>>());
        let mut pieces: Vec<_> = (0..5).map(|n| (slot(n), false)).collect();
        // And again, behind silence.
        pieces.extend([(Piece::Silence, false), (Piece::Silence, false)]);
        pieces.extend((0..5).map(|n| (slot(n), false)));
        let out = play(&pieces);
        let peak = out.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!(peak < 0.52, "{hz}: {peak}");
        let natural = steepest(&(0..800).map(wave).collect::<Vec<_>>());
        assert!(steepest(&out) < 1.2 * natural + 0.02, "{hz}: {}", steepest(&out));
    }
}

#[test]
fn nothing_is_made_up_before_anything_was_said() {
    let out = play(&[
        (Piece::Conceal, false),
        (Piece::Silence, true),
        (Piece::Conceal, true),
    ]);
    assert!(out.iter().all(|&s| s == 0.0));
}

#[test]
fn what_leads_to_the_next_frame_is_nearer_to_what_was_lost() {
    for hz in [90.0, 133.0, 210.0] {
        let pieces: Vec<_> = (0..12).map(|n| frame(&slot(hz, n))).collect();
        let whole = play(
            &pieces
                .iter()
                .map(|piece| (piece.clone(), false))
                .collect::<Vec<_>>(),
        );
        let (mut errors, mut out) = ([0.0; 2], [0.0; SLOT]);
        for known in [false, true] {
            let (mut concealer, mut all) = (Concealer::new(), Vec::new());
            for (n, piece) in pieces.iter().enumerate() {
                let piece = if n == 6 { &Piece::Conceal } else { piece };
                let Piece::Play(after) = &pieces[7] else {
                    unreachable!()
                };
                concealer.expect((known && n == 6).then_some(after));
                concealer.next(piece, false, &mut out);
                all.extend(out);
            }
            assert!(
                steepest(&all) < 1.2 * steepest(&whole),
                "{hz}: {}",
                steepest(&all)
            );
            let differs = all.iter().zip(&whole).map(|(a, b)| a - b).collect::<Vec<_>>();
            errors[usize::from(known)] = energy(&differs[6 * SLOT..7 * SLOT + SEAM]);
            assert_eq!(all[7 * SLOT + SEAM..], whole[7 * SLOT + SEAM..]);
        }
        assert!(errors[1] < 0.7 * errors[0], "{hz}: {errors:?}");
    }
}

#[test]
fn a_long_loss_has_the_noise_of_the_line_and_a_stop_has_none() {
    let hiss = |n: usize| (n as f32 * 1.7).sin() * 0.001 + (n as f32 * 0.31).cos() * 0.001;
    let quiet = |n: usize| frame(&(n * SLOT..(n + 1) * SLOT).map(hiss).collect::<Vec<_>>());
    let mut pieces: Vec<_> = (0..60).map(|n| (quiet(n), false)).collect();
    pieces.extend((0..20).map(|n| (frame(&slot(133.0, n)), false)));
    pieces.extend((0..10).map(|_| (Piece::Conceal, false)));
    pieces.extend((0..2).map(|_| (Piece::Silence, false)));
    let out = play(&pieces);
    let level = |slots: std::ops::Range<usize>| energy(&out[slots.start * SLOT..slots.end * SLOT]).sqrt();
    let (line, noise) = (level(10..50), level(84..90));
    assert!((0.5..1.5).contains(&(noise / line)), "{noise} for {line}");
    assert_eq!(level(91..92), 0.0);
    let natural = steepest(&out[60 * SLOT..80 * SLOT]);
    assert!(steepest(&out[79 * SLOT..]) < 1.2 * natural);
}
