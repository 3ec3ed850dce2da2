//! The picker of the sound card, while it is open: what there is to choose from, and where the cursor stands.
//! Data and plain functions; what is done with the choice is `update`'s.

use crate::event::{Chosen, DeviceInfo, meant};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picker {
    /// What there is to choose from, the system's default first.
    pub rows: Vec<Choice>,
    /// The row with the cursor.
    pub at: usize,
    /// Whether the machine is being looked at: what it offers is not known, or not of now.
    pub is_looking: bool,
}

/// One of the choices. All texts are clean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the player is told; `None` is the system's default, which may be another card tomorrow.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// What it offers, or why it cannot be opened; `None` where that is not known yet.
    pub offers: Option<Result<String, String>>,
    /// Whether sound goes there.
    pub is_used: bool,
}

/// The first row, as people are told it.
pub const DEFAULT: &str = "the system's default";

impl Picker {
    /// Before the machine was looked at: the default, and what was chosen before.
    pub fn new(chosen: &Chosen) -> Picker {
        let mut picker = Picker {
            rows: rows(&[], chosen),
            at: 0,
            is_looking: true,
        };
        for row in &mut picker.rows {
            row.offers = None;
        }
        picker.at = picker.used();
        picker
    }

    /// The machine was looked at. The cursor stays on its choice where that is still there. `rate` is what we play
    /// at, where we do: a card that takes one program at a time then says that it is taken, and means us.
    pub fn fill(&mut self, devices: &[DeviceInfo], chosen: &Chosen, rate: Option<u32>) {
        let mut rows = rows(devices, chosen);
        for row in &mut rows {
            if let (true, Some(Err(_)), Some(rate)) = (row.is_used, &row.offers, rate) {
                row.offers = Some(Ok(format!("playing, {rate} Hz")));
            }
        }
        let before = self.rows.get(self.at).filter(|row| !row.is_used);
        let same = before.and_then(|before| rows.iter().position(|row| row.id == before.id));
        self.rows = rows;
        self.at = same.unwrap_or_else(|| self.used());
        self.is_looking = false;
    }

    /// Moves the cursor by so many rows, and no further than there are any.
    pub fn go(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }

    /// What the cursor stands on.
    pub fn choice(&self) -> Option<&Choice> {
        self.rows.get(self.at)
    }

    fn used(&self) -> usize {
        self.rows.iter().position(|row| row.is_used).unwrap_or(0)
    }
}

/// All choices.
fn rows(devices: &[DeviceInfo], chosen: &Chosen) -> Vec<Choice> {
    let names: Vec<_> = devices
        .iter()
        .map(|device| (device.id.clone(), device.name.clone()))
        .collect();
    let used = match chosen {
        Chosen::Card(chosen) => Some((chosen.as_str(), meant(&names, chosen))),
        Chosen::Default | Chosen::Unknown => None,
    };
    let default = devices.iter().find(|device| device.default);
    let mut rows = vec![Choice {
        id: None,
        name: DEFAULT.to_owned(),
        offers: Some(match default {
            // The name that ALSA has for it says no more than the row.
            Some(default) if is_alias(default) => default.offers.clone(),
            Some(default) => default
                .offers
                .clone()
                .map(|offers| format!("{}: {offers}", default.name)),
            None => Err("no sound device".to_owned()),
        }),
        is_used: *chosen == Chosen::Default,
    }];
    for (at, device) in devices.iter().enumerate() {
        let is_used = used.is_some_and(|(_, used)| used == Some(at));
        if is_alias(device) && !is_used {
            continue;
        }
        rows.push(Choice {
            id: Some(device.id.clone()),
            name: device.name.clone(),
            offers: Some(device.offers.clone()),
            is_used,
        });
    }
    if let Some((chosen, None)) = used {
        rows.push(Choice {
            id: Some(chosen.to_owned()),
            name: chosen.to_owned(),
            offers: Some(Err("it is not there".to_owned())),
            is_used: true,
        });
    }
    rows
}

/// Whether it is only another word for whatever is the default.
fn is_alias(device: &DeviceInfo) -> bool {
    device.default && device.id.ends_with(":default")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, name: &str, default: bool) -> DeviceInfo {
        DeviceInfo {
            id: id.to_owned(),
            name: name.to_owned(),
            default,
            offers: Ok("48000 Hz, 2 channels".to_owned()),
        }
    }

    fn seen(picker: &Picker) -> Vec<String> {
        let row = |(at, row): (usize, &Choice)| {
            let mark = [" ", ">"][usize::from(at == picker.at)];
            let used = ["", "*"][usize::from(row.is_used)];
            format!("{mark}{}{used}", row.name)
        };
        picker.rows.iter().enumerate().map(row).collect()
    }

    #[test]
    fn what_is_chosen_is_marked_and_found_again_by_any_of_its_names() {
        let devices = [
            device("alsa:default", "Default Audio Device", true),
            device("alsa:hw:1", "USB Headset", false),
            device("alsa:pulse", "PulseAudio", false),
        ];
        let mut picker = Picker::new(&Chosen::Default);
        assert_eq!(seen(&picker), [">the system's default*"]);
        picker.fill(&devices, &Chosen::Default, None);
        assert_eq!(
            seen(&picker),
            [">the system's default*", " USB Headset", " PulseAudio"]
        );
        picker.fill(&devices, &Chosen::Unknown, None);
        assert_eq!(
            seen(&picker),
            [">the system's default", " USB Headset", " PulseAudio"],
            "nobody knows what an ear plays on"
        );
        for chosen in ["alsa:hw:1", "hw:1", "headset"] {
            let card = Chosen::of(Some(chosen.to_owned()));
            let mut picker = Picker::new(&card);
            assert_eq!(
                seen(&picker),
                [" the system's default".to_owned(), format!(">{chosen}*")]
            );
            picker.fill(&devices, &card, None);
            assert_eq!(
                seen(&picker),
                [" the system's default", ">USB Headset*", " PulseAudio"]
            );
        }
    }

    #[test]
    fn one_that_is_not_there_stays_and_a_cursor_keeps_its_place() {
        let radio = Chosen::of(Some("radio".to_owned()));
        let mut picker = Picker::new(&radio);
        let usb = device("alsa:hw:1", "USB Headset", false);
        let pulse = device("alsa:pulse", "PulseAudio", false);
        picker.fill(&[usb.clone(), pulse.clone()], &radio, None);
        assert_eq!(
            seen(&picker),
            [" the system's default", " USB Headset", " PulseAudio", ">radio*"]
        );
        assert_eq!(picker.rows[0].offers, Some(Err("no sound device".to_owned())));
        assert_eq!(picker.rows[3].offers, Some(Err("it is not there".to_owned())));
        picker.go(-1);
        picker.fill(&[pulse], &radio, None);
        assert_eq!(seen(&picker), [" the system's default", ">PulseAudio", " radio*"]);
        picker.fill(&[usb], &radio, None);
        assert_eq!(seen(&picker)[2], ">radio*", "unplugged under the cursor");
        let mut busy = device("alsa:hw:1", "USB Headset", false);
        busy.offers = Err("the device is in use by another program".to_owned());
        picker.fill(&[busy], &Chosen::of(Some("headset".to_owned())), Some(48_000));
        assert_eq!(picker.rows[1].offers, Some(Ok("playing, 48000 Hz".to_owned())));
        picker.go(5);
        picker.go(-50);
        assert_eq!(picker.at, 0);
    }

    #[test]
    fn a_default_that_has_a_name_of_its_own_can_be_kept() {
        let mut picker = Picker::new(&Chosen::Default);
        let speakers = device("coreaudio:1", "Speakers", true);
        picker.fill(&[speakers], &Chosen::Default, None);
        assert_eq!(seen(&picker), [">the system's default*", " Speakers"]);
        let offers = picker.rows[0].offers.clone().unwrap().unwrap();
        assert_eq!(offers, "Speakers: 48000 Hz, 2 channels");
    }
}
