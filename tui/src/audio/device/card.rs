//! Real sound cards, by `cpal`: finds the one that is meant, chooses what to play in, opens it. On Linux that
//! is ALSA, which reaches PipeWire and PulseAudio by their own plugins. The callbacks are here and do nothing
//! but call [`Output::fill`] and count.
//!
//! Whatever may hang is an [`Errand`]; the library's own words about it are kept off the terminal there.

mod choice;
mod list;
mod standard;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{BufferSize, ErrorKind, SampleFormat, SizedSample, StreamConfig};

use super::super::output::{Health, Line, Output, Sample, pair};
use super::super::player::Settings;
use super::errand::{Errand, Waited};
#[cfg(target_os = "linux")]
use super::hush::Hush;
use super::{Backend, Opened};
use standard::Standard;

pub use list::devices;

/// What is asked for at once, a part of a second: 20 ms. Through PulseAudio's and PipeWire's plugins shorter
/// periods lose audio now and then without a word, and longer ones are only delay.
const PERIODS_A_SECOND: u32 = 50;

/// How long the audio thread is held when the device reports a fault: servers that went away make it report
/// the same one for ever, at a full core.
const FAULT_PAUSE: Duration = Duration::from_millis(5);

/// Faults in a row, without a callback between, after which the device is given up.
const FAULTS: u32 = 100;

/// How long opening may take before it is told that nobody answers: a device takes ms, one that sleeps or is far
/// away a second. It is waited for all the same.
const OPENING: Duration = Duration::from_secs(2);

/// How long closing is waited for: it takes 1 or 2 ms, unless the device hangs.
const CLOSING: Duration = Duration::from_millis(150);

/// Why there is no sound where the library does not come back.
const SILENT: &str = "the sound server does not answer";

/// The devices of this machine, as a [`Backend`].
pub(crate) struct Card {
    settings: Settings,
    /// What the default was when it was opened last.
    standard: Option<Standard>,
    /// What is being opened and has not come back.
    opening: Option<Errand<Result<Opened<Playing>, String>>>,
}

/// What plays as long as it is held.
pub(crate) struct Playing(Option<cpal::Stream>);

impl Drop for Playing {
    /// Closing waits for the audio thread, and that for a device that may hang.
    fn drop(&mut self) {
        let stream = self.0.take();
        let closing = Errand::start(move || quietly(|_| drop(stream)));
        let _ = closing.wait(CLOSING);
    }
}

impl Card {
    pub(crate) fn new(settings: Settings) -> Card {
        Card {
            settings,
            standard: None,
            opening: None,
        }
    }
}

impl Backend for Card {
    type Stream = Playing;

    fn probe(&mut self) -> Result<String, String> {
        let wanted = self.settings.device.clone();
        let looking = Errand::start(move || {
            quietly(|hush| {
                let device = find(wanted.as_deref())?;
                let can = device.default_output_config().map(|_| device.to_string());
                can.map_err(|error| why(&error, &hush.said()))
            })
        });
        match looking.wait(OPENING) {
            Waited::Done(found) => found,
            Waited::NotYet(_) | Waited::Failed => Err(SILENT.to_owned()),
        }
    }

    fn open(&mut self, clock: Instant) -> Result<Opened<Playing>, String> {
        let opening = self.opening.take().unwrap_or_else(|| {
            let settings = self.settings.clone();
            self.standard = settings.device.is_none().then(Standard::now);
            Errand::start(move || {
                quietly(|hush| {
                    attempt(&settings, clock).map_err(|fault| match fault {
                        Fault::Said(why) => why,
                        Fault::Device(error) => why(&error, &hush.said()),
                    })
                })
            })
        });
        match opening.wait(OPENING) {
            Waited::Done(opened) => opened,
            Waited::NotYet(opening) => {
                self.opening = Some(opening);
                Err(SILENT.to_owned())
            }
            Waited::Failed => Err("the device cannot be opened".to_owned()),
        }
    }

    fn choose(&mut self, device: Option<String>) {
        self.settings.device = device;
    }

    fn has_moved(&mut self) -> bool {
        self.standard
            .as_ref()
            .is_some_and(|standard| *standard != Standard::now())
    }

    fn rest(&mut self) {
        self.opening = None;
    }
}

/// Keeps what the library says to this thread meanwhile.
fn quietly<T>(work: impl FnOnce(&Hush) -> T) -> T {
    work(&Hush::begin())
}

/// Libraries of other systems say nothing.
#[cfg(not(target_os = "linux"))]
struct Hush;

#[cfg(not(target_os = "linux"))]
impl Hush {
    fn begin() -> Hush {
        Hush
    }

    fn said(&self) -> String {
        String::new()
    }
}

/// The system's own host. Made for each use: where nothing plays it reads the system's configuration anew.
fn host() -> Result<cpal::Host, cpal::Error> {
    let known = cpal::available_hosts().into_iter().next();
    cpal::host_from_id(known.ok_or_else(|| cpal::Error::new(ErrorKind::HostUnavailable))?)
}

/// The device of this name or id, or the default one; or why there is none.
fn find(wanted: Option<&str>) -> Result<cpal::Device, String> {
    use cpal::traits::HostTrait;
    let host = host().map_err(|_| "the system's sound configuration cannot be read".to_owned())?;
    match wanted {
        None => host
            .default_output_device()
            .ok_or_else(|| "no sound device".to_owned()),
        Some(wanted) => list::find(&host, wanted)
            .ok_or_else(|| format!("no device called {wanted}: `partyline devices` lists them")),
    }
}

fn attempt(settings: &Settings, clock: Instant) -> Result<Opened<Playing>, Fault> {
    let device = find(settings.device.as_deref()).map_err(Fault::Said)?;
    let offers: Vec<_> = device.supported_output_configs()?.collect();
    let choice = choice::choose(&offers, settings.rate).map_err(Fault::Said)?;
    let period = choice.rate / PERIODS_A_SECOND;
    let (stream, mut line) = match build(&device, choice, BufferSize::Fixed(period), clock) {
        Err(error) if error.kind() == ErrorKind::UnsupportedConfig => {
            build(&device, choice, BufferSize::Default, clock)?
        }
        built => built?,
    };
    stream.play()?;
    if let Ok(period @ 1..) = stream.buffer_size() {
        line.period = period as usize;
    }
    let name = device.to_string();
    let stream = Playing(Some(stream));
    Ok(Opened { stream, name, line })
}

enum Fault {
    /// Said as a person reads it.
    Said(String),
    Device(cpal::Error),
}

impl From<cpal::Error> for Fault {
    fn from(error: cpal::Error) -> Fault {
        Fault::Device(error)
    }
}

fn build(
    device: &cpal::Device,
    choice: choice::Choice,
    buffer_size: BufferSize,
    clock: Instant,
) -> Result<(cpal::Stream, Line), cpal::Error> {
    let config = StreamConfig {
        channels: choice.channels,
        sample_rate: choice.rate,
        buffer_size,
    };
    let period = match buffer_size {
        BufferSize::Fixed(frames) => frames,
        // Whatever the system likes: half a second is more than any that still deserves to be called live.
        BufferSize::Default => choice.rate / 2,
    };
    let (output, line) = pair(choice.rate, period as usize, clock);
    let stream = match choice.format {
        SampleFormat::F32 => open::<f32>(device, config, output),
        SampleFormat::I16 => open::<i16>(device, config, output),
        SampleFormat::I32 => open::<i32>(device, config, output),
        SampleFormat::I24 => open::<cpal::I24>(device, config, output),
        SampleFormat::F64 => open::<f64>(device, config, output),
        SampleFormat::U16 => open::<u16>(device, config, output),
        SampleFormat::U32 => open::<u32>(device, config, output),
        SampleFormat::I8 => open::<i8>(device, config, output),
        SampleFormat::U8 => open::<u8>(device, config, output),
        _ => Err(cpal::Error::new(ErrorKind::UnsupportedConfig)),
    };
    Ok((stream?, line))
}

impl Sample for cpal::I24 {
    fn from_f32(sample: f32) -> cpal::I24 {
        cpal::I24::new_unchecked(i32::from_f32(sample) >> 8)
    }
}

fn open<S: SizedSample + Sample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut output: Output,
) -> Result<cpal::Stream, cpal::Error> {
    let health = output.health();
    let channels = usize::from(config.channels);
    device.build_output_stream::<S, _, _>(
        config,
        move |out: &mut [S], _| output.fill(out, channels),
        move |error| on_fault(&health, error.kind()),
        None,
    )
}

/// What the system reports, on the audio thread and perhaps thousands of times a second.
fn on_fault(health: &Arc<Health>, kind: ErrorKind) {
    match kind {
        ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated => health.dead.store(true, Relaxed),
        // It plays on: elsewhere, or with less of a hurry.
        ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
        _ => {
            let before = health.faults.fetch_add(1, Relaxed);
            let is_underrun = kind == ErrorKind::Xrun;
            if is_underrun {
                health.xruns.fetch_add(1, Relaxed);
            }
            if before >= FAULTS {
                health.dead.store(true, Relaxed);
            }
            // One that ran dry is to play on at once, unless it never does.
            if !is_underrun || before > 0 {
                std::thread::park_timeout(FAULT_PAUSE);
            }
        }
    }
}

/// Why there is no sound, for a person. `said` is what the system's library wrote meanwhile.
fn why(error: &cpal::Error, said: &str) -> String {
    let whole = error.to_string();
    let has = |text: &str| whole.contains(text) || said.contains(text);
    let text = match error.kind() {
        _ if ["Connection refused", "Host is down", "Unable to connect"]
            .iter()
            .any(|text| has(text)) =>
        {
            SILENT
        }
        // What a sound server says that has no card.
        ErrorKind::BackendError if has("snd_pcm_hw_params") && has("I/O error") => {
            "there is no sound card behind the device"
        }
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => "no sound device",
        ErrorKind::DeviceBusy => "the device is in use by another program",
        ErrorKind::PermissionDenied => "this user may not use the sound device",
        ErrorKind::UnsupportedConfig | ErrorKind::UnsupportedOperation => "the device plays nothing of ours",
        ErrorKind::ResourceExhausted => "the system has no room for another sound stream",
        _ => return format!("the device cannot be opened: {}", gist(&whole)),
    };
    text.to_owned()
}

/// Of `ALSA function 'snd_pcm_open' failed with error 'I/O error (5)'` what is of use to people.
fn gist(whole: &str) -> &str {
    let inner = whole.split_once("failed with error '").map(|(_, inner)| inner);
    inner.map_or(whole, |inner| inner.trim_end_matches('\''))
}

#[cfg(test)]
mod tests;
