//! A few seconds on each kind of network, against what is aimed at: an engine that gets worse fails here.

use partyline::audio::player::Stats;

use super::*;
use crate::network::{Holds, Network};
use crate::play::{Card, Moment, Played, two_people};
use crate::rows::{back_s, off_ms};

/// Every goal of so many seconds on this network is met.
#[track_caller]
fn meets(network: Network, seconds: usize, seed: u64) -> Run {
    let run = Run::of(network, seconds, seed);
    let row = Row {
        network,
        runs: vec![run.clone()],
    };
    for goal in of(&row) {
        assert!(goal.is_met, "{goal:?} {:?}", run.stats);
    }
    run
}

/// How it goes on this network, without a look at the samples.
fn goes(network: Network, seconds: usize, seed: u64) -> Stats {
    let moments = moments(network, seconds, seed);
    moments.last().map(|moment| moment.stats).unwrap_or_default()
}

fn moments(network: Network, seconds: usize, seed: u64) -> Vec<Moment> {
    let mut moments = Vec::new();
    let said = two_people(seconds, seed);
    let of = (network, seconds as u32 * 50, seed);
    Card::USUAL.play(&said, of, |_| {}, |moment| moments.push(moment));
    moments
}

#[test]
fn an_even_network_gives_what_was_said_and_the_same_bits_each_time() {
    let run = meets(Network::EVEN, 12, 1);
    let playback = run.stats.playback;
    assert_eq!(
        (playback.dropped_ms, playback.late_ms, playback.lost_ms),
        (0, 0, 0)
    );
    assert!(run.snr_db > 30.0, "{}", run.snr_db);
    let said = two_people(4, 1);
    let played = || {
        Played::of(&said, Network::EVEN, 1)
            .sides
            .map(|side| side.iter().map(|s| s.to_bits()).collect::<Vec<_>>())
    };
    assert_eq!(played(), played());
}

#[test]
fn at_0_to_30_ms_it_is_heard_soon_and_whole() {
    let network = Network {
        name: "0 to 30 ms",
        most_us: 30_000,
        ..Network::EVEN
    };
    for seed in 1..=3 {
        let stats = goes(network, 25, seed);
        let (p95, playback) = (stats.all.p95_ms.max(stats.settled.p95_ms), stats.playback);
        assert!(p95 < P95_MS, "seed {seed}: {stats:?}");
        assert_eq!(
            (playback.concealed_ms, playback.late_ms, playback.dropped_ms),
            (0, 0, 0),
            "seed {seed}"
        );
        assert_eq!(playback.underruns, 0, "seed {seed}");
    }
}

#[test]
fn the_delay_comes_to_its_target_whatever_the_cards_clock() {
    for (most_us, card_ppm) in [(0, 0.0), (30_000, 200.0), (30_000, -200.0)] {
        let name = "a network";
        let network = Network {
            name,
            most_us,
            card_ppm,
            ..Network::EVEN
        };
        let moments = moments(network, 45, 1);
        let off_ms = off_ms(&moments, network);
        assert!(off_ms.abs() <= NEAR_MS, "{network:?}: {off_ms} ms");
        let playback = moments.last().expect("some").stats.playback;
        assert_eq!(playback.concealed_ms, 0, "{playback:?}");
    }
}

#[test]
fn one_frame_in_a_hundred_is_missing_without_a_click() {
    let network = Network {
        name: "1 % missing",
        missing: 0.01,
        ..Network::EVEN
    };
    for seed in 1..=2 {
        let run = meets(network, 12, seed);
        let playback = run.stats.playback;
        assert!(playback.concealed_ms <= playback.lost_ms + 40, "{playback:?}");
        assert!(
            playback.lost_ms > 0 && run.snr_db > 25.0,
            "{}: {playback:?}",
            run.snr_db
        );
    }
}

#[test]
fn after_a_stall_it_is_soon_where_it_was() {
    let network = Network {
        name: "a stall of 5 s",
        holds: Holds::Stall(6_000_000),
        ..Network::EVEN
    };
    let run = meets(network, 16, 1);
    assert!(
        run.snr_db > 10.0,
        "what is behind the stall is not what was said: {}",
        run.snr_db
    );
    let before = goes(network, 5, 1).all.p50_ms;
    let after = run.stats.playback.delay_ms;
    assert!(
        after.is_some_and(|after| after < before + 100),
        "{after:?} ms, {before} before"
    );
}

#[test]
fn what_it_says_of_its_delay_is_so() {
    let said = two_people(12, 2);
    let played = Played::of(&said, Network::EVEN, 2);
    let original = crate::judge::Original::new(&said.inbound, played.rate);
    let found = original.judge(&played.sides[1], 0.0..1.0).found;
    let period = Card::USUAL.period() as f64;
    // The callback that took the window's first sample, against when the frame that it is in came.
    let mut delays: Vec<f64> = found
        .windows
        .iter()
        .map(|window| {
            let taken = ((window.at as f64 + window.later) / period).floor() * period;
            (taken - window.at as f64) / f64::from(played.rate) * 1000.0 - 40.0
        })
        .collect();
    delays.sort_by(f64::total_cmp);
    let (found, said) = (delays[delays.len() / 2], f64::from(played.stats().all.p50_ms));
    assert!(
        (found - said).abs() < 12.0,
        "{found:.1} ms by the samples, {said} by the engine"
    );
}

#[test]
fn a_goal_that_is_missed_shows() {
    let network = Network {
        name: "0 to 30 ms",
        most_us: 30_000,
        ..Network::EVEN
    };
    let mut run = Run {
        seconds: 60,
        stats: Stats::default(),
        clicks: 0,
        snr_db: 30.0,
        off_ms: -9.0,
        back_s: Some(1.0),
        pairs: Vec::new(),
        stoi: vec![0.98, 0.96],
    };
    let met = |run: &Run, network| {
        let row = Row {
            network,
            runs: vec![run.clone()],
        };
        of(&row).iter().map(|goal| goal.is_met).collect::<Vec<_>>()
    };
    assert_eq!(met(&run, network), [true, true, true, true]);
    assert_eq!(
        met(
            &run,
            Network {
                missing: 0.01,
                ..network
            }
        ),
        [true, false, true]
    );
    run.clicks = 1;
    run.stats.playback.concealed_ms = 20;
    run.back_s = Some(2.5);
    run.off_ms = 21.0;
    assert_eq!(met(&run, network), [false, false, false, false]);
    assert_eq!(back_s(&[], 0), 0.0);
}
