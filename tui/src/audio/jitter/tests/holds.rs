//! Holding, being behind, coming back, other streams, the relay's memory.

use super::*;

#[test]
fn what_was_held_is_played_later_and_whole_until_live_is_asked_for() {
    let mut card = Card::new();
    let calls = two(60, QUIET, |_| 0);
    let mut heard = card.play(&calls, 5_000_000).chunks(Track::Inbound);
    card.jitter.hold(true);
    let held = card.play(&calls, 15_000_000);
    assert_eq!(held.count(|_| true), 0);
    let stats = card.jitter.stats();
    assert_eq!(stats.state, State::Held);
    assert!((9_900..10_100).contains(&stats.behind_ms), "{stats:?}");

    card.jitter.hold(false);
    heard.extend(card.play(&calls, 30_000_000).chunks(Track::Inbound));
    assert_eq!(
        heard,
        (1..=heard.len() as u32).collect::<Vec<_>>(),
        "nothing is left out"
    );
    let stats = card.jitter.stats();
    assert_eq!(
        (stats.state, stats.dropped, stats.concealed_ms),
        (State::Behind, 0, 0)
    );
    assert!((9_900..10_100).contains(&stats.behind_ms), "{stats:?}");
    assert_eq!(card.jitter.depth(), None);

    card.jitter.to_live();
    let rest = card.play(&calls, 50_000_000);
    let stats = card.jitter.stats();
    assert_eq!((stats.state, stats.behind_ms), (State::Playing, 0));
    assert!((9_900..10_200).contains(&stats.dropped_ms), "{stats:?}");
    assert!(stats.depth_ms < 100, "{stats:?}");
    assert_eq!(
        rest.slots
            .iter()
            .flat_map(|(_, slot)| slot)
            .take(1)
            .filter(|slot| slot.cut)
            .count(),
        1
    );
}

#[test]
fn live_also_ends_a_hold_and_a_short_hold_is_no_being_behind() {
    let mut card = Card::new();
    let calls = two(30, LOUD, |_| 0);
    card.play(&calls, 5_000_000);
    card.jitter.hold(true);
    card.jitter.hold(false);
    card.play(&calls, 6_000_000);
    assert_eq!(card.jitter.stats().state, State::Playing);
    card.jitter.hold(true);
    card.play(&calls, 9_000_000);
    card.jitter.to_live();
    card.play(&calls, 10_000_000);
    let stats = card.jitter.stats();
    assert_eq!(stats.state, State::Playing);
    assert!(stats.depth_ms < 110 && stats.dropped_ms >= 2_800, "{stats:?}");
}

#[test]
fn held_for_hours_the_oldest_goes_and_is_counted() {
    let mut card = Card::new();
    let calls = two(400, QUIET, |_| 0);
    card.play(&calls, 1_000_000);
    card.jitter.hold(true);
    card.play(&calls, 399_000_000);
    let stats = card.jitter.stats();
    assert_eq!(stats.waiting, 2 * MAX_WAITING as u64);
    assert!((97_000..99_000).contains(&stats.dropped_ms), "{stats:?}");
    card.jitter.hold(false);
    let heard = card.play(&calls, 399_500_000);
    let first = heard.chunks(Track::Inbound)[0];
    assert!((4900..=4960).contains(&first), "{first}");
    assert_eq!(card.jitter.stats().state, State::Behind);
}

#[test]
fn a_call_that_ended_while_held_is_played_to_its_end() {
    let mut card = Card::new();
    let calls = two(10, LOUD, |_| 0);
    card.play(&calls, 5_000_000);
    card.jitter.hold(true);
    card.play(&calls, 20_000_000);
    card.jitter.on_over();
    assert_eq!(card.jitter.stats().state, State::Held);
    card.jitter.hold(false);
    let heard = card.play(&[], 40_000_000);
    assert_eq!(heard.chunks(Track::Outbound).last(), Some(&500));
    let stats = card.jitter.stats();
    assert_eq!((stats.state, stats.played), (State::Over, 1000));
}

#[test]
fn the_relays_memory_is_played_behind_and_then_live() {
    // 10 s out of memory, one track after the other within 50 ms, then live.
    let mut calls = Vec::new();
    for track in Track::BOTH {
        calls.extend((0..500u32).map(|n| Arrival {
            at_us: 10_000_000 + u64::from(n) * 50 + track.index() as u64 * 25_000,
            frame: frame(track, n + 1, n * 20, LOUD).replayed(),
        }));
        calls.extend(sent(track, 503..1500, LOUD, |_| 0));
    }
    let calls = merged(vec![calls]);
    let mut card = Card::new();
    let heard = card.play(&calls, 25_000_000);
    let stats = card.jitter.stats();
    assert_eq!(
        (stats.state, stats.dropped, stats.late),
        (State::Behind, 0, 0),
        "{stats:?}"
    );
    assert_eq!(heard.chunks(Track::Inbound)[..500], (1..=500).collect::<Vec<_>>());
    assert_eq!(
        stats.concealed_ms, 60,
        "three frames were lost between memory and live"
    );
    card.jitter.to_live();
    card.play(&calls, 29_000_000);
    let stats = card.jitter.stats();
    assert_eq!(stats.state, State::Playing);
    assert!(stats.depth_ms < 110, "{stats:?}");
}

#[test]
fn another_stream_counts_anew_and_the_old_ones_end_is_played() {
    let mut card = Card::new();
    let first = two(5, LOUD, |_| 0);
    let mut heard = card.play(&first, 4_990_000).chunks(Track::Inbound);
    card.jitter.on_stream(5_000_000);
    let second: Vec<_> = two(5, LOUD, |_| 0)
        .into_iter()
        .map(|a| Arrival {
            at_us: a.at_us + 5_200_000,
            ..a
        })
        .collect();
    heard.extend(card.play(&second, 10_000_000).chunks(Track::Inbound));
    assert_eq!(heard[..250], (1..=250).collect::<Vec<_>>());
    let rest = &heard[250..];
    assert!(rest.len() > 225, "{}", rest.len());
    assert_eq!(rest, (1..=rest.len() as u32).collect::<Vec<_>>());
    assert_eq!(card.jitter.stats().late, 0);
}

#[test]
fn a_pause_of_the_relay_is_not_covered_up_for_ever() {
    let mut card = Card::new();
    let mut calls = two(100, LOUD, |_| 0);
    calls.retain(|a| !(5_000_000..65_000_000).contains(&a.at_us));
    card.play(&calls, 5_100_000);
    for track in Track::BOTH {
        card.jitter.on_missed(5_100_000, track, 251, 3250);
    }
    card.play(&calls, 90_000_000);
    let stats = card.jitter.stats();
    assert!(stats.concealed_ms <= 420, "{stats:?}");
    assert_eq!(stats.state, State::Playing);
    assert!(stats.depth_ms < 110, "{stats:?}");
}
