//! A call's life as another relay takes it over: by the wall clock, since each machine's steady clock is its own.

use std::time::Duration;

use partyline_shared::call::{CallStatus, StreamState};
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use serde::{Deserialize, Serialize};

use super::Life;
use crate::clock::Now;

/// All that a life is made of, but for its deadlines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Twilio's status.
    pub status: CallStatus,
    /// Where the audio stands.
    pub stream: StreamState,
    /// When it was first heard of.
    pub started_at: UtcTime,
    /// When it ended.
    pub ended_at: Option<UtcTime>,
    final_word: bool,
    own_answered_at: Option<UtcTime>,
    child_answered_at: Option<UtcTime>,
    dials: bool,
    own_leg: bool,
    legs: Vec<(CallSid, CallStatus)>,
}

impl Life {
    /// As another relay is told it.
    pub fn keep(&self) -> Kept {
        Kept {
            status: self.status,
            stream: self.stream,
            started_at: self.started_at,
            ended_at: self.ended_at,
            final_word: self.final_word,
            own_answered_at: self.own_answered_at,
            child_answered_at: self.child_answered_at,
            dials: self.dials,
            own_leg: self.own_leg,
            legs: self.legs.clone(),
        }
    }

    /// As another relay told it. Deadlines begin anew.
    pub fn restore(now: Now, kept: &Kept) -> Life {
        let ended = kept.ended_at.map(|at| {
            let ms = u64::try_from(now.wall.unix_ms().saturating_sub(at.unix_ms())).unwrap_or(0);
            // A machine that has run for less than that counts from its start.
            now.mono
                .checked_sub(Duration::from_millis(ms))
                .unwrap_or(now.mono)
        });
        Life {
            status: kept.status,
            stream: kept.stream,
            started_at: kept.started_at,
            ended_at: kept.ended_at,
            ended,
            final_word: kept.final_word,
            own_answered_at: kept.own_answered_at,
            child_answered_at: kept.child_answered_at,
            dials: kept.dials,
            own_leg: kept.own_leg,
            legs: kept.legs.clone(),
            last_sign: now.mono,
            last_media: now.mono,
            stalled: false,
        }
    }

    /// Takes what another relay heard of the same call meanwhile: the further status, the earlier answer. A call that
    /// has a live stream here goes on, whatever ended it there.
    pub fn merge(&mut self, now: Now, other: &Kept) {
        let earlier = |one: Option<UtcTime>, other: Option<UtcTime>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.sign(now);
        self.started_at = self.started_at.min(other.started_at);
        self.own_answered_at = earlier(self.own_answered_at, other.own_answered_at);
        self.child_answered_at = earlier(self.child_answered_at, other.child_answered_at);
        self.dials |= other.dials;
        self.own_leg |= other.own_leg && self.ended.is_none();
        for (leg, status) in &other.legs {
            if let Some((_, known)) = self.legs.iter_mut().find(|(sid, _)| sid == leg) {
                if status.rank() > known.rank() {
                    *known = *status;
                }
            } else if self.legs.len() < super::LEGS {
                self.legs.push((leg.clone(), *status));
            }
        }
        if self.stream == StreamState::None && other.stream != StreamState::Live {
            self.stream = other.stream;
        }
        if !other.status.is_final() {
            self.advance(other.status);
        } else if other.final_word || self.stream != StreamState::Live {
            let at = other.ended_at.unwrap_or(now.wall);
            if other.final_word {
                self.final_status(now, other.status, at);
            } else {
                self.end(now, other.status, at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::life::{LOST, Turn};

    fn sid(text: &str) -> CallSid {
        CallSid::parse(text).expect("an id")
    }

    #[test]
    fn what_is_taken_over_goes_on_as_it_was() {
        let now = Now::take();
        let mut life = Life::new(now);
        life.dials();
        life.own_status(now, CallStatus::Ringing, None);
        life.stream_accepted(now);
        life.child_status(now, &sid("CA2"), CallStatus::InProgress, None);
        let kept: Kept = serde_json::from_str(&serde_json::to_string(&life.keep()).unwrap()).unwrap();
        assert_eq!(kept, life.keep());
        let later = now.plus(Duration::from_secs(100));
        let mut taken = Life::restore(later, &kept);
        assert_eq!(taken.answered_at(), life.answered_at());
        taken.stream_lost(later);
        assert_eq!(taken.on_deadline(later.plus(LOST / 2)), Turn::Nothing);
        assert_eq!(taken.on_deadline(later.plus(LOST)), Turn::Ended);
        let over = Life::restore(later.plus(Duration::from_secs(500)), &taken.keep());
        assert_eq!(over.status(), CallStatus::Completed);
        assert!(
            over.ended().is_some_and(|at| at > later.mono),
            "it ended when it did"
        );
    }

    #[test]
    fn two_halves_of_a_life_are_one_whichever_takes_the_other() {
        let now = Now::take();
        let mut one = Life::new(now);
        one.own_status(now, CallStatus::Ringing, None);
        let mut other = Life::new(now.plus(Duration::from_secs(1)));
        other.stream_accepted(now.plus(Duration::from_secs(1)));
        let (mut a, b) = (Life::restore(now, &one.keep()), other.keep());
        a.merge(now, &b);
        assert_eq!((a.status(), a.started_at()), (CallStatus::InProgress, now.wall));
        assert_eq!(a.stream(), StreamState::None, "a stream is where its socket is");
        other.merge(now, &one.keep());
        assert_eq!(
            (other.status(), other.stream()),
            (CallStatus::InProgress, StreamState::Live)
        );
        one.own_status(now, CallStatus::Completed, None);
        other.merge(now, &one.keep());
        assert!(other.ended().is_some(), "Twilio said that it is over");
    }
}
