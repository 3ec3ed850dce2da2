//! What is written is read again, and what is no message is none.

use proptest::prelude::*;

use super::*;

fn sid(n: u32) -> CallSid {
    CallSid::parse(&format!("CA{n}")).unwrap()
}

fn stream(audio_id: u32) -> StreamInfo {
    StreamInfo {
        audio_id,
        zero_at: UtcTime::from_unix_ms(1_700_000_000_123),
    }
}

fn item(audio_id: u32) -> impl Strategy<Value = Item> {
    let track = prop_oneof![Just(Track::Inbound), Just(Track::Outbound)];
    let reason = prop_oneof![
        Just(GapReason::Upstream),
        Just(GapReason::RelayLink),
        Just(GapReason::Paused),
    ];
    let audio = prop::collection::vec(any::<u8>(), 1..=160);
    prop_oneof![
        4 => (track.clone(), any::<u32>(), any::<u32>(), audio)
            .prop_map(move |(track, chunk, at, audio)| Item::Frame(AudioFrame::new(track, audio_id, chunk, at, &audio))),
        1 => (track, any::<u32>(), any::<u32>(), reason).prop_map(|(track, one, other, reason)| Item::Gap(Gap {
            track,
            from_chunk: one.min(other),
            to_chunk: one.max(other),
            reason,
        })),
    ]
}

fn part() -> impl Strategy<Value = Part> {
    let items = |audio_id| prop::collection::vec(item(audio_id), 0..20);
    let live = (0u32..9, 1u32..9).prop_flat_map(move |(call, audio_id)| {
        items(audio_id).prop_map(move |items| Part::Live {
            call_sid: sid(call),
            stream: stream(audio_id),
            items,
        })
    });
    let replayed =
        (0u32..9, 1u32..9, any::<u32>(), any::<bool>()).prop_flat_map(move |(call, audio_id, ms, last)| {
            items(audio_id).prop_map(move |items| Part::Replayed {
                call_sid: sid(call),
                stream: Some(stream(audio_id)),
                ms,
                last,
                items,
            })
        });
    let energy = (any::<u64>(), any::<u32>()).prop_map(|(squares, samples)| Energy {
        squares,
        samples: u64::from(samples),
    });
    let level = (0u32..9, energy.clone(), energy)
        .prop_map(|(call, inbound, outbound)| (sid(call), PerTrack { inbound, outbound }));
    prop_oneof![
        live,
        replayed,
        prop::collection::vec(level, 0..20).prop_map(Part::Levels)
    ]
}

fn written(parts: &[Part]) -> Vec<u8> {
    let mut message = Vec::new();
    let mut writer = Writer::new(&mut message);
    for part in parts {
        match part {
            Part::Live {
                call_sid,
                stream,
                items,
            } => {
                writer.live(call_sid, *stream);
                items.iter().for_each(|item| writer.item(item));
            }
            Part::Replayed {
                call_sid,
                stream,
                ms,
                last,
                items,
            } => {
                writer.replayed(call_sid, *stream, *ms);
                items.iter().for_each(|item| writer.item(item));
                if *last {
                    writer.is_last();
                }
            }
            Part::Levels(levels) => {
                writer.levels();
                levels.iter().for_each(|(sid, energy)| writer.level(sid, energy));
            }
        }
    }
    message
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(parts in prop::collection::vec(part(), 0..6)) {
        prop_assert_eq!(read(written(&parts).into()), Ok(parts));
    }

    #[test]
    fn what_is_cut_off_is_no_message_and_neither_is_one_of_another_version(
        parts in prop::collection::vec(part(), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let whole = written(&parts);
        let cut = cut.index(whole.len());
        let left = read(whole[..cut].to_vec().into());
        // Whole sections are a message too; a part of one never is.
        if let Ok(left) = left {
            prop_assert!(left.len() < parts.len() && left == parts[..left.len()]);
        }
        let mut other = whole;
        other[0] = VERSION + 1;
        prop_assert_eq!(read(other.into()), Err(Bad));
    }

    #[test]
    fn no_bytes_can_crash_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..400), one: bool) {
        let mut bytes = bytes;
        if let (true, Some(first)) = (one, bytes.first_mut()) {
            *first = VERSION;
        }
        let _ = read(bytes.into());
    }

    #[test]
    fn a_bent_message_is_another_or_none(
        parts in prop::collection::vec(part(), 1..4),
        at in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let mut bent = written(&parts);
        let at = at.index(bent.len());
        bent[at] = byte;
        if let Ok(read) = read(bent.into()) {
            for part in read {
                if let Part::Live { stream, items, .. } = part {
                    let of_it = |item: &Item| !matches!(item, Item::Frame(frame) if frame.audio_id() != stream.audio_id);
                    prop_assert!(items.iter().all(of_it));
                }
            }
        }
    }
}

#[test]
fn the_bytes_are_pinned() {
    let gap = Gap {
        track: Track::Outbound,
        from_chunk: 8,
        to_chunk: 9,
        reason: GapReason::Paused,
    };
    let frame = AudioFrame::new(Track::Inbound, 7, 1, 20, &[0xff, 0x7f]);
    let message = written(&[Part::Live {
        call_sid: sid(1),
        stream: StreamInfo {
            audio_id: 7,
            zero_at: UtcTime::from_unix_ms(0x0102_0304),
        },
        items: vec![Item::Frame(frame), Item::Gap(gap)],
    }]);
    let golden = [
        1, // version
        1, 3, b'C', b'A', b'1', // live, of CA1
        0, 0, 0, 7, // audio_id
        0, 0, 0, 0, 1, 2, 3, 4, // zero_at
        0, 2, // two items
        0, 18, 1, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 20, 0xff, 0x7f, // a frame as it is
        1, 1, 0, 0, 0, 8, 0, 0, 0, 9, 3, // a gap
    ];
    assert_eq!(message, golden);
}
