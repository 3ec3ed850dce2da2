//! What the listener's audio thread does every 20 ms.

use divan::{Bencher, black_box};
use partyline::audio::conceal::Concealer;
use partyline::audio::jitter::{Jitter, Piece, Pull};
use partyline::audio::mix::limiter::Limiter;
use partyline::audio::mix::{Mixer, column};
use partyline::audio::resample::Resampler;
use partyline::audio::rig::Rig;
use partyline::audio::{Mono, SLOT, Stereo, decode};
use partyline::event::{Ears, Mix};
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::audio::g711;
use partyline_shared::track::{Track, roles};

use crate::input::{Frames, speech};

/// A slot, µs.
const SLOT_US: u64 = 20_000;

/// Between two steps of the worker, µs.
const TICK_US: u64 = 5_000;

/// What lies behind the jitter buffer, µs.
const DOWNSTREAM_US: u64 = 20_000;

/// Slots after which filters and buffers are as they are for the rest of a call.
const SETTLED: usize = 55;

/// 20 ms of both as they are spoken, the customer at full voice.
fn both() -> [AudioFrame; 2] {
    let mut frames = Frames::new();
    (0..SETTLED).for_each(|_| drop(frames.both()));
    let both = frames.both();
    assert!(column(&samples(&both[0])).high > 20, "a voice, no silence");
    both
}

fn samples(frame: &AudioFrame) -> Mono {
    let mut out = [0.0; SLOT];
    decode::decode(frame.mulaw(), &mut out);
    out
}

/// µ-law to 16 bits, for files and pipes.
#[divan::bench]
fn decode_to_16_bits(bencher: Bencher<'_, '_>) {
    let [frame, _] = both();
    let mut out = [0_i16; SLOT];
    bencher.bench_local(|| {
        for (out, &byte) in out.iter_mut().zip(black_box(frame.mulaw())) {
            *out = g711::decode(byte);
        }
        black_box(&mut out);
    });
}

/// µ-law to what is played.
#[divan::bench]
fn decode_to_play(bencher: Bencher<'_, '_>) {
    let [frame, _] = both();
    let mut out = [0.0; SLOT];
    bencher.bench_local(|| {
        decode::decode(black_box(frame.mulaw()), &mut out);
        black_box(&mut out);
    });
}

/// The lowest and highest sample, for the waveform.
#[divan::bench]
fn level_for_screen(bencher: Bencher<'_, '_>) {
    let slot = samples(&both()[0]);
    bencher.bench_local(|| column(black_box(&slot)));
}

/// A frame of each track in, a slot of both out.
#[divan::bench]
fn jitter_in_and_out(bencher: Bencher<'_, '_>) {
    let mut frames = Frames::new();
    let mut now_us = 0;
    let mut next = move || {
        now_us += SLOT_US;
        (now_us, frames.both())
    };
    let mut jitter = Jitter::new();
    let mut step = move |now_us: u64, both: &[AudioFrame; 2]| {
        for frame in both {
            let _ = jitter.on_frame(now_us, frame);
        }
        jitter.pull(now_us, DOWNSTREAM_US)
    };
    for _ in 0..SETTLED {
        let (now_us, both) = next();
        step(now_us, &both);
    }
    let mut last = None;
    bencher
        .with_inputs(next)
        .bench_local_refs(|(now_us, both)| last = Some(step(*now_us, both)));
    let played = matches!(&last, Some(Pull::Play(slot)) if matches!(slot.tracks.inbound, Piece::Play(_)));
    assert!(played, "it plays what comes: {last:?}");
}

/// A frame that follows the one before it.
#[divan::bench]
fn conceal_nothing(bencher: Bencher<'_, '_>) {
    let [frame, _] = both();
    let (mut concealer, piece) = (Concealer::new(), Piece::Play(frame));
    let mut out = [0.0; SLOT];
    bencher.bench_local(|| {
        concealer.next(black_box(&piece), false, &mut out);
        black_box(&mut out);
    });
}

/// The first frame that is lost: the voice's period is looked for and repeated.
#[divan::bench]
fn conceal_lost_frame(bencher: Bencher<'_, '_>) {
    let [frame, _] = both();
    let piece = Piece::Play(frame);
    let mut out = [0.0; SLOT];
    bencher
        .with_inputs(|| {
            let (mut concealer, mut out) = (Concealer::new(), [0.0; SLOT]);
            (0..3).for_each(|_| concealer.next(&piece, false, &mut out));
            concealer
        })
        .bench_local_refs(|concealer| {
            concealer.next(&Piece::Conceal, false, &mut out);
            black_box(&mut out);
        });
}

/// How a call may be set: each side on one ear alone; as at the start; and all that there is to do at once.
fn mixes(how: &str) -> Mix {
    let mut mix = Mix::default();
    match how {
        "wide" => mix.ears = Ears::Wide,
        "stereo" => {}
        _ => (mix.auto_level, mix.volume_db) = (true, 12),
    }
    mix
}

/// Both tracks to left and right.
#[divan::bench(args = ["wide", "stereo", "levelled"])]
fn mix(bencher: Bencher<'_, '_>, how: &str) {
    let [inbound, outbound] = both().each_ref().map(samples);
    let mut mixer = Mixer::new(roles(Track::Outbound), mixes(how));
    let mut out: Stereo = [0.0; 2 * SLOT];
    bencher.bench_local(|| {
        mixer.mix(black_box(&inbound), black_box(&outbound), &mut out);
        black_box(&mut out);
    });
}

/// 20 ms of both ears at 48 kHz, of which nothing is too loud, or half of it.
#[divan::bench(args = [0.5, 2.0])]
fn limit_20_ms(bencher: Bencher<'_, '_>, level: f32) {
    let tone: Vec<f32> = (0..1920).map(|n| level * (n as f32 * 0.03).sin()).collect();
    let (mut limiter, mut out) = (Limiter::new(48_000), tone.clone());
    bencher.bench_local(|| {
        out.copy_from_slice(black_box(&tone));
        limiter.limit(&mut out);
        black_box(&mut out);
    });
}

/// All of it for 20 ms of a call: both frames in, four steps of the worker, one callback of the card. That it is less
/// than 200 µs is less than a hundredth of a core.
#[divan::bench(args = [("stereo", 44_100), ("stereo", 48_000), ("stereo", 96_000), ("levelled", 48_000)])]
fn whole_path_20_ms(bencher: Bencher<'_, '_>, (how, rate): (&str, u32)) {
    let period = rate as usize / 50;
    let mut rig = Rig::new(rate, period, roles(Track::Outbound), mixes(how));
    let (mut frames, mut out, mut now_us) = (Frames::new(), vec![0.0_f32; 2 * period], 0);
    rig.on_stream(0, None);
    let mut next = move |rig: &mut Rig, both: &[AudioFrame; 2]| {
        both.iter().for_each(|frame| rig.on_frame(now_us, frame));
        for _ in 0..SLOT_US / TICK_US {
            rig.step(now_us);
            now_us += TICK_US;
        }
        rig.fill(now_us, &mut out);
        out.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()))
    };
    let heard = (0..4 * SETTLED).map(|_| next(&mut rig, &frames.both()));
    assert!(heard.fold(0.0, f32::max) > 0.2, "a voice is heard");
    bencher
        .with_inputs(|| frames.both())
        .bench_local_refs(|both| black_box(next(&mut rig, both)));
    let stats = rig.stats().playback;
    assert_eq!(
        (stats.underruns, stats.concealed_ms),
        (0, 0),
        "nothing is missing: {stats:?}"
    );
}

/// 20 ms of both ears to the card's rate.
#[divan::bench(args = [44_100, 48_000])]
fn resample_20_ms(bencher: Bencher<'_, '_>, rate: u32) {
    let [left, right] = Track::BOTH.map(speech);
    let ears: Vec<f32> = left
        .iter()
        .zip(&right)
        .flat_map(|(&left, &right)| [decode::sample(left), decode::sample(right)])
        .collect();
    let mut resampler = Resampler::new(rate).unwrap();
    let mut out = vec![0.0; 2 * resampler.gives()];
    let mut at = 0;
    bencher.bench_local(|| {
        // It gives 10 ms at a time.
        for _ in 0..2 {
            let needs = 2 * resampler.needs();
            if at + needs > ears.len() {
                at = 0;
            }
            assert!(resampler.process(black_box(&ears[at..at + needs]), &mut out));
            black_box(&mut out);
            at += needs;
        }
    });
}
