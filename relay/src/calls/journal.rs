//! One call's lines and events: numbered from 1 each, kept, resumable. Nothing is queued for a reader:
//! each keeps a [`Cursor`] and reads on, so a slow one costs no memory, and one whose place is no longer
//! remembered is told so instead of being shown a hole. No clock, no I/O.

use std::collections::VecDeque;
use std::sync::Arc;

use partyline_shared::event::{Event, EventKind};
use partyline_shared::id::CallSid;
use partyline_shared::line::Line;
use partyline_shared::protocol::REMEMBERED;
use partyline_shared::protocol::client::After;
use partyline_shared::protocol::codec::to_text;
use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Track};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::encoded::Encoded;

mod marks;
mod mirrored;

pub use marks::BY;
use marks::Marks;
use mirrored::Waiting;
pub use mirrored::{Behind, Kept as KeptJournal, SKIP};

/// Where a reader stands: the last line and the last event it has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Last line's seq.
    pub line: u64,
    /// Last event's seq.
    pub event: u64,
    /// Nothing has been read: an open partial comes even where finals after it are forgotten.
    #[serde(skip)]
    pub from_start: bool,
}

/// One thing to read: the message that tells a `Line` or an `Event`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A transcript line.
    Line(Encoded),
    /// An event.
    Event(Encoded),
}

impl Entry {
    /// The message, the same for every listener.
    pub fn encoded(&self) -> &Encoded {
        match self {
            Entry::Line(encoded) | Entry::Event(encoded) => encoded,
        }
    }
}

/// The reader's place is no longer remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten;

#[derive(Debug, Clone)]
struct Kept {
    seq: u64,
    told: Encoded,
}

/// A line before it has its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewLine {
    /// When it was said, by the engine's clock.
    pub at: UtcTime,
    /// Where in the stream it begins, ms of media time, where the engine says so.
    pub start_ms: Option<u64>,
    /// Where it ends.
    pub end_ms: Option<u64>,
    /// By whom.
    pub track: Track,
    /// What.
    pub text: String,
    /// Whether it stays.
    pub is_final: bool,
    /// 0 to 1.
    pub confidence: Option<f64>,
    /// Which engine wrote it.
    pub engine: String,
    /// The engine's own count, where it has one.
    pub sequence: Option<Sequence>,
}

impl NewLine {
    /// As everybody is shown it.
    pub fn numbered(self, seq: u64) -> Line {
        Line {
            seq,
            at: self.at,
            start_ms: self.start_ms,
            end_ms: self.end_ms,
            track: self.track,
            text: self.text,
            is_final: self.is_final,
            confidence: self.confidence,
            engine: Some(self.engine),
            hole_ms: None,
        }
    }
}

/// An engine's own count: Twilio's SequenceId, which counts anew in each transcription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// The transcription.
    pub source: Arc<str>,
    /// Its number.
    pub number: u64,
}

impl Sequence {
    fn is_older(&self, than: &Sequence) -> bool {
        self.source == than.source && self.number < than.number
    }
}

#[derive(Debug, Default)]
struct Side {
    partial: Option<(Kept, NewLine)>,
    /// Of the newest final.
    last_final: Option<Sequence>,
}

/// A call's lines and events.
#[derive(Debug)]
pub struct Journal {
    id: String,
    /// What stands before a line, or an event, in the message that tells it.
    line_head: String,
    event_head: String,
    lines: VecDeque<Kept>,
    sides: PerTrack<Side>,
    events: VecDeque<Kept>,
    /// Which of them somebody made.
    marks: Marks,
    last: Cursor,
    /// What can no longer be read: the highest seq let go of each.
    forgotten: Cursor,
    /// What waits for its number, while nobody knows who gives them.
    waiting: Option<Vec<Waiting>>,
    /// How often it was another numbering.
    generation: u32,
}

impl Journal {
    /// An empty journal of `call`; `id` names this numbering and no other.
    pub fn new(id: String, call: &CallSid) -> Journal {
        let call = to_text(call);
        Journal {
            id,
            line_head: format!(r#"{{"type":"transcript","call_sid":{call},"line":"#),
            event_head: format!(r#"{{"type":"event","call_sid":{call},"event":"#),
            lines: VecDeque::new(),
            sides: PerTrack::default(),
            events: VecDeque::new(),
            marks: Marks::default(),
            last: Cursor::default(),
            forgotten: Cursor::default(),
            waiting: None,
            generation: 0,
        }
    }

    /// This numbering's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The newest numbers given.
    pub fn last(&self) -> Cursor {
        self.last
    }

    /// Numbers and keeps a line. A partial replaces its track's; a final closes it. Answers whether it
    /// was taken: a partial that is older than what its track already has is not.
    pub fn line(&mut self, new: NewLine) -> bool {
        if self.waiting.is_some() {
            self.wait(Waiting::Line(new));
            return true;
        }
        let side = self.sides.get_mut(new.track);
        let older = |than: Option<&Sequence>| {
            new.sequence
                .as_ref()
                .zip(than)
                .is_some_and(|(a, b)| a.is_older(b))
        };
        let older_than_open = older(side.partial.as_ref().and_then(|(_, line)| line.sequence.as_ref()));
        let older_than_final = older(side.last_final.as_ref());
        if !new.is_final && (older_than_final || older_than_open) {
            return false;
        }
        self.last.line += 1;
        let line = new.clone().numbered(self.last.line);
        let kept = Kept {
            seq: line.seq,
            told: Encoded::new(&self.line_head, &to_text(&line)),
        };
        if !new.is_final {
            side.partial = Some((kept, new));
            return true;
        }
        // A final that came late leaves the newer partial open.
        if !older_than_open {
            side.partial = None;
        }
        if !older_than_final {
            side.last_final = new.sequence;
        }
        self.lines.push_back(kept);
        if self.lines.len() > REMEMBERED {
            self.forgotten.line = self.lines.pop_front().map_or(0, |gone| gone.seq);
        }
        true
    }

    /// Whatever is said so far stays as it is: each open partial becomes a final.
    pub fn close_partials(&mut self) {
        let open = [&mut self.sides.inbound, &mut self.sides.outbound]
            .into_iter()
            .filter_map(|side| side.partial.take());
        let mut open: Vec<_> = open.map(|(kept, line)| (kept.seq, line)).collect();
        open.sort_unstable_by_key(|(seq, _)| *seq);
        for (_, line) in open {
            self.line(NewLine {
                is_final: true,
                ..line
            });
        }
    }

    /// Numbers and keeps an event.
    pub fn event(&mut self, at: UtcTime, kind: EventKind, detail: Map<String, Value>) {
        if self.waiting.is_some() {
            return self.wait(Waiting::Event(at, kind, detail));
        }
        self.last.event += 1;
        self.marks.note(self.last.event, kind, &detail);
        let event = Event {
            seq: self.last.event,
            at,
            kind,
            detail,
        };
        self.events.push_back(Kept {
            seq: event.seq,
            told: Encoded::new(&self.event_head, &to_text(&event)),
        });
        self.forget_oldest_event();
    }

    fn forget_oldest_event(&mut self) {
        if self.events.len() > REMEMBERED {
            self.forgotten.event = self.events.pop_front().map_or(0, |gone| gone.seq);
            self.marks.forget(self.forgotten.event);
        }
    }

    /// How many of the remembered events are marks of somebody of this name, and of all.
    pub fn marks(&self, by: &str) -> (usize, usize) {
        self.marks.count(by)
    }

    /// Where a listener that says `after` goes on, and whether that continues what it has. Without an
    /// `after`, of another numbering, or after something that is gone: from the beginning.
    pub fn resume(&self, after: Option<&After>) -> (Cursor, bool) {
        let beginning = (
            Cursor {
                from_start: true,
                ..self.forgotten
            },
            false,
        );
        let Some(after) = after else { return beginning };
        if after.journal.as_deref().is_some_and(|id| id != self.id) {
            return beginning;
        }
        let at = Cursor {
            line: after.transcript,
            event: after.event,
            from_start: false,
        };
        // Without a journal they are taken at their word; with it, a number never given is no number of it.
        let known = after.journal.is_none() || (at.line <= self.last.line && at.event <= self.last.event);
        if known && self.remembers(at) {
            (at, true)
        } else {
            beginning
        }
    }

    fn remembers(&self, at: Cursor) -> bool {
        at.line >= self.forgotten.line && at.event >= self.forgotten.event
    }

    /// Whether there is anything after `at`.
    pub fn has_news(&self, at: Cursor) -> bool {
        at.from_start || at.line < self.last.line || at.event < self.last.event
    }

    /// Reads up to `limit` entries after `at` and moves it: lines by number, then events by number.
    ///
    /// # Errors
    /// [`Forgotten`] when something after `at` is gone; `at` stays.
    pub fn read(&self, at: &mut Cursor, limit: usize) -> Result<Vec<Entry>, Forgotten> {
        if !self.remembers(*at) {
            return Err(Forgotten);
        }
        let mut entries: Vec<Entry> = Vec::new();
        let from_start = std::mem::take(&mut at.from_start);
        for kept in self.lines_after(at.line, from_start).into_iter().take(limit) {
            at.line = at.line.max(kept.seq);
            entries.push(Entry::Line(kept.told.clone()));
        }
        if entries.len() < limit {
            // Nothing readable is left: superseded partials are skipped.
            at.line = at.line.max(self.last.line);
            let skip = self.events.partition_point(|kept| kept.seq <= at.event);
            for kept in self.events.iter().skip(skip).take(limit - entries.len()) {
                at.event = kept.seq;
                entries.push(Entry::Event(kept.told.clone()));
            }
        }
        Ok(entries)
    }

    /// Finals after `seq` and open partials after it, or all of those, by number.
    fn lines_after(&self, seq: u64, all_partials: bool) -> Vec<&Kept> {
        let skip = self.lines.partition_point(|kept| kept.seq <= seq);
        let partials = [&self.sides.inbound, &self.sides.outbound]
            .into_iter()
            .filter_map(|side| side.partial.as_ref().map(|(kept, _)| kept))
            .filter(|kept| all_partials || kept.seq > seq);
        let mut after: Vec<&Kept> = self.lines.iter().skip(skip).chain(partials).collect();
        after.sort_unstable_by_key(|kept| kept.seq);
        after
    }
}

#[cfg(test)]
mod tests;
