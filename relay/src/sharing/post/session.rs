//! Deeds on their way to whoever has their call: numbered by one counter, sent in batches of which each relay has one at
//! a time, sent again until that is answered, led elsewhere where the call goes elsewhere. A deed is let go only when
//! its call's owner has *told* all relays of it, so that an owner that dies right after its answer takes nothing along.
//! Knows neither clock nor network nor calls: where a call is, is asked for by [`Way`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use partyline_shared::id::CallSid;

use crate::calls::mirror::Deed;

mod lines;
mod words;

use lines::Lines;
pub use words::{Handed, Out, Way};

/// Deeds kept for other relays at most: what Twilio says in a minute of a thousand calls.
pub const MOST_DEEDS: usize = 20_000;
/// The same in bytes of JSON: 800 bytes each, which few deeds have.
pub const MOST_BYTES: usize = 16 << 20;
/// An answer takes a millisecond or two; after so long without one a batch is sent again.
pub const PATIENCE: Duration = Duration::from_millis(500);
/// A deed that its relay could not do, and a call that nobody could be had for, are tried again after this: what is being
/// settled takes about as long.
pub const AGAIN: Duration = Duration::from_millis(100);
/// What is done is told within a second or two; after so long it is asked whether it is done still.
const UNTOLD: Duration = Duration::from_secs(5);
/// Calls of which it is remembered that deeds were lost; what is lost of others is only counted.
const MOST_OWED: usize = 1_000;
/// A deed's own size in memory beside its JSON, bytes: roughly.
const OVERHEAD: usize = 256;

/// Where a deed is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    /// Led nowhere yet.
    Ready,
    /// In a relay's queue or batch.
    For(Arc<str>),
    /// Done by that relay, which had yet to tell of it then.
    Done(Arc<str>, Instant),
}

#[derive(Debug)]
struct Parcel {
    sid: CallSid,
    deed: Deed,
    size: usize,
    at: At,
    /// Of how many that were lost it tells; 0 for one that was given here.
    tells_of: u64,
}

#[derive(Debug, Default)]
struct OfCall {
    numbers: BTreeSet<u64>,
    not_before: Option<Instant>,
    claiming: bool,
}

/// All deeds of one relay that are not its own calls'.
#[derive(Debug, Default)]
pub struct Session {
    number: u64,
    bytes: usize,
    parcels: BTreeMap<u64, Parcel>,
    /// Those of them that are done.
    done: BTreeSet<u64>,
    calls: HashMap<CallSid, OfCall>,
    lines: Lines,
    /// Calls to look at.
    stirred: BTreeSet<CallSid>,
    /// Calls of which deeds were lost, and how many.
    owed: BTreeMap<CallSid, u64>,
    /// Calls of deeds that are let go, each as often.
    gone: Vec<CallSid>,
    lost: u64,
}

impl Session {
    /// Takes one.
    pub fn push(&mut self, sid: CallSid, deed: Deed) {
        self.keep(sid, deed, 0);
        while self.parcels.len() > MOST_DEEDS || self.bytes > MOST_BYTES {
            self.lose_oldest();
        }
    }

    /// Whether there is nothing to look after.
    pub fn is_idle(&self) -> bool {
        self.parcels.is_empty() && self.owed.is_empty()
    }

    /// How many are not done.
    pub fn waiting(&self) -> usize {
        self.parcels.len() - self.done.len()
    }

    /// Calls of deeds that were let go since this was asked last, each as often.
    pub fn gone(&mut self) -> Vec<CallSid> {
        std::mem::take(&mut self.gone)
    }

    /// How many were lost since this was asked last, for want of room.
    pub fn lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// All calls are to be looked at: they may be elsewhere, or told of, or have waited long enough.
    pub fn stir(&mut self) {
        let all = self.calls.keys().chain(self.owed.keys());
        self.stirred.extend(all.cloned());
    }

    /// The link came back: what was not answered is sent again at once.
    pub fn link_is_back(&mut self) {
        self.lines.resend();
        self.stir();
    }

    /// What there is to do, the link being `up` or not.
    pub fn poll(&mut self, now: Instant, up: bool, way: impl Fn(&CallSid) -> Way) -> Vec<Out> {
        let mut out = Vec::new();
        while let Some(sid) = self.stirred.pop_first() {
            self.lead(now, up, &sid, way(&sid), &mut out);
        }
        if up {
            self.send(now, &mut out);
        }
        out
    }

    /// When the next batch is to be sent again.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.lines.next_deadline(PATIENCE)
    }

    /// The deeds of [`Out::Do`] up to this number were done, or come to nothing. Those after it wait.
    pub fn did(&mut self, now: Instant, sid: &CallSid, upto: u64) {
        for number in self.numbers(sid) {
            if number <= upto {
                self.remove(number);
            }
        }
        self.hold(now, sid);
    }

    /// A call was claimed, with success or not.
    pub fn claimed(&mut self, now: Instant, sid: &CallSid) {
        if let Some(of) = self.calls.get_mut(sid) {
            of.claiming = false;
        }
        self.hold(now, sid);
        self.stirred.insert(sid.clone());
    }

    /// A relay has done what was in a batch, but for those that it hands `back`, whose calls it has not.
    pub fn answered(&mut self, now: Instant, node: &str, batch: u64, back: &[u64]) {
        for number in self.lines.answered(node, batch) {
            let Some(parcel) = self.parcels.get_mut(&number) else {
                continue;
            };
            let sid = parcel.sid.clone();
            if back.contains(&number) {
                parcel.at = At::Ready;
                self.doubt(&sid);
                self.hold(now, &sid);
            } else {
                parcel.at = At::Done(node.into(), now);
                self.done.insert(number);
            }
            self.stirred.insert(sid);
        }
    }

    fn keep(&mut self, sid: CallSid, deed: Deed, tells_of: u64) {
        self.number += 1;
        let size = OVERHEAD + serde_json::to_string(&deed).map_or(0, |json| json.len());
        self.bytes += size;
        self.calls
            .entry(sid.clone())
            .or_default()
            .numbers
            .insert(self.number);
        self.stirred.insert(sid.clone());
        let parcel = Parcel {
            sid,
            deed,
            size,
            at: At::Ready,
            tells_of,
        };
        self.parcels.insert(self.number, parcel);
    }

    fn numbers(&self, sid: &CallSid) -> Vec<u64> {
        let of = self.calls.get(sid);
        of.map_or_else(Vec::new, |of| of.numbers.iter().copied().collect())
    }

    /// Leads all deeds of a call to where it is.
    fn lead(&mut self, now: Instant, up: bool, sid: &CallSid, way: Way, out: &mut Vec<Out>) {
        let held = |of: &OfCall| of.not_before.is_some_and(|then| now < then);
        let told = match way {
            Way::There { told, .. } => told,
            _ => 0,
        };
        for number in self.numbers(sid) {
            // Of a call that nobody knows any more nothing is done twice.
            let over = way == Way::New && self.done.contains(&number);
            if number <= told || over {
                self.remove(number);
            }
        }
        let is_told = match way {
            Way::Here => true,
            Way::There { .. } => up,
            Way::New => self.calls.contains_key(sid),
            Way::Wait | Way::Nobody => false,
        };
        if way == Way::New && !is_told {
            // There is no call that could be told.
            self.owed.remove(sid);
        }
        if is_told && let Some(lost) = self.owed.remove(sid) {
            self.keep(sid.clone(), told_of_lost(lost), lost);
            // It is led with the others, now.
            self.stirred.remove(sid);
        }
        let Some(of) = self.calls.get_mut(sid) else {
            return;
        };
        match way {
            Way::Here | Way::New => {
                if !held(of) {
                    self.out_of_lines(sid);
                    let numbers = self.numbers(sid);
                    let deed = |n: &u64| Some((*n, self.parcels.get(n)?.deed.clone()));
                    out.push(Out::Do(sid.clone(), numbers.iter().filter_map(deed).collect()));
                }
            }
            Way::Wait => {}
            Way::Nobody => {
                if up && !of.claiming && !held(of) {
                    of.claiming = true;
                    out.push(Out::Claim(sid.clone()));
                }
            }
            Way::There { node, .. } => {
                if up && !held(of) {
                    self.lead_to(now, sid, &node);
                }
            }
        }
    }

    fn lead_to(&mut self, now: Instant, sid: &CallSid, node: &Arc<str>) {
        for number in self.numbers(sid) {
            let Some(parcel) = self.parcels.get_mut(&number) else {
                continue;
            };
            match &parcel.at {
                At::For(to) if to == node => continue,
                At::Done(by, then) if by == node && now < *then + UNTOLD => continue,
                At::For(to) => self.lines.forget(to, number),
                At::Done(..) => drop(self.done.remove(&number)),
                At::Ready => {}
            }
            parcel.at = At::For(node.clone());
            self.lines.queue(node, number);
        }
    }

    /// Nothing more of a call goes to anybody, for now.
    fn out_of_lines(&mut self, sid: &CallSid) {
        for number in self.numbers(sid) {
            if let Some(parcel) = self.parcels.get_mut(&number)
                && let At::For(to) = &parcel.at
            {
                self.lines.forget(to, number);
                parcel.at = At::Ready;
            }
        }
    }

    /// Its owner may be one that has not what another had done: all is shown anew.
    fn doubt(&mut self, sid: &CallSid) {
        for number in self.numbers(sid) {
            if self.done.remove(&number)
                && let Some(parcel) = self.parcels.get_mut(&number)
            {
                parcel.at = At::Ready;
            }
        }
    }

    fn hold(&mut self, now: Instant, sid: &CallSid) {
        self.out_of_lines(sid);
        if let Some(of) = self.calls.get_mut(sid) {
            of.not_before = Some(now + AGAIN);
        }
    }

    fn send(&mut self, now: Instant, out: &mut Vec<Out>) {
        let parcels = &self.parcels;
        let size = |number: u64| parcels.get(&number).map_or(0, |parcel| parcel.size);
        for (node, batch, numbers, again) in self.lines.due(now, PATIENCE, size) {
            let deeds = numbers.into_iter().filter_map(|number| self.handed(number));
            let deeds = deeds.collect();
            out.push(Out::Send {
                node,
                batch,
                deeds,
                again,
            });
        }
    }

    fn handed(&self, number: u64) -> Option<Handed> {
        let parcel = self.parcels.get(&number)?;
        let of = self.calls.get(&parcel.sid)?;
        // What is let go already is told: every owner to come has it.
        let after = of.numbers.range(..number).next_back().copied();
        Some(Handed {
            number,
            after: after.unwrap_or(0),
            call_sid: parcel.sid.clone(),
            deed: parcel.deed.clone(),
        })
    }

    fn remove(&mut self, number: u64) -> Option<Parcel> {
        let parcel = self.parcels.remove(&number)?;
        self.bytes = self.bytes.saturating_sub(parcel.size);
        self.done.remove(&number);
        if let At::For(node) = &parcel.at {
            self.lines.forget(node, number);
        }
        if let Some(of) = self.calls.get_mut(&parcel.sid) {
            of.numbers.remove(&number);
            if of.numbers.is_empty() {
                self.calls.remove(&parcel.sid);
            }
        }
        if parcel.tells_of == 0 {
            self.gone.push(parcel.sid.clone());
        }
        Some(parcel)
    }

    /// Those that are done go first: only a relay that dies now would have needed them.
    fn lose_oldest(&mut self) {
        if let Some(number) = self.done.first().copied() {
            self.remove(number);
            return;
        }
        let oldest = self.parcels.first_key_value().map(|(number, _)| *number);
        let Some(parcel) = oldest.and_then(|number| self.remove(number)) else {
            return;
        };
        if parcel.tells_of == 0 {
            self.lost += 1;
        }
        if self.owed.len() < MOST_OWED || self.owed.contains_key(&parcel.sid) {
            *self.owed.entry(parcel.sid).or_default() += parcel.tells_of.max(1);
        }
    }
}

fn told_of_lost(lost: u64) -> Deed {
    let message =
        format!("other relays could not be reached for so long that {lost} callbacks of this call were lost");
    Deed::Error { message }
}

#[cfg(test)]
mod tests;
