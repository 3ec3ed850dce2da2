//! Other streams, pauses, the relay's memory, and what nobody takes.

use super::*;

#[test]
fn a_little_out_of_the_relays_memory_is_played_whole_and_says_nothing_of_the_network() {
    // 100 ms out of memory, gathered by then, then live.
    let mut calls = Vec::new();
    for track in Track::BOTH {
        calls.extend((0..5u32).map(|n| Arrival {
            at_us: 100_000,
            frame: frame(track, n + 1, n * 20, LOUD).replayed(),
        }));
        calls.extend(sent(track, 5..500, LOUD, |_| 0));
    }
    let mut card = Card::new();
    let heard = card.play(&merged(vec![calls]), 9_000_000);
    let stats = card.jitter.stats();
    assert_eq!(
        (stats.state, stats.late, stats.concealed_ms),
        (State::Playing, 0, 0),
        "{stats:?}"
    );
    let chunks = heard.chunks(Track::Inbound);
    assert_eq!(chunks, (1..=chunks.len() as u32).collect::<Vec<_>>());
    assert!(stats.target_ms < 80, "{stats:?}");
}

#[test]
fn while_nobody_takes_anything_the_oldest_goes_and_is_counted() {
    let mut jitter = Jitter::new();
    for arrival in two(60, QUIET, |_| 0) {
        jitter.on_frame(arrival.at_us, &arrival.frame);
    }
    let stats = jitter.stats();
    assert_eq!(stats.waiting, 2 * MAX_WAITING as u64);
    assert_eq!(stats.dropped_ms, 30_000);
    assert_eq!(stats.received, stats.dropped + stats.waiting);
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
