//! A call that was in progress before this relay knew of it: what an earlier one wrote down, or what Twilio says.

use partyline_shared::event::EventKind;
use partyline_shared::phone::PhoneNumber;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;
use partyline_shared::twilio::callback::Parties;
use serde_json::json;

use super::{Call, Tell};
use crate::calls::life::Turn;
use crate::calls::parties::FromWebhook;
use crate::clock::Now;

/// What is known of such a call.
#[derive(Debug, Clone)]
pub struct Restored {
    /// Account, from, to, direction.
    pub parties: Parties,
    /// Whose it is.
    pub customer_id: Option<String>,
    /// Whom it rang.
    pub dialed: Option<PhoneNumber>,
    /// Where the agent is, where that was known.
    pub agent: Option<Track>,
    /// When it began.
    pub started_at: UtcTime,
    /// When it was answered.
    pub answered_at: Option<UtcTime>,
    /// Whether its TwiML is ours: its streams show passes then.
    pub ours: bool,
    /// Whether it had a stream, which is lost.
    pub heard: bool,
}

impl Call {
    /// Takes what was known before; what has been heard of the call meanwhile is newer, and stands.
    pub fn restore(&self, now: Now, before: Restored) {
        self.change(now, |state| {
            if state.is_theirs() {
                return (Tell::Nothing, ());
            }
            if before.dialed.is_some() {
                state.life.dials();
            }
            let had = before.heard;
            let turn = state
                .life
                .restored(now, before.started_at, before.answered_at, had);
            if turn == Turn::Nothing {
                return (Tell::Nothing, ());
            }
            let known = FromWebhook {
                parties: before.parties,
                customer_id: before.customer_id,
                route_agent: before.agent,
                dialed: before.dialed,
                ..FromWebhook::default()
            };
            state.known.restored(known, before.ours);
            // The list shows a stream that is lost; why, and that earlier lines are not here, is said once.
            if had && state.stream.is_none() {
                let why = "the relay was started while the call went on";
                state.event(now.wall, EventKind::StreamLost, json!({ "reason": why }));
            }
            (Tell::Now, ())
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use partyline_shared::call::{CallStatus, StreamState};

    use super::*;
    use crate::calls::call::tests_support::call;
    use crate::calls::life::LOST;

    fn before(now: Now) -> Restored {
        Restored {
            parties: Parties {
                account_sid: Some("AC1".into()),
                from: PhoneNumber::non_empty("+15550100001"),
                to: PhoneNumber::non_empty("+15550100002"),
                direction: Some("inbound".into()),
            },
            customer_id: Some("7".into()),
            dialed: PhoneNumber::non_empty("client:alice"),
            agent: Some(Track::Outbound),
            started_at: now.wall.plus_ms(-60_000),
            answered_at: Some(now.wall.plus_ms(-50_000)),
            ours: true,
            heard: true,
        }
    }

    #[test]
    fn a_call_is_listed_as_it_was_and_waits_for_its_stream() {
        let now = Now::take();
        let call = call(now);
        call.restore(now, before(now));
        let view = call.view();
        assert_eq!(view.status, CallStatus::InProgress);
        assert_eq!(view.stream, StreamState::Lost);
        assert_eq!(view.started_at, Some(now.wall.plus_ms(-60_000)));
        assert_eq!(view.answered_at, Some(now.wall.plus_ms(-50_000)));
        assert_eq!(view.customer_id.as_deref(), Some("7"));
        assert_eq!(view.from.unwrap().as_str(), "+15550100001");
        assert_eq!(view.agent.unwrap().as_str(), "client:alice");
        assert!(call.origin().answered);
        call.on_deadline(now.plus(LOST - Duration::from_millis(1)), false);
        assert!(call.ended().is_none());
        call.on_deadline(now.plus(LOST), false);
        assert!(call.ended().is_some(), "nobody has its stream");
    }

    #[test]
    fn what_is_newer_stands_and_what_is_over_stays_over() {
        let now = Now::take();
        let known = call(now);
        let webhook = FromWebhook {
            parties: Parties {
                from: PhoneNumber::non_empty("client:bob"),
                ..Parties::default()
            },
            customer_id: Some("8".into()),
            ..FromWebhook::default()
        };
        known.webhook(now, webhook, None);
        known.restore(now, before(now));
        let view = known.view();
        assert_eq!(view.from.unwrap().as_str(), "client:bob");
        assert_eq!(view.customer_id.as_deref(), Some("8"));
        let over = call(now);
        over.accept_stream(now, 1, super::super::Accepted::default());
        over.stream_stopped(now, 1);
        over.restore(now, before(now));
        assert!(over.ended().is_some() && over.view().customer_id.is_none());
    }
}
