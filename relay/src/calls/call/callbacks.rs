//! What webhooks and callbacks say of a call.

use std::time::Instant;

use partyline_shared::call::CallStatus;
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use partyline_shared::twilio::callback::Parties;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Call, Tell};
use crate::calls::life::Turn;
use crate::calls::mirror::Deed;
use crate::calls::parties::FromWebhook;
use crate::calls::transcription::Heard;
use crate::clock::Now;

/// A status of the call's own leg or of one that it dialled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusNote {
    /// The leg; the call's own where it is the call's sid.
    pub leg: CallSid,
    /// Who calls whom on that leg.
    pub parties: Parties,
    /// Where that leg stands.
    pub status: Option<CallStatus>,
    /// When, by Twilio's clock.
    pub at: Option<UtcTime>,
    /// Seconds of talk, with a final status.
    pub duration_s: Option<u64>,
    /// With a final status of a SIP or failed leg.
    pub sip_response_code: Option<u16>,
}

impl Call {
    /// A voice webhook asked what to do with it.
    pub fn webhook(&self, now: Now, from: FromWebhook, status: Option<CallStatus>) {
        self.change(now, |state| {
            if state.is_theirs() {
                return state.hands_over(Deed::Webhook { from, status });
            }
            if from.dialed.is_some() {
                state.life.dials();
            }
            state.known.webhook(from);
            // A final status in a webhook would be a fallback or a retry; only callbacks end a call.
            if let Some(status) = status.filter(|status| !status.is_final()) {
                state.life.own_status(now, status, None);
            } else {
                state.life.own_status(now, CallStatus::Ringing, None);
            }
            (Tell::Now, ())
        });
    }

    /// A status callback.
    pub fn status(&self, now: Now, note: StatusNote) {
        self.change(now, |state| {
            if state.is_theirs() {
                return state.hands_over(Deed::Status { note });
            }
            let own = note.leg == self.sid;
            if own {
                state.known.callback(note.parties);
            } else {
                state.known.child(note.parties);
            }
            let Some(status) = note.status else {
                state.life.heard_of(now);
                return (Tell::Now, ());
            };
            if own {
                state.life.own_status(now, status, note.at);
            } else {
                state.life.child_status(now, &note.leg, status, note.at);
            }
            if state.is_new_status(&note.leg, status.as_str()) {
                let detail = json!({
                    "status": status.as_str(),
                    "leg": if own { "own" } else { "dialed" },
                    "leg_sid": (!own).then(|| note.leg.as_str()),
                    "duration_s": note.duration_s,
                    "sip_response_code": note.sip_response_code,
                });
                state.event(note.at.unwrap_or(now.wall), EventKind::CallStatus, detail);
            }
            (Tell::Now, ())
        });
    }

    /// Something went wrong with the call that no other event says.
    pub fn error(&self, now: Now, message: &str) {
        self.change(now, |state| {
            state.event(now.wall, EventKind::Error, json!({ "message": message }));
            (Tell::Nothing, ())
        });
    }

    /// A stream callback: the socket itself says when a stream starts and stops, so only an error is news.
    pub fn stream_note(
        &self,
        now: Now,
        account: Option<String>,
        stream_sid: Option<&str>,
        error: Option<&str>,
    ) {
        self.change(now, |state| {
            if state.is_theirs() {
                let (stream_sid, error) = (stream_sid.map(str::to_owned), error.map(str::to_owned));
                return state.hands_over(Deed::StreamNote {
                    account,
                    stream_sid,
                    error,
                });
            }
            state.known.account(account);
            state.life.heard_of(now);
            if let Some(error) = error {
                let detail = json!({ "stream_sid": stream_sid, "source": "twilio", "message": error });
                state.event(now.wall, EventKind::Error, detail);
            }
            (Tell::Now, ())
        });
    }

    /// What the engine of transcription `source` says, numbered `sequence` by it.
    pub fn transcribed(
        &self,
        now: Now,
        account: Option<String>,
        source: &str,
        sequence: Option<u64>,
        message: (UtcTime, Heard),
    ) {
        self.change(now, |state| {
            if state.is_theirs() {
                let (source, (at, heard)) = (source.to_owned(), message);
                return state.hands_over(Deed::Transcribed {
                    account,
                    source,
                    sequence,
                    at,
                    heard,
                });
            }
            let new_account = account.is_some() && state.known.account_sid().is_none();
            state.known.account(account);
            let turn = state.life.heard_of(now);
            // Its number counts, its words do not.
            let (at, heard) = message;
            let heard = state.unless_paused(heard);
            let in_order = state.transcription.push(now.mono, source, sequence, (at, heard));
            let told = state.heard(now, in_order, &self.shared.metrics.lines_paused);
            (
                if turn == Turn::Changed || new_account {
                    Tell::Now
                } else {
                    told
                },
                (),
            )
        });
    }

    /// When a line that was waited for is given up.
    pub fn next_line_deadline(&self) -> Option<Instant> {
        crate::lock::lock(&self.state).transcription.deadline()
    }
}
