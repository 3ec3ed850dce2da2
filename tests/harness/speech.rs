//! Recorded people: the WAV files of Debian's `asterisk-core-sounds-en-wav`, 8 kHz, 16 bits, mono. `sox`
//! turns them into what a story sends, and what a story heard into samples: the second opinion beside our
//! own G.711. All of it repeats exactly (`-D`: no dither).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the package puts them, in a folder for each voice.
const FOLDER: &str = "/usr/share/asterisk/sounds";

/// Half a minute and more of one woman, the longest recordings of the package.
pub const LONG: [&str; 3] = ["demo-instruct", "priv-callee-options", "demo-congrats"];
/// One to sixteen seconds each, of the same.
pub const SHORT: [&str; 4] = ["demo-thanks", "agent-alreadyon", "vm-goodbye", "demo-abouttotry"];

/// The file of one recording, e.g. `demo-congrats`.
pub fn file(name: &str) -> PathBuf {
    let voices = std::fs::read_dir(FOLDER).into_iter().flatten().flatten();
    voices
        .map(|voice| voice.path().join(format!("{name}.wav")))
        .filter(|path| path.is_file())
        .min() // the order of a folder is chance
        .unwrap_or_else(|| {
            panic!(
                "there is no recording {name}.wav below {FOLDER}: run `make test` once, which installs \
                 what the tests need (Debian package asterisk-core-sounds-en-wav)"
            )
        })
}

/// One recording as µ-law bytes, 8 kHz.
pub fn mulaw(name: &str) -> Vec<u8> {
    sox(
        &[
            file(name).to_string_lossy().as_ref(),
            "-t",
            "ul",
            "-r",
            "8000",
            "-c",
            "1",
            "-",
        ],
        &[],
    )
}

/// A piece of one recording as µ-law bytes: exactly `millis` of it from `start_ms` on.
pub fn piece(name: &str, start_ms: usize, millis: usize) -> Vec<u8> {
    let all = mulaw(name);
    let piece = all.get(start_ms * 8..(start_ms + millis) * 8);
    piece
        .unwrap_or_else(|| panic!("{name} has only {} ms", all.len() / 8))
        .to_vec()
}

/// One recording as a WAV file of another shape, made at `into`: e.g. `(44_100, 2, 24)` is 44.1 kHz,
/// stereo, 24 bits.
pub fn wav(name: &str, (rate, channels, bits): (u32, u16, u16), into: &Path) {
    let (rate, channels, bits) = (rate.to_string(), channels.to_string(), bits.to_string());
    let (from, into) = (file(name), into.to_string_lossy());
    let from = from.to_string_lossy();
    sox(
        &[
            from.as_ref(),
            "-r",
            &rate,
            "-c",
            &channels,
            "-b",
            &bits,
            "-e",
            "signed",
            into.as_ref(),
        ],
        &[],
    );
}

/// What `sox` decodes µ-law to: 16-bit samples.
pub fn decoded(mulaw: &[u8]) -> Vec<i16> {
    let raw = ["-t", "ul", "-r", "8000", "-c", "1", "-", "-t", "s16", "-L", "-"];
    samples(&sox(&raw, mulaw))
}

/// The samples of one channel (1 or 2) of a WAV file, as `sox` reads it; a size of 0xFFFFFFFF is no fault.
pub fn channel(wav: &[u8], channel: usize) -> Vec<i16> {
    let read = [
        "--ignore-length",
        "-t",
        "wav",
        "-",
        "-t",
        "s16",
        "-L",
        "-",
        "remix",
        &channel.to_string(),
    ];
    samples(&sox(&read, wav))
}

fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|&pair| i16::from_le_bytes(pair))
        .collect()
}

/// Runs `sox` with these arguments and this input; gives what it writes to stdout.
pub fn sox(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("sox")
        .args(["-D", "-V1"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("sox cannot be run ({e}): run `make test` once, which installs it"));
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let out = std::thread::scope(|scope| {
        // It may end before it has read all; that shows in its exit code, if it matters.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().expect("a child can be waited for")
    });
    let why = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "sox {}: {why}", args.join(" "));
    out.stdout
}

#[cfg(test)]
mod tests {
    use partyline_shared::audio::{g711, wav as our_wav};

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn every_recording_is_there_and_is_speech() {
        for name in LONG {
            assert!(mulaw(name).len() > 25 * 8000, "{name}");
        }
        for name in SHORT {
            let len = mulaw(name).len();
            assert!((6000..16 * 8000).contains(&len), "{name}: {len}");
        }
        let piece = piece(LONG[0], 1000, 500);
        assert_eq!((piece.len(), &piece[..]), (4000, &mulaw(LONG[0])[8000..12_000]));
        let loudest = decoded(&piece).into_iter().map(i16::unsigned_abs).max();
        assert!(loudest > Some(1000), "{loudest:?}");
    }

    #[test]
    fn sox_and_our_table_decode_the_same() {
        let all: Vec<u8> = (0..=255).collect();
        let ours: Vec<i16> = all.iter().map(|&byte| g711::decode(byte)).collect();
        assert_eq!(decoded(&all), ours);
    }

    #[test]
    fn channels_come_apart_whatever_the_length_says() {
        let mut file = our_wav::header(2, our_wav::UNKNOWN_SIZE).to_vec();
        for pair in [[1i16, -1], [2, -2], [3, -3]] {
            file.extend(pair.iter().flat_map(|sample| sample.to_le_bytes()));
        }
        assert_eq!(
            (channel(&file, 1), channel(&file, 2)),
            (vec![1, 2, 3], vec![-1, -2, -3])
        );
    }

    #[test]
    fn other_shapes_are_made() {
        let scratch = Scratch::new();
        let path = scratch.file("x.wav");
        wav(SHORT[0], (44_100, 2, 24), &path);
        let our_wav::Samples::Linear { rate, samples } =
            our_wav::read(&std::fs::read(path).unwrap()).unwrap()
        else {
            panic!("PCM was asked for")
        };
        assert_eq!(rate, 44_100);
        let (made, meant) = (samples.len() / 441, mulaw(SHORT[0]).len() / 80);
        assert!(made.abs_diff(meant) <= 1, "{made} and {meant} steps of 10 ms");
    }
}
