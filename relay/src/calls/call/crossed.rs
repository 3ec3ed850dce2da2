//! A call that is heard at other relays than the one which has it: who hears it there, and its frames here. Knows
//! mailboxes, not how frames get from one relay to the other.

use std::collections::VecDeque;
use std::sync::Arc;

use partyline_shared::audio::level::Energy;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::{PerTrack, Track};

use super::mirrored::Peer;
use super::state::Ear;
use super::{Call, Tell};
use crate::calls::fanout::{Batch, Item, Mailbox, StreamInfo, SubId};
use crate::clock::Now;
use crate::lock::lock;

/// What a relay wants of a call of another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wants {
    /// Who listens there, over or muted ones too.
    pub listeners: u32,
    /// Those of them whose frames are wanted now.
    pub hearing: u32,
    /// Remembered audio that somebody there waits for, ms.
    pub replay_ms: u64,
}

/// What another relay is told when it begins to hear a call, or wants to hear more of its past.
#[derive(Debug, Default)]
pub struct Crossed {
    /// The newest stream, once there was one. The mailbox is told of it too: what is in there before that was said before
    /// the end of `replay`, what is behind it after.
    pub stream: Option<StreamInfo>,
    /// Remembered audio, and what is missing of it.
    pub replay: VecDeque<Item>,
}

impl Call {
    /// The relay `node` has so many listeners of it: from here on their frames go into the mailbox `ear` as that sub,
    /// where there is one. Where it had one already, and wants nothing remembered, only the number of listeners is news.
    /// `None` where the call is not ours.
    pub fn add_peer(
        &self,
        now: Now,
        node: &str,
        wants: Wants,
        ear: Option<(&Arc<Mailbox>, SubId)>,
    ) -> Option<Crossed> {
        // What a stream is about to hand on was said before.
        let _turn = lock(&self.turn);
        self.change(now, |state| {
            if state.forgotten || state.is_theirs() {
                return (Tell::Nothing, None);
            }
            let ear = ear.map(|(mailbox, sub)| Ear {
                mailbox: mailbox.clone(),
                sub,
            });
            let heard = ear.clone();
            let sub = ear.as_ref().map(|ear| ear.sub);
            let peers = &mut state.mirror.peers;
            let known = peers.iter_mut().find(|peer| &*peer.node == node);
            let had = known
                .as_ref()
                .and_then(|peer| peer.ear.as_ref())
                .map(|ear| ear.sub);
            let did = known.as_ref().map(|peer| peer.listeners);
            match known {
                Some(peer) => (peer.listeners, peer.ear) = (wants.listeners, ear),
                None => peers.push(Peer {
                    node: node.into(),
                    listeners: wants.listeners,
                    ear,
                }),
            }
            if had != sub {
                state.settle();
            }
            let tell = if did == Some(wants.listeners) {
                Tell::Nothing
            } else {
                Tell::Later
            };
            let stream = state.stream_info();
            if let Some((ear, stream)) = heard.zip(stream)
                && (had != sub || wants.replay_ms > 0)
            {
                ear.mailbox.send(ear.sub, Item::Stream(stream));
            }
            let replay = state.replay.last(wants.replay_ms);
            (tell, Some(Crossed { stream, replay }))
        })
    }

    /// Nobody listens at that relay any more.
    pub fn remove_peer(&self, now: Now, node: &str) {
        self.change(now, |state| {
            let peers = &mut state.mirror.peers;
            let before = peers.len();
            peers.retain(|peer| &*peer.node != node);
            if peers.len() == before {
                return (Tell::Nothing, ());
            }
            state.settle();
            (Tell::Later, ())
        });
    }

    /// What is wanted of it here, where it is of another relay.
    pub fn wants(&self) -> Option<Wants> {
        let state = lock(&self.state);
        if !state.is_theirs() || state.forgotten {
            return None;
        }
        let awaiting = state.seats.iter().filter_map(|seat| seat.awaits);
        let replay_ms = awaiting.clone().map(|awaits| awaits.ms).max();
        Some(Wants {
            listeners: state.seats.iter().filter(|seat| seat.listens()).count() as u32,
            hearing: (state.ears().count() + awaiting.count()) as u32,
            replay_ms: replay_ms.unwrap_or(0),
        })
    }

    /// Whether anybody here hears it, whoever has it.
    pub fn is_heard(&self) -> bool {
        let state = lock(&self.state);
        !state.forgotten && state.is_heard()
    }

    /// Frames of a call of another relay, of this stream of it: to everyone who listens here. Of a call that is ours, or
    /// of an older stream, or that nobody hears, they come to nothing; whether they did not.
    pub fn media_from(&self, stream: StreamInfo, batch: &mut Batch<'_>) -> bool {
        let metrics = &self.shared.metrics;
        let mut turn = lock(&self.turn);
        let (audience, formed) = {
            let mut locked = lock(&self.state);
            let state = &mut *locked;
            if state.forgotten || !state.is_theirs() || !state.is_heard() {
                return false;
            }
            state.hear_stream(stream);
            if state.stream_info() != Some(stream) || state.life.ended().is_some() {
                return false;
            }
            for item in batch.items() {
                match item {
                    Item::Frame(frame) => state.meter.hear(frame, &mut state.replay),
                    Item::Gap(gap) if gap.reason != GapReason::Upstream => {
                        state.replay.hole(gap.track, gap.reason);
                    }
                    Item::Gap(_) | Item::Stream(_) => {}
                }
            }
            (state.audience.clone(), state.formed.clone())
        };
        turn.pass(&audience, batch);
        for formed in formed.iter().flat_map(|formed| formed.iter()) {
            turn.pass(&formed.ears, &mut batch.formed(&*formed.form));
        }
        turn.tell_some(metrics);
        true
    }

    /// How loud a call of another relay was since it was told last, where its frames do not come here.
    pub fn heard_elsewhere(&self, energy: PerTrack<Energy>) {
        let mut state = lock(&self.state);
        if state.is_theirs() && !state.is_heard() {
            for track in Track::BOTH {
                state.meter.heard_elsewhere(track, *energy.get(track));
            }
        }
    }
}
