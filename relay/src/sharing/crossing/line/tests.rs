//! Whatever way the messages take: each frame once, in order, and every chunk that does not come is told, once.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::time::UtcTime;
use proptest::prelude::*;

use super::*;

fn stream(audio_id: u32) -> StreamInfo {
    StreamInfo {
        audio_id,
        zero_at: UtcTime::from_unix_ms(1_000 * i64::from(audio_id)),
    }
}

fn frame(track: Track, audio_id: u32, chunk: u32) -> Item {
    Item::Frame(AudioFrame::new(track, audio_id, chunk, chunk * 20, &[0xff; 160]))
}

fn gap(from_chunk: u32, to_chunk: u32, reason: GapReason) -> Item {
    Item::Gap(Gap {
        track: Track::Inbound,
        from_chunk,
        to_chunk,
        reason,
    })
}

fn told(items: &[Item]) -> Vec<String> {
    let told = items.iter().map(|item| match item {
        Item::Frame(frame) => format!("{}", frame.chunk()),
        Item::Gap(gap) => format!("{}-{} {}", gap.from_chunk, gap.to_chunk, gap.reason.as_str()),
        Item::Stream(_) => "stream".to_owned(),
    });
    told.collect()
}

fn came(line: &mut Line, audio_id: u32, items: Vec<Item>) -> Vec<String> {
    let mut out = Vec::new();
    line.live(stream(audio_id), items, &mut out);
    told(&out)
}

#[test]
fn what_nobody_told_of_was_lost_on_the_way_and_what_was_told_stays_as_it_is() {
    let mut line = Line::default();
    let i = |chunk| frame(Track::Inbound, 1, chunk);
    assert_eq!(
        came(&mut line, 1, vec![i(40), i(41)]),
        ["40", "41"],
        "nothing is missing before the first"
    );
    assert_eq!(came(&mut line, 1, vec![i(44)]), ["42-43 relay_link", "44"]);
    assert_eq!(
        came(&mut line, 1, vec![gap(45, 46, GapReason::Upstream), i(47)]),
        ["45-46 upstream", "47"]
    );
    assert_eq!(
        came(&mut line, 1, vec![gap(50, 55, GapReason::Paused), i(56)]),
        ["48-49 relay_link", "50-55 paused", "56"]
    );
    assert_eq!(
        came(&mut line, 1, vec![i(40), gap(55, 58, GapReason::Upstream), i(59)]),
        ["57-58 upstream", "59"],
        "of what came before only the rest is news"
    );
    assert_eq!(
        came(&mut line, 1, vec![frame(Track::Outbound, 1, 9)]),
        ["9"],
        "the other track has its own numbers"
    );
}

#[test]
fn another_stream_begins_anew_and_an_older_one_is_over() {
    let mut line = Line::default();
    assert_eq!(came(&mut line, 1, vec![frame(Track::Inbound, 1, 40)]), ["40"]);
    assert_eq!(
        came(&mut line, 2, vec![frame(Track::Inbound, 2, 3)]),
        ["1-2 relay_link", "3"],
        "it is heard from its beginning"
    );
    assert!(came(&mut line, 1, vec![frame(Track::Inbound, 1, 41)]).is_empty());
    assert_eq!(came(&mut line, 2, vec![frame(Track::Inbound, 2, 4)]), ["4"]);
}

#[test]
fn what_is_remembered_comes_whole_and_what_follows_it_is_missed_where_it_does_not_come() {
    let mut line = Line::default();
    let i = |chunk| frame(Track::Inbound, 1, chunk);
    assert_eq!(line.replayed(stream(1), false, vec![i(38), i(39)]), None);
    let all: Vec<Item> = line.replayed(stream(1), true, vec![i(40)]).unwrap().into();
    assert_eq!(told(&all), ["38", "39", "40"]);
    assert_eq!(came(&mut line, 1, vec![i(42)]), ["41-41 relay_link", "42"]);
    let more: Vec<Item> = line.replayed(stream(1), true, vec![i(44), i(45)]).unwrap().into();
    assert_eq!(told(&more), ["44", "45"]);
    assert_eq!(
        came(&mut line, 1, vec![i(46)]),
        ["43-45 relay_link", "46"],
        "who heard it before is told of what was lost, whatever another asked for"
    );
}

proptest! {
    #[test]
    fn each_chunk_is_heard_or_told_once_and_in_order(
        // Of each chunk: whether it never came to the owner, and whether its message is lost, or comes again later.
        fate in prop::collection::vec((prop::bool::weighted(0.1), prop::bool::weighted(0.2), prop::bool::weighted(0.1)), 1..200),
    ) {
        let mut line = Line::default();
        let mut out = Vec::new();
        let mut lost = 0;
        for (n, (missing, loses, again)) in fate.iter().enumerate() {
            let chunk = n as u32 + 1;
            let item = if *missing { gap(chunk, chunk, GapReason::Upstream) } else { frame(Track::Inbound, 1, chunk) };
            if *loses && n > 0 {
                continue;
            }
            lost += line.live(stream(1), vec![item.clone()], &mut out).lost;
            if *again {
                lost += line.live(stream(1), vec![item], &mut out).lost;
            }
        }
        let mut next = 1;
        let mut told_lost = 0;
        for item in &out {
            let (from, to) = match item {
                Item::Frame(frame) => (frame.chunk(), frame.chunk()),
                Item::Gap(gap) => (gap.from_chunk, gap.to_chunk),
                Item::Stream(_) => unreachable!("none is told"),
            };
            prop_assert_eq!(from, next);
            next = to + 1;
            for chunk in from..=to {
                let (missing, loses, _) = fate[chunk as usize - 1];
                let loses = loses && chunk > 1;
                match item {
                    Item::Frame(_) => prop_assert!(!missing && !loses),
                    Item::Gap(gap) if gap.reason == GapReason::RelayLink => {
                        told_lost += 1;
                        prop_assert!(loses);
                    }
                    _ => prop_assert!(missing && !loses),
                }
            }
        }
        prop_assert_eq!(told_lost, lost);
    }
}
