//! How a heard call sounds: what the call pane says of it.

use std::time::Duration;

use harness::terminal::Setup;
use harness::{Card, Relay, Terminal, speech};
use partyline::event::Intent;

use super::super::eyes::until;
use super::super::{rings, watch};
use super::{keys, untold};

/// What the call pane says of a call as it is heard at the start.
const AS_IT_IS: &str = " · both sides · volume 0 dB · stereo";

/// Longer than the story, s.
const SPOKEN: usize = 300;

#[tokio::test]
async fn every_key_of_the_mix_does_what_it_says() {
    let (relay, card) = (Relay::start(&[]).await, Card::start(48_000, 0.0));
    let call = rings(&relay, "cust01").await;
    let mut stream = call.live_stream().await;
    let speech: Vec<u8> = speech::mulaw(speech::LONG[0])
        .into_iter()
        .cycle()
        .take(SPOKEN * 8000)
        .collect();
    let talks = tokio::spawn(async move { stream.play(&speech, &speech, Duration::from_millis(20)).await });
    let (name, config) = card.env();
    let setup = Setup {
        size: (180, 24),
        env: vec![(name, config.to_owned())],
        ..Setup::default()
    };
    let terminal = watch(&relay.url(), setup).await;
    until(&terminal, "the call, not heard", |seen| {
        seen.pane_has("Call", "Enter listens") && seen.listed("● live").is_some()
    })
    .await;
    terminal.keys("\r");
    heard(&terminal, "Enter", AS_IT_IS).await;
    for (intent, shown, key) in keys("Mix") {
        does(&terminal, intent, shown, &key).await;
    }
    talks.abort();
}

/// Waits until the call pane says so, and that the call is heard.
async fn heard(terminal: &Terminal, shown: &str, says: &str) {
    let what = format!("{shown}: {says:?} of a call that is heard");
    until(terminal, &what, |seen| {
        seen.pane_has("Call", "you listen") && seen.pane_has("Call", says)
    })
    .await;
}

/// Presses the key, and then those that put back what it changed.
async fn does(terminal: &Terminal, intent: Intent, shown: &str, key: &[u8]) {
    let (says, back): (&str, &[&str]) = match intent {
        Intent::Louder => (" live · volume +2 dB · ", &["-"]),
        Intent::Quieter => (" live · volume -2 dB · ", &["+"]),
        Intent::Mute => (" live · muted · ", &["m"]),
        Intent::OnlyCustomer => (" live · only customer · ", &["0"]),
        Intent::OnlyAgent => (" live · only agent · ", &["0"]),
        Intent::BothSides => {
            terminal.keys("1");
            heard(terminal, shown, " live · only customer · ").await;
            (AS_IT_IS, &[])
        }
        Intent::CustomerLouder => (" live · customer +2 dB · ", &["3"]),
        Intent::CustomerQuieter => (" live · customer -2 dB · ", &["4"]),
        Intent::AgentLouder => (" live · agent +2 dB · ", &["5"]),
        Intent::AgentQuieter => (" live · agent -2 dB · ", &["6"]),
        Intent::MuteCustomer => (" live · customer muted · ", &["7"]),
        Intent::MuteAgent => (" live · agent muted · ", &["8"]),
        Intent::AutoLevel => (" live · auto-level · ", &["v"]),
        Intent::Stereo => (" live · wide stereo · ", &["o", "o"]),
        _ => untold(shown),
    };
    terminal.keys(key);
    heard(terminal, shown, says).await;
    for key in back {
        terminal.keys(key);
    }
    heard(terminal, shown, AS_IT_IS).await;
}
