//! The devices that there are, and which of them a name means.

use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{DeviceId, SupportedStreamConfigRange};

use super::super::DeviceInfo;
use super::super::errand::{Errand, Waited};
use super::{host, quietly, why};
use crate::event::meant;

/// How long a device is waited for that is asked what it offers: one takes ms, a server that sleeps a second.
const ANSWER: Duration = Duration::from_secs(2);

/// Parts that ALSA builds devices of and lists among them: nobody hears anything through them, and some are
/// slow to say so.
const PARTS: [&str; 11] = [
    "null",
    "jack",
    "oss",
    "lavrate",
    "samplerate",
    "speexrate",
    "speex",
    "upmix",
    "vdownmix",
    "usbstream",
    "dsnoop",
];

/// The most samples a second that any card takes, and more than anybody has channels.
const FASTEST: u32 = 768_000;

fn is_part(id: &str) -> bool {
    let id = id.split_once(':').map_or(id, |(_, id)| id);
    let kind = id.split_once(':').map_or(id, |(kind, _)| kind);
    PARTS.contains(&kind)
}

/// A device that was found and not opened.
struct Found {
    device: cpal::Device,
    id: String,
    is_default: bool,
}

/// The devices that sound could go to, the default first. Opens each for a moment, and waits for it: seconds at
/// most, since behind one that does not answer no further one is asked.
pub fn devices() -> Vec<DeviceInfo> {
    let found = Errand::start(|| quietly(|_| found()));
    let Waited::Done(found) = found.wait(ANSWER) else {
        return Vec::new();
    };
    let mut hangs = false;
    let ask = |found: Found| {
        let (id, name) = (found.id, found.device.to_string());
        let offers = if hangs {
            // The library opens one at a time.
            Err("not asked, since another one does not answer".to_owned())
        } else {
            let asked = Errand::start(move || quietly(|hush| offers(&found.device, hush)));
            match asked.wait(ANSWER) {
                Waited::Done(offers) => offers,
                Waited::NotYet(_) | Waited::Failed => {
                    hangs = true;
                    Err("it does not answer".to_owned())
                }
            }
        };
        DeviceInfo {
            default: found.is_default,
            id,
            name,
            offers,
        }
    };
    found.into_iter().map(ask).collect()
}

fn found() -> Vec<Found> {
    let Ok(host) = host() else {
        return Vec::new();
    };
    let default = host.default_output_device();
    let default_id = default.as_ref().and_then(|device| device.id().ok());
    let listed = host.devices().into_iter().flatten();
    let listed = listed.filter(|device| device.supports_output() && device.id().ok() != default_id);
    let all = default.into_iter().chain(listed);
    let found = all.filter_map(|device| {
        let id = device.id().ok()?;
        Some(Found {
            is_default: Some(&id) == default_id.as_ref(),
            id: id.to_string(),
            device,
        })
    });
    found.filter(|found| !is_part(&found.id)).collect()
}

fn offers(device: &cpal::Device, hush: &super::Hush) -> Result<String, String> {
    match device.supported_output_configs() {
        Ok(offers) => Ok(told(&offers.collect::<Vec<_>>())),
        Err(error) => Err(why(&error, &hush.said())),
    }
}

/// What is offered, in a few words.
fn told(offers: &[SupportedStreamConfigRange]) -> String {
    let span = |least: Option<u32>, most: Option<u32>, what: &str| match (least, most) {
        (Some(least), Some(most)) if least == most => format!("{least} {what}"),
        // A plugin that converts to anything says so by a number that is none.
        (Some(least), Some(most)) if most > FASTEST => format!("{least} {what} and more"),
        (Some(least), Some(most)) => format!("{least}-{most} {what}"),
        _ => format!("no {what}"),
    };
    let rates = span(
        offers.iter().map(|offer| offer.min_sample_rate()).min(),
        offers.iter().map(|offer| offer.max_sample_rate()).max(),
        "Hz",
    );
    let channels = offers.iter().map(|offer| u32::from(offer.channels()));
    let channels = span(channels.clone().min(), channels.max(), "channels");
    format!("{rates}, {channels}")
}

/// What `--device` means: an id with or without its `alsa:`, or a name, or a part of one.
pub(super) fn find(host: &cpal::Host, wanted: &str) -> Option<cpal::Device> {
    if let Ok(id) = wanted.parse::<DeviceId>()
        && let Some(device) = host.device_by_id(&id)
    {
        return Some(device);
    }
    let default = host.default_output_device();
    let listed = host.devices().into_iter().flatten();
    let listed = listed.filter(|device| device.supports_output());
    let all: Vec<_> = default.into_iter().chain(listed).collect();
    let names = all.iter().map(|device| {
        let id = device.id().map(|id| id.to_string()).unwrap_or_default();
        // Who wants one of those says its id: a part of a name means what can be heard.
        let name = if is_part(&id) {
            String::new()
        } else {
            device.to_string()
        };
        (id, name)
    });
    let at = meant(&names.collect::<Vec<_>>(), wanted)?;
    all.into_iter().nth(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_no_devices() {
        for id in ["alsa:null", "alsa:jack", "alsa:usbstream:CARD=PCH"] {
            assert!(is_part(id), "{id}");
        }
        for id in [
            "alsa:default",
            "alsa:pulse",
            "alsa:pipewire",
            "alsa:hw:CARD=PCH,DEV=0",
        ] {
            assert!(!is_part(id), "{id}");
        }
    }
}
