//! Whole screens: sizes, status, help.

use partyline_shared::protocol::server::{Relays, RelaysState};

use super::fixture::{at, busy, relay};
use super::{assert_picture, picture};
use crate::app::state::{Link, Notice, Pane};
use crate::event::{Device, Sizes};
use crate::ui::screen::sizes;

#[test]
fn every_size_has_its_layout() {
    let app = busy();
    assert_picture("screen_60x15", picture(&app, 60, 15));
    assert_picture("screen_80x24", picture(&app, 80, 24));
    assert_picture("screen_100x30", picture(&app, 100, 30));
    assert_picture("screen_200x60", picture(&app, 200, 60));
}

#[test]
fn a_narrow_screen_shows_the_pane_with_the_keys() {
    let mut app = busy();
    for focus in [Pane::Calls, Pane::Call, Pane::Transcript, Pane::Events] {
        app.focus = focus;
        let picture = picture(&app, 40, 10);
        match focus {
            Pane::Calls => assert_picture("narrow_calls", picture),
            Pane::Call => assert_picture("narrow_call", picture),
            Pane::Transcript => assert_picture("narrow_transcript", picture),
            Pane::Events => assert_picture("narrow_events", picture),
        }
    }
}

#[test]
fn what_is_too_small_says_so() {
    assert_picture("too_small", picture(&busy(), 39, 9));
    assert_eq!(picture(&busy(), 1, 1), "T|");
    assert_eq!(picture(&busy(), 0, 0), "");
    assert_eq!(picture(&busy(), 39, 30).lines().count(), 30);
}

#[test]
fn the_app_learns_how_many_rows_there_are() {
    let app = busy();
    let look = super::MONO;
    let got = sizes(&app, &look, 100, 30);
    let picture = picture(&app, 100, 30);
    let row = |title: &str| picture.lines().position(|line| line.contains(title)).unwrap() as u16;
    assert_eq!((got.columns, got.rows, got.list), (100, 30, 26));
    assert_eq!(got.transcript, row(" Events ") - row(" Transcript ") - 1);
    assert_eq!(got.events, 28 - row(" Events ") - 1);
    assert_eq!(
        sizes(&app, &look, 39, 30),
        Sizes {
            columns: 39,
            rows: 30,
            ..Sizes::default()
        }
    );
}

#[test]
fn a_relay_in_every_state() {
    let mut app = busy();
    let since = at("13:02:00");
    let mut lines = Vec::new();
    let last = |app: &crate::app::state::App| {
        let picture = picture(app, 80, 24);
        let lines: Vec<&str> = picture.lines().collect();
        lines[lines.len() - 3..].join("\n")
    };
    for link in [
        Link::Connecting { since },
        Link::Online { since },
        Link::Away {
            since,
            why: "connection refused".to_owned(),
            retry_at: 103_100,
        },
        Link::Away {
            since,
            why: "timed out".to_owned(),
            retry_at: 1,
        },
        Link::Refused {
            since,
            why: "the relay does not know this token (401): run `partyline login --relay home`".to_owned(),
            retry_at: None,
        },
        Link::Refused {
            since,
            why: "403".to_owned(),
            retry_at: Some(160_000),
        },
    ] {
        app.relays[0].link = link;
        lines.push(last(&app));
    }
    app.relays.push(relay("berlin"));
    app.relays[0].link = Link::Online { since };
    app.privacy = true;
    lines.push(last(&app));
    app.relays.clear();
    lines.push(last(&app));
    assert_picture("status_relays", lines.join("\n"));
}

#[test]
fn how_a_relay_stands_with_others_is_said_beside_it() {
    let mut app = busy();
    let last = |app: &crate::app::state::App, columns| {
        let picture = picture(app, columns, 24);
        let lines: Vec<&str> = picture.lines().collect();
        lines[lines.len() - 2].to_owned()
    };
    let mut lines = Vec::new();
    for (state, since, relays) in [
        (RelaysState::Shared, "13:00:00", 1),
        (RelaysState::Shared, "13:00:00", 2),
        (RelaysState::CutOff, "13:04:48", 2),
        (RelaysState::CutOff, "12:02:00", 2),
        (RelaysState::CutOff, "11:02:00", 2),
        (RelaysState::CutOff, "13:05:01", 2),
        (RelaysState::CatchingUp, "13:05:00", 2),
        (RelaysState::Unknown, "13:05:00", 2),
    ] {
        let since = at(since);
        app.relays[0].shares = Some(Relays { state, since, relays });
        lines.push(last(&app, 100));
    }
    app.relays.push(relay("berlin"));
    app.relays[0].shares = Some(Relays {
        state: RelaysState::CutOff,
        since: at("13:04:48"),
        relays: 2,
    });
    lines.push(last(&app, 100));
    lines.push(last(&app, 60));
    assert_picture("status_shares", lines.join("\n"));
}

/// A card that was chosen has a long name; that it is not there is never spared.
#[test]
fn why_there_is_no_sound_is_said_where_it_does_not_fit_whole() {
    let mut app = busy();
    app.device = Device::Missing {
        why: "no device called alsa:hw:CARD=Headset,DEV=0: `partyline devices` lists them".to_owned(),
    };
    for (columns, said) in [(80, "! no sound: no device called "), (60, "! no sound: no dev")] {
        let picture = picture(&app, columns, 24);
        let row = picture.lines().nth(22).unwrap();
        assert!(row.contains(said) && row.contains('…'), "{row}");
    }
}

#[test]
fn a_notice_has_the_last_row_for_a_while() {
    let mut app = busy();
    app.notice = Some(Notice {
        text: "missed 4.2 s of audio, 0 lines".to_owned(),
        is_trouble: true,
        until: app.now.ms + 1,
    });
    let shown = picture(&app, 80, 24);
    assert!(shown.contains("! missed 4.2 s of audio, 0 lines"), "{shown}");
    assert!(shown.contains("home online"), "{shown}");
    assert!(picture(&app, 60, 15).contains("! missed"));
    app.now.ms += 1;
    assert!(!picture(&app, 80, 24).contains("missed"));
}

#[test]
fn the_help_has_all_keys_at_any_size() {
    let mut app = busy();
    app.help = true;
    assert_picture("help_80x24", picture(&app, 80, 24));
    assert_picture("help_100x30", picture(&app, 100, 30));
    for (columns, rows) in [(40, 10), (60, 15), (80, 24), (100, 30), (200, 60)] {
        let mut seen = String::new();
        for scroll in 0..60 {
            app.help_scroll = scroll;
            seen.push_str(&picture(&app, columns, rows));
        }
        // What is wrapped goes on in the next row.
        let bare = |text: &str| text.replace(['|', ' ', '\n'], "");
        let seen = bare(&seen);
        for binding in crate::keymap::BINDINGS {
            let words = bare(&format!("{}{}", binding.shown, binding.help));
            assert!(seen.contains(&words), "{words:?} is not seen at {columns}x{rows}");
        }
    }
}

#[test]
fn privacy_is_told_while_a_relay_is_in_trouble() {
    let mut app = busy();
    app.privacy = true;
    for why in [
        "403",
        "the relay does not know this token (401): run `partyline login --relay home` elsewhere",
    ] {
        app.relays[0].link = Link::Refused {
            since: at("13:02:00"),
            why: why.to_owned(),
            retry_at: None,
        };
        let picture = picture(&app, 80, 24);
        assert!(picture.contains(" privacy "), "{picture}");
        assert!(picture.contains("R try again"), "{picture}");
    }
}
