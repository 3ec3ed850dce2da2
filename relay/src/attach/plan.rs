//! When a lost stream is asked for again, and when no more. Pure: the time is handed in, and so is what Twilio
//! answered. Never asks while a stream is live or was promised a moment ago, so that a call has one.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use partyline_shared::id::CallSid;

use crate::calls::life::LOST;

#[cfg(test)]
mod tests;

/// How long after the loss each attempt is made, the contract's.
pub const STEPS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(9),
];
/// No attempt is made later than this: the call ends by itself [`LOST`] after the loss, and a stream needs some
/// seconds to come.
pub const WINDOW: Duration = LOST.saturating_sub(Duration::from_secs(5));
/// A stream that Twilio has promised has this long to come: it connects, and is signed in, within one second.
pub const PROMISED: Duration = Duration::from_secs(5);
/// A stream that was asked for and lives this long is well; one lost sooner goes on where its attempts stood, so
/// that what Twilio cannot keep up is not asked for without end.
pub const STEADY: Duration = Duration::from_secs(30);
/// How long a 429 without a time of its own is waited for.
const PAUSE: Duration = Duration::from_secs(3);

/// How a call stands when its time comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A stream is live.
    Live,
    /// It is over, or nobody may ask.
    Over,
    /// It goes on without a stream.
    Deaf,
}

/// What Twilio made of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A stream of this SID is coming.
    Coming(String),
    /// The call is over.
    Over,
    /// It will never be granted: wrong credentials, a wrong request.
    Never,
    /// Too much was asked; again after this time.
    TooMany(Option<Duration>),
    /// This time not.
    Failed,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing now.
    Wait,
    /// Ask; stop this stream first, which was promised and did not come.
    Ask(Option<String>),
    /// No more of it, for a good reason.
    Done,
    /// No more of it: the attempts are used up.
    GivenUp,
}

/// One call's attempts.
#[derive(Debug)]
struct Plan {
    since: Instant,
    made: usize,
    due: Instant,
    /// An attempt is under way.
    busy: bool,
    /// The stream that was promised last, and when.
    promised: Option<(String, Instant)>,
}

impl Plan {
    fn new(now: Instant, made: usize, due: Instant) -> Plan {
        Plan {
            since: now,
            made,
            due,
            busy: false,
            promised: None,
        }
    }

    /// When the next attempt is to be made; `None` after the last.
    fn next(&self) -> Option<Instant> {
        STEPS.get(self.made).map(|step| self.since + *step)
    }

    fn on_due(&mut self, now: Instant, standing: Standing) -> Step {
        match (standing, &self.promised) {
            (Standing::Over, _) | (Standing::Live, None) => Step::Done,
            (Standing::Live, Some((_, at))) if now >= *at + STEADY => Step::Done,
            (Standing::Live, Some((_, at))) => {
                self.due = *at + STEADY;
                Step::Wait
            }
            (Standing::Deaf, _) if self.made >= STEPS.len() || now > self.since + WINDOW => Step::GivenUp,
            (Standing::Deaf, _) => {
                self.busy = true;
                Step::Ask(self.promised.take().map(|(sid, _)| sid))
            }
        }
    }

    fn on_outcome(&mut self, now: Instant, outcome: Outcome) -> Step {
        self.busy = false;
        self.made += 1;
        let next = self.next().map(|at| at.max(now));
        match outcome {
            Outcome::Over => return Step::Done,
            Outcome::Never => return Step::GivenUp,
            Outcome::Coming(sid) => {
                self.promised = Some((sid, now));
                self.due = next.unwrap_or(now).max(now + PROMISED);
            }
            Outcome::TooMany(wait) => {
                self.due = next.unwrap_or(now).max(now + wait.unwrap_or(PAUSE));
                // What Twilio put off was no attempt; the window bounds how often.
                self.made = self.made.min(STEPS.len() - 1);
                if self.due > self.since + WINDOW {
                    return Step::GivenUp;
                }
            }
            Outcome::Failed => match next {
                Some(next) => self.due = next,
                None => return Step::GivenUp,
            },
        }
        Step::Wait
    }

    /// The stream that was promised came, and was lost again soon.
    fn is_restless(&self, now: Instant) -> bool {
        self.promised.as_ref().is_some_and(|(_, at)| now < *at + STEADY)
    }
}

/// All calls whose streams are asked for: as many as there are calls, at most.
#[derive(Debug, Default)]
pub struct Plans(HashMap<CallSid, Plan>);

impl Plans {
    /// A call's stream was lost.
    pub fn lost(&mut self, now: Instant, sid: CallSid) -> Step {
        match self.0.get_mut(&sid) {
            Some(plan) if plan.busy => Step::Wait,
            Some(plan) if plan.is_restless(now) => {
                plan.promised = None;
                plan.since = now;
                match plan.next() {
                    Some(next) => {
                        plan.due = next;
                        Step::Wait
                    }
                    None => {
                        self.0.remove(&sid);
                        Step::GivenUp
                    }
                }
            }
            _ => {
                let [first, ..] = STEPS;
                self.0.insert(sid, Plan::new(now, 0, now + first));
                Step::Wait
            }
        }
    }

    /// A call that was there before the relay: its stream is lost already.
    pub fn found(&mut self, now: Instant, sid: CallSid) {
        self.0.entry(sid).or_insert_with(|| Plan::new(now, 0, now));
    }

    /// The same of a call that had no stream yet: Twilio may be about to open it, so only the last attempt is made.
    pub fn found_unheard(&mut self, now: Instant, sid: CallSid) {
        let [.., last] = STEPS;
        let made = STEPS.len() - 1;
        self.0
            .entry(sid)
            .or_insert_with(|| Plan::new(now, made, now + last));
    }

    /// When something is to be done next.
    pub fn next_due(&self) -> Option<Instant> {
        let waiting = self.0.values().filter(|plan| !plan.busy);
        waiting.map(|plan| plan.due).min()
    }

    /// The call whose time came first.
    pub fn due(&self, now: Instant) -> Option<CallSid> {
        let due = self.0.iter().filter(|(_, plan)| !plan.busy && plan.due <= now);
        let first = due.min_by_key(|(_, plan)| plan.due);
        first.map(|(sid, _)| sid.clone())
    }

    /// What is to be done about a call whose time has come.
    pub fn on_due(&mut self, now: Instant, sid: &CallSid, standing: Standing) -> Step {
        self.step(sid, |plan| plan.on_due(now, standing))
    }

    /// What came of an attempt.
    pub fn on_outcome(&mut self, now: Instant, sid: &CallSid, outcome: Outcome) -> Step {
        self.step(sid, |plan| plan.on_outcome(now, outcome))
    }

    fn step(&mut self, sid: &CallSid, f: impl FnOnce(&mut Plan) -> Step) -> Step {
        let Some(plan) = self.0.get_mut(sid) else {
            return Step::Done;
        };
        let step = f(plan);
        if matches!(step, Step::Done | Step::GivenUp) {
            self.0.remove(sid);
        }
        step
    }
}
