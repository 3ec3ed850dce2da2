//! How calls are to sound, as a person sets it. What is made of it is the player's business.

use serde::{Deserialize, Serialize};

/// How calls are to sound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mix {
    /// Gain, dB.
    pub volume_db: i8,
    /// No sound, whatever the volume.
    pub muted: bool,
    /// Who is heard.
    pub sides: Sides,
    /// The customer's own gain.
    pub customer: Side,
    /// The agent's own gain.
    pub agent: Side,
    /// What goes to which ear.
    pub ears: Ears,
    /// Who speaks low is made louder, and who speaks loud quieter, slowly.
    pub auto_level: bool,
}

/// One side's own settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Gain, dB.
    pub gain_db: i8,
    /// Not heard.
    pub muted: bool,
}

/// Who is heard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sides {
    /// Both.
    #[default]
    Both,
    /// The customer only.
    Customer,
    /// The agent only.
    Agent,
}

/// What goes to which ear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ears {
    /// Customer left and agent right, each a little on the other ear too, as in a room.
    #[default]
    Stereo,
    /// Customer left and agent right, and nothing of the other.
    Wide,
    /// Both on both.
    Mono,
}
