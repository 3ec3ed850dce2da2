//! A monitor in the middle of a day, to be changed by each test into what it looks at.

use partyline_shared::call::{CallStatus, StreamState};
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use partyline_shared::track::{Track, roles};

use crate::app::calls::{PerSide, Row};
use crate::app::history::History;
use crate::app::state::{App, Link, RelayView};
use crate::app::text::{Happened, Said, Side, Texts};
use crate::event::{CallKey, Column, Device, Now, Playback, Playing, RelayId};

pub(crate) fn at(clock: &str) -> UtcTime {
    UtcTime::parse(&format!("2026-11-22T{clock}Z")).unwrap()
}

pub(crate) fn key(relay: u16, number: usize) -> CallKey {
    CallKey {
        relay: RelayId(relay),
        call: CallSid::parse(&format!("CA{number:032x}")).unwrap(),
    }
}

pub(crate) fn relay(name: &str) -> RelayView {
    RelayView {
        name: name.to_owned(),
        url: format!("https://{name}.example.com"),
        link: Link::Online {
            since: at("09:02:00"),
        },
        user: Some(("anna".to_owned(), "supervisor".to_owned())),
        may_pause: true,
        node: Some("node-1".to_owned()),
        round_trip_ms: Some(24),
        shares: None,
    }
}

/// One relay, no call, a sound card.
pub(crate) fn empty() -> App {
    let now = Now {
        utc: at("13:05:00"),
        ms: 100_000,
    };
    let mut app = App::new(Vec::new(), now);
    app.relays = vec![relay("home")];
    app.device = Device::Ready {
        name: "Built-in Audio".to_owned(),
    };
    app
}

/// A call in progress; `number` makes it another.
pub(crate) fn call(number: usize) -> Row {
    let agents = ["alice", "bob", "carla", "dmitri"];
    let customer = format!("+49301234{:03}", number * 7 % 1000);
    let agent = format!("client:{}", agents[number % 4]);
    Row {
        key: key(0, number),
        status: CallStatus::InProgress,
        stream: StreamState::Live,
        paused: false,
        customer_id: Some(format!("{}", 12345 + number * 111)),
        customer: Some(customer.clone()),
        agent: Some(agent.clone()),
        from: Some(customer),
        to: Some(agent),
        direction: Some("inbound".to_owned()),
        started_at: Some(at("13:00:00").plus_ms(number as i64 * 3000)),
        answered_at: Some(at("13:01:39").plus_ms(number as i64 * 7000)),
        ended_at: None,
        roles: roles(Track::Outbound),
        level: PerSide {
            customer: Some(-22.0 - (number * 5 % 40) as f32),
            agent: Some(-60.0 + (number * 11 % 44) as f32),
        },
        talk_ms: PerSide {
            customer: 62_000 + number as u64 * 900,
            agent: 38_000,
        },
        listeners: (number % 3) as u32,
        node: String::new(),
        lost_ms: 0,
        transcription: PerSide {
            customer: "running".to_owned(),
            agent: "running".to_owned(),
        },
    }
}

pub(crate) fn ended(number: usize) -> Row {
    Row {
        status: CallStatus::Completed,
        stream: StreamState::Stopped,
        ended_at: Some(at("13:04:30")),
        listeners: 0,
        ..call(number)
    }
}

/// Puts calls into the list, the first selected and shown.
pub(crate) fn with(mut app: App, calls: Vec<Row>) -> App {
    app.list.order = calls.iter().map(|row| row.key.clone()).collect();
    app.list.selected = app.list.order.first().cloned();
    app.shown.clone_from(&app.list.selected);
    app.list.calls = calls.into_iter().map(|row| (row.key.clone(), row)).collect();
    app
}

/// Calls in all states.
pub(crate) fn states() -> Vec<Row> {
    let started = Some(at("13:04:50"));
    vec![
        call(0),
        Row {
            paused: true,
            ..call(1)
        },
        Row {
            stream: StreamState::Lost,
            lost_ms: 1200,
            level: PerSide::default(),
            ..call(2)
        },
        Row {
            stream: StreamState::None,
            level: PerSide::default(),
            ..call(3)
        },
        Row {
            status: CallStatus::Ringing,
            stream: StreamState::None,
            answered_at: None,
            started_at: started,
            level: PerSide::default(),
            talk_ms: PerSide::default(),
            ..call(4)
        },
        Row {
            status: CallStatus::Initiated,
            stream: StreamState::None,
            agent: None,
            answered_at: None,
            started_at: started,
            customer_id: None,
            level: PerSide::default(),
            talk_ms: PerSide::default(),
            ..call(5)
        },
        Row {
            answered_at: Some(at("11:58:30")),
            ..call(6)
        },
        ended(7),
        Row {
            status: CallStatus::NoAnswer,
            answered_at: None,
            talk_ms: PerSide::default(),
            ..ended(8)
        },
        Row {
            status: CallStatus::Failed,
            ..ended(9)
        },
    ]
}

/// Speech of a sort, and the other side's silence.
pub(crate) fn history() -> History {
    let mut history = History {
        is_played: true,
        ..History::default()
    };
    for at in 0..600_u32 {
        let syllable = (f64::from(at) * 0.31).sin().abs() * (f64::from(at) * 0.043).sin().max(0.0);
        let loud = (syllable * 70.0) as i8;
        let answer =
            ((f64::from(at) * 0.27).cos().abs() * (f64::from(at) * 0.043 + 3.1).sin().max(0.0) * 50.0) as i8;
        history.columns.customer.push_back(Column {
            low: -loud,
            high: loud,
        });
        history.columns.agent.push_back(Column {
            low: -answer,
            high: answer / 2,
        });
    }
    history
}

pub(crate) fn said(id: u64, clock: &str, side: Side, text: &str) -> Said {
    Said {
        id,
        seq: id,
        at: at(clock),
        side,
        text: text.to_owned(),
        is_final: true,
        is_old: false,
        from: None,
        to: None,
        hole_ms: 0,
    }
}

pub(crate) fn happened(id: u64, clock: &str, kind: EventKind, detail: &[(&str, &str)]) -> Happened {
    Happened {
        id,
        seq: id,
        at: at(clock),
        kind,
        detail: detail
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        is_trouble: false,
        is_old: false,
    }
}

/// A conversation, the last line not yet final.
pub(crate) fn texts() -> Texts {
    use Side::{Agent, Customer};
    let mut texts = Texts::default();
    texts.is_known = true;
    texts.lines = vec![
        said(
            1,
            "13:01:41",
            Agent,
            "Good afternoon, this is Alice at Northwind. How can I help?",
        ),
        said(
            2,
            "13:01:47",
            Customer,
            "Hi. I ordered a standing desk two weeks ago and only the legs have come so far.",
        ),
        said(
            3,
            "13:01:58",
            Agent,
            "I'm sorry about that. Could you give me the order number?",
        ),
        said(
            4,
            "13:02:04",
            Customer,
            "Sure, it is 4711 0815. I would like the rest of it, or a refund.",
        ),
        Said {
            hole_ms: 1240,
            ..said(
                5,
                "13:02:20",
                Agent,
                "A refund is no problem at all. Let me look at where the table top is first.",
            )
        },
        said(6, "13:02:31", Customer, "Okay."),
        said(
            7,
            "13:02:55",
            Agent,
            "It left our warehouse yesterday and should reach you on Tuesday.",
        ),
        Said {
            is_final: false,
            ..said(8, "13:04:57", Customer, "Tuesday is fine, as long as")
        },
    ];
    texts.events = vec![
        happened(
            1,
            "13:00:00",
            EventKind::CallStatus,
            &[("status", "ringing"), ("from", "+49301234000")],
        ),
        happened(
            2,
            "13:01:39",
            EventKind::CallStatus,
            &[("status", "in-progress"), ("leg", "child")],
        ),
        happened(3, "13:01:39", EventKind::StreamStarted, &[("tracks", "both")]),
        happened(
            4,
            "13:01:40",
            EventKind::TranscriptionStarted,
            &[("engine", "vosk"), ("track", "inbound")],
        ),
        Happened {
            is_trouble: true,
            ..happened(
                5,
                "13:02:18",
                EventKind::Gap,
                &[
                    ("track", "outbound"),
                    ("from_chunk", "1950"),
                    ("to_chunk", "2012"),
                    ("reason", "upstream"),
                ],
            )
        },
        happened(6, "13:03:10", EventKind::ListenerJoined, &[("listener", "anna")]),
    ];
    texts
}

/// A call that is heard, and a few others.
pub(crate) fn busy() -> App {
    let mut app = with(empty(), states());
    app.heard.clone_from(&app.shown);
    app.playback = Playback {
        state: Playing::Live,
        delay_ms: Some(84),
        ..Playback::default()
    };
    app.device = Device::Open {
        name: "Built-in Audio".to_owned(),
        rate: 48_000,
    };
    app.history = history();
    app.texts.insert(key(0, 0), texts());
    app
}
