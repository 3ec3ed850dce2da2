//! What the loudspeaker gets, through a real relay, the real program and ALSA, against what two people said.
//! `make soak` plays for longer than `make test`, and prints figures.

use std::time::Duration;

use harness::{Card, Relay, Uneven};

use super::judge::{Side, is_soak, play, seconds};

/// A card's usual rate.
const RATE: u32 = 48_000;

/// The pitch, the length and the sides are right, nothing clicks, and what differs is not heard.
#[tokio::test]
async fn people_sound_as_they_spoke() {
    let relay = Relay::start(&[]).await;
    let card = Card::start(RATE, 0.0);
    let played = play(&relay, &relay.url(), card, &[], seconds(30)).await;
    for Side { track, found, step } in played.sides() {
        let (slower, longer) = (found.slower(), found.longer_ms());
        assert!(slower.abs() < 0.001, "{track}: the pitch is off by {slower}");
        assert!(longer.abs() < 20.0, "{track}: longer by {longer} ms");
        let differs = found.median_db();
        assert!(differs < -35.0, "{track}: {differs} dB differ");
        assert!(step < 4.0, "{track}: a step of {step} is a click");
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
        let slower = found.slower();
        assert!(slower.abs() < 0.001, "{track}: the pitch is off by {slower}");
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
            let slower = found.slower();
            assert!(slower.abs() < 0.003, "{track}: the pitch is off by {slower}");
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
