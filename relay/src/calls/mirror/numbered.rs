//! A line or an event with its number, as everybody is shown it: the same bytes at every relay.

use partyline_shared::event::Event;
use partyline_shared::line::Line;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Kind;

/// On the wire `["l", 12, {…}]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Numbered(Kind, u64, Box<RawValue>);

/// All that is asked of a JSON whose rest is passed on.
#[derive(Deserialize)]
struct Seq {
    seq: u64,
}

impl Numbered {
    /// One, by the JSON of its line or event; `None` where that is none.
    pub fn of(kind: Kind, json: &str) -> Option<Numbered> {
        let seq = serde_json::from_str::<Seq>(json).ok()?.seq;
        let raw = RawValue::from_string(json.to_owned()).ok()?;
        Some(Numbered(kind, seq, raw))
    }

    /// Which of the two.
    pub fn kind(&self) -> Kind {
        self.0
    }

    /// Its number.
    pub fn seq(&self) -> u64 {
        self.1
    }

    /// Itself.
    pub fn json(&self) -> &str {
        self.2.get()
    }

    /// As a line, where it is one.
    pub fn line(&self) -> Option<Line> {
        let line = serde_json::from_str::<Line>(self.json()).ok()?;
        (self.0 == Kind::Lines && line.seq == self.1).then_some(line)
    }

    /// As an event, where it is one.
    pub fn event(&self) -> Option<Event> {
        let event = serde_json::from_str::<Event>(self.json()).ok()?;
        (self.0 == Kind::Events && event.seq == self.1).then_some(event)
    }
}

/// Entries within something of which serde finds out only by a name in it what it is: their JSON as text, since it keeps
/// no value as it is there.
pub mod in_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Kind, Numbered};

    /// Each as its kind and its JSON.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(entries: &[Numbered], serializer: S) -> Result<S::Ok, S::Error> {
        let all: Vec<(Kind, &str)> = entries.iter().map(|entry| (entry.kind(), entry.json())).collect();
        all.serialize(serializer)
    }

    /// What is none is passed over.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Vec<Numbered>, D::Error> {
        let all = Vec::<(Kind, String)>::deserialize(deserializer)?;
        Ok(all
            .iter()
            .filter_map(|(kind, json)| Numbered::of(*kind, json))
            .collect())
    }
}
