//! `partyline devices`: the sound cards, and what to do where there is none.

use serde_json::json;

use partyline_shared::text::clean;

use crate::audio::device::{DeviceInfo, devices};
use crate::event::meant;
use crate::failure::Failure;
use crate::print::{Lines, note};

/// What helps where no card can be opened.
const NONE: &str = if cfg!(not(feature = "device")) {
    "this program was built without sound (cargo feature `device`); everything but the loudspeaker works"
} else if cfg!(target_os = "linux") {
    "no sound device can be opened: is a card there (aplay -l), is the sound server running, and may this user \
     use it (group audio)? Through PulseAudio or PipeWire it takes their ALSA plugins (Debian: libasound2-plugins, \
     pipewire-alsa)"
} else {
    "no sound device can be opened: is one plugged in, and chosen in the system's settings?"
};

pub(super) fn run(as_json: bool) -> Result<(), Failure> {
    let mut out = Lines::stdout();
    let devices = devices();
    for device in &devices {
        if as_json {
            let (offers, trouble) = (device.offers.as_ref().ok(), device.offers.as_ref().err());
            out.json(
                &json!({"id": device.id, "name": device.name, "default": device.default,
                "offers": offers, "trouble": trouble}),
            )?;
        } else {
            out.text(&text(device))?;
        }
    }
    if !devices.iter().any(|device| device.offers.is_ok()) {
        note(NONE);
    }
    Ok(())
}

/// A device as a line; the system's default has a star.
fn text(device: &DeviceInfo) -> String {
    let mark = if device.default { '*' } else { ' ' };
    let offers = match &device.offers {
        Ok(offers) => offers.clone(),
        Err(why) => format!("cannot be opened: {why}"),
    };
    clean(&format!("{mark} {:<28} {}: {offers}", device.id, device.name))
}

/// Where sound would go now, in a word, or why nowhere.
pub(super) fn summary(wanted: Option<&str>) -> Result<String, String> {
    let devices = devices();
    let meant = match wanted {
        Some(wanted) => {
            let names = devices
                .iter()
                .map(|device| (device.id.clone(), device.name.clone()));
            meant(&names.collect::<Vec<_>>(), wanted).and_then(|at| devices.get(at))
        }
        None => devices.iter().find(|device| device.default),
    };
    let name = |device: &DeviceInfo| format!("{} ({})", device.name, device.id);
    let said = match (meant, wanted) {
        (Some(device), _) => match &device.offers {
            Ok(offers) => Ok(format!("{}: {offers}", name(device))),
            // What to do about it begins with the same words.
            Err(why) if NONE.starts_with(why.as_str()) => Err(format!("{}: {NONE}", name(device))),
            Err(why) => Err(format!("{}: {why}; {NONE}", name(device))),
        },
        (None, Some(wanted)) => Err(format!(
            "there is no device {wanted:?}; `partyline devices` lists those there are"
        )),
        (None, None) => Err(NONE.to_owned()),
    };
    said.map(|text| clean(&text)).map_err(|text| clean(&text))
}
