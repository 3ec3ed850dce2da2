//! What stands beside a clip's audio: which call, from when to when, and the lines and events of that time as the
//! monitor has them.

use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::app::calls::Row;
use crate::app::calls::row::side_of;
use crate::app::state::App;
use crate::app::text::{Happened, Said, Side};
use crate::event::CallKey;

/// How long after the audio lines and events still belong to it, ms: a line comes after its words, and a mark after what
/// it is about.
const AFTERWARDS_MS: i64 = 2_000;

/// The sheet. Times are the relay's.
#[derive(Serialize)]
pub struct Sheet {
    call: Of,
    /// When the audio begins.
    pub from: UtcTime,
    /// When it ends.
    pub to: UtcTime,
    lines: Vec<Line>,
    events: Vec<Event>,
}

/// Which call.
#[derive(Serialize)]
struct Of {
    call_sid: CallSid,
    customer_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    started_at: Option<UtcTime>,
}

#[derive(Serialize)]
struct Line {
    seq: u64,
    at: UtcTime,
    track: Option<Track>,
    role: &'static str,
    text: String,
    #[serde(rename = "final")]
    is_final: bool,
}

#[derive(Serialize)]
struct Event {
    seq: u64,
    at: UtcTime,
    kind: EventKind,
    detail: Map<String, Value>,
}

impl Sheet {
    /// The sheet of a call's audio between two moments.
    pub fn of(app: &App, call: &CallKey, from: UtcTime, to: UtcTime) -> Sheet {
        let row = app.row(call);
        let text = |take: fn(&Row) -> Option<&String>| row.and_then(take).cloned();
        let until = to.plus_ms(AFTERWARDS_MS);
        let lies = |at: UtcTime| from <= at && at <= until;
        let texts = app.texts.get(call);
        let lines = texts.map_or(&[][..], |texts| &texts.lines);
        let events = texts.map_or(&[][..], |texts| &texts.events);
        Sheet {
            call: Of {
                call_sid: call.call.clone(),
                customer_id: text(|row| row.customer_id.as_ref()),
                from: text(|row| row.from.as_ref()),
                to: text(|row| row.to.as_ref()),
                started_at: row.and_then(|row| row.started_at),
            },
            from,
            to,
            lines: lines
                .iter()
                .filter(|said| lies(said.at))
                .map(|said| line(row, said))
                .collect(),
            events: events
                .iter()
                .filter(|event| lies(meant(event)))
                .map(kept)
                .collect(),
        }
    }

    pub(super) fn call_sid(&self) -> &CallSid {
        &self.call.call_sid
    }
}

fn line(row: Option<&Row>, said: &Said) -> Line {
    let side = |row: &Row| {
        Track::BOTH
            .into_iter()
            .find(|track| side_of(*track, &row.roles) == said.side)
    };
    Line {
        seq: said.seq,
        at: said.at,
        track: row.and_then(side),
        role: match said.side {
            Side::Customer => "customer",
            Side::Agent => "agent",
        },
        text: said.text.clone(),
        is_final: said.is_final,
    }
}

/// The moment that an event is about: a mark may be of what was said before.
fn meant(event: &Happened) -> UtcTime {
    let at = event.detail.iter().find(|(key, _)| key == "at");
    let meant = at.and_then(|(_, text)| UtcTime::parse(text));
    meant
        .filter(|_| event.kind == EventKind::Mark)
        .unwrap_or(event.at)
}

fn kept(event: &Happened) -> Event {
    let detail = event.detail.iter();
    Event {
        seq: event.seq,
        at: event.at,
        kind: event.kind,
        detail: detail
            .map(|(key, value)| (key.clone(), value.clone().into()))
            .collect(),
    }
}
