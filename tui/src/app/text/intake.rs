//! A line or an event comes: it is taken once, cleaned, and put in its place. Finals are in the order in which
//! they came; the open partial of each side is after them, until the next of its side takes its place.

use partyline_shared::event::{Event, EventKind};
use partyline_shared::line::Line;
use partyline_shared::text::clean;
use partyline_shared::time::UtcTime;
use serde_json::Value;

use super::journal::{Journal, Verdict, judge};
use super::view::Entry;
use super::{Happened, Said, Side, Texts};

/// Lines kept of a call: what a relay remembers.
pub const LINES_KEPT: usize = 2_000;

/// How long after its words were said a line may come, ms: the longest sentence, and the slowest engine.
const SAID_BEFORE_MS: i64 = 60_000;

/// How far its words may seem to be said after it came, ms: clocks of two machines differ.
const SAID_LATER_MS: i64 = 2_000;

/// Events kept of a call: the same.
pub const EVENTS_KEPT: usize = 2_000;

/// Pairs kept of an event's detail; the contract's events have six at most.
const DETAIL_KEPT: usize = 12;

/// Characters kept of a key or value: a screen's width, and a long reason in words.
const DETAIL_CHARS: usize = 240;

impl Texts {
    /// Takes a line; whether anything is to be seen of it.
    pub fn take_line(&mut self, line: &Line, side: Side) -> bool {
        let text = clean(&line.text);
        let kept = self.lines.iter().filter(|known| !known.is_old).map(|known| {
            let same = known.at == line.at && known.text == text && known.is_final == line.is_final;
            (known.seq, same)
        });
        let Journal {
            line: last,
            comes_again,
            ..
        } = self.journal;
        match judge(line.seq, last, comes_again, self.forgotten_lines > 0, kept) {
            Verdict::Known => return false,
            Verdict::Foreign => self.renumber(),
            Verdict::New => {}
        }
        self.journal.line = line.seq;
        self.put_line(Said {
            id: 0,
            seq: line.seq,
            at: line.at,
            side,
            text,
            is_final: line.is_final,
            is_old: false,
            from: self.said_at(line, line.start_ms),
            to: self.said_at(line, line.end_ms),
            hole_ms: line.hole_ms.unwrap_or(0),
        });
        true
    }

    /// The wall clock at a media time of a line. A line of an earlier stream counts from another 0: what is nowhere near
    /// the time at which the line came is not believed.
    fn said_at(&self, line: &Line, media_ms: Option<u64>) -> Option<UtcTime> {
        let media_ms = i64::try_from(media_ms?).ok()?;
        let at = self.zero_at?.plus_ms(media_ms);
        let before = line.at.unix_ms().saturating_sub(at.unix_ms());
        (-SAID_LATER_MS..=SAID_BEFORE_MS).contains(&before).then_some(at)
    }

    fn put_line(&mut self, mut line: Said) {
        let open = |said: &Said| !said.is_final && !said.is_old;
        let from = self
            .lines
            .iter()
            .rposition(|said| !open(said))
            .map_or(0, |at| at + 1);
        let partials = self.lines.get_mut(from..).unwrap_or_default();
        let own = partials.iter_mut().find(|said| said.side == line.side);
        match own {
            // In place: two who speak at once do not make their lines change places.
            Some(own) if !line.is_final => {
                line.id = own.id;
                *own = line;
                return;
            }
            Some(own) => {
                line.id = self.last_id + 1;
                self.lines_view.follow_entry(own.id, line.id);
            }
            None => {}
        }
        let mut partials = if line.is_final {
            self.lines.split_off(from)
        } else {
            Vec::new()
        };
        partials.retain(|said| said.side != line.side);
        line.id = self.next_id();
        self.lines.push(line);
        // Ids grow along the list, so the other side's partial, which stays below, gets a new one too.
        for mut partial in partials {
            let id = self.next_id();
            self.lines_view.follow_entry(partial.id, id);
            partial.id = id;
            self.lines.push(partial);
        }
        let over = self.lines.len().saturating_sub(LINES_KEPT);
        if over > 0 {
            self.lines.drain(..over);
            self.forgotten_lines += over as u64;
            self.lines_view.forget_before(&self.lines);
        }
    }

    /// Takes an event; whether it is new.
    pub fn take_event(&mut self, event: &Event) -> bool {
        let detail = flat(event);
        let kept = self.events.iter().filter(|known| !known.is_old).map(|known| {
            let same = known.at == event.at && known.kind == event.kind && known.detail == detail;
            (known.seq, same)
        });
        let Journal {
            event: last,
            comes_again,
            ..
        } = self.journal;
        match judge(event.seq, last, comes_again, self.forgotten_events > 0, kept) {
            Verdict::Known => return false,
            Verdict::Foreign => self.renumber(),
            Verdict::New => {}
        }
        self.journal.event = event.seq;
        let id = self.next_id();
        self.events.push(Happened {
            id,
            seq: event.seq,
            at: event.at,
            kind: event.kind,
            detail,
            is_trouble: is_trouble(event.kind),
            is_old: false,
        });
        let over = self.events.len().saturating_sub(EVENTS_KEPT);
        if over > 0 {
            self.events.drain(..over);
            self.forgotten_events += over as u64;
            self.events_view.forget_before(&self.events);
        }
        true
    }

    /// It has turned out that who was taken for the customer is the agent, and the other way round.
    pub fn swap_sides(&mut self) {
        for line in self.lines.iter_mut().filter(|line| !line.is_old) {
            line.side = match line.side {
                Side::Customer => Side::Agent,
                Side::Agent => Side::Customer,
            };
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

impl Entry for Said {
    fn id(&self) -> u64 {
        self.id
    }

    fn has(&self, what: &str) -> bool {
        self.text.to_lowercase().contains(what) || self.side.as_str().contains(what)
    }
}

impl Entry for Happened {
    fn id(&self) -> u64 {
        self.id
    }

    fn has(&self, what: &str) -> bool {
        let pair = |(key, value): &(String, String)| format!("{key}={value}").to_lowercase().contains(what);
        self.kind.as_str().contains(what) || self.detail.iter().any(pair)
    }
}

/// What is known of an event beside its kind, as texts.
fn flat(event: &Event) -> Vec<(String, String)> {
    let short = |text: &str| -> String { clean(text).chars().take(DETAIL_CHARS).collect() };
    let pairs = event.detail.iter().filter(|(_, value)| !value.is_null());
    pairs
        .take(DETAIL_KEPT)
        .map(|(key, value)| match value {
            Value::String(text) => (short(key), short(text)),
            other => (short(key), short(&other.to_string())),
        })
        .collect()
}

fn is_trouble(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::StreamLost
            | EventKind::StreamStalled
            | EventKind::StreamRefused
            | EventKind::BadMessage
            | EventKind::TranscriptionFailed
            | EventKind::Gap
            | EventKind::Error
    )
}
