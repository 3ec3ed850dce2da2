//! Several heard calls, what was said before, and what is true of the sound.

use super::fixture::{at, busy, key};
use super::{Look, MONO, assert_picture, drawn, picture, rows};
use crate::app::seats::{FollowOn, Replay, Seat};
use crate::app::state::{App, Pane};
use crate::app::text::Side;
use crate::event::{Playback, Playing};
use crate::ui::glyphs::Glyphs;

/// The first call is in front, the second and the seventh behind it; the first is heard 42 s behind live.
fn behind() -> App {
    let mut app = busy();
    for number in [1, 6] {
        let call = key(0, number);
        app.behind.push(Seat {
            call,
            replay: Replay::default(),
            playback: Playback::default(),
        });
    }
    app.now.ms = 400_000;
    app.replay = Replay {
        fast: true,
        skip_silence: true,
        since: 200_000,
    };
    app.playback = Playback {
        state: Playing::Behind,
        delay_ms: Some(71),
        target_ms: 60,
        behind_ms: 42_000,
        lost_ms: 1_240,
        stretched_ms: 900,
        underruns: 2,
        ..Playback::default()
    };
    // 42 s before now.
    let texts = app.texts.get_mut(&key(0, 0)).unwrap();
    let before = texts.lines.len() - 2;
    texts.lines[before].from = Some(at("13:04:15"));
    texts.lines[before].to = Some(at("13:04:20"));
    app
}

fn row(app: &App, columns: u16, has: &str) -> String {
    let picture = picture(app, columns, 40);
    let found = picture.lines().find(|line| line.contains(has));
    found
        .unwrap_or_else(|| panic!("{has:?} is not in\n{picture}"))
        .to_owned()
}

#[test]
fn heard_calls_and_the_past_at_every_size() {
    let app = behind();
    for (name, columns, lines) in [
        ("heard_60x15", 60, 15),
        ("heard_80x24", 80, 24),
        ("heard_100x30", 100, 30),
        ("heard_200x50", 200, 50),
    ] {
        assert_picture(name, picture(&app, columns, lines));
    }
    let mut narrow = app.clone();
    narrow.focus = Pane::Call;
    assert_picture("heard_40x10", picture(&narrow, 40, 10));
}

#[test]
fn without_unicode_all_of_it_is_told_too() {
    let look = Look {
        glyphs: Glyphs::ASCII,
        ..MONO
    };
    let picture = rows(&drawn(&behind(), &look, 80, 24)).join("\n");
    assert!(picture.is_ascii(), "{picture}");
    for what in [
        ">* o live",
        " + \" PAUSED",
        "< 0:42 behind live",
        "1.5x",
        "silence skipped",
    ] {
        assert!(picture.contains(what), "{what:?} is not in\n{picture}");
    }
    assert_picture("heard_ascii", picture);
}

#[test]
fn the_bar_is_of_all_that_is_remembered() {
    let mut app = behind();
    app.replay = Replay::default();
    let mut bars = Vec::new();
    for (heard_ms, behind_ms) in [
        (3_000, 3_000),
        (60_000, 20_000),
        (300_000, 42_000),
        (300_000, 299_000),
        (900_000, 300_000),
        (1_000, 900_000),
    ] {
        app.now.ms = heard_ms;
        app.playback.behind_ms = behind_ms;
        let line = row(&app, 120, " behind live");
        let bar = line.split(" · ").nth(1).unwrap_or_default();
        bars.push(format!("{heard_ms:>6} {behind_ms:>6} {bar}"));
    }
    assert_picture("heard_bars", bars.join("\n"));
    app.playback.state = Playing::Live;
    assert!(!picture(&app, 120, 40).contains('◆'));
}

#[test]
fn what_is_true_of_the_sound_has_its_words() {
    let mut app = busy();
    let truth = |app: &App| row(app, 280, "to ear").trim_end_matches(['|', ' ']).to_owned();
    let mut lines = Vec::new();
    for playback in [
        Playback {
            target_ms: 60,
            ..app.playback
        },
        Playback {
            lost_ms: 40,
            late_ms: 320,
            concealed_ms: 360,
            dropped_ms: 1_500,
            underruns: 1,
            stretched_ms: 61_000,
            target_ms: 80,
            ..app.playback
        },
    ] {
        app.playback = playback;
        lines.push(truth(&app).split('│').next_back().unwrap_or_default().to_owned());
    }
    assert_eq!(
        lines,
        [
            " 96 ms relay to ear · 84 here, meant 60 · nothing lost",
            " 96 ms relay to ear · 40 ms lost · 320 ms late · 360 ms covered up · 1.5 s left out · \
             1 underrun · 84 here, meant 80 · 1:01 stretched"
        ]
    );
    app.relays[0].round_trip_ms = None;
    let line = row(&app, 200, "84 ms to the ear, meant 80");
    assert!(
        !line.contains("relay to ear"),
        "what is not known is not guessed: {line}"
    );
}

#[test]
fn whose_call_is_next_is_told_and_masked() {
    let mut app = busy();
    let first = key(0, 0);
    app.follow_on = Some(FollowOn {
        whom: Side::Agent,
        name: "client:alice".to_owned(),
        call: first.clone(),
        waits: false,
    });
    row(&app, 120, "live · then the next call of agent alice");
    app.heard = None;
    app.follow_on.as_mut().unwrap().waits = true;
    row(&app, 120, "waits for the next call of agent alice; F ends that");
    app.follow_on = Some(FollowOn {
        whom: Side::Customer,
        name: "12345".to_owned(),
        call: first,
        waits: true,
    });
    // The status row has it whatever call is shown.
    row(&app, 200, "UTC · waits for the next call of customer 12345");
    app.privacy = true;
    let masked = picture(&app, 200, 40);
    assert!(
        masked.contains("waits for the next call of customer …") && !masked.contains("12345"),
        "{masked}"
    );
}

#[test]
fn a_call_behind_says_how_it_comes_to_the_front() {
    let mut app = behind();
    app.shown = Some(key(0, 1));
    app.list.selected = Some(key(0, 1));
    let shown = picture(&app, 80, 40);
    assert!(
        shown.contains("Call · ♩ heard behind") && shown.contains("a brings it to the front"),
        "{shown}"
    );
    assert!(
        shown.contains("a hear too") && shown.contains("w next heard"),
        "{shown}"
    );
}

#[test]
fn the_line_that_enter_plays_is_marked_and_the_one_that_is_heard() {
    let mut app = behind();
    app.focus = Pane::Transcript;
    let lines = |app: &App| {
        let marks =
            |line: &&str| !line.starts_with([' ', '-', '─', '▌', '>', '!']) || line.starts_with(">13");
        let picture = picture(app, 80, 40);
        picture
            .lines()
            .filter(marks)
            .map(|line| line[..12].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(&app), ["♪13:02:55 "], "what was said 42 s ago is heard now");
    app.texts.get_mut(&key(0, 0)).unwrap().lines_view.bottom = Some(4);
    assert_eq!(lines(&app), [">13:02:04 cu", "♪13:02:55 "]);
    assert!(picture(&app, 80, 40).contains("Enter play the line"));
    app.focus = Pane::Calls;
    assert_eq!(lines(&app), ["♪13:02:55 "], "Enter is the list's");
}
