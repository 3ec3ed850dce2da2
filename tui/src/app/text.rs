//! Transcript and events of one call: what came, where one has scrolled to, and what is searched for.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`intake`] | a line or an event comes, once, in its place |
//! | [`journal`] | numberings: what is old, what came before |
//! | [`view`] | scroll-back and search, the same for both |

pub mod intake;
pub mod journal;
pub mod view;

use partyline_shared::event::EventKind;
use partyline_shared::time::UtcTime;

use super::calls::PerSide;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The customer.
    Customer,
    /// The agent.
    Agent,
}

/// Lines and events of one call.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// What was said, in order; the open partials are last.
    pub lines: Vec<Said>,
    /// Where the transcript is scrolled to.
    pub lines_view: View,
    /// What happened, in order.
    pub events: Vec<Happened>,
    /// Where the events log is scrolled to.
    pub events_view: View,
    /// Whether lines and events have begun to come.
    pub is_following: bool,
    /// The relay has given it up: nothing comes until it is asked for anew.
    pub is_refused: bool,
    /// Whether the relay has taken up the call since it was asked for it last; what there is came, then, though it
    /// may have ended meanwhile.
    pub is_known: bool,
    /// Lines that were let go of, since there are too many.
    pub forgotten_lines: u64,
    /// The same of events.
    pub forgotten_events: u64,
    /// Audio that never reached us while it was heard, by side, ms.
    pub missed_ms: PerSide<u64>,
    /// The wall clock at media time 0 of the stream that comes.
    pub zero_at: Option<UtcTime>,
    /// How far this call's journal was read.
    pub journal: journal::Journal,
    /// The last number given to an entry.
    pub(super) last_id: u64,
    /// When it was shown or heard last, ms of [`crate::event::Now::ms`]: the oldest goes first.
    pub(super) used_at: u64,
}

/// A line of the transcript.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Its number here, growing; what views hold on to.
    pub id: u64,
    /// Its number in its journal.
    pub seq: u64,
    /// When.
    pub at: UtcTime,
    /// Who.
    pub side: Side,
    /// The words, clean.
    pub text: String,
    /// Whether it stays; else the next of its side replaces it.
    pub is_final: bool,
    /// Whether it is of an older journal: the relay was restarted, or another one has the call.
    pub is_old: bool,
    /// When it was begun to be said, where the engine says it.
    pub from: Option<UtcTime>,
    /// When it was said to its end.
    pub to: Option<UtcTime>,
    /// Missing audio before it that no engine heard, ms.
    pub hole_ms: u64,
}

/// A line of the events log.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// Its number here, growing.
    pub id: u64,
    /// Its number in its journal.
    pub seq: u64,
    /// When.
    pub at: UtcTime,
    /// What sort.
    pub kind: EventKind,
    /// The rest, `key=value` each, clean; numbers in it are to be masked where privacy is on.
    pub detail: Vec<(String, String)>,
    /// Whether something went wrong.
    pub is_trouble: bool,
    /// Whether it is of an older journal.
    pub is_old: bool,
}

/// Where a text is scrolled to, and what is searched for in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The entry at the bottom, by its id; `None` follows what comes.
    pub bottom: Option<u64>,
    /// What is searched for, lower case; empty for nothing.
    pub search: String,
    /// The entry that was found, by its id: marked, and kept in sight.
    pub found: Option<u64>,
}
