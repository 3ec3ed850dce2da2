//! Recorded people, one of whom speaks low and one loud: levelled they are as loud as each other, and what plays while
//! they are on hold changes nothing.

use harness::speech;
use partyline::audio::mix::Mixer;
use partyline::audio::{Mono, SLOT, Stereo, decode};
use partyline::event::{Ears, Mix};
use partyline_shared::track::{Track, roles};

/// How long they speak, seconds.
const SECONDS: usize = 16;

/// Slots in a second.
const SECOND: usize = 50;

/// Of the end so much is judged, slots: by then the gain is where it goes to.
const JUDGED: usize = 4 * SECOND;

/// What is called one level, dB: less than people move their heads before a telephone.
const ALIKE_DB: f64 = 3.0;

/// A voice, so much louder.
fn voice(name: &str, db: f32) -> Vec<Mono> {
    let said = speech::piece(name, 0, SECONDS * 1000);
    let slots = said.as_chunks::<SLOT>().0.iter();
    slots
        .map(|mulaw| {
            let mut out = [0.0; SLOT];
            decode::decode(mulaw, &mut out);
            out.map(|sample| sample * 10f32.powf(db / 20.0))
        })
        .collect()
}

/// How loud somebody speaks, dB: the mean of what is within 15 dB of the loudest 20 ms.
fn loudness(slots: &[Mono]) -> f64 {
    let powers = slots.iter().map(|slot| {
        let energy: f32 = slot.iter().map(|sample| sample * sample).sum();
        f64::from(energy) / SLOT as f64
    });
    let powers: Vec<f64> = powers.collect();
    let least = powers.iter().copied().fold(0.0, f64::max) / 10f64.powf(1.5);
    let speaks: Vec<f64> = powers.into_iter().filter(|power| *power > least).collect();
    10.0 * (speaks.iter().sum::<f64>() / speaks.len() as f64).log10()
}

/// Both, levelled: what the left and the right ear get.
fn levelled(mixer: &mut Mixer, customer: &[Mono], agent: &[Mono]) -> [Vec<Mono>; 2] {
    let mut ears = [Vec::new(), Vec::new()];
    for (customer, agent) in customer.iter().zip(agent) {
        let mut out: Stereo = [0.0; 2 * SLOT];
        mixer.mix(customer, agent, &mut out);
        let pairs = out.as_chunks::<2>().0;
        for (ear, slots) in ears.iter_mut().enumerate() {
            slots.push(std::array::from_fn(|n| pairs[n][ear]));
        }
    }
    ears
}

fn mixer() -> Mixer {
    let mix = Mix {
        ears: Ears::Wide,
        auto_level: true,
        ..Mix::default()
    };
    Mixer::new(roles(Track::Outbound), mix)
}

#[test]
fn who_speaks_low_and_who_speaks_loud_are_heard_alike() {
    let (low, loud) = (voice(speech::LONG[0], -14.0), voice(speech::LONG[1], 4.0));
    let last = |slots: &[Mono]| loudness(&slots[slots.len() - JUDGED..]);
    let apart = last(&loud) - last(&low);
    assert!(apart > 14.0, "{apart} dB apart as they speak");
    let ears = levelled(&mut mixer(), &low, &loud);
    let [left, right] = ears.each_ref().map(|slots| last(slots));
    assert!((left - right).abs() < ALIKE_DB, "{left} dB and {right} dB");
    for heard in [left, right] {
        assert!((heard + 20.0).abs() < ALIKE_DB, "{heard} dB");
    }
}

#[test]
fn a_line_on_hold_does_not_move_the_gain() {
    let mut mixer = mixer();
    let (low, loud) = (voice(speech::LONG[0], -14.0), voice(speech::LONG[1], 4.0));
    levelled(&mut mixer, &low, &loud);
    // What is heard of the same 20 ms, before and after half a minute of a chord and of silence.
    let probe = [[0.1; SLOT]];
    let before = levelled(&mut mixer, &probe, &probe);
    let chord: Vec<Mono> = (0..30 * SECOND)
        .map(|slot| {
            std::array::from_fn(|n| {
                let at = (slot * SLOT + n) as f32 / 8000.0 * std::f32::consts::TAU;
                let swell = 0.15 * (1.0 + 0.3 * (at * 0.7).sin());
                swell * ((at * 220.0).sin() + (at * 277.2).sin() + (at * 329.6).sin())
            })
        })
        .collect();
    levelled(&mut mixer, &chord, &vec![[0.0; SLOT]; chord.len()]);
    let after = levelled(&mut mixer, &probe, &probe);
    for (before, after) in before.iter().zip(&after) {
        let moved = 20.0 * (after[0][SLOT - 1] / before[0][SLOT - 1]).log10();
        assert!(moved.abs() < 1.5, "{moved} dB");
    }
}
