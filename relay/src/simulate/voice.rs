//! What is heard on the two tracks: recordings as µ-law, cut into frames, and the quiet around them.

use std::time::Duration;

use partyline_shared::audio::wav::{self, BadWav, Samples};
use partyline_shared::audio::{FRAME_BYTES, FRAME_MS, SILENCE, g711};
use partyline_shared::track::{PerTrack, Track};
use rand::Rng;

use super::resample::to_8k;

/// One frame's bytes.
pub(super) type Frame = [u8; FRAME_BYTES];

/// A WAV file's audio as µ-law at 8 kHz. What is that already is taken byte for byte; what is 8 kHz is
/// encoded sample for sample; other rates are resampled.
///
/// # Errors
/// [`BadWav`].
pub(super) fn mulaw(file: &[u8]) -> Result<Vec<u8>, BadWav> {
    let (rate, samples) = match wav::read(file)? {
        Samples::Mulaw(bytes) => return Ok(bytes),
        Samples::Linear { rate, samples } => (rate, samples),
    };
    let samples = to_8k(rate, &samples).map_err(|_| BadWav::Shape { channels: 1, rate })?;
    // A saturating cast: full scale of a float file is one step more than an i16 has.
    Ok(samples
        .iter()
        .map(|s| g711::encode((s * 32_768.0).round() as i16))
        .collect())
}

/// Frames that a recording takes, the last one padded.
fn frames(bytes: usize) -> u64 {
    bytes.div_ceil(FRAME_BYTES) as u64
}

/// A quiet line: never the same byte all the time, but +0 and -0 at random.
pub(super) fn quiet(random: &mut impl Rng) -> Frame {
    let mut frame = [0; FRAME_BYTES];
    random.fill_bytes(&mut frame);
    frame.map(|b| b | 0x7f)
}

/// What both tracks carry, from the first frame to the last.
#[derive(Debug, Clone)]
pub(super) struct Program {
    voices: PerTrack<Vec<u8>>,
    /// Frames until it repeats: the longer voice's.
    period: u64,
    repeat: bool,
    /// Frames in all; without an end until somebody hangs up.
    total: Option<u64>,
}

impl Program {
    /// Of two voices: as long as the longer one, or as `duration` says, or endless where it repeats.
    pub(super) fn new(voices: PerTrack<Vec<u8>>, duration: Option<Duration>, repeat: bool) -> Self {
        let period = frames(voices.inbound.len()).max(frames(voices.outbound.len()));
        let wanted = duration.map(|d| (d.as_millis() as u64).div_ceil(u64::from(FRAME_MS)));
        Program {
            voices,
            period,
            repeat: repeat && period > 0,
            total: wanted.or(if repeat { None } else { Some(period) }),
        }
    }

    /// Frames of a track in all; `None` is endless.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// How long it lasts; `None` is endless.
    pub(super) fn length(&self) -> Option<Duration> {
        self.total
            .map(|frames| Duration::from_millis(frames * u64::from(FRAME_MS)))
    }

    /// After how many ms the audio repeats; `None` where it does not.
    pub(super) fn period_ms(&self) -> Option<u64> {
        self.repeat.then_some(self.period * u64::from(FRAME_MS))
    }

    /// The `number`th frame of a track, from 0.
    pub(super) fn frame(&self, track: Track, number: u64, random: &mut impl Rng) -> Frame {
        let number = if self.repeat {
            number % self.period.max(1)
        } else {
            number
        };
        let start = usize::try_from(number)
            .unwrap_or(usize::MAX)
            .saturating_mul(FRAME_BYTES);
        let voice = self.voices.get(track);
        let rest = voice.get(start..).unwrap_or_default();
        if rest.is_empty() {
            return quiet(random);
        }
        let mut frame = [SILENCE; FRAME_BYTES];
        for (to, from) in frame.iter_mut().zip(rest) {
            *to = *from;
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn pcm(rate: u32, samples: &[i16]) -> Vec<u8> {
        let mut file = wav::header(1, samples.len() as u32 * 2).to_vec();
        file.splice(24..28, rate.to_le_bytes());
        file.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
        file
    }

    fn program(inbound: Vec<u8>, outbound: Vec<u8>, duration: Option<u64>, repeat: bool) -> Program {
        let voices = PerTrack { inbound, outbound };
        Program::new(voices, duration.map(Duration::from_millis), repeat)
    }

    #[test]
    fn linear_8k_is_encoded_sample_for_sample() {
        let samples: Vec<i16> = (i16::MIN..=i16::MAX).step_by(7).collect();
        let expected: Vec<u8> = samples.iter().map(|s| g711::encode(*s)).collect();
        assert_eq!(mulaw(&pcm(8000, &samples)), Ok(expected));
        assert_eq!(mulaw(&pcm(16_000, &[0; 320])).unwrap().len(), 160);
    }

    #[test]
    fn a_short_last_frame_is_padded_and_then_it_is_quiet() {
        let mut random = StdRng::seed_from_u64(1);
        let program = program(vec![1; 161], vec![2; 400], None, false);
        assert_eq!(program.total(), Some(3));
        let last = program.frame(Track::Inbound, 1, &mut random);
        assert_eq!((last[0], &last[1..]), (1, &[SILENCE; 159][..]));
        let after = program.frame(Track::Inbound, 2, &mut random);
        assert!(after.iter().all(|b| matches!(b, 0xff | 0x7f)));
        assert!(after.contains(&0xff) && after.contains(&0x7f));
    }

    #[test]
    fn a_duration_cuts_stretches_or_repeats() {
        let mut random = StdRng::seed_from_u64(1);
        let voice: Vec<u8> = (0..320).map(|n| (n / 160) as u8 + 1).collect();
        assert_eq!(program(voice.clone(), vec![], Some(21), false).total(), Some(2));
        assert_eq!(program(voice.clone(), vec![], None, true).total(), None);
        let twice = program(voice, vec![], Some(80), true);
        assert_eq!((twice.total(), twice.period_ms()), (Some(4), Some(40)));
        let heard: Vec<u8> = (0..4)
            .map(|n| twice.frame(Track::Inbound, n, &mut random)[0])
            .collect();
        assert_eq!(heard, [1, 2, 1, 2]);
    }

    proptest! {
        #[test]
        fn frames_joined_are_the_recording(voice in prop::collection::vec(any::<u8>(), 1..1000)) {
            let mut random = StdRng::seed_from_u64(1);
            let program = program(voice.clone(), vec![], None, false);
            let joined: Vec<u8> = (0..program.total().unwrap())
                .flat_map(|n| program.frame(Track::Inbound, n, &mut random))
                .collect();
            prop_assert_eq!(&joined[..voice.len()], &voice[..]);
            prop_assert!(joined[voice.len()..].iter().all(|b| *b == SILENCE));
            prop_assert!(joined.len() - voice.len() < FRAME_BYTES);
        }
    }
}
