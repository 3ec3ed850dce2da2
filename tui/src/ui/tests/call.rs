//! The call pane and the sound.

use super::fixture::{busy, call, key, states, with};
use super::{Look, MONO, assert_picture, drawn, picture, rows};
use crate::app::state::{App, Pane};
use crate::event::{Device, Ears, Mix, Playback, Playing, Side, Sides};
use crate::ui::glyphs::Glyphs;

/// The call pane of an 80 columns wide screen, as a terminal shows it.
fn pane(app: &App) -> String {
    let picture = picture(app, 80, 40);
    let lines: Vec<&str> = picture.lines().collect();
    let from = lines.iter().position(|line| line.contains(" Call ")).unwrap();
    let to = lines
        .iter()
        .position(|line| line.contains(" Transcript "))
        .unwrap();
    lines[from..to].join("\n")
}

fn playing(state: Playing, behind_ms: u32) -> App {
    let mut app = busy();
    app.playback = Playback {
        state,
        behind_ms,
        ..app.playback
    };
    app
}

/// Somebody else holds the heard call back.
fn held_back() -> App {
    let mut app = playing(Playing::Live, 0);
    let heard = app.heard.clone().unwrap();
    app.list.calls.get_mut(&heard).unwrap().paused = true;
    app
}

#[test]
fn the_sound_in_every_state() {
    let mut pictures = Vec::new();
    for (name, app) in [
        ("live", playing(Playing::Live, 0)),
        ("waiting", playing(Playing::Waiting, 0)),
        ("paused", playing(Playing::Paused, 4200)),
        ("behind", playing(Playing::Behind, 4200)),
        ("over", playing(Playing::Over, 0)),
        ("held", held_back()),
    ] {
        let pane = pane(&app);
        let line = pane
            .lines()
            .find(|line| line.contains(" both sides"))
            .unwrap()
            .trim_end_matches(['|', ' ']);
        pictures.push(format!("{name:<8}{line}"));
    }
    let mut app = busy();
    app.playback.concealed_ms = 1240;
    app.playback.dropped_ms = 40;
    app.playback.underruns = 3;
    app.mix = Mix {
        volume_db: -6,
        muted: true,
        sides: Sides::Agent,
        ears: Ears::Mono,
        ..Mix::default()
    };
    pictures.push(pane(&app));
    app.mix = Mix {
        customer: Side {
            gain_db: -4,
            muted: false,
        },
        agent: Side {
            gain_db: 6,
            muted: true,
        },
        auto_level: true,
        ..Mix::default()
    };
    let pane = pane(&app);
    pictures.extend(
        pane.lines()
            .find(|line| line.contains(" to the ear"))
            .map(str::to_owned),
    );
    assert_picture("call_sound", pictures.join("\n"));
}

#[test]
fn without_a_sound_card_it_says_why() {
    let mut app = busy();
    app.device = Device::Missing {
        why: "no card found".to_owned(),
    };
    assert_picture("call_no_device", picture(&app, 80, 24));
    app.device = Device::Off;
    assert!(pane(&app).contains("! sound is off"));
}

#[test]
fn another_call_than_the_shown_one_is_heard() {
    let mut app = busy();
    app.heard = Some(key(0, 1));
    let pane = pane(&app);
    assert!(
        pane.contains("Enter listens") && pane.contains("you listen to 12456"),
        "{pane}"
    );
    assert_picture("call_not_heard", pane);
}

#[test]
fn each_state_of_a_call_has_its_pane() {
    let mut pictures = Vec::new();
    for row in states() {
        let mut app = busy();
        app.shown = Some(row.key.clone());
        app.heard = None;
        pictures.push(pane(&app).lines().take(3).collect::<Vec<_>>().join("\n"));
    }
    assert_picture("call_states", pictures.join("\n"));
    let mut app = with(busy(), vec![call(0)]);
    app.shown = None;
    assert!(pane(&app).contains("No call is selected"));
}

#[test]
fn waveforms_in_every_set_of_glyphs() {
    let mut app = busy();
    app.focus = Pane::Call;
    for (name, glyphs) in [
        ("braille", Glyphs::BRAILLE),
        ("block", Glyphs::BLOCK),
        ("ascii", Glyphs::ASCII),
    ] {
        let look = Look { glyphs, ..MONO };
        let picture = rows(&drawn(&app, &look, 80, 24)).join("\n");
        match name {
            "braille" => assert_picture("glyphs_braille", picture),
            "block" => assert_picture("glyphs_block", picture),
            _ => {
                assert!(picture.is_ascii(), "{picture}");
                assert_picture("glyphs_ascii", picture);
            }
        }
    }
}
