//! What one call consists of, under its lock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use partyline_shared::call::Call as View;
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Track};
use serde_json::{Map, Value, json};

use super::Tell;
use super::audio::Stream;
use super::mirrored::{Held, Mirror};
use super::seat::Seat;
use crate::calls::doubt::Doubt;
use crate::calls::fanout::{Form, Gap, Mailbox, StreamInfo, SubId};
use crate::calls::journal::Journal;
use crate::calls::life::Life;
use crate::calls::limiter::Limiter;
use crate::calls::meter::Meter;
use crate::calls::mirror::Deed;
use crate::calls::parties::Known;
use crate::calls::pause::Pause;
use crate::calls::replay::Replay;
use crate::calls::transcription::{Heard, Message, Transcription};
use crate::clock::Now;
use crate::metrics::Counter;

/// Statuses of legs remembered to tell a repeated callback from a new one: eight legs of eight.
const SEEN: usize = 64;

/// Where one listener's frames go.
#[derive(Debug, Clone)]
pub(super) struct Ear {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) sub: SubId,
}

/// Those whose frames are put into one form.
#[derive(Debug)]
pub(super) struct Formed {
    pub(super) form: Arc<dyn Form>,
    pub(super) ears: Box<[Ear]>,
}

/// An event that a listener or a stream could write as often as it likes: the newest, and how many.
#[derive(Debug)]
struct Note {
    detail: Value,
    count: u64,
}

/// Messages that were none, summed up.
#[derive(Debug)]
pub(super) struct Bad {
    /// Each reason once: there are a dozen.
    pub(super) why: Vec<String>,
    pub(super) count: u64,
}

impl Bad {
    pub(super) fn one(why: &str) -> Bad {
        Bad {
            why: vec![why.to_owned()],
            count: 1,
        }
    }

    pub(super) fn add(&mut self, more: Bad) {
        self.count += more.count;
        for why in more.why {
            if !self.why.contains(&why) {
                self.why.push(why);
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) life: Life,
    pub(super) known: Known,
    pub(super) journal: Journal,
    pub(super) transcription: Transcription,
    pub(super) doubt: Doubt,
    pub(super) pause: Pause,
    pub(super) replay: Replay,
    pub(super) meter: Meter,
    pub(super) stream: Option<Stream>,
    pub(super) tracks: Vec<Track>,
    pub(super) lost_chunks: u64,
    pub(super) gaps: PerTrack<Limiter<(Gap, u64)>>,
    pub(super) bad: Limiter<Bad>,
    notes: [(EventKind, Limiter<Note>); 3],
    pub(super) seats: Vec<Seat>,
    /// Who hears its frames as they are: the same as in `seats`, to be handed out without the lock.
    pub(super) audience: Arc<[Ear]>,
    /// Who hears them in other forms, where there is anybody.
    pub(super) formed: Option<Arc<[Formed]>>,
    pub(super) seen: Vec<(CallSid, String)>,
    pub(super) mirror: Mirror,
    pub(super) next_seat: u64,
    minor: bool,
    /// Retention is over: the list no longer has this call.
    pub(super) forgotten: bool,
    last_told: Instant,
}

impl State {
    pub(super) fn new(sid: &CallSid, now: Now, journal: String, history: Duration) -> State {
        State {
            life: Life::new(now),
            known: Known::default(),
            journal: Journal::new(journal, sid),
            transcription: Transcription::default(),
            doubt: Doubt::default(),
            pause: Pause::default(),
            replay: Replay::new(history),
            meter: Meter::default(),
            stream: None,
            tracks: Vec::new(),
            lost_chunks: 0,
            gaps: PerTrack::default(),
            bad: Limiter::default(),
            notes: [
                EventKind::ListenerJoined,
                EventKind::ListenerLeft,
                EventKind::Mark,
            ]
            .map(|kind| (kind, Limiter::default())),
            seats: Vec::new(),
            audience: Arc::new([]),
            formed: None,
            seen: Vec::new(),
            mirror: Mirror::default(),
            next_seat: 0,
            minor: false,
            forgotten: false,
            last_told: now.mono,
        }
    }

    pub(super) fn view(&mut self, sid: &CallSid, node: &str) -> View {
        self.meter.settle(&mut self.replay);
        View {
            call_sid: sid.clone(),
            account_sid: self.known.account_sid().cloned(),
            customer_id: self.known.customer_id().cloned(),
            from: self.known.from().cloned(),
            to: self.known.to().cloned(),
            direction: self.known.direction().cloned(),
            agent: self.known.agent().cloned(),
            dialed: self.known.dialed().cloned(),
            roles: self.known.roles(),
            status: self.life.status(),
            started_at: Some(self.life.started_at()),
            answered_at: self.life.answered_at(),
            ended_at: self.life.ended_at(),
            stream: self.life.stream(),
            tracks: self.tracks.clone(),
            paused: self.pause.is_on(),
            listeners: self.listeners(),
            node: match &self.mirror.held {
                Held::Theirs(node) => node.to_string(),
                Held::Ours | Held::Taking => node.to_owned(),
            },
            lost_chunks: self.lost_chunks,
            talk: self.meter.talk(),
            transcription: self.transcription.view(),
        }
    }

    pub(super) fn stream_info(&self) -> Option<StreamInfo> {
        self.stream.as_ref().map(|stream| stream.info)
    }

    /// Who only reads is not heard of: it does not listen.
    pub(super) fn seat_event(&mut self, now: Now, seat: u64, joined: bool) {
        let Some(name) = self
            .seats
            .iter()
            .find(|s| s.id == seat && s.listens())
            .map(|s| s.grant.name().to_owned())
        else {
            return;
        };
        let kind = if joined {
            EventKind::ListenerJoined
        } else {
            EventKind::ListenerLeft
        };
        self.note(now, kind, json!({ "name": name }));
    }

    /// An event of one of the kinds in `notes`: at once, or summed up with others of its kind.
    pub(super) fn note(&mut self, now: Now, kind: EventKind, detail: Value) {
        let note = Note { detail, count: 1 };
        if let Some((_, limiter)) = self.notes.iter_mut().find(|(of, _)| *of == kind) {
            limiter.push(note, |sum, newer| {
                *sum = Note {
                    detail: newer.detail,
                    count: sum.count + 1,
                }
            });
        }
        self.tell_notes(now, false);
    }

    pub(super) fn tell_notes(&mut self, now: Now, all: bool) {
        let due = |limiter: &mut Limiter<Note>| {
            if all {
                limiter.flush()
            } else {
                limiter.take(now.mono)
            }
        };
        let told: Vec<(EventKind, Note)> = self
            .notes
            .iter_mut()
            .filter_map(|(kind, limiter)| due(limiter).map(|note| (*kind, note)))
            .collect();
        for (kind, Note { mut detail, count }) in told {
            if let (2.., Value::Object(map)) = (count, &mut detail) {
                map.insert("count".to_owned(), count.into());
            }
            self.event(now.wall, kind, detail);
        }
    }

    pub(super) fn event(&mut self, at: UtcTime, kind: EventKind, detail: Value) {
        let detail = match detail {
            Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            _ => Map::new(),
        };
        if self.is_theirs() {
            return self.event_away(at, kind, detail);
        }
        self.journal.event(at, kind, detail);
    }

    /// Whether a line that may be missing is waited for here.
    pub(super) fn waits_for_a_line(&self) -> bool {
        !self.is_theirs() && self.transcription.deadline().is_some()
    }

    /// What engines said, in order: to the journal, but for what may be of a pause, which `dropped` counts.
    pub(super) fn heard(&mut self, now: Now, messages: Vec<Message>, dropped: &Counter) -> Tell {
        let mut tell = Tell::Nothing;
        for (at, heard) in messages {
            if self.transcription.note(at, &heard) {
                tell = Tell::Later;
            }
            match heard {
                Heard::Started {
                    engine,
                    provider,
                    track,
                } => {
                    let track = track.map(Track::as_str);
                    self.event(
                        at,
                        EventKind::TranscriptionStarted,
                        json!({ "engine": engine, "provider": provider, "track": track }),
                    );
                }
                Heard::Nothing { why: Some(why) } => self.bad.push(Bad::one(&why), Bad::add),
                Heard::Nothing { why: None } => {}
                Heard::Stopped => self.event(at, EventKind::TranscriptionStopped, json!({})),
                Heard::Failed { code, message } => {
                    let detail = json!({ "code": code, "message": message });
                    self.event(at, EventKind::TranscriptionFailed, detail);
                }
                Heard::HeldBack {
                    track,
                    engine,
                    is_final,
                } => {
                    let told = at.min(now.wall);
                    self.doubt.is_of_a_pause(track, &engine, is_final, told);
                    dropped.add_one();
                }
                Heard::Line(line) if self.is_of_a_pause(now, &line) => dropped.add_one(),
                Heard::Line(line) if self.is_theirs() => self.mirror.away.push(Deed::Line { line }),
                Heard::Line(line) => {
                    self.journal.line(line);
                }
            }
        }
        tell
    }

    pub(super) fn on_deadline(&mut self, now: Now, dropped: &Counter) -> Tell {
        if self.life.has_stalled(now.mono) {
            let sid = self.stream.as_ref().map(|stream| stream.sid.clone());
            self.event(now.wall, EventKind::StreamStalled, json!({ "stream_sid": sid }));
        }
        self.tell_sums(now);
        let lines = self.transcription.on_deadline(now.mono);
        self.heard(now, lines, dropped)
    }

    /// Events that were summed up, as far as they may be told now.
    pub(super) fn tell_sums(&mut self, now: Now) {
        for track in Track::BOTH {
            if let Some(gap) = self.gaps.get_mut(track).take(now.mono) {
                self.gap_event(now.wall, gap);
            }
        }
        if let Some(bad) = self.bad.take(now.mono) {
            self.bad_event(now.wall, bad);
        }
        self.tell_notes(now, false);
    }

    /// Tells what still waits to be summed up: the stream is over.
    pub(super) fn flush_events(&mut self, now: Now) {
        for track in Track::BOTH {
            if let Some(gap) = self.gaps.get_mut(track).flush() {
                self.gap_event(now.wall, gap);
            }
        }
        if let Some(bad) = self.bad.flush() {
            self.bad_event(now.wall, bad);
        }
    }

    /// Whether time alone will have something to tell: a lesser change, an event that waits.
    pub(super) fn is_restless(&self) -> bool {
        self.minor
            || self.bad.is_waiting()
            || Track::BOTH.iter().any(|&track| self.gaps.get(track).is_waiting())
            || self.notes.iter().any(|(_, limiter)| limiter.is_waiting())
    }

    fn gap_event(&mut self, at: UtcTime, (gap, missing): (Gap, u64)) {
        let detail = json!({
            "track": gap.track.as_str(),
            "from_chunk": gap.from_chunk,
            "to_chunk": gap.to_chunk,
            "missing": missing,
            "reason": GapReason::Upstream.as_str(),
        });
        self.event(at, EventKind::Gap, detail);
    }

    fn bad_event(&mut self, at: UtcTime, bad: Bad) {
        self.event(
            at,
            EventKind::BadMessage,
            json!({ "reason": bad.why.join("; "), "count": bad.count }),
        );
    }

    /// Whether this leg's status is new; remembers it.
    pub(super) fn is_new_status(&mut self, leg: &CallSid, status: &str) -> bool {
        if self.seen.iter().any(|(sid, known)| sid == leg && known == status) {
            return false;
        }
        if self.seen.len() >= SEEN {
            self.seen.remove(0);
        }
        self.seen.push((leg.clone(), status.to_owned()));
        true
    }

    pub(super) fn set_minor(&mut self) {
        self.minor = true;
    }

    pub(super) fn is_minor(&self) -> bool {
        self.minor
    }

    pub(super) fn told(&mut self, now: Instant) {
        self.minor = false;
        self.last_told = now;
    }

    /// When a waiting lesser change's call was told last; what waits longest is told first.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        self.minor.then_some(self.last_told)
    }
}
