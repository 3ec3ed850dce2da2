//! Holding a call back and letting it go again, and erasing it. While it is held back its frames, lines and digits are
//! neither remembered nor handed on; what was said before stays, in the history and on its way to listeners.

use std::sync::atomic::Ordering::Release;
use std::time::Duration;

use partyline_shared::call::{Call as View, CallStatus};
use partyline_shared::event::EventKind;
use partyline_shared::protocol::server::GapReason;
use serde_json::json;

use super::mirrored::Held;
use super::state::State;
use super::{Call, Tell};
use crate::access::{Grant, Right};
use crate::calls::fanout::Item;
use crate::calls::journal::NewLine;
use crate::calls::transcription::Heard;
use crate::clock::Now;
use crate::lock::lock;
use crate::metrics::Metrics;

impl Call {
    /// Holds it back: once this has returned nothing that comes from then on is heard, read or remembered. The call as
    /// it stands then; `None` where the grant does not cover it, or has not the right.
    pub fn pause(&self, now: Now, grant: &Grant) -> Option<View> {
        self.hold(now, grant, true)
    }

    /// Lets it go again, under the same conditions. Lines that may be of words said meanwhile are not kept either.
    pub fn resume(&self, now: Now, grant: &Grant) -> Option<View> {
        self.hold(now, grant, false)
    }

    /// Whether it is held back.
    pub fn is_paused(&self) -> bool {
        lock(&self.state).pause.is_on()
    }

    fn hold(&self, now: Now, grant: &Grant, on: bool) -> Option<View> {
        // What a stream is about to hand on was said before.
        let _turn = lock(&self.turn);
        self.change(now, |state| {
            let customer = state.known.customer_id().map(String::as_str);
            // Its owner alone does it: what is held back here only goes on elsewhere.
            let ours = state.mirror.held == Held::Ours;
            if !ours || !grant.covers(customer) || !grant.has(Right::Pause) {
                return (Tell::Nothing, None);
            }
            let is_news = state.pause.is_on() != on;
            if is_news && on {
                let told = state.transcription.flush();
                state.heard(now, told, &self.shared.metrics.lines_paused);
                state.journal.close_partials();
                state.begin_pause();
            } else if is_news {
                state.pause.set(false);
                state.doubt.resumed(now.wall);
            }
            if is_news {
                let kind = if on { EventKind::Paused } else { EventKind::Resumed };
                state.event(now.wall, kind, json!({ "name": grant.name() }));
            }
            let view = state.view(&self.sid, &self.shared.node);
            (if is_news { Tell::Now } else { Tell::Nothing }, Some(view))
        })
    }

    /// An earlier relay held it back, and this one does from its first word on.
    pub fn was_paused(&self, now: Now) {
        let mut state = lock(&self.state);
        state.begin_pause();
        let why = json!({ "reason": "it was paused before the relay was started" });
        state.event(now.wall, EventKind::Paused, why);
    }

    /// Forgets all that it was, for good, and takes it off the list: no listener hears or reads any more of it from
    /// here on, and what its stream still says comes to nothing.
    pub fn erase(&self, now: Now) {
        let _turn = lock(&self.turn);
        let mut state = lock(&self.state);
        let did_count = state.counts();
        state.part_with_all();
        let nothing = State::new(&self.sid, now, String::new(), Duration::ZERO);
        let seats = std::mem::take(&mut state.seats);
        let next_seat = state.next_seat;
        let erased = std::mem::replace(&mut *state, nothing);
        (state.seats, state.next_seat, state.forgotten) = (seats, next_seat, true);
        state.life.own_status(now, CallStatus::Completed, None);
        self.shared.count(did_count, false);
        if did_count {
            self.shared.count_ends(false);
        }
        self.shared.feed.mark(&self.sid);
        self.shared.lobby.remove(&self.sid);
        drop(state);
        drop(erased);
    }
}

impl State {
    /// It was paused at another relay, which did not know that it goes on here.
    pub(super) fn hold_back(&mut self, now: Now) {
        self.journal.close_partials();
        self.begin_pause();
        let why = json!({ "reason": "it was paused at another relay" });
        self.event(now.wall, EventKind::Paused, why);
    }

    fn begin_pause(&mut self) {
        self.meter.pause(&mut self.replay);
        self.pause.set(true);
    }

    /// Media of a paused call: only that it was there is kept. How many frames there were.
    pub(super) fn hold(&mut self, items: &[Item], metrics: &Metrics) -> u64 {
        let mut frames = 0;
        for item in items {
            match item {
                Item::Frame(frame) => {
                    frames += 1;
                    self.replay.hole(frame.track(), GapReason::Paused);
                }
                Item::Gap(gap) => {
                    metrics.frames_missing.add(gap.chunks());
                    self.missing(*gap);
                }
                Item::Stream(_) => {}
            }
            self.pause.hold(item);
        }
        metrics.frames_paused.add(frames);
        frames
    }

    /// What an engine says, without its words while the call is paused.
    pub(super) fn unless_paused(&self, heard: Heard) -> Heard {
        match heard {
            Heard::Line(line) if self.pause.is_on() => Heard::HeldBack {
                track: line.track,
                engine: line.engine,
                is_final: line.is_final,
            },
            other => other,
        }
    }

    /// Whether a line may be of what was said during a pause.
    pub(super) fn is_of_a_pause(&mut self, now: Now, line: &NewLine) -> bool {
        let told = line.at.min(now.wall);
        let doubted = self
            .doubt
            .is_of_a_pause(line.track, &line.engine, line.is_final, told);
        let times = self.stream.as_ref().and_then(|_| {
            let (start, end) = (line.start_ms, line.end_ms);
            self.pause.held_back(line.track, start, end)
        });
        times.unwrap_or(doubted)
    }

    /// Nobody hears or reads more of it, whatever lies ready for them.
    fn part_with_all(&mut self) {
        for seat in &self.seats {
            seat.flags.lost.store(true, Release);
            seat.mailbox.forbid(seat.sub);
        }
        self.settle();
    }
}

#[cfg(test)]
mod tests;
