//! The picker of the sound card, and what the player says of the card.

use super::super::effect::Effect;
use super::super::picker::Picker;
use super::super::state::{App, Dirty};
use crate::event::{Chosen, Device, DeviceInfo, Intent};

/// Rows of a page: few machines have more cards than that.
const PAGE: isize = 5;

/// Opens the picker, and looks what there is.
pub(super) fn open(app: &mut App, effects: &mut Vec<Effect>) {
    if app.device == Device::Off {
        return app.say("sound is off: this program was built without, or told not to play");
    }
    app.picker = Some(Picker::new(&app.chosen_device));
    effects.push(Effect::ListDevices);
}

/// While the picker is open it has all keys but those of the program; whether it took this one.
pub(super) fn in_picker(app: &mut App, intent: Intent, effects: &mut Vec<Effect>) -> bool {
    let Some(picker) = &mut app.picker else {
        return false;
    };
    match intent {
        Intent::Up => picker.go(-1),
        Intent::Down => picker.go(1),
        Intent::PageUp => picker.go(-PAGE),
        Intent::PageDown => picker.go(PAGE),
        Intent::Home => picker.go(isize::MIN),
        Intent::End => picker.go(isize::MAX),
        Intent::Devices => {
            picker.is_looking = true;
            effects.push(Effect::ListDevices);
        }
        Intent::Accept => choose(app, effects),
        Intent::Cancel => app.picker = None,
        Intent::Quit | Intent::Suspend | Intent::Redraw => return false,
        _ => {}
    }
    true
}

/// Sound goes to what the cursor stands on.
fn choose(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(choice) = app.picker.take().as_ref().and_then(Picker::choice).cloned() else {
        return;
    };
    app.say(format!("sound goes to {}", choice.name));
    app.chosen_device = Chosen::of(choice.id.clone());
    app.pending.device_answers = true;
    effects.push(Effect::UseDevice(choice.id));
}

/// The machine was looked at.
pub(super) fn on_devices(app: &mut App, devices: Vec<DeviceInfo>) {
    let devices: Vec<_> = devices.into_iter().map(DeviceInfo::cleaned).collect();
    let rate = match app.device {
        Device::Open { rate, .. } => Some(rate),
        _ => None,
    };
    if let Some(picker) = &mut app.picker {
        picker.fill(&devices, &app.chosen_device, rate);
        app.touch(Dirty::Now);
    }
}

/// Something has become of the card.
pub(super) fn on_device(app: &mut App, device: Device) {
    let device = device.cleaned();
    let is_answer = device != Device::Unknown && std::mem::take(&mut app.pending.device_answers);
    if device == app.device && !is_answer {
        return;
    }
    let was_missing = matches!(app.device, Device::Missing { .. });
    app.device = device;
    match &app.device {
        Device::Missing { .. } if app.heard.is_some() || is_answer => {
            app.warn(app.device.trouble().unwrap_or_default());
        }
        Device::Open { name, .. } if was_missing => app.say(format!("sound again: {name}")),
        Device::Open { name, .. } if is_answer => app.say(format!("playing on {name}")),
        _ => app.touch(Dirty::Now),
    }
}
