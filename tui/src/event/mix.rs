//! How a call is to sound, as a person sets it. What is made of it is the player's business.

/// How a call is to sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// Gain, dB.
    pub volume_db: i8,
    /// No sound, whatever the volume.
    pub muted: bool,
    /// Who is heard.
    pub sides: Sides,
    /// Customer left and agent right; else both on both.
    pub stereo: bool,
}

impl Default for Mix {
    fn default() -> Self {
        Mix {
            volume_db: 0,
            muted: false,
            sides: Sides::Both,
            stereo: true,
        }
    }
}

/// Who is heard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sides {
    /// Both.
    #[default]
    Both,
    /// The customer only.
    Customer,
    /// The agent only.
    Agent,
}
