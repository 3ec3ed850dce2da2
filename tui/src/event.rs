//! All that can happen to the monitor, in one list; and what it may answer with is in `app::effect`.
//! Names nothing of the terminal's, the network's or the sound card's: `run` turns what those say into
//! these. Texts in here are as they came; the app cleans what it takes in.

mod device;
#[cfg(test)]
pub(crate) mod intents;
mod mix;

use partyline_shared::call::Call;
use partyline_shared::event::Event as CallEvent;
use partyline_shared::id::CallSid;
use partyline_shared::line::Line;
use partyline_shared::protocol::server::{Level, Relays};
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;
use serde::{Deserialize, Serialize};

pub use device::{Chosen, Device, DeviceInfo, meant};
pub use mix::{Ears, Mix, Side, Sides};

/// Which relay, by its place in the app's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelayId(pub u16);

/// One call among those of all relays.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallKey {
    /// Whose call.
    pub relay: RelayId,
    /// Its name there.
    pub call: CallSid,
}

/// When something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The wall clock, to be shown.
    pub utc: UtcTime,
    /// A clock that never goes back, ms since some start.
    pub ms: u64,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A key was pressed that means something.
    Intent(Intent),
    /// The terminal, or the layout in it, has other sizes now.
    Resized(Sizes),
    /// A relay, or the connection to it, says something.
    Relay(RelayId, FromRelay),
    /// The player says something.
    Sound(FromSound),
    /// What was asked for with [`crate::app::effect::Effect::Clip`] is done: where it lies, or why it is not.
    Kept(CallKey, Result<String, String>),
    /// Time has passed: durations are a second longer, notices may be over.
    Tick,
}

/// What of the screen's layout the app has to know: rows, each 0 where the pane is not shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Columns of the terminal.
    pub columns: u16,
    /// Rows of the terminal.
    pub rows: u16,
    /// Rows of calls that fit into the list.
    pub list: u16,
    /// Rows of the transcript.
    pub transcript: u16,
    /// Rows of the events log.
    pub events: u16,
    /// Rows of the help that do not fit: as far as it can be scrolled.
    pub help: u16,
}

/// What a key means; which key that is stands in `keymap` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intent {
    /// One up, down.
    Up,
    /// One down.
    Down,
    /// A pane's height up.
    PageUp,
    /// A pane's height down.
    PageDown,
    /// The first.
    Home,
    /// The last; in a text also: follow what comes.
    End,
    /// The next pane has the keys.
    NextPane,
    /// The one before.
    PrevPane,
    /// Hear the selected call.
    Listen,
    /// Hear nothing.
    Stop,
    /// Stop the sound and go on receiving, or continue where it stopped.
    Pause,
    /// Back to what is said now.
    Live,
    /// Louder.
    Louder,
    /// Quieter.
    Quieter,
    /// No sound, or sound again.
    Mute,
    /// Only the customer.
    OnlyCustomer,
    /// Only the agent.
    OnlyAgent,
    /// Both of them.
    BothSides,
    /// Customer left and agent right, each on one ear alone, or both on both.
    Stereo,
    /// The customer louder.
    CustomerLouder,
    /// The customer quieter.
    CustomerQuieter,
    /// The agent louder.
    AgentLouder,
    /// The agent quieter.
    AgentQuieter,
    /// The customer is not heard, or heard again.
    MuteCustomer,
    /// The agent is not heard, or heard again.
    MuteAgent,
    /// Who speaks low is made louder, or nobody is.
    AutoLevel,
    /// Ten seconds back.
    Back,
    /// Ten seconds forward.
    Forward,
    /// What lies behind live is played faster, or not.
    Fast,
    /// Of what lies behind live, silence is left out, or not.
    SkipSilence,
    /// Keep the last half minute as a file.
    Clip,
    /// Mark this moment of the call, for others too.
    Mark,
    /// Hear the selected call too, in front of those that are heard.
    Also,
    /// The next of the heard calls comes to the front.
    Switch,
    /// When the heard call ends, go on with the next one of its agent, of its customer, or not.
    FollowOn,
    /// Choose the sound card.
    Devices,
    /// Hold the selected call back from everybody, or let it go.
    Hold,
    /// Begin to type: a filter in the list, a search in a text.
    Find,
    /// The next that was searched for.
    NextMatch,
    /// The one before.
    PrevMatch,
    /// Copy the call's name, or the line or event under the cursor.
    Copy,
    /// Mask numbers and text, or show them.
    Privacy,
    /// Show or hide ended calls.
    Ended,
    /// Sort the list by the next thing.
    NextSort,
    /// By the one before.
    PrevSort,
    /// Try relays that are not connected now.
    Retry,
    /// The keys, or no longer.
    Help,
    /// Leave what is open: help, search, filter.
    Cancel,
    /// The end.
    Quit,
    /// Into the background, as Ctrl-Z does it.
    Suspend,
    /// Draw everything anew: something else wrote on the screen.
    Redraw,
    /// A letter, while text is typed.
    Type(char),
    /// The last letter goes.
    Erase,
    /// The whole text goes.
    EraseAll,
    /// The text is done.
    Accept,
}

/// What a connection says. Of calls that nobody asked about nothing but the list is said.
#[derive(Debug, Clone, PartialEq)]
pub enum FromRelay {
    /// It stands; a snapshot follows.
    Connected {
        /// Who the relay takes us for.
        user: String,
        /// `admin`, `user`, …
        role: String,
        /// The rights that it grants by name.
        allow: Vec<String>,
        /// The relay's own name; another one after it was restarted.
        node: String,
    },
    /// It is gone; another is tried.
    Cut {
        /// Why, for a person.
        why: String,
        /// When the next is tried, ms from now.
        retry_ms: u64,
    },
    /// The relay refuses us, or cannot be what is meant: `why` says what to do.
    Refused {
        /// Why, and what to do.
        why: String,
        /// When it is tried again all the same, ms from now; `None` where only a new token helps.
        retry_ms: Option<u64>,
    },
    /// How it stands with other relays that share its calls.
    Shares(Relays),
    /// It will leave soon.
    Goodbye {
        /// Why.
        reason: String,
    },
    /// A ping came back.
    RoundTrip {
        /// After so many ms.
        ms: u64,
    },
    /// All calls, as of now.
    Snapshot(Vec<Call>),
    /// A call that is new or changed.
    Changed(Box<Call>),
    /// A call is forgotten, or no longer granted.
    Removed(CallSid),
    /// Loudness for the list; only what moved.
    Levels(Vec<Level>),
    /// A followed call's lines and events come now.
    Following {
        /// Which call.
        call: CallSid,
        /// The wall clock at media time 0.
        zero_at: Option<UtcTime>,
        /// `false`: some may be missing between those shown and those that come.
        resumed: bool,
    },
    /// What follows is numbered anew; what is shown belongs to an older journal.
    Journal {
        /// Which call.
        call: CallSid,
        /// The new numbering's name.
        journal: String,
    },
    /// A line.
    Line {
        /// Of which call.
        call: CallSid,
        /// The line.
        line: Line,
    },
    /// An event of a call.
    Happened {
        /// Of which call.
        call: CallSid,
        /// The event.
        event: CallEvent,
    },
    /// Audio that will not come.
    Missed {
        /// Of which call.
        call: CallSid,
        /// Which side.
        track: Track,
        /// So many frames of 20 ms.
        frames: u32,
        /// Why: `slow_listener`, `upstream`, `relay_link`, `paused`, `away`, `untold`.
        reason: &'static str,
    },
    /// A followed call is over, and all of it has come.
    Ended(CallSid),
    /// A followed call is given up: unknown to the relay, not granted, or the like.
    NotFollowed {
        /// Which call.
        call: CallSid,
        /// Why, for a person.
        why: String,
    },
    /// What was asked for with [`crate::app::effect::Effect::Hold`] is answered.
    Held {
        /// Of which call.
        call: CallSid,
        /// Held back, or let go.
        on: bool,
        /// Why it was not done, for a person.
        why_not: Option<String>,
    },
    /// What was asked for with [`crate::app::effect::Effect::Mark`] is answered.
    Marked {
        /// Of which call.
        call: CallSid,
        /// Why it was not done, for a person.
        why_not: Option<String>,
    },
    /// The relay complains, or sent what cannot be read.
    Complaint(String),
}

/// What the player says.
#[derive(Debug, Clone, PartialEq)]
pub enum FromSound {
    /// Of the sound card.
    Device(Device),
    /// The cards that there are, as asked for.
    Devices(Vec<DeviceInfo>),
    /// Of what is heard.
    Playback(Playback),
    /// What was played since the last ones, oldest first, as many for each side: 20 ms each.
    Columns {
        /// The customer's.
        customer: Vec<Column>,
        /// The agent's.
        agent: Vec<Column>,
    },
}

/// What becomes of the call that is heard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Playback {
    /// What the player does.
    pub state: Playing,
    /// From the relay's message to the ear, ms: arrival to the sample's leaving for the card; `None` before the first.
    pub delay_ms: Option<u32>,
    /// What that is meant to be, ms, as unevenly as frames come.
    pub target_ms: u32,
    /// How far behind live, ms: after a pause, or ten seconds back.
    pub behind_ms: u32,
    /// How often the card found nothing to play.
    pub underruns: u64,
    /// Audio that never came, ms of either track.
    pub lost_ms: u64,
    /// Audio that came after its time, ms of either track.
    pub late_ms: u64,
    /// Lost or late audio that was covered up, ms.
    pub concealed_ms: u64,
    /// Audio put in or taken out by stretching time, ms: so the delay follows the network.
    pub stretched_ms: u64,
    /// Audio left out so that the delay stays short, or because nobody took it, ms.
    pub dropped_ms: u64,
}

/// What the player does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Playing {
    /// Nothing is heard.
    #[default]
    Idle,
    /// A call is chosen and its audio has not come.
    Waiting,
    /// It plays what is said now.
    Live,
    /// It stands still, and receives.
    Paused,
    /// It plays what was said while it stood still.
    Behind,
    /// The call is over, and all of it was played.
    Over,
}

/// The lowest and highest sample of a stretch of audio, in 128ths of full scale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Column {
    /// At most 0.
    pub low: i8,
    /// At least 0.
    pub high: i8,
}
