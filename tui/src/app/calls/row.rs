//! A call as the relay shows it, made fit for the screen: texts clean and short, sides instead of tracks.

use partyline_shared::call::{Call, StreamState};
use partyline_shared::phone::{MAX_ADDRESS, PhoneNumber};
use partyline_shared::text::clean;
use partyline_shared::track::{PerTrack, Role, Track};

use super::{PerSide, Row};
use crate::app::text::Side;
use crate::event::CallKey;

/// One frame's length, ms.
pub(in crate::app) const FRAME_MS: u64 = 20;

/// Who is on a track. Where only one role is known the other track is the other's; where none is, the
/// customer called.
pub fn side_of(track: Track, roles: &PerTrack<Role>) -> Side {
    match (roles.get(track), roles.get(track.other())) {
        (Role::Agent, _) | (Role::Unknown, Role::Customer) => Side::Agent,
        (Role::Customer, _) | (Role::Unknown, Role::Agent) => Side::Customer,
        (Role::Unknown, Role::Unknown) => match track {
            Track::Inbound => Side::Customer,
            Track::Outbound => Side::Agent,
        },
    }
}

/// What is known by track, by side. Two tracks of one role are told apart by their place.
pub(in crate::app) fn by_side<T>(tracks: PerTrack<T>, roles: &PerTrack<Role>) -> PerSide<T> {
    let PerTrack { inbound, outbound } = tracks;
    let (customer, agent) = match side_of(Track::Inbound, roles) {
        Side::Customer => (inbound, outbound),
        Side::Agent => (outbound, inbound),
    };
    PerSide { customer, agent }
}

/// A text of one row: what is longer than an address may be is no name.
fn short(text: &str) -> String {
    clean(text).chars().take(MAX_ADDRESS).collect()
}

fn address(number: Option<&PhoneNumber>) -> Option<String> {
    let text = short(number?.as_str());
    (!text.trim().is_empty()).then_some(text)
}

/// The agent's address and the customer's.
fn parties(call: &Call) -> (Option<&PhoneNumber>, Option<&PhoneNumber>) {
    let (from, to, dialed) = (call.from.as_ref(), call.to.as_ref(), call.dialed.as_ref());
    let agent_calls = side_of(Track::Inbound, &call.roles) == Side::Agent;
    // A call that was placed through the API goes from a number of ours to the leg on `inbound`.
    let placed = call
        .direction
        .as_deref()
        .is_some_and(|d| d.starts_with("outbound"));
    let (agent, customer) = match (agent_calls, placed) {
        (true, false) => (from, dialed.or(to)),
        (true, true) => (to, dialed),
        (false, false) => (dialed, from),
        (false, true) => (dialed, to),
    };
    let agent = call.agent.as_ref().or(agent);
    let others = [customer, from, to, dialed];
    let customer = others.into_iter().flatten().find(|party| Some(*party) != agent);
    (agent, customer)
}

impl Row {
    /// The row of a call; its levels are unknown.
    pub fn of(key: CallKey, call: &Call) -> Row {
        let (agent, customer) = parties(call);
        let talk = by_side(
            PerTrack {
                inbound: call.talk.inbound_ms,
                outbound: call.talk.outbound_ms,
            },
            &call.roles,
        );
        let states = PerTrack {
            inbound: short(&call.transcription.inbound.state),
            outbound: short(&call.transcription.outbound.state),
        };
        Row {
            key,
            status: call.status,
            stream: call.stream,
            paused: call.paused,
            customer_id: call.customer_id.as_deref().map(short),
            customer: address(customer),
            agent: address(agent),
            from: address(call.from.as_ref()),
            to: address(call.dialed.as_ref().or(call.to.as_ref())),
            direction: call.direction.as_deref().map(short),
            started_at: call.started_at,
            answered_at: call.answered_at,
            ended_at: call.ended_at,
            roles: call.roles,
            level: PerSide::default(),
            talk_ms: PerSide {
                customer: talk.customer.saturating_add(call.talk.both_ms),
                agent: talk.agent.saturating_add(call.talk.both_ms),
            },
            listeners: call.listeners,
            node: short(&call.node),
            lost_ms: call.lost_chunks.saturating_mul(FRAME_MS),
            transcription: by_side(states, &call.roles),
        }
    }

    /// Whether the call is over.
    pub fn is_ended(&self) -> bool {
        self.ended_at.is_some()
    }

    /// Whether media may come.
    pub fn is_live(&self) -> bool {
        !self.is_ended() && self.stream == StreamState::Live
    }
}
