//! What is done to a call by whoever hears of it: by Twilio's word at one relay, at the call's own by what others hand
//! over. The same words for both.

use partyline_shared::call::CallStatus;
use partyline_shared::event::EventKind;
use partyline_shared::time::UtcTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::calls::call::{Call, StatusNote};
use crate::calls::journal::NewLine;
use crate::calls::parties::FromWebhook;
use crate::calls::transcription::Heard;
use crate::clock::Now;

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Deed {
    /// A voice webhook asked what to do with it.
    Webhook {
        /// What that said.
        from: FromWebhook,
        /// Where the call stands.
        status: Option<CallStatus>,
    },
    /// A status callback.
    Status {
        /// What it says.
        note: StatusNote,
    },
    /// A stream callback.
    StreamNote {
        /// The account.
        account: Option<String>,
        /// Which stream.
        stream_sid: Option<String>,
        /// What went wrong.
        error: Option<String>,
    },
    /// A transcription callback.
    Transcribed {
        /// The account.
        account: Option<String>,
        /// Which transcription.
        source: String,
        /// Its number in that.
        sequence: Option<u64>,
        /// When.
        at: UtcTime,
        /// What.
        heard: Heard,
    },
    /// Something went wrong that no other event says.
    Error {
        /// For a person.
        message: String,
    },
    /// A stream of it was not accepted.
    StreamRefused {
        /// Which.
        stream_sid: Option<String>,
        /// Why.
        why: String,
    },
    /// An event of another relay: somebody there listens, a stream there that was replaced has ended.
    Event {
        /// When.
        at: UtcTime,
        /// Which.
        kind: EventKind,
        /// With what.
        detail: Map<String, Value>,
    },
    /// A line that was said where the call was another's.
    Line {
        /// The line.
        line: NewLine,
    },
}

impl Call {
    /// Does it.
    pub fn apply(&self, now: Now, deed: Deed) {
        match deed {
            Deed::Webhook { from, status } => self.webhook(now, from, status),
            Deed::Status { note } => self.status(now, note),
            Deed::StreamNote {
                account,
                stream_sid,
                error,
            } => self.stream_note(now, account, stream_sid.as_deref(), error.as_deref()),
            Deed::Transcribed {
                account,
                source,
                sequence,
                at,
                heard,
            } => self.transcribed(now, account, &source, sequence, (at, heard)),
            Deed::Error { message } => self.error(now, &message),
            Deed::StreamRefused { stream_sid, why } => self.stream_refused(now, stream_sid.as_deref(), &why),
            Deed::Event { at, kind, detail } => self.event_elsewhere(now, at, kind, detail),
            Deed::Line { line } => self.line_elsewhere(now, line),
        }
    }
}
