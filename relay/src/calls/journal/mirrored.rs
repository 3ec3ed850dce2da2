//! A journal whose numbers another relay gives, or gave: taken as they come, held on to while it is asked who numbers,
//! and gone on with.

use partyline_shared::event::EventKind;
use partyline_shared::line::Line;
use partyline_shared::protocol::REMEMBERED;
use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Track};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Cursor, Entry, Journal, Kept as Remembered, NewLine, Sequence};
use crate::calls::encoded::Encoded;
use crate::calls::mirror::{Deed, Kind, Numbered};

/// So far a relay goes on with numbers that another gave and may have given more of, unheard of here: more than a
/// journal remembers, so more than can be unheard of.
pub const SKIP: u64 = 2 * REMEMBERED as u64 + 96;

/// No journal comes to such a number by itself, and JSON holds none above it exactly: a higher one is a fault of whoever
/// says it, and no number would be left to go on with.
const HIGHEST: u64 = 1 << 53;

/// What waits for its number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Waiting {
    /// A line.
    Line(NewLine),
    /// An event.
    Event(UtcTime, EventKind, Map<String, Value>),
}

/// What a journal is beside its entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// The numbering's name.
    pub id: String,
    /// The newest numbers given.
    pub last: Cursor,
    /// What can no longer be read.
    pub forgotten: Cursor,
    sides: PerTrack<Open>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Open {
    /// The seq of the open partial; 0 for none.
    partial: u64,
    of_partial: Option<Sequence>,
    of_final: Option<Sequence>,
}

/// What a mirrored journal cannot go on from: something between is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind;

impl Journal {
    /// As another relay is told it.
    pub fn keep(&self) -> Kept {
        let open = |track: Track| {
            let side = self.sides.get(track);
            Open {
                partial: side.partial.as_ref().map_or(0, |(kept, _)| kept.seq),
                of_partial: side.partial.as_ref().and_then(|(_, line)| line.sequence.clone()),
                of_final: side.last_final.clone(),
            }
        };
        Kept {
            id: self.id.clone(),
            last: self.last,
            forgotten: self.forgotten,
            sides: PerTrack {
                inbound: open(Track::Inbound),
                outbound: open(Track::Outbound),
            },
        }
    }

    /// The seqs of the open partials, 0 for none.
    pub fn open_partials(&self) -> PerTrack<u64> {
        let seq = |track| {
            self.sides
                .get(track)
                .partial
                .as_ref()
                .map_or(0, |(kept, _)| kept.seq)
        };
        PerTrack {
            inbound: seq(Track::Inbound),
            outbound: seq(Track::Outbound),
        }
    }

    /// How often the numbering was another: a reader of an earlier one begins anew.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Entries after `at` as they are told to other relays, each kind by its numbers.
    pub fn numbered_after(&self, mut at: Cursor) -> Vec<Numbered> {
        // Who is told for the first time, or was away for longer than is remembered, gets what there is.
        at.from_start = at == Cursor::default();
        if !self.remembers(at) {
            at = Cursor {
                from_start: true,
                ..self.forgotten
            };
        }
        let entries = self.read(&mut at, usize::MAX).unwrap_or_default();
        entries
            .into_iter()
            .filter_map(|entry| {
                let kind = match entry {
                    Entry::Line(_) => Kind::Lines,
                    Entry::Event(_) => Kind::Events,
                };
                Numbered::of(kind, entry.encoded().json())
            })
            .collect()
    }

    /// Takes what the owner numbered after `after`, and what it says of its journal. What is here already is passed
    /// over. Whether anything of it is new.
    ///
    /// # Errors
    /// [`Behind`] where something before it is missing here: all of it is to be read then, with an `after` of nothing.
    pub fn follow(&mut self, kept: &Kept, after: Cursor, entries: &[Numbered]) -> Result<bool, Behind> {
        let whole = after == Cursor::default();
        if kept.id != self.id {
            if !whole {
                return Err(Behind);
            }
            self.begin_anew(kept.id.clone());
        }
        if !whole && (self.last.line < after.line || self.last.event < after.event) {
            return Err(Behind);
        }
        let before = self.last;
        for entry in entries.iter().filter(|entry| entry.seq() <= HIGHEST) {
            self.take(entry);
        }
        self.last.line = self.last.line.max(kept.last.line.min(HIGHEST));
        self.last.event = self.last.event.max(kept.last.event.min(HIGHEST));
        self.forgotten.line = self.forgotten.line.max(kept.forgotten.line);
        self.forgotten.event = self.forgotten.event.max(kept.forgotten.event);
        for track in Track::BOTH {
            let (side, open) = (self.sides.get_mut(track), kept.sides.get(track));
            side.last_final = open.of_final.clone();
            match &mut side.partial {
                Some((partial, line)) if partial.seq == open.partial => {
                    line.sequence = open.of_partial.clone()
                }
                // Closed by a pause, or by an engine that stopped.
                Some((partial, _)) if partial.seq <= kept.last.line => side.partial = None,
                _ => {}
            }
        }
        Ok(self.last != before)
    }

    /// One entry with its number, in the order of numbers; what is here already is passed over.
    fn take(&mut self, entry: &Numbered) {
        match entry.kind() {
            Kind::Lines if entry.seq() > self.last.line => {
                let Some(line) = entry.line() else { return };
                self.last.line = line.seq;
                let kept = Remembered {
                    seq: line.seq,
                    told: Encoded::new(&self.line_head, entry.json()),
                };
                let side = self.sides.get_mut(line.track);
                if line.is_final {
                    side.partial = None;
                    self.lines.push_back(kept);
                    if self.lines.len() > REMEMBERED {
                        self.forgotten.line = self.lines.pop_front().map_or(0, |gone| gone.seq);
                    }
                } else {
                    side.partial = Some((kept, unnumbered(line)));
                }
            }
            Kind::Events if entry.seq() > self.last.event => {
                self.last.event = entry.seq();
                // Few are, and the others need not be read for it.
                let event = entry
                    .json()
                    .contains(EventKind::Mark.as_str())
                    .then(|| entry.event());
                if let Some(event) = event.flatten() {
                    self.marks.note(event.seq, event.kind, &event.detail);
                }
                self.events.push_back(Remembered {
                    seq: entry.seq(),
                    told: Encoded::new(&self.event_head, entry.json()),
                });
                self.forget_oldest_event();
            }
            Kind::Lines | Kind::Events => {}
        }
    }

    /// Whether an entry of this numbering has never been here.
    pub fn lacks(&self, entry: &Numbered) -> bool {
        let seq = entry.seq();
        let (kept, forgotten) = match entry.kind() {
            Kind::Lines => (&self.lines, self.forgotten.line),
            Kind::Events => (&self.events, self.forgotten.event),
        };
        let open = self.open_partials();
        let is_open = entry.kind() == Kind::Lines && (seq == open.inbound || seq == open.outbound);
        // What was being said is remembered until it was.
        let is_past = |line: Line| !line.is_final && seq <= self.last.line;
        if entry.kind() == Kind::Lines && entry.line().is_some_and(is_past) {
            return false;
        }
        seq > forgotten && !is_open && kept.binary_search_by_key(&seq, |kept| kept.seq).is_err()
    }

    /// Another numbering, of which nothing is here yet.
    fn begin_anew(&mut self, id: String) {
        self.id = id;
        self.generation = self.generation.wrapping_add(1);
        self.lines.clear();
        self.events.clear();
        self.marks.clear();
        self.sides = PerTrack::default();
        self.last = Cursor::default();
        self.forgotten = Cursor::default();
    }

    /// The same entries under another name: somebody has others of this one. Readers begin anew.
    pub fn rename(&mut self, id: String) {
        self.id = id;
        self.generation = self.generation.wrapping_add(1);
    }

    /// From here on nothing gets a number, until [`Journal::release`]: somebody else may be giving them.
    pub fn hold(&mut self) {
        self.waiting.get_or_insert_default();
    }

    /// Whether it is held.
    pub fn is_held(&self) -> bool {
        self.waiting.is_some()
    }

    /// All that has waited gets its number.
    pub fn release(&mut self) {
        for waiting in self.waiting.take().unwrap_or_default() {
            match waiting {
                Waiting::Line(line) => {
                    self.line(line);
                }
                Waiting::Event(at, kind, detail) => self.event(at, kind, detail),
            }
        }
    }

    /// What has waited, for whoever gives the numbers.
    pub fn give_back(&mut self) -> Vec<Deed> {
        let waited = self.waiting.take().unwrap_or_default().into_iter();
        let deed = |waiting| match waiting {
            Waiting::Line(line) => Deed::Line { line },
            Waiting::Event(at, kind, detail) => Deed::Event { at, kind, detail },
        };
        waited.map(deed).collect()
    }

    pub(super) fn wait(&mut self, entry: Waiting) {
        if let Some(waiting) = &mut self.waiting {
            // It takes a second at most: nobody says so much in it.
            if waiting.len() < REMEMBERED {
                waiting.push(entry);
            }
        }
    }

    /// Leaves room for numbers that another relay may have given and nobody else heard of.
    pub fn skip(&mut self) {
        self.last.line += SKIP;
        self.last.event += SKIP;
    }

    /// Takes what another relay numbered on its own, of the same call, as new: whoever reads gets it behind what is here.
    pub fn renumber(&mut self, entries: &[Numbered]) {
        for entry in entries {
            if let Some(line) = entry.line() {
                self.line(unnumbered(line));
            } else if let Some(event) = entry.event() {
                self.event(event.at, event.kind, event.detail);
            }
        }
    }
}

fn unnumbered(line: Line) -> NewLine {
    NewLine {
        at: line.at,
        start_ms: line.start_ms,
        end_ms: line.end_ms,
        track: line.track,
        text: line.text,
        is_final: line.is_final,
        confidence: line.confidence,
        engine: line.engine.unwrap_or_default(),
        sequence: None,
    }
}

#[cfg(test)]
mod tests;
