//! What a reader of a journal may rely on.

use super::*;

fn say(journal: &mut Journal, track: Track, text: &str, is_final: bool, sequence: Option<u64>) -> bool {
    let at = UtcTime::from_unix_ms(0);
    journal.line(NewLine {
        at,
        start_ms: None,
        end_ms: None,
        track,
        text: text.into(),
        is_final,
        confidence: None,
        engine: "twilio".into(),
        sequence: sequence.map(|number| Sequence {
            source: "GT1".into(),
            number,
        }),
    })
}

fn texts(entries: &[Entry]) -> Vec<String> {
    let text = |json: &str, key: &str| {
        let value: Value = serde_json::from_str(json).unwrap();
        value[key].as_str().unwrap().to_owned()
    };
    entries
        .iter()
        .map(|entry| match entry {
            Entry::Line(told) => text(told.json(), "text"),
            Entry::Event(told) => text(told.json(), "kind"),
        })
        .collect()
}

#[test]
fn a_final_closes_its_tracks_partial_and_no_other() {
    let mut journal = Journal::new("j".into(), &CallSid::parse("CA1").unwrap());
    assert!(say(&mut journal, Track::Inbound, "I", false, Some(2)));
    assert!(say(&mut journal, Track::Outbound, "yes", false, Some(3)));
    assert!(say(&mut journal, Track::Inbound, "I want", false, Some(4)));
    let mut at = Cursor::default();
    assert_eq!(texts(&journal.read(&mut at, 9).unwrap()), ["yes", "I want"]);
    assert!(say(&mut journal, Track::Inbound, "I want to go", true, Some(6)));
    assert!(
        !say(&mut journal, Track::Inbound, "I want to", false, Some(5)),
        "older than the final"
    );
    assert!(
        !say(&mut journal, Track::Outbound, "ye", false, Some(1)),
        "older than the open partial"
    );
    assert_eq!(texts(&journal.read(&mut at, 9).unwrap()), ["I want to go"]);
    assert_eq!(
        texts(&journal.read(&mut Cursor::default(), 9).unwrap()),
        ["yes", "I want to go"]
    );
}

#[test]
fn a_late_final_stays_and_leaves_the_newer_partial_open() {
    let mut journal = Journal::new("j".into(), &CallSid::parse("CA1").unwrap());
    say(&mut journal, Track::Inbound, "newer", false, Some(9));
    assert!(say(&mut journal, Track::Inbound, "older final", true, Some(4)));
    assert_eq!(
        texts(&journal.read(&mut Cursor::default(), 9).unwrap()),
        ["newer", "older final"]
    );
}

#[test]
fn what_is_no_longer_remembered_is_said_and_a_superseded_partial_is_not_missed() {
    let mut journal = Journal::new("j".into(), &CallSid::parse("CA1").unwrap());
    say(&mut journal, Track::Inbound, "p", false, None);
    for n in 0..REMEMBERED {
        say(&mut journal, Track::Inbound, &n.to_string(), true, None);
    }
    let after = |transcript, event| After {
        journal: Some("j".into()),
        transcript,
        event,
    };
    assert!(
        journal.resume(Some(&after(0, 0))).1,
        "only a superseded partial is gone"
    );
    say(&mut journal, Track::Inbound, "one more", true, None);
    assert_eq!(
        journal.resume(Some(&after(0, 0))),
        (
            Cursor {
                line: 2,
                event: 0,
                from_start: true
            },
            false
        )
    );
    assert!(journal.resume(Some(&after(2, 0))).1);
    let other = After {
        journal: Some("k".into()),
        ..after(2, 0)
    };
    assert!(!journal.resume(Some(&other)).1);
    assert!(
        journal
            .resume(Some(&After {
                journal: None,
                ..after(5, 0)
            }))
            .1
    );
    assert!(!journal.resume(Some(&after(99_999, 0))).1, "a number never given");
    let far = After {
        journal: None,
        ..after(99_999, 0)
    };
    assert_eq!(
        journal.resume(Some(&far)),
        (
            Cursor {
                line: 99_999,
                event: 0,
                from_start: false
            },
            true
        ),
        "taken at its word"
    );
    assert_eq!(journal.read(&mut Cursor::default(), 9), Err(Forgotten));
    let all = journal.read(&mut journal.resume(None).0, 99_999).unwrap();
    assert_eq!(all.len(), REMEMBERED);
}

#[test]
fn reading_in_small_steps_gives_the_same_as_at_once() {
    let mut journal = Journal::new("j".into(), &CallSid::parse("CA1").unwrap());
    for n in 0..20 {
        say(
            &mut journal,
            Track::BOTH[n % 2],
            &format!("l{n}"),
            n % 3 == 0,
            None,
        );
        journal.event(UtcTime::from_unix_ms(0), EventKind::Mark, Map::new());
    }
    let at_once = journal.read(&mut Cursor::default(), 999).unwrap();
    let (mut at, mut stepwise) = (Cursor::default(), Vec::new());
    while journal.has_news(at) {
        stepwise.extend(journal.read(&mut at, 3).unwrap());
    }
    assert_eq!(stepwise, at_once);
    assert_eq!(at, journal.last());
}

#[test]
fn an_open_partial_is_remembered_when_finals_after_it_are_not() {
    let mut journal = Journal::new("j".into(), &CallSid::parse("CA1").unwrap());
    say(&mut journal, Track::Outbound, "still open", false, None);
    for n in 0..=REMEMBERED {
        say(&mut journal, Track::Inbound, &n.to_string(), true, None);
    }
    let (mut at, resumed) = journal.resume(None);
    assert!(!resumed);
    let first = journal.read(&mut at, 2).unwrap();
    assert_eq!(texts(&first), ["still open", "1"]);
    let rest = journal.read(&mut at, 99_999).unwrap();
    assert_eq!(rest.len(), REMEMBERED - 1);
    assert!(!journal.has_news(at));
}

#[test]
fn another_transcription_counts_for_itself() {
    let mut journal = Journal::new("j".into(), &CallSid::parse("CA1").unwrap());
    let line = |source: &str, number, is_final, text: &str| NewLine {
        at: UtcTime::from_unix_ms(0),
        start_ms: None,
        end_ms: None,
        track: Track::Inbound,
        text: text.to_owned(),
        is_final,
        confidence: None,
        engine: "twilio".to_owned(),
        sequence: Some(Sequence {
            source: source.into(),
            number,
        }),
    };
    assert!(journal.line(line("GT1", 40, true, "before")));
    assert!(journal.line(line("GT2", 2, false, "after")));
    assert!(journal.line(line("GT2", 3, true, "after all")));
    assert!(!journal.line(line("GT2", 2, false, "after")), "late");
    assert_eq!(
        texts(&journal.read(&mut Cursor::default(), 9).unwrap()),
        ["before", "after all"]
    );
}
