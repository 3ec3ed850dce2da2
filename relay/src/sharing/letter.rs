//! What one relay says to another, or to all. A word of a later version is none.

use partyline_shared::id::CallSid;
use serde::{Deserialize, Serialize};

use super::post::session::Handed;
use crate::calls::journal::Cursor;
use crate::calls::mirror::{Numbered, Snapshot};
use crate::errand::{Answered, Errand};
use crate::limits::elsewhere::Told;

/// A word and who says it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Letter {
    /// The relay's name.
    pub from: String,
    /// What it says.
    pub word: Word,
}

/// One thing to say.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Word {
    /// This call was mine: what I knew last, and what I numbered and nobody else has heard of. Said until it is taken.
    Left {
        /// Which.
        call_sid: CallSid,
        /// How many owners it had: tells one leaving from another.
        token: u64,
        /// The numbers after which those entries are.
        after: Cursor,
        /// As it stood.
        snapshot: Box<Snapshot>,
        /// Its last entries.
        #[serde(with = "crate::calls::mirror::numbered::in_text")]
        entries: Vec<Numbered>,
    },
    /// Do these, in this order, and say which of them are of calls that are not yours.
    Deeds {
        /// What is answered by.
        batch: u64,
        /// What to do.
        deeds: Vec<Handed>,
    },
    /// The deeds of a batch are done, but for some.
    DeedsDone {
        /// Which batch.
        batch: u64,
        /// Numbers of those whose calls are not mine.
        back: Vec<u64>,
    },
    /// Do this for somebody who asked me, and tell me its answer.
    Ask {
        /// What is answered by.
        id: u64,
        /// Only where this call is yours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call_sid: Option<CallSid>,
        /// What to do.
        errand: Box<Errand>,
    },
    /// What came of that.
    Answer {
        /// What was asked.
        id: u64,
        /// Nothing: the call is not mine.
        answered: Option<Box<Answered>>,
    },
    /// I hear these calls of yours, or hear them no more; and look so often at how loud all of yours are.
    Ears {
        /// Each with how many listen, how many of them hear it now, and how much of what you remember of it somebody waits
        /// for, ms.
        calls: Vec<(CallSid, u32, u32, u64)>,
        /// Times a second; 0 where nobody looks.
        levels_hz: f64,
    },
    /// That is taken.
    LeftTaken {
        /// Which call's.
        call_sid: CallSid,
        /// Which leaving.
        token: u64,
    },
    /// So much have I granted since I last said so.
    Granted {
        /// To whom, and what.
        told: Told,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}
