//! A journal that another relay numbers, or numbered.

use serde_json::json;

use super::*;
use crate::calls::journal::Forgotten;

fn journal(id: &str) -> Journal {
    Journal::new(id.into(), &partyline_shared::id::CallSid::parse("CA1").unwrap())
}

fn line(text: &str, is_final: bool, number: u64) -> NewLine {
    NewLine {
        at: UtcTime::from_unix_ms(0),
        start_ms: None,
        end_ms: None,
        track: Track::Inbound,
        text: text.into(),
        is_final,
        confidence: None,
        engine: "e".into(),
        sequence: Some(Sequence {
            source: "GT".into(),
            number,
        }),
    }
}

fn event(journal: &mut Journal, n: u64) {
    let detail = json!({ "n": n }).as_object().cloned().unwrap_or_default();
    journal.event(UtcTime::from_unix_ms(0), EventKind::Mark, detail);
}

/// All that a reader who begins is told, as text.
fn all(journal: &Journal) -> Vec<String> {
    let (mut cursor, _) = journal.resume(None);
    let entries = journal.read(&mut cursor, usize::MAX).unwrap();
    entries
        .iter()
        .map(|entry| entry.encoded().message().to_string())
        .collect()
}

fn brought(journal: &Journal, after: Cursor) -> (Kept, Vec<Numbered>) {
    let kept = serde_json::from_str(&serde_json::to_string(&journal.keep()).unwrap()).unwrap();
    let entries = journal.numbered_after(after);
    let entries = serde_json::from_str(&serde_json::to_string(&entries).unwrap()).unwrap();
    (kept, entries)
}

#[test]
fn a_mirror_tells_the_same_bytes_and_goes_on_with_the_next_numbers() {
    let (mut owner, mut mirror) = (journal("k3f9"), journal(""));
    let mut at = Cursor::default();
    for n in 1..=40 {
        owner.line(line(&format!("word {n}"), n % 4 == 0, n));
        event(&mut owner, n);
        if n % 3 == 0 {
            let (kept, entries) = brought(&owner, at);
            assert_eq!(mirror.follow(&kept, at, &entries), Ok(true));
            assert_eq!(all(&mirror), all(&owner));
            assert_eq!(mirror.follow(&kept, at, &entries), Ok(false), "told twice");
            at = owner.last();
        }
    }
    let (kept, entries) = brought(&owner, at);
    mirror.follow(&kept, at, &entries).unwrap();
    for journal in [&mut owner, &mut mirror] {
        assert!(!journal.line(line("older than the final", false, 39)));
        journal.line(line("next", true, 41));
    }
    assert_eq!(all(&mirror), all(&owner));
}

#[test]
fn a_mirror_that_missed_something_says_so_and_takes_the_whole() {
    let (mut owner, mut mirror) = (journal("k3f9"), journal(""));
    event(&mut owner, 1);
    let missed = owner.last();
    event(&mut owner, 2);
    let (kept, entries) = brought(&owner, missed);
    assert_eq!(mirror.follow(&kept, missed, &entries), Err(Behind));
    assert_eq!(mirror.last(), Cursor::default());
    let (kept, entries) = brought(&owner, Cursor::default());
    assert_eq!(mirror.follow(&kept, Cursor::default(), &entries), Ok(true));
    assert_eq!(all(&mirror), all(&owner));
}

#[test]
fn what_is_said_while_nobody_knows_who_numbers_comes_behind_what_the_owner_said() {
    let (mut owner, mut mirror) = (journal("k3f9"), journal(""));
    event(&mut owner, 1);
    let (kept, entries) = brought(&owner, Cursor::default());
    mirror.follow(&kept, Cursor::default(), &entries).unwrap();
    mirror.hold();
    event(&mut mirror, 3);
    assert_eq!(mirror.last().event, 1);
    let at = owner.last();
    event(&mut owner, 2);
    let (kept, entries) = brought(&owner, at);
    mirror.follow(&kept, at, &entries).unwrap();
    mirror.release();
    let told = all(&mirror);
    assert_eq!((told.len(), mirror.last().event), (3, 3));
    assert!(told[2].contains(r#""n":3"#));
}

#[test]
fn numbers_that_nobody_else_heard_of_are_left_out_and_a_reader_goes_on() {
    let (mut owner, mut mirror) = (journal("k3f9"), journal(""));
    event(&mut owner, 1);
    let (kept, entries) = brought(&owner, Cursor::default());
    mirror.follow(&kept, Cursor::default(), &entries).unwrap();
    event(&mut owner, 2);
    mirror.skip();
    event(&mut mirror, 3);
    let after = partyline_shared::protocol::client::After {
        journal: Some("k3f9".into()),
        transcript: 0,
        event: owner.last().event,
    };
    let (mut cursor, resumed) = mirror.resume(Some(&after));
    assert!(resumed);
    assert_eq!(mirror.read(&mut cursor, 9).unwrap().len(), 1);
}

#[test]
fn another_numbering_begins_anew_and_of_a_superseded_partial_nothing_is_left() {
    let (mut owner, mut mirror) = (journal("a"), journal(""));
    owner.line(line("hel", false, 1));
    let (kept, entries) = brought(&owner, Cursor::default());
    mirror.follow(&kept, Cursor::default(), &entries).unwrap();
    assert_eq!(all(&mirror).len(), 1);
    let at = owner.last();
    owner.line(line("hello", true, 2));
    owner.line(line("and", false, 3));
    let (kept, entries) = brought(&owner, at);
    mirror.follow(&kept, at, &entries).unwrap();
    assert_eq!(all(&mirror), all(&owner));
    let generation = mirror.generation();
    owner.rename("b".into());
    let (kept, entries) = brought(&owner, Cursor::default());
    assert_eq!(mirror.follow(&kept, owner.last(), &[]), Err(Behind));
    mirror.follow(&kept, Cursor::default(), &entries).unwrap();
    assert_eq!((mirror.id(), mirror.generation()), ("b", generation + 1));
    assert_eq!(all(&mirror), all(&owner));
}

#[test]
fn what_another_half_numbered_gets_numbers_of_ours() {
    let (mut ours, mut theirs) = (journal("k"), journal("k"));
    event(&mut ours, 1);
    event(&mut theirs, 1);
    theirs.line(line("said there", true, 1));
    ours.renumber(&theirs.numbered_after(Cursor::default()));
    let told = all(&ours);
    assert_eq!(told.len(), 3);
    assert!(told[0].contains("said there") && told[2].contains(r#""seq":2"#));
    let mut far = Cursor {
        line: 9,
        event: 9,
        from_start: false,
    };
    assert_ne!(ours.read(&mut far, 1), Err(Forgotten));
}
