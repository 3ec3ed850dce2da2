//! What is said, there and back; and noise.

use partyline_shared::track::{PerTrack, Role};
use proptest::prelude::*;

use super::*;
use crate::audio::desk::Seat;
use crate::event::{Mix, Playback};

fn there(said: &ToDesk) -> ToDesk {
    let mut bytes = Vec::new();
    said.put(&mut bytes);
    ToDesk::read(bytes.into(), Instant::now()).unwrap().unwrap()
}

fn back(said: &ToMonitor) -> ToMonitor {
    let mut bytes = Vec::new();
    said.put(&mut bytes);
    ToMonitor::read(bytes.into()).unwrap().unwrap()
}

fn seat() -> Seat {
    let roles = PerTrack {
        inbound: Role::Agent,
        outbound: Role::Customer,
    };
    Seat {
        held: true,
        seek_ms: -10_000,
        jumps: (2, 1_700_000_000_000),
        lives: 3,
        ..Seat::new(7, roles)
    }
}

#[test]
fn all_that_is_wanted_arrives_as_it_was_wanted() {
    let mut wanted = Wanted {
        front: 7,
        newest: 9,
        mix: Mix {
            volume_db: -6,
            ..Mix::default()
        },
        ..Wanted::default()
    };
    wanted.seats[1] = Some(seat());
    let ToDesk::Wanted(came) = there(&ToDesk::Wanted(Box::new(wanted))) else {
        panic!("another message")
    };
    assert_eq!(*came, wanted);
    wanted.seats[1] = Some(Seat {
        seek_ms: i64::MIN,
        jumps: (u64::MAX, i64::MAX),
        ..seat()
    });
    let ToDesk::Wanted(came) = there(&ToDesk::Wanted(Box::new(wanted))) else {
        panic!("another message")
    };
    assert_eq!(came.seats[1].unwrap().seek_ms, -FAR_MS);
    assert_eq!(came.seats[1].unwrap().jumps, (u64::MAX, FAR_MS));
}

/// A frame costs its own bytes and nine more.
#[test]
fn what_is_heard_arrives_as_the_relay_sent_it() {
    let frame = AudioFrame::new(Track::Outbound, 5, 6, 7, &[9; 160]).replayed();
    let arrived = Instant::now();
    let mut bytes = Vec::new();
    let heard = Heard::Frame {
        frame: frame.clone(),
        arrived,
    };
    ToDesk::Heard(3, heard).put(&mut bytes);
    assert_eq!(bytes.len(), frame.bytes().len() + 9);
    match ToDesk::read(bytes.into(), arrived).unwrap() {
        Some(ToDesk::Heard(3, Heard::Frame { frame: came, .. })) => assert_eq!(came, frame),
        other => panic!("{other:?}"),
    }
    let missed = Heard::Missed {
        track: Track::Inbound,
        from: 1,
        to: u32::MAX,
    };
    for heard in [
        missed,
        Heard::Over,
        Heard::Stream { zero_ms: None },
        Heard::Stream { zero_ms: Some(-1) },
    ] {
        let text = format!("{heard:?}");
        match there(&ToDesk::Heard(u64::MAX, heard)) {
            ToDesk::Heard(u64::MAX, came) => assert_eq!(format!("{came:?}"), text),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_rest_arrives_too() {
    for said in [
        ToDesk::UseDevice(Some("Headset".to_owned())),
        ToDesk::UseDevice(None),
        ToDesk::ListDevices,
        ToDesk::Ping(7),
        ToDesk::Bye,
        ToDesk::Hello,
        ToDesk::Thanks,
    ] {
        assert_eq!(format!("{:?}", there(&said)), format!("{said:?}"));
    }
    let column = |n: i8| Column { low: -n, high: n };
    let stats = Stats {
        playback: Playback {
            delay_ms: Some(90),
            ..Playback::default()
        },
        drift_ppm: -12.5,
        ..Stats::default()
    };
    let device = Device::Open {
        name: "Headset".to_owned(),
        rate: 48_000,
    };
    let info = DeviceInfo {
        id: "alsa:default".to_owned(),
        name: "Headset".to_owned(),
        default: true,
        offers: Err("busy".to_owned()),
    };
    for said in [
        ToMonitor::Back,
        ToMonitor::Taken,
        ToMonitor::Device(device),
        ToMonitor::Stats(Box::new(stats)),
        ToMonitor::Columns(vec![(column(1), column(127)), (column(0), column(2))]),
        ToMonitor::Devices(vec![info]),
        ToMonitor::Pong(u32::MAX),
        ToMonitor::Beat,
        ToMonitor::Bye,
    ] {
        assert_eq!(format!("{:?}", back(&said)), format!("{said:?}"));
    }
    let key = Key::random();
    match back(&ToMonitor::Welcome(key.clone())) {
        ToMonitor::Welcome(came) => assert_eq!(came.bytes(), key.bytes()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_be_meant_is_refused_and_what_is_of_tomorrow_passed_over() {
    let there = |bytes: &[u8]| ToDesk::read(Bytes::copy_from_slice(bytes), Instant::now());
    for bad in [
        &[][..],
        b"\x01{}",
        &[3; 8],
        &[2, 0, 0, 0, 0, 0, 0, 0, 1, 5],
        &[4, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0, 0, 0, 1],
        &[4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 1],
        &[8, 1],
    ] {
        assert!(there(bad).is_err(), "{bad:?}");
    }
    assert!(there(&[99, 1]).unwrap().is_none());
    let back = |bytes: &[u8]| ToMonitor::read(Bytes::copy_from_slice(bytes));
    for bad in [&[][..], &[1; 5], &[6, 1, 2, 3], b"\x05[]", &[8]] {
        assert!(back(bad).is_err(), "{bad:?}");
    }
    assert!(back(&[99]).unwrap().is_none());
}

proptest! {
    #[test]
    fn no_bytes_can_crash_either_end(kind in 0u8..14, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let all = Bytes::from([&[kind][..], &bytes].concat());
        let _ = ToDesk::read(all.clone(), Instant::now());
        let _ = ToMonitor::read(all);
    }

    #[test]
    fn no_bent_message_can_crash_either_end(at in 0usize..400, with: u8, cut in 0usize..400) {
        let mut wanted = Wanted::default();
        wanted.seats[0] = Some(seat());
        let (mut one, mut other) = (Vec::new(), Vec::new());
        ToDesk::Wanted(Box::new(wanted)).put(&mut one);
        ToMonitor::Stats(Box::default()).put(&mut other);
        for bytes in [&mut one, &mut other] {
            let length = bytes.len();
            bytes[at % length] = with;
            bytes.truncate(cut.max(1));
        }
        let _ = ToDesk::read(one.into(), Instant::now());
        let _ = ToMonitor::read(other.into());
    }
}
