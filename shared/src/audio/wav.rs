//! WAV: the header we write, and the samples of files that people bring.

use super::g711;

/// Bytes of the header that [`header`] writes.
pub const HEADER: usize = 44;

/// A size that says "until the end": what a WAV on a pipe carries.
pub const UNKNOWN_SIZE: u32 = u32::MAX;

/// Largest file read, bytes: an hour of 48 kHz stereo in 16 bits is 691 MB, which nobody plays into a test.
pub const MAX_FILE: usize = 256 << 20;

/// A header for 16-bit PCM at 8 kHz; `data_bytes` [`UNKNOWN_SIZE`] where the length is not known.
pub fn header(channels: u16, data_bytes: u32) -> [u8; HEADER] {
    let rate = super::SAMPLE_RATE;
    let block = channels * 2;
    let mut out = Vec::with_capacity(HEADER);
    out.extend_from_slice(b"RIFF");
    let riff = if data_bytes == UNKNOWN_SIZE {
        UNKNOWN_SIZE
    } else {
        data_bytes.saturating_add(36)
    };
    out.extend_from_slice(&riff.to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16u32.to_le_bytes());
    out.extend_from_slice(&1u16.to_le_bytes());
    out.extend_from_slice(&channels.to_le_bytes());
    out.extend_from_slice(&rate.to_le_bytes());
    out.extend_from_slice(&(rate * u32::from(block)).to_le_bytes());
    out.extend_from_slice(&block.to_le_bytes());
    out.extend_from_slice(&16u16.to_le_bytes());
    out.extend_from_slice(b"data");
    out.extend_from_slice(&data_bytes.to_le_bytes());
    out.try_into().unwrap_or([0; HEADER])
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// µ-law bytes of one channel at 8 kHz: what Twilio sends, taken as they are.
    Mulaw(Vec<u8>),
    /// Samples of one channel (several are averaged), -1 to 1, at the file's rate.
    Linear {
        /// Samples a second.
        rate: u32,
        /// The samples.
        samples: Vec<f32>,
    },
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWav {
    /// Not RIFF/WAVE.
    #[error("not a WAV file (it has to begin with RIFF … WAVE)")]
    NotWav,
    /// No `fmt ` before the samples, or one too short.
    #[error("the WAV file has no usable format chunk")]
    NoFormat,
    /// No samples.
    #[error("the WAV file has no data chunk")]
    NoData,
    /// A format other than PCM, IEEE float, µ-law or A-law.
    #[error(
        "WAV format {format} with {bits} bits is not read; make it PCM: sox in.wav -b 16 -e signed out.wav"
    )]
    Format {
        /// The format tag.
        format: u16,
        /// Bits a sample.
        bits: u16,
    },
    /// A rate or channel count that no recording has.
    #[error("{channels} channels at {rate} Hz: a recording has 1 to 32 channels and 1000 to 768000 Hz")]
    Shape {
        /// Channels.
        channels: u16,
        /// Samples a second.
        rate: u32,
    },
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

/// Reads a WAV file: PCM of 8 to 32 bits, float of 32 or 64, µ-law, A-law; any rate and channel count.
/// A data size of 0, of 0xFFFFFFFF, or past the end means "until the end", as pipes write it.
///
/// # Errors
/// [`BadWav`], each saying what to do.
pub fn read(file: &[u8]) -> Result<Samples, BadWav> {
    if file.get(..4) != Some(b"RIFF") || file.get(8..12) != Some(b"WAVE") {
        return Err(BadWav::NotWav);
    }
    let mut format = None;
    let mut at = 12;
    while let (Some(id), Some(size)) = (file.get(at..at + 4), u32_at(file, at + 4)) {
        let start = at + 8;
        let end = start.saturating_add(size as usize).min(file.len());
        match id {
            b"fmt " => format = Some(Format::read(file.get(start..end).unwrap_or_default())?),
            b"data" => {
                let streamed = size == 0 || size == UNKNOWN_SIZE;
                let end = if streamed { file.len() } else { end };
                let data = file.get(start..end).unwrap_or_default();
                return format.ok_or(BadWav::NoFormat)?.samples(data);
            }
            _ => {}
        }
        at = start
            .saturating_add(size as usize)
            .saturating_add(size as usize & 1);
    }
    Err(if format.is_some() {
        BadWav::NoData
    } else {
        BadWav::NoFormat
    })
}

#[derive(Clone, Copy)]
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

impl Format {
    fn read(chunk: &[u8]) -> Result<Format, BadWav> {
        let parse = || {
            let mut tag = u16_at(chunk, 0)?;
            if tag == 0xfffe {
                tag = u16_at(chunk, 24)?;
            }
            Some(Format {
                tag,
                channels: u16_at(chunk, 2)?,
                rate: u32_at(chunk, 4)?,
                bits: u16_at(chunk, 14)?,
            })
        };
        let format = parse().ok_or(BadWav::NoFormat)?;
        let Format { channels, rate, .. } = format;
        if !(1..=32).contains(&channels) || !(1000..=768_000).contains(&rate) {
            return Err(BadWav::Shape { channels, rate });
        }
        Ok(format)
    }

    fn samples(self, data: &[u8]) -> Result<Samples, BadWav> {
        let Format {
            tag,
            channels,
            rate,
            bits,
        } = self;
        if tag == 7 && bits == 8 && channels == 1 && rate == super::SAMPLE_RATE {
            return Ok(Samples::Mulaw(data.to_vec()));
        }
        let one: fn(&[u8]) -> f32 = match (tag, bits) {
            (1, 8) => |b| (f32::from(byte(b, 0)) - 128.0) / 128.0,
            (1, 16) => |b| f32::from(i16::from_le_bytes([byte(b, 0), byte(b, 1)])) / 32_768.0,
            (1, 24) => {
                |b| i32::from_le_bytes([0, byte(b, 0), byte(b, 1), byte(b, 2)]) as f32 / 2_147_483_648.0
            }
            (1, 32) => |b| {
                i32::from_le_bytes([byte(b, 0), byte(b, 1), byte(b, 2), byte(b, 3)]) as f32 / 2_147_483_648.0
            },
            (3, 32) => |b| f32::from_le_bytes([byte(b, 0), byte(b, 1), byte(b, 2), byte(b, 3)]),
            (3, 64) => |b| f64::from_le_bytes(b.try_into().unwrap_or_default()) as f32,
            (6, 8) => |b| f32::from(alaw(byte(b, 0))) / 32_768.0,
            (7, 8) => |b| f32::from(g711::decode(byte(b, 0))) / 32_768.0,
            (format, bits) => return Err(BadWav::Format { format, bits }),
        };
        let width = usize::from(bits / 8);
        let samples = data
            .chunks_exact(width * usize::from(channels))
            .map(|all| {
                let sum: f32 = all.chunks_exact(width).map(one).filter(|s| s.is_finite()).sum();
                (sum / f32::from(channels)).clamp(-1.0, 1.0)
            })
            .collect();
        Ok(Samples::Linear { rate, samples })
    }
}

fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or_default()
}

/// G.711 A-law, which Europe's recordings use.
fn alaw(byte: u8) -> i16 {
    let a = byte ^ 0x55;
    let mantissa = i32::from(a & 0x0f) << 4;
    let t = match (a & 0x70) >> 4 {
        0 => mantissa + 8,
        segment => (mantissa + 0x108) << (segment - 1),
    };
    (if a & 0x80 != 0 { t } else { -t }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
        let mut wav = header(1, data.len() as u32).to_vec();
        wav.splice(20..22, tag.to_le_bytes());
        wav.splice(22..24, channels.to_le_bytes());
        wav.splice(24..28, rate.to_le_bytes());
        wav.splice(34..36, bits.to_le_bytes());
        wav.extend_from_slice(data);
        wav
    }

    #[test]
    fn the_header_is_the_one_everybody_reads() {
        let wav = header(2, 8);
        assert_eq!(&wav[..16], b"RIFF\x2c\0\0\0WAVEfmt ");
        assert_eq!(
            &wav[16..36],
            [
                16, 0, 0, 0, 1, 0, 2, 0, 0x40, 0x1f, 0, 0, 0, 0x7d, 0, 0, 4, 0, 16, 0
            ]
        );
        assert_eq!(&header(1, UNKNOWN_SIZE)[4..8], [0xff; 4]);
        assert_eq!(&header(1, UNKNOWN_SIZE)[40..], [0xff; 4]);
    }

    #[test]
    fn every_width_gives_the_same_sample() {
        let half = [
            file(1, 1, 8000, 8, &[192]),
            file(1, 1, 8000, 16, &0x4000i16.to_le_bytes()),
            file(1, 2, 8000, 16, &[0, 0x40, 0, 0x40]),
            file(1, 1, 8000, 24, &[0, 0, 0x40]),
            file(1, 1, 8000, 32, &[0, 0, 0, 0x40]),
            file(3, 1, 8000, 32, &0.5f32.to_le_bytes()),
            file(3, 1, 8000, 64, &0.5f64.to_le_bytes()),
        ];
        for wav in half {
            assert_eq!(
                read(&wav),
                Ok(Samples::Linear {
                    rate: 8000,
                    samples: vec![0.5]
                })
            );
        }
    }

    #[test]
    fn mulaw_is_taken_as_it_is_and_pipes_have_no_size() {
        assert_eq!(
            read(&file(7, 1, 8000, 8, &[0x7f, 0xff, 3])),
            Ok(Samples::Mulaw(vec![0x7f, 0xff, 3]))
        );
        let mut piped = header(1, UNKNOWN_SIZE).to_vec();
        piped.extend_from_slice(&[0, 0x40]);
        assert_eq!(
            read(&piped),
            Ok(Samples::Linear {
                rate: 8000,
                samples: vec![0.5]
            })
        );
        assert_eq!(read(b"RIFX"), Err(BadWav::NotWav));
        assert_eq!(
            read(&file(2, 1, 8000, 4, &[1])),
            Err(BadWav::Format { format: 2, bits: 4 })
        );
        assert!(matches!(
            read(&file(1, 0, 8000, 16, &[1])),
            Err(BadWav::Shape { .. })
        ));
    }

    proptest! {
        #[test]
        fn no_file_can_crash_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200), tag in 0u16..9, channels: u16, rate: u32, bits in 0u16..80, size: u32) {
            let _ = read(&bytes);
            let mut wav = file(tag, channels, rate, bits, &bytes);
            let _ = read(&wav);
            wav.splice(16..20, size.to_le_bytes());
            let _ = read(&wav);
            wav.splice(40..44, size.to_le_bytes());
            let _ = read(&wav);
        }
    }
}
