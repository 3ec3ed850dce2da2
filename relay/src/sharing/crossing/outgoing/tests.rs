//! What waits is bounded in bytes and in time, and comes in order.

use bytes::Bytes;
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;

use super::*;
use crate::sharing::crossing::codec::{MOST, Part, read};

fn sid(n: u32) -> CallSid {
    CallSid::parse(&format!("CA{n}")).unwrap()
}

fn stream(audio_id: u32) -> StreamInfo {
    StreamInfo {
        audio_id,
        zero_at: UtcTime::from_unix_ms(1),
    }
}

fn frame(audio_id: u32, chunk: u32) -> Item {
    Item::Frame(AudioFrame::new(
        Track::Inbound,
        audio_id,
        chunk,
        chunk * 20,
        &[0xff; 160],
    ))
}

/// All that is sent, in words, and how many messages that are.
fn sent(outgoing: &mut Outgoing, now: Instant) -> (Vec<String>, usize) {
    let (mut words, mut messages) = (Vec::new(), 0);
    let chunks = |items: Vec<Item>| {
        let chunks = items.into_iter().map(|item| match item {
            Item::Frame(frame) => frame.chunk().to_string(),
            other => format!("{other:?}"),
        });
        chunks.collect::<Vec<_>>().join(",")
    };
    while outgoing.has_any(now) {
        let mut message = Vec::new();
        outgoing.fill(&mut Writer::new(&mut message));
        assert!(message.len() <= MOST);
        messages += 1;
        for part in read(Bytes::from(message)).unwrap() {
            words.push(match part {
                Part::Live {
                    call_sid,
                    stream,
                    items,
                } => format!("{} {}: {}", call_sid.as_str(), stream.audio_id, chunks(items)),
                Part::Replayed {
                    call_sid,
                    ms,
                    last,
                    items,
                    ..
                } => format!("{} last {ms} ms {last}: {}", call_sid.as_str(), chunks(items)),
                Part::Levels(_) => unreachable!("none are here"),
            });
        }
    }
    (words, messages)
}

fn two() -> Outgoing {
    let mut outgoing = Outgoing::default();
    outgoing.open(1, sid(1));
    outgoing.open(2, sid(2));
    outgoing
}

#[test]
fn what_is_ready_together_leaves_in_one_message() {
    let (mut outgoing, now) = (two(), Instant::now());
    let items = [
        (1, Item::Stream(stream(10))),
        (1, frame(10, 1)),
        (1, frame(10, 2)),
        (2, Item::Stream(stream(20))),
        (2, frame(20, 5)),
        (1, frame(10, 3)),
        (1, Item::Stream(stream(11))),
        (1, frame(11, 1)),
        (9, frame(9, 9)),
    ];
    outgoing.take(now, items);
    let all = ["CA1 10: 1,2", "CA2 20: 5", "CA1 10: 3", "CA1 11: 1"];
    assert_eq!(sent(&mut outgoing, now), (all.map(str::to_owned).to_vec(), 1));
    assert_eq!(outgoing.take_counts(), (5, 0));
    assert_eq!((outgoing.bytes, outgoing.replay_bytes), (0, 0));
}

#[test]
fn what_is_old_is_not_sent_and_what_is_too_much_goes_at_the_old_end() {
    let (mut outgoing, now) = (two(), Instant::now());
    outgoing.take(now, [(1, Item::Stream(stream(10))), (1, frame(10, 1))]);
    let later = now + OLDEST;
    outgoing.take(later, [(1, frame(10, 2))]);
    let (words, _) = sent(&mut outgoing, later + Duration::from_millis(1));
    assert_eq!(words, ["CA1 10: 2"], "its stream is known all the same");
    assert_eq!(outgoing.take_counts(), (1, 1));
    let most = MOST_WAITING / 176;
    outgoing.take(later, (0..most as u32 + 10).map(|n| (1, frame(10, 3 + n))));
    let (words, messages) = sent(&mut outgoing, later);
    assert!(words[0].starts_with("CA1 10: 13,14,"), "{}", &words[0][..40]);
    assert!(messages > 20 && outgoing.take_counts() == (most as u64, 10));
    outgoing.take(later, [(1, frame(10, 1)), (2, frame(20, 1))]);
    outgoing.close(1);
    let (words, _) = sent(&mut outgoing, later);
    assert!(
        words.is_empty(),
        "of one that is closed, or has no stream, nothing: {words:?}"
    );
    assert_eq!((outgoing.bytes, outgoing.replay_bytes), (0, 0));
}

#[test]
fn what_is_remembered_comes_where_its_mark_is_in_parts() {
    let (mut outgoing, now) = (two(), Instant::now());
    outgoing.take(now, [(1, Item::Stream(stream(10))), (1, frame(10, 500))]);
    let remembered = (1..=500).map(|chunk| frame(10, chunk)).collect();
    outgoing.replay(now, 1, Some(stream(10)), 10_000, remembered);
    outgoing.take(now, [(1, Item::Stream(stream(10))), (1, frame(10, 501))]);
    outgoing.replay(now, 2, None, 700, VecDeque::new());
    let (words, messages) = sent(&mut outgoing, now);
    let heads: Vec<&str> = words.iter().map(|word| word.split(',').next().unwrap()).collect();
    assert_eq!(
        heads,
        [
            "CA1 10: 500",
            "CA1 last 10000 ms false: 1",
            "CA1 last 10000 ms true: 367",
            "CA1 10: 501",
            "CA2 last 700 ms true: "
        ]
    );
    assert_eq!((messages, outgoing.replay_bytes), (2, 0));
    let too_many = (1..=50_000).map(|chunk| frame(10, chunk)).collect();
    outgoing.replay(now, 1, Some(stream(10)), 10_000, too_many);
    assert!(outgoing.replay_bytes <= MOST_REPLAYS && outgoing.take_counts().1 > 0);
    outgoing.close(1);
    assert_eq!(outgoing.replay_bytes, 0);
}
