//! Transcript and events.

use partyline_shared::event::EventKind;

use super::fixture::{busy, happened, key, said, texts};
use super::{assert_picture, picture};
use crate::app::state::{App, Pane, Typing};
use crate::app::text::{Side, Texts, View};

fn with(texts: Texts, focus: Pane) -> App {
    let mut app = busy();
    app.texts.insert(key(0, 0), texts);
    app.focus = focus;
    app
}

#[test]
fn a_conversation_with_a_hole_and_a_partial_line() {
    let picture = picture(&with(texts(), Pane::Transcript), 80, 24);
    assert!(
        picture.contains("— 1.2 s not heard —") && picture.contains("as long as …"),
        "{picture}"
    );
    assert_picture("transcript", picture);
}

#[test]
fn what_is_read_stays_while_more_comes() {
    let mut texts = texts();
    texts.lines_view.bottom = Some(5);
    let before = picture(&with(texts.clone(), Pane::Transcript), 50, 12);
    assert!(before.contains("↓3 more, End follows"), "{before}");
    assert_picture("transcript_scrolled", &before);
    texts.lines.push(said(9, "13:05:00", Side::Agent, "One more."));
    let after = picture(&with(texts, Pane::Transcript), 50, 12);
    let body = |picture: &str| picture.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&before), body(&after));
    assert!(after.contains("↓4 more"), "{after}");
}

#[test]
fn a_search_is_marked_while_it_is_typed() {
    let mut texts = texts();
    texts.lines_view = View {
        bottom: Some(5),
        search: "refund".to_owned(),
        found: Some(4),
    };
    let mut app = with(texts, Pane::Transcript);
    app.typing = Some(Typing {
        text: "refund".to_owned(),
        before: String::new(),
        pane: Pane::Transcript,
    });
    let picture = picture(&app, 80, 24);
    assert!(picture.contains("▶13:02:04"), "{picture}");
    assert_picture("transcript_search", picture);
}

#[test]
fn an_older_journal_is_marked() {
    let mut texts = texts();
    for said in texts.lines.iter_mut().take(6) {
        said.is_old = true;
    }
    for happened in texts.events.iter_mut().take(4) {
        happened.is_old = true;
    }
    assert_picture(
        "journal_older",
        picture(&with(texts.clone(), Pane::Events), 100, 30),
    );
    texts.lines.truncate(6);
    let picture = picture(&with(texts, Pane::Events), 100, 30);
    assert!(picture.contains("above: before the relay restarted"), "{picture}");
}

#[test]
fn empty_texts_say_why() {
    let mut app = with(Texts::default(), Pane::Transcript);
    assert!(picture(&app, 80, 24).contains("Waiting for the relay."));
    app.texts.get_mut(&key(0, 0)).unwrap().is_known = true;
    assert!(picture(&app, 80, 24).contains("Nothing was said yet."));
    let row = app.list.calls.get_mut(&key(0, 0)).unwrap();
    row.transcription.customer = "none".to_owned();
    row.transcription.agent = "failed".to_owned();
    assert_picture("transcript_none", picture(&app, 80, 40));
}

#[test]
fn words_of_all_scripts_are_wrapped_whole() {
    let mut texts = texts();
    texts.lines = vec![
        said(1, "13:00:01", Side::Customer, &"你好世界，".repeat(12)),
        said(
            2,
            "13:00:02",
            Side::Agent,
            "👩‍🚀👨‍👩‍👧 مرحبا بالعالم שלום e\u{301}\u{302} ".repeat(4).trim(),
        ),
        said(3, "13:00:03", Side::Customer, &"Donaudampfschifffahrt".repeat(8)),
    ];
    assert_picture(
        "transcript_scripts",
        picture(&with(texts, Pane::Transcript), 60, 20),
    );
}

#[test]
fn events_are_a_row_each_until_one_goes_there() {
    assert_picture("events_beside", picture(&with(texts(), Pane::Calls), 100, 30));
    let picture = picture(&with(texts(), Pane::Events), 100, 30);
    assert!(picture.contains("gap: upstream"), "{picture}");
    let mut between = texts();
    let lost = [("track", "inbound"), ("reason", "relay_link")];
    between
        .events
        .push(happened(7, "13:04:00", EventKind::Gap, &lost));
    let shown = self::picture(&with(between, Pane::Events), 100, 30);
    assert!(shown.contains("gap: relay link  track=inbound"), "{shown}");
    assert_picture("events", picture);
}
