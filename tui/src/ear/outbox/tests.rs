//! What waits for the link, what is said again when there is one, and what is counted.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{self, Track};

use super::*;
use crate::event::Mix;

/// One that tells into a list.
fn outbox() -> (Outbox, std::sync::Arc<Mutex<Vec<FromSound>>>) {
    let told = std::sync::Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let outbox = Outbox::new(Box::new(move |said| tell.lock().unwrap().push(said)));
    (outbox, told)
}

fn frame(chunk: u32) -> Heard {
    Heard::Frame {
        frame: AudioFrame::new(Track::Inbound, 1, chunk, chunk * 20, &[9; 160]),
        arrived: Instant::now(),
    }
}

fn hear(outbox: &Outbox) -> u64 {
    outbox.want(|wanted| wanted.hear(track::roles(Track::Outbound), Mix::default()))
}

/// All that is said now, in a word each.
fn said(outbox: &Outbox, now: Instant) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(said) = outbox.next(now) {
        all.push(match said {
            ToDesk::Wanted(wanted) => format!("wanted {}", wanted.front),
            ToDesk::Heard(of, Heard::Stream { zero_ms }) => format!("stream {of} {zero_ms:?}"),
            ToDesk::Heard(of, Heard::Frame { frame, .. }) => format!("frame {of} {}", frame.chunk()),
            ToDesk::Heard(of, Heard::Over) => format!("over {of}"),
            other => format!("{other:?}"),
        });
    }
    all
}

#[test]
fn a_desk_that_has_forgotten_everything_is_told_everything() {
    let (outbox, _) = outbox();
    let one = hear(&outbox);
    outbox.put(one, Heard::Stream { zero_ms: Some(5) });
    outbox.put(one, frame(1));
    outbox.on_link();
    let now = Instant::now();
    assert_eq!(said(&outbox, now), ["wanted 1", "stream 1 Some(5)"]);
    outbox.put(one, frame(2));
    outbox.put(one, Heard::Over);
    assert_eq!(said(&outbox, now), ["frame 1 2", "over 1"]);
    let (two, _) = outbox.want(|wanted| wanted.also(track::roles(Track::Inbound)));
    outbox.put(two, Heard::Stream { zero_ms: None });
    outbox.put(two, frame(7));
    assert_eq!(said(&outbox, now), ["wanted 2", "stream 2 None", "frame 2 7"]);
    outbox.on_cut("cut".to_owned());
    outbox.put(two, frame(8));
    outbox.on_link();
    let again = ["wanted 2", "stream 1 Some(5)", "over 1", "stream 2 None"];
    assert_eq!(said(&outbox, now), again);
    // What is left is said no more.
    outbox.want(|wanted| wanted.leave(one));
    outbox.put(one, frame(9));
    outbox.put(two, frame(9));
    assert_eq!(said(&outbox, now), ["wanted 2", "frame 2 9"]);
    outbox.on_link();
    assert_eq!(said(&outbox, now), ["wanted 2", "stream 2 None"]);
}

#[test]
fn what_nobody_can_play_is_counted_and_told() {
    let (outbox, told) = outbox();
    let one = hear(&outbox);
    outbox.on_link();
    outbox.on_stats(Stats {
        playback: Playback {
            state: Playing::Live,
            delay_ms: Some(60),
            dropped_ms: 100,
            ..Playback::default()
        },
        ..Stats::default()
    });
    outbox.on_round_trip(Duration::from_millis(40));
    let playback = outbox.stats().playback;
    assert_eq!((playback.delay_ms, playback.dropped_ms), (Some(65), 100));
    outbox.put(one, frame(1));
    outbox.on_cut("the ear is away".to_owned());
    outbox.put(one, frame(2));
    let playback = outbox.stats().playback;
    assert_eq!(
        (playback.state, playback.delay_ms, playback.dropped_ms),
        (Playing::Waiting, None, 140)
    );
    // It ends meanwhile: nobody is to wait for the desk to play the rest.
    outbox.put(one, Heard::Over);
    let told = std::mem::take(&mut *told.lock().unwrap());
    let states: Vec<Playing> = told
        .iter()
        .filter_map(|said| match said {
            FromSound::Playback(playback) => Some(playback.state),
            _ => None,
        })
        .collect();
    assert_eq!(states, [Playing::Live, Playing::Waiting, Playing::Over]);
    let away = Device::Missing {
        why: "the ear is away".to_owned(),
    };
    assert!(told.contains(&FromSound::Device(away)));
    outbox.count_anew();
    assert_eq!(outbox.stats().playback.dropped_ms, 100);
}

#[test]
fn so_much_waits_and_the_newest_goes() {
    let (outbox, _) = outbox();
    let one = hear(&outbox);
    outbox.on_link();
    for chunk in 0..WAITING as u32 + 3 {
        outbox.put(one, frame(chunk));
    }
    outbox.put(one, Heard::Over);
    assert_eq!(outbox.stats().playback.dropped_ms, 60);
    let said = said(&outbox, Instant::now());
    assert_eq!(said.len(), 1 + WAITING + 1);
    assert_eq!(said[1], "frame 1 0");
    assert_eq!(said[WAITING + 1], "over 1", "the end is never lost");
}

#[test]
fn what_is_late_is_not_sent_and_what_is_remembered_is() {
    let (outbox, _) = outbox();
    let one = hear(&outbox);
    outbox.on_link();
    outbox.put(one, frame(1));
    let Heard::Frame { frame: of, arrived } = frame(2) else {
        panic!("a frame")
    };
    let replayed = Heard::Frame {
        frame: of.replayed(),
        arrived,
    };
    outbox.put(one, replayed);
    let late = Instant::now() + OLDEST + Duration::from_millis(1);
    assert_eq!(said(&outbox, late), ["wanted 1", "frame 1 2"]);
    assert_eq!(outbox.stats().playback.dropped_ms, 20);
}

#[test]
fn no_number_of_the_desk_s_is_too_large_to_be_added_to() {
    let (outbox, _) = outbox();
    let one = hear(&outbox);
    outbox.put(one, frame(1));
    let playback = Playback {
        dropped_ms: u64::MAX,
        ..Playback::default()
    };
    outbox.on_stats(Stats {
        playback,
        ..Stats::default()
    });
    assert_eq!(outbox.stats().playback.dropped_ms, u64::MAX);
}

#[test]
fn what_is_held_or_behind_is_so_while_the_ear_is_away() {
    let (outbox, _) = outbox();
    hear(&outbox);
    outbox.on_link();
    let goes = |state, behind_ms| {
        let playback = Playback {
            state,
            behind_ms,
            ..Playback::default()
        };
        Stats {
            playback,
            ..Stats::default()
        }
    };
    let state = |outbox: &Outbox| outbox.stats().playback.state;
    outbox.on_stats(goes(Playing::Live, 0));
    outbox.on_cut("cut".to_owned());
    assert_eq!(state(&outbox), Playing::Waiting);
    outbox.on_link();
    outbox.on_stats(goes(Playing::Behind, 9_000));
    outbox.on_cut("cut".to_owned());
    assert_eq!(state(&outbox), Playing::Behind);
    outbox.want(|wanted| wanted.change_front(|seat| seat.held = true));
    assert_eq!(state(&outbox), Playing::Paused);
    outbox.want(|wanted| wanted.change_front(|seat| seat.held = false));
    assert_eq!(state(&outbox), Playing::Behind);
}

#[test]
fn a_card_that_was_chosen_into_a_dead_link_is_chosen_again() {
    let (outbox, told) = outbox();
    let now = Instant::now();
    outbox.on_link();
    assert_eq!(said(&outbox, now), ["wanted 0"]);
    outbox.use_device(Some("headset".to_owned()));
    outbox.list_devices();
    let chosen = "UseDevice(Some(\"headset\"))";
    assert_eq!(said(&outbox, now), [chosen, "ListDevices"]);
    outbox.on_cut("cut".to_owned());
    outbox.on_link();
    assert_eq!(said(&outbox, now), ["wanted 0", chosen, "ListDevices"]);
    outbox.on_devices(Vec::new());
    assert!(matches!(told.lock().unwrap().last(), Some(FromSound::Devices(_))));
    outbox.on_link();
    assert_eq!(said(&outbox, now), ["wanted 0", chosen]);
}
