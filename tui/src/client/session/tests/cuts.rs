//! The session against the model relay, cut at random points.

use std::collections::BTreeMap;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::protocol::client::ClientMessage;
use partyline_shared::track::Track;

use super::model::{Dice, ModelRelay, sid};
use super::{HELLO, updates};
use crate::client::session::{Session, Update, Want};

/// 2,000 cuts at random points: 100 relays, 20 cuts each, some with a restart.
#[test]
fn nothing_is_lost_doubled_or_out_of_order_across_cuts() {
    for seed in 0..100 {
        let mut dice = Dice::new(seed);
        let mut relay = ModelRelay::new();
        let mut session = Session::new();
        session.subscribe(
            0,
            sid(),
            Want {
                audio: true,
                ..Want::default()
            },
        );
        let mut all = Vec::new();
        let mut now = 0;
        for round in 0..=20 {
            session.on_open(now);
            session.on_text(now, HELLO);
            for step in 0..dice.below(60) + 5 {
                while let Some(text) = session.poll_send() {
                    relay.on_message(&text);
                }
                relay.live(&mut dice);
                // What is under way when the socket dies is lost; the last socket delivers all.
                let deliver = dice.below(4) as usize;
                relay.deliver(&mut session, now, if step < 3 { 0 } else { deliver });
                now += 20;
            }
            if round == 20 {
                relay.deliver(&mut session, now, usize::MAX);
            } else {
                session.on_closed(None);
                let away = dice.below(600);
                (0..away / 20).for_each(|_| relay.live(&mut dice));
                now += away;
                if dice.below(6) == 0 {
                    relay.restart();
                }
            }
            all.extend(updates(&mut session));
        }
        check(seed, &relay, &all);
    }
}

fn check(seed: u64, relay: &ModelRelay, all: &[Update]) {
    let mut journal = String::from("j0");
    let mut lines: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut events: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut chunks: BTreeMap<(u32, Track), u32> = BTreeMap::new();
    let mut id = 0;
    for update in all {
        match update {
            Update::JournalChanged { journal: new, .. } => journal.clone_from(new),
            Update::Subscribed {
                audio_id: Some(new), ..
            } => id = *new,
            Update::Line { line, .. } if line.is_final => {
                lines.entry(journal.clone()).or_default().push(line.seq)
            }
            Update::Event { event, .. } => events.entry(journal.clone()).or_default().push(event.seq),
            Update::Frame { frame, .. } => {
                let last = chunks.insert((id, frame.track()), frame.chunk());
                assert!(
                    last.is_none_or(|last| frame.chunk() == last + 1),
                    "seed {seed}: {last:?} then {frame:?}"
                );
                assert_eq!(frame.audio_id(), id, "seed {seed}");
            }
            Update::Missed { track, from, to, .. } => {
                let last = chunks.insert((id, *track), *to).unwrap_or(0);
                assert!(
                    *from == last + 1 && to >= from,
                    "seed {seed}: {last} then {from}-{to}"
                );
            }
            Update::BadMessage(why) => panic!("seed {seed}: {why}"),
            _ => {}
        }
    }
    for (name, seen) in &lines {
        let known: Vec<u64> = relay.finals(name).collect();
        assert_eq!(
            seen[..],
            known[..seen.len()],
            "seed {seed}: each line of {name} once, in order, none skipped"
        );
    }
    assert_eq!(
        lines.get(&relay.journal).map_or(0, Vec::len),
        relay.finals(&relay.journal).count(),
        "seed {seed}"
    );
    for (name, seen) in &events {
        let known: Vec<u64> = (1..=relay.events(name)).collect();
        assert_eq!(
            seen[..],
            known[..seen.len()],
            "seed {seed}: each event of {name} once, in order"
        );
    }
    assert_eq!(
        events.get(&relay.journal).map_or(0, Vec::len) as u64,
        relay.events(&relay.journal),
        "seed {seed}"
    );
    assert_eq!(
        chunks.get(&(relay.id, Track::Inbound)),
        Some(&relay.last_chunk(Track::Inbound)),
        "seed {seed}"
    );
}

/// What waited in buffers, or came out of the relay's memory, was live before it came: what is asked for
/// next begins there, or what the relay still remembers would be lost.
#[test]
fn what_came_late_does_not_shorten_what_is_asked_for() {
    let mut session = super::listening();
    let replay_ms = |session: &mut Session, now| {
        session.on_closed(None);
        session.on_open(now);
        session.on_text(now, HELLO);
        let asked = super::sent(session);
        let [ClientMessage::Subscribe(asked)] = &asked[..] else {
            panic!("one subscribe: {asked:?}")
        };
        session.on_text(now, &super::subscribed(7, "j", true));
        asked.replay_ms
    };
    session.on_text(0, &super::subscribed(7, "j", false));
    super::sent(&mut session);
    session.on_binary(20, super::frame(7, 1));
    // Four seconds in buffers.
    session.on_binary(4000, super::frame(7, 2));
    assert_eq!(replay_ms(&mut session, 5000), 5000 - 40 + 2000);
    let replayed = AudioFrame::new(Track::Inbound, 7, 3, 60, &[1; 160]).replayed();
    session.on_binary(5010, replayed.bytes().clone());
    assert_eq!(replay_ms(&mut session, 6000), 6000 - 60 + 2000);
    // Heard before: nothing new.
    session.on_binary(6010, replayed.bytes().clone());
    assert_eq!(replay_ms(&mut session, 7000), 7000 - 60 + 2000);
    // The relay's clock, 9:00 at the session's 0, says when a stream began of which all comes late.
    let began = r#"{"type":"subscribed","call_sid":"CA1","audio_id":8,"journal":"j","resumed":true,"zero_at":"2026-11-22T09:00:04.000Z"}"#;
    session.on_text(7000, began);
    session.on_binary(7000, super::frame(8, 100));
    assert_eq!(replay_ms(&mut session, 8000), 8000 - (4000 + 2000) + 2000);
}
