//! A call as it stands, in the form that other relays keep and go on from.

use std::collections::BTreeMap;

use partyline_shared::call::Talk;
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;
use serde::{Deserialize, Serialize};

use super::Numbered;
use crate::calls::doubt::Doubt;
use crate::calls::journal::{Cursor, KeptJournal};
use crate::calls::life;
use crate::calls::parties::Known;
use crate::calls::pause::Pause;
use crate::calls::transcription;

/// All that a call is, but for its journal's entries, its audio and its listeners.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its status, when it is answered, lost, over.
    pub life: life::Kept,
    /// Who calls whom, whose call it is.
    pub known: Known,
    /// What the engines do.
    pub transcription: transcription::Kept,
    /// Which lines may be of a pause.
    #[serde(default)]
    pub doubt: Doubt,
    /// Whether it is held back, and what was.
    #[serde(default)]
    pub pause: Pause,
    /// The stream that it hears, or heard last.
    #[serde(default)]
    pub stream: Option<KeptStream>,
    /// The tracks of that.
    #[serde(default)]
    pub tracks: Vec<Track>,
    /// Chunks that never came.
    #[serde(default)]
    pub lost_chunks: u64,
    /// Statuses of legs that were told of.
    #[serde(default)]
    pub seen: Vec<(CallSid, String)>,
    /// Who spoke for how long.
    #[serde(default)]
    pub talk: Talk,
    /// Who listens, at all relays together.
    #[serde(default)]
    pub listeners: u32,
    /// What its journal is beside its entries.
    pub journal: KeptJournal,
    /// The last deed of each other relay that it took, by their numbers.
    #[serde(default)]
    pub applied: BTreeMap<String, u64>,
}

/// A stream as others know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptStream {
    /// Its number on the wire.
    pub audio_id: u32,
    /// The wall clock at media time 0.
    pub zero_at: UtcTime,
    /// Twilio's name of it.
    pub sid: String,
    /// It has ended.
    pub over: bool,
}

impl Snapshot {
    /// Who of two that have a live stream of the call is to own it: the later one; 0 without one. Ms since 1970.
    pub fn rank(&self) -> u64 {
        let live = self.stream.as_ref().filter(|stream| !stream.over);
        live.map_or(0, |stream| rank(stream.zero_at))
    }
}

/// The same of a live stream that began then.
pub(in crate::calls) fn rank(zero_at: UtcTime) -> u64 {
    u64::try_from(zero_at.unix_ms()).unwrap_or(0)
}

/// What the owner of a call tells.
#[derive(Debug, Clone)]
pub struct Told {
    /// The call as it stands.
    pub snapshot: Snapshot,
    /// Its entries after what was asked for, which is `after`.
    pub after: Cursor,
    /// Those.
    pub entries: Vec<Numbered>,
    /// The numbers up to which that is.
    pub upto: Cursor,
    /// Seqs of the open partials of inbound and outbound; 0 for none.
    pub partials: [u64; 2],
    /// A stream came to a call of another's: it is not told before it is ours.
    pub taking: bool,
}
