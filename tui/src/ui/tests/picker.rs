//! The picker of the sound card, seen and heard.

use super::fixture::busy;
use super::{MONO, assert_picture, drawn, picture, rows};
use crate::app::picker::Picker;
use crate::app::state::App;
use crate::event::{Chosen, DeviceInfo};
use crate::ui::Look;
use crate::ui::glyphs::Glyphs;
use crate::ui::plain::Plain;

fn device(id: &str, name: &str, offers: Result<&str, &str>) -> DeviceInfo {
    DeviceInfo {
        id: id.to_owned(),
        name: name.to_owned(),
        default: id == "alsa:default",
        offers: offers.map(str::to_owned).map_err(str::to_owned),
    }
}

fn devices() -> Vec<DeviceInfo> {
    let busy = Err("the device is in use by another program");
    vec![
        device(
            "alsa:default",
            "Default Audio Device",
            Ok("44100-48000 Hz, 2 channels"),
        ),
        device(
            "alsa:pulse",
            "PulseAudio Sound Server",
            Ok("1-384000 Hz, 1-32 channels"),
        ),
        device("alsa:hw:CARD=Headset,DEV=0", "Jabra Evolve 65, USB Audio", busy),
        device(
            "alsa:hdmi:CARD=PCH,DEV=0",
            "HDA Intel PCH, HDMI 0",
            Err("no sound device"),
        ),
        device(
            "alsa:plughw:CARD=Desk,DEV=0",
            "Scarlett 2i2 USB",
            Ok("44100-192000 Hz, 2 channels"),
        ),
    ]
}

fn open(chosen: Option<&str>) -> App {
    let mut app = busy();
    let chosen = Chosen::of(chosen.map(str::to_owned));
    let mut picker = Picker::new(&chosen);
    picker.fill(&devices(), &chosen, None);
    app.picker = Some(picker);
    app
}

#[test]
fn cards_are_shown_with_what_they_offer_or_why_not() {
    assert_picture("picker_80x24", picture(&open(None), 80, 24));
    let mut app = open(Some("Jabra"));
    assert_picture("picker_chosen_60x15", picture(&app, 60, 15));
    app.picker.as_mut().unwrap().at = 4;
    let look = Look {
        glyphs: Glyphs::ASCII,
        ..MONO
    };
    assert_picture("picker_ascii_40x10", rows(&drawn(&app, &look, 40, 10)).join("\n"));
    app.picker = Some(Picker::new(&Chosen::Card("Grandma's radio".to_owned())));
    assert_picture("picker_looking_80x24", picture(&app, 80, 24));
}

#[test]
fn the_cursor_is_seen_at_any_size() {
    let mut app = open(None);
    for (columns, lines) in [(40, 10), (41, 11), (80, 24), (200, 60)] {
        for at in 0..5 {
            let picker = app.picker.as_mut().unwrap();
            picker.at = at;
            let name = picker.rows[at].name.clone();
            let picture = picture(&app, columns, lines);
            let row = picture.lines().find(|row| row.starts_with('>'));
            let start: String = name.chars().take(20).collect();
            assert!(row.is_some_and(|row| row.contains(&start)), "{name}:\n{picture}");
        }
    }
}

#[test]
fn cards_are_read_out_as_one_goes_through_them() {
    let mut app = busy();
    let mut plain = Plain::new();
    plain.report(&app);
    app.picker = Some(Picker::new(&Chosen::Default));
    assert_eq!(
        plain.report(&app),
        [
            "sound cards: Up and Down move, Enter takes one, D looks again, Esc leaves",
            "1 of 1: the system's default, in use",
        ]
    );
    app.picker
        .as_mut()
        .unwrap()
        .fill(&devices(), &Chosen::Default, None);
    assert_eq!(
        plain.report(&app),
        [
            "5 to choose from",
            "1 of 5: the system's default, in use, 44100-48000 Hz, 2 channels",
        ]
    );
    assert_eq!(plain.report(&app), Vec::<String>::new());
    app.picker.as_mut().unwrap().go(2);
    assert_eq!(
        plain.report(&app),
        ["3 of 5: Jabra Evolve 65, USB Audio, cannot be opened: the device is in use by another program"]
    );
    app.picker = None;
    assert_eq!(plain.report(&app), Vec::<String>::new());
    app.picker = Some(Picker::new(&Chosen::Default));
    assert_eq!(plain.report(&app).len(), 2, "opened again");
}
