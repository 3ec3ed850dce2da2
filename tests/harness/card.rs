//! A sound card for a machine that has none: ALSA's own `file` device, writing into a FIFO of which a thread
//! here reads as many samples a second as a card would play. What it reads is, bit for bit, what the program
//! gave to ALSA, its silences included.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use rustix::pipe::fcntl_setpipe_size;

use crate::scratch::Scratch;

/// The card's own buffer, bytes: 21 ms of 48 kHz, as a small one has.
const BUFFER: usize = 4096;
/// Bytes of a frame: two sides of 16 bits.
const FRAME: usize = 4;
/// Frames read at once: 5 ms of 48 kHz.
const STEP: usize = 240;
/// How soon it looks again where nothing was there.
const LOOK: Duration = Duration::from_millis(1);
/// A card does not make up for time in which nobody played: after so long a gap the pace begins anew.
const GAP: Duration = Duration::from_millis(50);

/// What was played, left and right.
#[derive(Debug, Clone)]
pub struct Captured {
    /// Samples a second.
    pub rate: u32,
    /// Frames, from the first that the program gave.
    pub frames: Vec<[i16; 2]>,
}

impl Captured {
    /// One side: 0 is left, 1 right; full scale is 1.
    pub fn side(&self, side: usize) -> Vec<f32> {
        let samples = self.frames.iter().map(|frame| f32::from(frame[side]) / 32_768.0);
        samples.collect()
    }
}

/// The card; it plays from [`Card::start`] on.
pub struct Card {
    scratch: Scratch,
    config: PathBuf,
    rate: u32,
    kept: Arc<Mutex<Vec<[i16; 2]>>>,
    stop: Option<SyncSender<()>>,
    reader: Option<JoinHandle<()>>,
}

impl Card {
    /// Plugs in a card of `rate` samples a second whose clock runs fast by so many millionths.
    pub fn start(rate: u32, ppm: f64) -> Card {
        let scratch = Scratch::new();
        let fifo = scratch.file("card");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO can be made");
        // For both ways: whoever plays waits for no reader, and the reader sees no end between two of them.
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let pipe = open(&fifo, flags, Mode::empty()).expect("the FIFO can be opened");
        fcntl_setpipe_size(&pipe, BUFFER).expect("the FIFO can be made small");
        let config = scratch.write("asound.conf", config(&fifo, rate));
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = sync_channel(1);
        let into = kept.clone();
        let pace = f64::from(rate) * (1.0 + ppm / 1e6);
        let reader = std::thread::spawn(move || {
            let mut clock = Clock { begun: None, pace };
            let mut pipe = File::from(pipe);
            let mut wait = Duration::ZERO;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = clock.after(read(&mut pipe, &into));
            }
            while read(&mut pipe, &into) > 0 {}
        });
        Card {
            scratch,
            config,
            rate,
            kept,
            stop: Some(stop),
            reader: Some(reader),
        }
    }

    /// What a program that is to play here has in its environment.
    pub fn env(&self) -> (&'static str, &str) {
        let config = self.config.to_str().expect("a scratch path is text");
        ("ALSA_CONFIG_PATH", config)
    }

    /// Frames played so far.
    pub fn played(&self) -> usize {
        self.kept.lock().unwrap().len()
    }

    /// Frames of speech played so far: louder than 0.3 % of full scale.
    pub fn loud(&self) -> usize {
        let kept = self.kept.lock().unwrap();
        let is_loud = |frame: &&[i16; 2]| frame.iter().any(|sample| sample.unsigned_abs() > 100);
        kept.iter().filter(is_loud).count()
    }

    /// Unplugs it, once no program plays here any more; gives all that was played.
    pub fn stop(mut self) -> Captured {
        self.end();
        Captured {
            rate: self.rate,
            frames: std::mem::take(&mut self.kept.lock().unwrap()),
        }
    }

    fn end(&mut self) {
        self.stop = None;
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the card's thread ends well");
        }
    }

    /// Its folder, for what a story wants beside it.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// ALSA's configuration with this card as its default; the variable replaces the system's own, hence the
/// first line.
fn config(fifo: &Path, rate: u32) -> String {
    let fifo = fifo.display();
    format!(
        r#"</usr/share/alsa/alsa.conf>
pcm.!default {{
    type plug
    slave {{ pcm "card" format S16_LE channels 2 rate {rate} }}
    hint {{ show on description "The tests' card" }}
}}
pcm.card {{ type file slave.pcm "null" file "{fifo}" format "raw" }}
"#
    )
}

/// Reads at most a step; gives the frames of it.
fn read(pipe: &mut File, into: &Mutex<Vec<[i16; 2]>>) -> usize {
    let mut bytes = [0; STEP * FRAME];
    let count = match pipe.read(&mut bytes) {
        Ok(count) => count,
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        Err(error) => panic!("the card's FIFO cannot be read: {error}"),
    };
    // ALSA writes whole periods, and a pipe holds a whole number of frames.
    assert_eq!(count % FRAME, 0, "half a frame was written");
    let frames = bytes[..count].as_chunks::<FRAME>().0.iter();
    let frames = frames.map(|&[a, b, c, d]| [i16::from_le_bytes([a, b]), i16::from_le_bytes([c, d])]);
    into.lock().unwrap().extend(frames);
    count / FRAME
}

/// The card's clock: how long the next read is away.
struct Clock {
    /// When the pace began, and frames since.
    begun: Option<(Instant, usize)>,
    pace: f64,
}

impl Clock {
    fn after(&mut self, frames: usize) -> Duration {
        let now = Instant::now();
        if frames == 0 {
            return LOOK;
        }
        let due = |begun: Instant, played: usize| begun + Duration::from_secs_f64(played as f64 / self.pace);
        let (begun, played) = match self.begun {
            Some((begun, played)) if now.saturating_duration_since(due(begun, played)) <= GAP => {
                (begun, played)
            }
            _ => (now, 0),
        };
        let played = played + frames;
        self.begun = Some((begun, played));
        due(begun, played).saturating_duration_since(now)
    }
}
