//! The list of all relays' calls: order, filter, selection. The selection is a call, not a row: whatever comes
//! and goes, it stays on the row of the screen where it is.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`row`] | a call as the relay shows it, made fit for the screen |
//! | [`order`] | which calls are seen, and which comes before which |
//! | [`cursor`] | the selection, and the row it stands on |
//! | [`meter`] | loudness in steps that an eye can tell apart |

pub mod cursor;
pub mod meter;
pub mod order;
pub mod row;

use std::collections::HashMap;

use partyline_shared::call::{CallStatus, StreamState};
use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Role};

use crate::event::CallKey;

/// The calls, and which of them are to be seen.
#[derive(Debug, Clone)]
pub struct List {
    /// All known calls, each once.
    pub calls: HashMap<CallKey, Row>,
    /// The same calls as other relays have them that share them: what to go on with where a relay goes.
    pub twins: HashMap<CallKey, Row>,
    /// Those that the filter leaves, in order.
    pub order: Vec<CallKey>,
    /// The call under the cursor.
    pub selected: Option<CallKey>,
    /// On which row of the pane the cursor stands; `order` is drawn around it.
    pub cursor_row: u16,
    /// What a call must contain, lower case, all words of it; empty for all.
    pub filter: String,
    /// By what it is sorted.
    pub sort: Sort,
    /// Whether ended calls are in it.
    pub with_ended: bool,
    /// The relays' names by [`crate::event::RelayId`], lower case, for the filter.
    pub relay_names: Vec<String>,
    /// Calls that ended a moment ago keep their place: until when, ms of [`crate::event::Now::ms`].
    pub lingering: HashMap<CallKey, u64>,
    /// When the first of those may lose its place.
    pub(super) lingers_until: u64,
}

/// By what the list is sorted; live calls are always before ended ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// The oldest first, so that a new one disturbs nobody.
    #[default]
    Oldest,
    /// The newest first.
    Newest,
    /// By customer.
    Customer,
    /// By agent.
    Agent,
    /// Those that somebody listens to first.
    Listeners,
}

/// One call as the list and the call pane show it; texts are clean.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which call.
    pub key: CallKey,
    /// Twilio's status.
    pub status: CallStatus,
    /// Where its audio stands.
    pub stream: StreamState,
    /// Whether a supervisor holds the audio back.
    pub paused: bool,
    /// Whose call it is, by the operator's numbering.
    pub customer_id: Option<String>,
    /// The customer's address: whichever party is not the agent.
    pub customer: Option<String>,
    /// The agent's address.
    pub agent: Option<String>,
    /// Who called.
    pub from: Option<String>,
    /// Who was called, or is rung.
    pub to: Option<String>,
    /// Twilio's Direction.
    pub direction: Option<String>,
    /// When the relay first heard of it.
    pub started_at: Option<UtcTime>,
    /// When it was answered.
    pub answered_at: Option<UtcTime>,
    /// When it ended.
    pub ended_at: Option<UtcTime>,
    /// Who is on which track.
    pub roles: PerTrack<Role>,
    /// Loudness now, by side, dBFS; `None` without media.
    pub level: PerSide<Option<f32>>,
    /// Who spoke for how long, by side, ms; both at once counts for each.
    pub talk_ms: PerSide<u64>,
    /// How many listen.
    pub listeners: u32,
    /// The name of the relay that has its stream, or had.
    pub node: String,
    /// Audio that never reached the relay, ms.
    pub lost_ms: u64,
    /// What speech-to-text does, by side: `running`, `none`, …
    pub transcription: PerSide<String>,
}

/// One value for each side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PerSide<T> {
    /// The customer's.
    pub customer: T,
    /// The agent's.
    pub agent: T,
}
