//! What is in the two files.

use partyline_shared::audio::g711;
use partyline_shared::event::{Event as CallEvent, EventKind};
use partyline_shared::line::Line;
use serde_json::{Value, json};

use super::*;
use crate::app::state::App;
use crate::app::text::{Side, Texts};
use crate::event::{CallKey, Now, RelayId};

fn at(ms: i64) -> UtcTime {
    UtcTime::from_unix_ms(1_795_338_000_000 + ms)
}

fn line(seq: u64, ms: i64) -> Line {
    let value =
        json!({"seq": seq, "at": at(ms), "track": "inbound", "text": format!("line {seq}"), "final": true});
    serde_json::from_value(value).unwrap()
}

fn event(seq: u64, ms: i64, kind: EventKind, detail: Value) -> CallEvent {
    CallEvent {
        seq,
        at: at(ms),
        kind,
        detail: detail.as_object().unwrap().clone(),
    }
}

#[test]
fn a_sheet_has_what_lies_in_its_time() {
    let now = Now { utc: at(0), ms: 0 };
    let mut app = App::new(vec![("r".to_owned(), "http://r".to_owned())], now);
    let key = CallKey {
        relay: RelayId(0),
        call: CallSid::parse("CA0123456789").unwrap(),
    };
    let mut texts = Texts::default();
    for (seq, ms) in [(1, 999), (2, 1_000), (3, 33_000), (4, 33_001)] {
        texts.take_line(&line(seq, ms), Side::Customer);
    }
    let mark = |ms: i64| json!({"by": "alice", "at": at(ms)});
    for event in [
        event(1, 20_000, EventKind::Gap, json!({"reason": "upstream"})),
        event(2, 50_000, EventKind::Mark, mark(30_000)),
        event(3, 20_000, EventKind::Mark, mark(500)),
        event(4, 33_001, EventKind::Paused, json!({})),
    ] {
        texts.take_event(&event);
    }
    app.texts.insert(key.clone(), texts);
    let sheet = Sheet::of(&app, &key, at(1_000), at(31_000));
    let sheet: Value = serde_json::to_value(&sheet).unwrap();
    assert_eq!(sheet["call"]["call_sid"], "CA0123456789");
    assert_eq!(
        (&sheet["from"], &sheet["to"]),
        (&json!(at(1_000)), &json!(at(31_000)))
    );
    let seqs = |what: &str| {
        let all = sheet[what].as_array().unwrap();
        all.iter()
            .map(|one| one["seq"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!((seqs("lines"), seqs("events")), (vec![2, 3], vec![1, 2]));
    assert_eq!(sheet["lines"][0]["text"], "line 2");
    assert_eq!(sheet["lines"][0]["role"], "customer");
    assert_eq!(sheet["events"][1]["detail"], mark(30_000));
}

#[test]
fn a_clip_is_a_stereo_wav_of_what_was_heard_and_its_sheet() {
    let now = Now { utc: at(0), ms: 0 };
    let app = App::new(vec![("r".to_owned(), "http://r".to_owned())], now);
    let key = CallKey {
        relay: RelayId(0),
        call: CallSid::parse("CA0123-45_6").unwrap(),
    };
    let tracks = PerTrack {
        inbound: (0..=255).collect(),
        outbound: (0..=255).rev().collect(),
    };
    let sheet = Sheet::of(&app, &key, at(0), at(32));
    let clip = Clip { tracks, sheet };
    assert_eq!(format!("{clip:?}"), "Clip { .. }");
    let folder = std::env::temp_dir().join(format!("partyline-clip-{:08x}", rand::random::<u32>()));
    let path = clip.write(&folder).unwrap();
    let (wav, text) = (
        std::fs::read(&path).unwrap(),
        std::fs::read_to_string(path.with_extension("json")).unwrap(),
    );
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(
        path.file_name().unwrap(),
        "partyline-2026-11-22T090000Z-3_45_6.wav"
    );
    assert_eq!(wav[..44], wav::header(2, 1024));
    let samples: Vec<i16> = wav[44..]
        .chunks(2)
        .map(|two| i16::from_le_bytes([two[0], two[1]]))
        .collect();
    let said: Vec<i16> = (0..=255u8)
        .flat_map(|byte| [g711::decode(byte), g711::decode(255 - byte)])
        .collect();
    assert_eq!(samples, said);
    assert!(
        text.ends_with("}\n") && serde_json::from_str::<Value>(&text).is_ok(),
        "{text}"
    );
}
