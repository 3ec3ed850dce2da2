//! A screen that nothing happens on, one with quiet calls, and one with two people who are heard.

use std::time::Duration;

use harness::terminal::{Setup, Terminal};
use harness::{Card, Relay, Scratch, simulate, speech};

use super::Row;
use super::cost::Cost;

/// As large as people have it.
const SIZE: (u16, u16) = (200, 60);

/// What comes once, at the start, is over by then.
const SETTLE: Duration = Duration::from_secs(4);

/// A card's usual rate.
const RATE: u32 = 48_000;

async fn monitor(relay: &Relay, card: Option<&Card>) -> Terminal {
    let mut setup = Setup {
        size: SIZE,
        ..Setup::default()
    };
    if let Some((name, value)) = card.map(Card::env) {
        setup.env.push((name, value.to_owned()));
    }
    let terminal = Terminal::partyline(&["--relay", &relay.url()], setup).await;
    terminal.wait_for("online").await;
    terminal
}

/// No call at all.
pub(crate) async fn idle(time: Duration) -> Row {
    let relay = Relay::start(&[]).await;
    let terminal = monitor(&relay, None).await;
    tokio::time::sleep(SETTLE).await;
    Row {
        what: "idle, no call".to_owned(),
        found: Cost::of(&terminal, time).await.words(),
        goal: "under 0.5 %, 0 bytes",
    }
}

/// Ten calls whose streams are live, and nobody says anything.
pub(crate) async fn quiet(time: Duration) -> Row {
    let (relay, folder) = (Relay::start(&[]).await, Scratch::new());
    let silence = folder.file("silence.wav");
    let silence = silence.to_str().expect("a path that is text");
    speech::sox(
        &[
            "-n", "-r", "8000", "-c", "1", "-b", "16", silence, "trim", "0", "30",
        ],
        &[],
    );
    let voices = ["--customer", silence, "--agent", silence];
    let calls = simulate::start(
        &relay,
        &[&["--calls", "10", "--loop", "--duration", "1h"], &voices[..]].concat(),
    );
    let terminal = monitor(&relay, None).await;
    terminal.wait_for("Calls 10").await;
    tokio::time::sleep(SETTLE).await;
    let cost = Cost::of(&terminal, time).await;
    calls.kill().await;
    Row {
        what: "ten quiet calls".to_owned(),
        found: cost.words(),
        goal: "under 1.5 %, at most 1 picture/s",
    }
}

/// Two people are heard, with a card or without, and their waveforms are seen.
pub(crate) async fn listening(time: Duration, with_card: bool) -> Row {
    let relay = Relay::start(&[]).await;
    let [customer, agent] = [speech::LONG[0], speech::LONG[1]].map(speech::file);
    let voices = [&customer, &agent].map(|path| path.to_str().expect("a path that is text"));
    let voices = ["--customer", voices[0], "--agent", voices[1]];
    let call = simulate::start(&relay, &[&["--loop", "--duration", "1h"], &voices[..]].concat());
    let card = with_card.then(|| Card::start(RATE, 0.0));
    let terminal = monitor(&relay, card.as_ref()).await;
    terminal.wait_for("Calls 1").await;
    terminal.keys("\r");
    tokio::time::sleep(SETTLE).await;
    let played = card.as_ref().map(Card::played);
    let cost = Cost::of(&terminal, time).await;
    let more = card
        .as_ref()
        .zip(played)
        .map(|(card, before)| card.played() - before);
    if let Some(frames) = more {
        let missing = 1.0 - frames as f64 / f64::from(RATE) / time.as_secs_f64();
        assert!(missing < 0.1, "the card plays");
    }
    // The card is the last to go: a program whose card is gone aborts.
    terminal.keys("q");
    terminal.ended().await;
    call.kill().await;
    Row {
        what: format!(
            "listening at {}×{}, {}",
            SIZE.0,
            SIZE.1,
            if with_card { "on a card" } else { "without a card" }
        ),
        found: cost.words(),
        goal: "under 4 %",
    }
}
