//! What the app waits for: a selection that is to rest, a second that is to pass, what a relay says after a
//! cut. Nothing in here is drawn.

use std::collections::{HashMap, HashSet};

use partyline_shared::time::UtcTime;
use partyline_shared::track::PerTrack;

use super::text::View;
use crate::event::{CallKey, RelayId};

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Pending {
    /// The call that was selected when last looked at, and since when, ms of [`crate::event::Now::ms`].
    pub(super) selected: Option<CallKey>,
    pub(super) selected_at: u64,
    /// The second of the wall clock that durations were last drawn for.
    pub(super) second: i64,
    /// Up to when there are columns made from levels; `None` where there are none.
    pub(super) columns_to: Option<u64>,
    /// Relays that were asked for levels.
    pub(super) watched: HashSet<RelayId>,
    /// Since when relays that were there are not.
    pub(super) cut_at: HashMap<RelayId, u64>,
    /// When relays were last cut off.
    pub(super) last_cut: HashMap<RelayId, UtcTime>,
    /// Relays that came back a moment ago.
    pub(super) back: Vec<Back>,
    /// What was there before somebody began to type.
    pub(super) before: Option<Before>,
    /// Calls that are being held back, or let go: the relay has not answered.
    pub(super) held: HashSet<CallKey>,
    /// Calls of which something is being kept: neither relay nor disk has answered.
    pub(super) keeping: HashSet<CallKey>,
    /// Marks of calls that the relay has not answered, at least one each.
    pub(super) marks: HashMap<CallKey, usize>,
    /// A sound card was chosen: what the player says of it next is the answer.
    pub(super) device_answers: bool,
    /// The heard call is over; what was received is still played.
    pub(super) heard_is_over: bool,
    /// When the call in front came there, ms of [`crate::event::Now::ms`].
    pub(super) front_at: u64,
    /// Where the player was asked to go in what was said before.
    pub(super) sought: Option<Sought>,
    /// The list has other calls than when a next one was looked for.
    pub(super) calls_changed: bool,
    /// Calls that a snapshot does not have, and that are held on to while they are shown or heard: a relay
    /// that was restarted hears of its calls one by one. When each was last heard of.
    pub(super) unconfirmed: HashMap<CallKey, UtcTime>,
}

/// A place in what was said before that the player was asked to go to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sought {
    /// When, ms of [`crate::event::Now::ms`].
    pub(super) at: u64,
    /// How far behind live it is at least, where that is remembered, ms.
    pub(super) least_ms: u32,
}

/// A relay came back: what was missed meanwhile comes in pieces, and is told as one.
#[derive(Debug, Clone)]
pub(super) struct Back {
    pub(super) relay: RelayId,
    pub(super) away_ms: u64,
    pub(super) until: u64,
    /// The call that was heard at the cut, and what is missing of each of its tracks, frames.
    pub(super) heard: Option<CallKey>,
    pub(super) frames: PerTrack<u64>,
    /// Calls whose lines came before the cut; one that is confirmed leaves.
    pub(super) unheard_of: Vec<CallKey>,
    /// Whether any of those was there.
    pub(super) had_lines: bool,
    /// Whether a relay could not say that none is missing.
    pub(super) is_unsure: bool,
    /// The same of the audio of `heard`: a relay that was started anew does not know what it did not take.
    pub(super) is_audio_unsure: bool,
}

/// What to go back to when a text that is typed is given up.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) selected: Option<CallKey>,
    /// Whose text is searched.
    pub(super) shown: Option<CallKey>,
    pub(super) view: View,
}
