//! What is known of sound cards: of the one that plays, of all others, and which one a name means.

use partyline_shared::text::clean;
use serde::{Deserialize, Serialize};

/// Which card sound is to go to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Chosen {
    /// Whichever is the system's default.
    #[default]
    Default,
    /// This one, by id, name or a part of one; clean.
    Card(String),
    /// Nobody has said so here: an ear plays where it was told to.
    Unknown,
}

impl Chosen {
    /// What somebody said; the default where they said nothing.
    pub fn of(device: Option<String>) -> Chosen {
        device.map_or(Chosen::Default, |name| Chosen::Card(clean(&name)))
    }
}

/// Where the sound goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Device {
    /// Nothing is known yet.
    #[default]
    Unknown,
    /// There is one; it is opened when a call is heard.
    Ready {
        /// Its name.
        name: String,
    },
    /// It plays.
    Open {
        /// Its name.
        name: String,
        /// Samples a second.
        rate: u32,
    },
    /// None, busy, or unplugged; it is tried again while a call is heard.
    Missing {
        /// Why, for a person.
        why: String,
    },
    /// This program was built without, or told not to play.
    Off,
}

impl Device {
    /// With texts that may be shown: a device's name is its maker's, or of who sits beside us.
    pub fn cleaned(self) -> Device {
        match self {
            Device::Ready { name } => Device::Ready { name: clean(&name) },
            Device::Open { name, rate } => Device::Open {
                name: clean(&name),
                rate,
            },
            Device::Missing { why } => Device::Missing { why: clean(&why) },
            Device::Unknown | Device::Off => self,
        }
    }

    /// Why nothing can be heard on this machine, if so.
    pub fn trouble(&self) -> Option<String> {
        match self {
            // Some reasons say by themselves what they are reasons of.
            Device::Missing { why } if why.starts_with("no sound") => Some(why.clone()),
            Device::Missing { why } => Some(format!("no sound: {why}")),
            Device::Off => Some("sound is off".to_owned()),
            Device::Unknown | Device::Ready { .. } | Device::Open { .. } => None,
        }
    }
}

/// A device of this machine, for `partyline devices`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// What `--device` takes, e.g. `alsa:default`.
    pub id: String,
    /// What people call it; `--device` takes it as well.
    pub name: String,
    /// Whether it is used without `--device`.
    pub default: bool,
    /// What it offers, e.g. `44100-48000 Hz, 2 channels`, or why it cannot be opened now.
    pub offers: Result<String, String>,
}

impl DeviceInfo {
    /// With texts that may be shown.
    pub fn cleaned(self) -> DeviceInfo {
        DeviceInfo {
            id: clean(&self.id),
            name: clean(&self.name),
            default: self.default,
            offers: match self.offers {
                Ok(offers) => Ok(clean(&offers)),
                Err(why) => Err(clean(&why)),
            },
        }
    }
}

/// Which of these ids and names is meant: the one of that id, with or without its `alsa:`, else of that name, else
/// the first whose name has it somewhere.
pub fn meant(names: &[(String, String)], wanted: &str) -> Option<usize> {
    let wanted = wanted.trim().to_lowercase();
    if wanted.is_empty() {
        return None;
    }
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
}
