//! Real sound cards, by `cpal`: finds the one that is meant, chooses what to play in, opens it. On Linux that
//! is ALSA, which reaches PipeWire and PulseAudio by their own plugins. The callbacks are here and do nothing
//! but call [`Output::fill`] and count.

mod choice;
mod list;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, ErrorKind, SampleFormat, SizedSample, StreamConfig};

use super::super::output::{Health, Line, Output, Sample, pair};
use super::super::player::Settings;
use super::{Backend, Opened};

pub use list::devices;

/// What is asked for at once, a part of a second: 20 ms. Through PulseAudio's and PipeWire's plugins shorter
/// periods lose audio now and then without a word, and longer ones are only delay.
const PERIODS_A_SECOND: u32 = 50;

/// How long the audio thread is held when the device reports a fault: servers that went away make it report
/// the same one for ever, at a full core.
const FAULT_PAUSE: Duration = Duration::from_millis(5);

/// Faults in a row, without a callback between, after which the device is given up.
const FAULTS: u32 = 100;

/// The devices of this machine, as a [`Backend`].
pub(crate) struct Card {
    settings: Settings,
    host: cpal::Host,
    #[cfg(target_os = "linux")]
    hush: super::hush::Hush,
}

impl Card {
    /// For the thread that calls it.
    pub(crate) fn new(settings: Settings) -> Card {
        Card {
            settings,
            #[cfg(target_os = "linux")]
            hush: super::hush::Hush::begin(),
            host: cpal::default_host(),
        }
    }

    fn find(&self) -> Result<cpal::Device, String> {
        let Some(wanted) = &self.settings.device else {
            let device = self.host.default_output_device();
            return device.ok_or_else(|| "no sound device".to_owned());
        };
        list::find(&self.host, wanted)
            .ok_or_else(|| format!("no device called {wanted}: `partyline devices` lists them"))
    }

    /// A person's word for what went wrong, and no more of what ALSA said about it.
    fn explain(&mut self, error: &cpal::Error) -> String {
        #[cfg(target_os = "linux")]
        let said = {
            let said = self.hush.said();
            self.hush.forget();
            said
        };
        #[cfg(not(target_os = "linux"))]
        let said = String::new();
        why(error, &said)
    }

    fn attempt(&self, clock: Instant) -> Result<Opened<cpal::Stream>, Fault> {
        let device = self.find().map_err(Fault::Said)?;
        let offers: Vec<_> = device.supported_output_configs()?.collect();
        let choice = choice::choose(&offers, self.settings.rate).map_err(Fault::Said)?;
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
        Ok(Opened { stream, name, line })
    }
}

impl Backend for Card {
    type Stream = cpal::Stream;

    fn probe(&mut self) -> Result<String, String> {
        let device = self.find()?;
        match device.default_output_config() {
            Ok(_) => Ok(device.to_string()),
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn open(&mut self, clock: Instant) -> Result<Opened<cpal::Stream>, String> {
        self.attempt(clock).map_err(|fault| match fault {
            Fault::Said(why) => why,
            Fault::Device(error) => self.explain(&error),
        })
    }
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
        ErrorKind::Xrun => {
            health.xruns.fetch_add(1, Relaxed);
        }
        ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated => health.dead.store(true, Relaxed),
        // It plays on: elsewhere, or with less of a hurry.
        ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
        _ => {
            if health.faults.fetch_add(1, Relaxed) >= FAULTS {
                health.dead.store(true, Relaxed);
            }
            std::thread::park_timeout(FAULT_PAUSE);
        }
    }
}

/// Why there is no sound, for a person. `said` is what the system's library wrote meanwhile.
fn why(error: &cpal::Error, said: &str) -> String {
    let both = format!("{error}\n{said}");
    let server = ["Connection refused", "Host is down", "Unable to connect"];
    let text = match error.kind() {
        _ if server.iter().any(|text| both.contains(text)) => "the sound server does not answer",
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => "no sound device",
        ErrorKind::DeviceBusy => "the device is in use by another program",
        ErrorKind::PermissionDenied => "this user may not use the sound device",
        ErrorKind::UnsupportedConfig | ErrorKind::UnsupportedOperation => "the device plays nothing of ours",
        ErrorKind::ResourceExhausted => "the system has no room for another sound stream",
        _ => return format!("the device cannot be opened: {error}"),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests;
