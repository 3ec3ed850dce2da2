//! What the loudspeaker gets, through a real relay, the real program and ALSA, against what two people said.
//! `make soak` plays for longer than `make test`, and prints figures.

use std::time::Duration;

use harness::{Card, Relay, Uneven};

use super::judge::{Side, is_soak, play, seconds};

/// A card's usual rate.
const RATE: u32 = 48_000;

/// So near to its target the delay is at it, ms: what the frames of a quiet machine are late by.
const AT_TARGET_MS: i64 = 15;

/// As fast as cards' clocks are that are off, ppm.
const FAST_PPM: f64 = 100.0;

/// The pitch, the length and the sides are right, nothing clicks, and what differs is not heard. That nothing ran
/// dry and how soon it was heard is told by `make soak`: here, another program on this machine may take its time.
#[tokio::test]
async fn people_sound_as_they_spoke() {
    let relay = Relay::start(&[]).await;
    let card = Card::start(RATE, FAST_PPM);
    let length = seconds(30);
    let played = play(&relay, &relay.url(), card, &[], length).await;
    // A fast clock makes more samples of the same; whatever else made it longer or shorter the player knows of.
    let clock_ms = length as f64 * FAST_PPM / 1000.0;
    let may_differ_ms = played.may_differ_ms();
    for Side { track, found, step } in played.sides() {
        let (lower, longer) = (found.lower(), found.longer_ms() - clock_ms);
        assert!(lower.abs() < 0.001, "{track}: the pitch is off by {lower}");
        assert!(longer.abs() < may_differ_ms, "{track}: longer by {longer} ms");
        let differs = found.median_db();
        assert!(differs < -35.0, "{track}: {differs} dB differ");
        assert!(step < 4.0, "{track}: a step of {step} is a click");
    }
    if is_soak() {
        let stats = &played.stats;
        assert_eq!(stats["underruns"].as_u64(), Some(0), "{stats}");
        assert_eq!(stats["dropped_ms"].as_u64(), Some(0), "{stats}");
        // A frame, where this machine did something else for a moment.
        let concealed_ms = stats["concealed_ms"].as_u64();
        assert!(concealed_ms.is_some_and(|ms| ms <= 20), "{stats}");
        let (delay, target) = (stats["present_delay_ms"].as_i64(), stats["target_ms"].as_i64());
        let off = delay.zip(target).map(|(delay, target)| (delay - target).abs());
        assert!(off.is_some_and(|off| off <= AT_TARGET_MS), "{stats}");
    }
    relay.stop().await.expect_code(0);
}

/// A card of another rate, whose clock is off by more than any that is sold: nothing is lost and nothing
/// clicks, and it is as long as it was, but for what the card itself makes of it.
#[tokio::test]
async fn a_card_of_another_rate_and_pace_plays_it_whole() {
    let relay = Relay::start(&[]).await;
    let card = Card::start(44_100, 300.0);
    let rate = ["--rate", "44100"];
    let played = play(&relay, &relay.url(), card, &rate, seconds(15)).await;
    for Side { track, found, step } in played.sides() {
        let lower = found.lower();
        assert!(lower.abs() < 0.001, "{track}: the pitch is off by {lower}");
        assert!(found.median_db() < -35.0, "{track}: {} dB", found.median_db());
        assert!(step < 4.0, "{track}: a step of {step} is a click");
    }
    relay.stop().await.expect_code(0);
}

/// Everything is late by 0 to 30 ms: nothing is lost and nothing clicks. How late it is then heard is a figure
/// of `make soak`, not a test: another program on this machine may take its time.
#[tokio::test]
async fn a_network_that_is_uneven_is_not_heard() {
    let mut figures = Vec::new();
    for run in 0..if is_soak() { 5 } else { 1 } {
        let relay = Relay::start(&[]).await;
        let wire = Uneven::to(relay.addr(), Duration::from_millis(30), run).await;
        let length = seconds(15).min(60);
        let played = play(&relay, &wire.url(), Card::start(RATE, 0.0), &[], length).await;
        for Side { track, found, step } in played.sides() {
            let lower = found.lower();
            assert!(lower.abs() < 0.001, "{track}: the pitch is off by {lower}");
            assert!(found.median_db() < -20.0, "{track}: {} dB", found.median_db());
            assert!(step < 4.0, "{track}: a step of {step} is a click");
        }
        let settled = &played.stats["settled_delay_ms"];
        figures.push((settled["p95"].as_u64(), played.stats["concealed_ms"].as_u64()));
        relay.stop().await.expect_code(0);
    }
    figures.sort();
    eprintln!("from the socket's read to the callback, p95 in ms after 10 s, and ms concealed: {figures:?}");
    eprintln!("median: {:?}", figures[figures.len() / 2]);
}
