//! The devices that there are, and which of them a name means.

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{DeviceId, SupportedStreamConfigRange};

use super::super::DeviceInfo;
use super::why;

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

fn is_part(id: &str) -> bool {
    let id = id.split_once(':').map_or(id, |(_, id)| id);
    let kind = id.split_once(':').map_or(id, |(kind, _)| kind);
    PARTS.contains(&kind)
}

/// The devices that sound could go to, the default first. Opens each for a moment, and waits for it.
pub fn devices() -> Vec<DeviceInfo> {
    #[cfg(target_os = "linux")]
    let mut hush = super::super::hush::Hush::begin();
    let host = cpal::default_host();
    let default = host.default_output_device();
    let default_id = default.as_ref().and_then(|device| device.id().ok());
    let listed = host.devices().into_iter().flatten();
    let listed = listed.filter(|device| device.supports_output() && device.id().ok() != default_id);
    let all = default.into_iter().chain(listed);
    let known = all.filter_map(|device| Some((device.id().ok()?, device)));
    known
        .filter(|(id, _)| !is_part(&id.to_string()))
        .map(|(id, device)| {
            let offers = match device.supported_output_configs() {
                Ok(offers) => Ok(told(&offers.collect::<Vec<_>>())),
                #[cfg(target_os = "linux")]
                Err(error) => Err(why(&error, &hush.said())),
                #[cfg(not(target_os = "linux"))]
                Err(error) => Err(why(&error, "")),
            };
            #[cfg(target_os = "linux")]
            hush.forget();
            DeviceInfo {
                default: Some(&id) == default_id.as_ref(),
                id: id.to_string(),
                name: device.to_string(),
                offers,
            }
        })
        .collect()
}

/// What is offered, in a few words.
fn told(offers: &[SupportedStreamConfigRange]) -> String {
    let span = |least: Option<u32>, most: Option<u32>, what: &str| match (least, most) {
        (Some(least), Some(most)) if least == most => format!("{least} {what}"),
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
        (id, device.to_string())
    });
    let at = meant(&names.collect::<Vec<_>>(), wanted)?;
    all.into_iter().nth(at)
}

/// The best of these ids and names: the id, then the name, then a name that has it somewhere.
fn meant(names: &[(String, String)], wanted: &str) -> Option<usize> {
    let wanted = wanted.trim().to_lowercase();
    let is = |id: &str| {
        let id = id.to_lowercase();
        id == wanted || id.split_once(':').is_some_and(|(_, id)| id == wanted)
    };
    let by_id = names.iter().position(|(id, _)| is(id));
    let named = || names.iter().position(|(_, name)| name.to_lowercase() == wanted);
    let partly = || {
        let mut holding = names.iter().map(|(_, name)| name.to_lowercase());
        holding.position(|name| name.contains(&wanted))
    };
    if wanted.is_empty() {
        return None;
    }
    by_id.or_else(named).or_else(partly)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_meant_before_a_name_and_a_whole_name_before_a_part() {
        let names = [
            ("alsa:default", "Default Audio Device"),
            ("alsa:hw:CARD=USB,DEV=0", "USB Headset, USB Audio"),
            ("alsa:pulse", "PulseAudio Sound Server"),
            ("alsa:headset", "Default"),
        ];
        let names = names.map(|(id, name)| (id.to_owned(), name.to_owned()));
        let meant = |wanted| meant(&names, wanted);
        assert_eq!(meant("alsa:pulse"), Some(2));
        assert_eq!(meant("hw:CARD=USB,DEV=0"), Some(1));
        assert_eq!(meant("default"), Some(0), "the id of one, the name of another");
        assert_eq!(meant("usb headset, usb audio"), Some(1));
        assert_eq!(meant("sound server"), Some(2));
        assert_eq!(meant("headset"), Some(3));
        assert_eq!((meant("bluetooth"), meant(" ")), (None, None));
    }

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
