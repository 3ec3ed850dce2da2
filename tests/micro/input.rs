//! What is given to the parts: two people who speak in turn, as Twilio sends them. All of it repeats exactly, and
//! needs no recording: a voice is a pitch, its overtones and syllables, which is what µ-law, level, limiter and
//! the search for a period see of one.

use std::f32::consts::TAU;
use std::time::Duration;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::audio::{FRAME_BYTES, FRAME_MS, SAMPLE_RATE, g711};
use partyline_shared::track::Track;
use partyline_shared::twilio::media::write;

/// How long they speak before it begins anew.
const LENGTH: Duration = Duration::from_secs(10);

/// When a stream's first media comes, ms after it began.
const LEAD_IN_MS: u32 = 57;

/// The number of the stream on our wires.
pub(crate) const AUDIO_ID: u32 = 0x5eed_0001;

const ACCOUNT: &str = "AC11111111111111111111111111111111";
const CALL: &str = "CA22222222222222222222222222222222";
const STREAM: &str = "MZ44444444444444444444444444444444";

/// What the track's person says, µ-law; the other is silent meanwhile, but for the line's noise.
pub(crate) fn speech(track: Track) -> Vec<u8> {
    let (pitch, turn) = match track {
        Track::Inbound => (118.0, 0.0),
        Track::Outbound => (205.0, 0.5),
    };
    let mut noise = 1_u32;
    let mut phase = 0.0;
    let samples = LENGTH.as_secs() as u32 * SAMPLE_RATE;
    (0..samples)
        .map(|n| {
            let t = n as f32 / SAMPLE_RATE as f32;
            // Any generator will do.
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hiss = (noise >> 16) as f32 / 65_536.0 - 0.5;
            // A turn is two seconds, a syllable a fifth of one; the pitch falls and rises by a twelfth.
            let speaks = ((t / 4.0 + turn).fract() < 0.5) as u8 as f32;
            let syllable = (t * 5.0 * std::f32::consts::PI).sin().abs();
            phase = (phase + pitch * (1.0 + 0.08 * (t * 1.7).sin()) / SAMPLE_RATE as f32).fract();
            let voice: f32 = (1..=12).map(|k| (phase * k as f32 * TAU).sin() / k as f32).sum();
            g711::encode((voice * syllable * speaks * 5_000.0 + hiss * 60.0) as i16)
        })
        .collect()
}

/// `start` and then all media of both tracks, one after the other, numbered as Twilio does.
pub(crate) fn messages() -> (String, Vec<String>) {
    let start = write::start(ACCOUNT, STREAM, CALL, &Track::BOTH, &[]);
    let voices = Track::BOTH.map(speech);
    let mut media = Vec::new();
    for at in 0..voices[0].len() / FRAME_BYTES {
        for (track, voice) in Track::BOTH.into_iter().zip(&voices) {
            let audio = &voice[at * FRAME_BYTES..][..FRAME_BYTES];
            let sequence = media.len() as u64 + 2;
            let stamp = u64::from(LEAD_IN_MS + at as u32 * FRAME_MS);
            media.push(write::media(STREAM, sequence, track, at as u64 + 1, stamp, audio));
        }
    }
    (start, media)
}

/// Frames without an end, of one track and the other in turn: numbers and timestamps go on, the words begin anew.
#[derive(Debug)]
pub(crate) struct Frames {
    voices: [Vec<u8>; 2],
    at: u32,
}

impl Frames {
    /// From the first.
    pub(crate) fn new() -> Frames {
        Frames {
            voices: Track::BOTH.map(speech),
            at: 0,
        }
    }

    /// The next 20 ms of one track.
    pub(crate) fn one(&mut self) -> AudioFrame {
        let (slot, track) = (self.at / 2, Track::BOTH[self.at as usize % 2]);
        self.at += 1;
        let voice = &self.voices[track.index()];
        let from = slot as usize * FRAME_BYTES % voice.len();
        let stamp = LEAD_IN_MS + slot * FRAME_MS;
        AudioFrame::new(track, AUDIO_ID, slot + 1, stamp, &voice[from..][..FRAME_BYTES])
    }

    /// The next 20 ms of both.
    pub(crate) fn both(&mut self) -> [AudioFrame; 2] {
        [self.one(), self.one()]
    }
}
