//! What is remembered of a call: the part of it that listeners see and that no message of Twilio's will repeat.

use partyline_shared::call::StreamState;
use partyline_shared::id::CallSid;
use partyline_shared::phone::PhoneNumber;
use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Role, Track};
use partyline_shared::twilio::callback::Parties;
use serde::{Deserialize, Serialize};

use crate::calls::call::Restored;

/// A call as it stands in the file: the contract's names of its fields. Its `Debug` masks numbers, the file does not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub call_sid: CallSid,
    /// `AC…`.
    #[serde(default)]
    pub account_sid: Option<String>,
    #[serde(default)]
    from: Option<PhoneNumber>,
    #[serde(default)]
    to: Option<PhoneNumber>,
    #[serde(default)]
    direction: Option<String>,
    #[serde(default)]
    customer_id: Option<String>,
    #[serde(default)]
    dialed: Option<PhoneNumber>,
    roles: PerTrack<Role>,
    #[serde(default)]
    started_at: Option<UtcTime>,
    #[serde(default)]
    answered_at: Option<UtcTime>,
    #[serde(default)]
    pub(super) ended_at: Option<UtcTime>,
    stream: StreamState,
    /// Held back: whoever brings it back holds it back as well.
    #[serde(default)]
    pub(super) paused: bool,
}

/// A call that was erased, of which something may still be heard: its name, and nothing of what was said or of who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Erased {
    pub(super) erased_sid: CallSid,
    pub(super) erased_at: UtcTime,
}

/// A line of the file.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Kept {
    Erased(Erased),
    Call(Box<Entry>),
}

impl Entry {
    /// All that is remembered of a call that is over: that it is held back, where it is, should it come back.
    pub(super) fn only_paused(self) -> Option<Entry> {
        self.paused.then_some(Entry {
            account_sid: None,
            from: None,
            to: None,
            direction: None,
            customer_id: None,
            dialed: None,
            ..self
        })
    }

    /// As the registry takes it.
    pub fn restored(&self) -> Restored {
        let agent = Track::BOTH
            .into_iter()
            .find(|track| *self.roles.get(*track) == Role::Agent);
        Restored {
            parties: Parties {
                account_sid: self.account_sid.clone(),
                from: self.from.clone(),
                to: self.to.clone(),
                direction: self.direction.clone(),
            },
            customer_id: self.customer_id.clone(),
            dialed: self.dialed.clone(),
            agent,
            started_at: self.started_at.unwrap_or(UtcTime::from_unix_ms(i64::MAX)),
            answered_at: self.answered_at,
            ours: true,
            heard: matches!(self.stream, StreamState::Live | StreamState::Lost),
        }
    }
}
