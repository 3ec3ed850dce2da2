//! The picker of the sound card, and what is said of the card.

use super::*;
use crate::event::{Device, DeviceInfo};

fn card(id: &str, default: bool, offers: Result<&str, &str>) -> DeviceInfo {
    DeviceInfo {
        id: id.to_owned(),
        name: format!("{id}\u{1b}[0m card"),
        default,
        offers: offers.map(str::to_owned).map_err(str::to_owned),
    }
}

fn found() -> FromSound {
    FromSound::Devices(vec![
        card("alsa:default", true, Ok("48000 Hz")),
        card("alsa:usb", false, Err("busy\u{7}")),
        card("alsa:hdmi", false, Ok("48000 Hz")),
    ])
}

fn at(story: &Story) -> (usize, usize) {
    let picker = story.app.picker.as_ref().unwrap();
    (picker.at, picker.rows.len())
}

fn opened(name: &str) -> FromSound {
    FromSound::Device(Device::Open {
        name: name.to_owned(),
        rate: 48_000,
    })
}

#[test]
fn a_card_is_chosen_among_those_there_are_and_what_comes_of_it_is_told() {
    let mut story = Story::new();
    assert_eq!(story.press(Intent::Devices), [Effect::ListDevices]);
    assert_eq!(
        at(&story),
        (0, 1),
        "the default can be chosen before the rest is known"
    );
    assert_eq!(story.sound(found()), []);
    assert_eq!(at(&story), (0, 3));
    story.press(Intent::Down);
    assert_eq!(story.press(Intent::Devices), [Effect::ListDevices], "looks again");
    story.sound(found());
    assert_eq!(at(&story), (1, 3));
    let choose = |id: Option<&str>| [Effect::UseDevice(id.map(str::to_owned))];
    assert_eq!(story.press(Intent::Accept), choose(Some("alsa:usb")));
    assert_eq!(
        (story.notice(), story.app.picker.is_none()),
        ("sound goes to alsa:usb[0m card", true)
    );
    story.sound(FromSound::Device(Device::Missing {
        why: "no device called alsa:usb".to_owned(),
    }));
    assert_eq!(
        story.notice(),
        "no sound: no device called alsa:usb",
        "also while nothing is heard"
    );
    story.press(Intent::Devices);
    assert_eq!(at(&story), (1, 2), "what is used stands there before it is found");
    story.sound(found());
    assert_eq!(at(&story), (1, 3));
    story.press(Intent::Home);
    assert_eq!(story.press(Intent::Accept), choose(None));
    story.sound(opened("speakers"));
    assert_eq!(story.notice(), "sound again: speakers");
    story.press(Intent::Devices);
    story.press(Intent::Accept);
    story.sound(opened("speakers"));
    assert_eq!(
        story.notice(),
        "playing on speakers",
        "the same again is an answer too"
    );
    let before = story.app.notice.clone();
    story.sound(opened("speakers"));
    assert_eq!(story.app.notice, before, "told once");
}

#[test]
fn the_picker_has_the_keys_and_is_left_without_a_choice() {
    let mut story = Story::shows("CA1");
    story.press(Intent::Devices);
    story.sound(found());
    for (intent, place) in [
        (Intent::End, 2),
        (Intent::Up, 1),
        (Intent::PageDown, 2),
        (Intent::PageUp, 0),
        (Intent::Up, 0),
        (Intent::Listen, 0),
        (Intent::Help, 0),
        (Intent::Find, 0),
    ] {
        assert_eq!(story.press(intent), [], "{intent:?}");
        assert_eq!(at(&story).0, place, "{intent:?}");
    }
    assert!(!story.app.help && story.app.typing.is_none());
    assert_eq!(story.press(Intent::Cancel), []);
    assert!(story.app.picker.is_none());
    assert_eq!(story.sound(found()), [], "late, and nobody asks");
    story.press(Intent::Devices);
    assert_eq!(story.press(Intent::Quit), [Effect::Quit]);
}

#[test]
fn where_sound_is_off_there_is_nothing_to_choose() {
    let mut story = Story::new();
    story.sound(FromSound::Device(Device::Off));
    assert_eq!(story.press(Intent::Devices), []);
    assert!(story.app.picker.is_none() && story.notice().contains("sound is off"));
}
