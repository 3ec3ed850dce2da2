//! Hearing a call: what the call pane says of the sound.

use std::time::Duration;

use harness::terminal::Setup;
use harness::{Card, Relay, Terminal, speech};
use partyline::event::Intent;

use super::super::eyes::until;
use super::super::{rings, watch};
use super::{keys, untold};

/// How the sound row begins while the call is heard as it is said.
const LIVE: &str = " live · ";

/// Longer than the story, s.
const SPOKEN: usize = 300;

#[tokio::test]
async fn every_key_for_the_sound_does_what_it_says() {
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
    for (intent, shown, key) in keys("Listen") {
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

/// Presses the key where it means something, and puts back what it changed: the call is heard live, both sides,
/// stereo, at no gain.
async fn does(terminal: &Terminal, intent: Intent, shown: &str, key: &[u8]) {
    let press = || terminal.keys(key);
    match intent {
        Intent::Listen => {
            press();
            heard(terminal, shown, LIVE).await;
        }
        Intent::Stop => {
            press();
            until(terminal, "nothing is heard", |seen| {
                seen.pane_has("Call", "Enter listens") && seen.pane_has("Call", " not listening")
            })
            .await;
            terminal.keys("\r");
        }
        Intent::Hold => {
            press();
            heard(terminal, shown, " silent: held back by a supervisor").await;
            until(terminal, "the list's mark", |seen| {
                seen.listed("PAUSED").is_some()
            })
            .await;
            press();
            heard(terminal, shown, LIVE).await;
        }
        Intent::Pause => {
            press();
            // Receiving goes on; what came meanwhile is played first.
            heard(terminal, shown, " paused, 1.").await;
            press();
            heard(terminal, shown, " behind live · ").await;
            terminal.keys("l");
        }
        Intent::Live => {
            terminal.keys(" ");
            heard(terminal, shown, " paused").await;
            press();
        }
        Intent::Louder => {
            press();
            heard(terminal, shown, " live · volume +2 dB · ").await;
            terminal.keys("-");
        }
        Intent::Quieter => {
            press();
            heard(terminal, shown, " live · volume -2 dB · ").await;
            terminal.keys("+");
        }
        Intent::Mute => {
            press();
            heard(terminal, shown, " live · muted · ").await;
            press();
        }
        Intent::OnlyCustomer => {
            press();
            heard(terminal, shown, " · only customer · ").await;
            terminal.keys("0");
        }
        Intent::OnlyAgent => {
            press();
            heard(terminal, shown, " · only agent · ").await;
            terminal.keys("0");
        }
        Intent::BothSides => {
            terminal.keys("1");
            heard(terminal, shown, " · only customer · ").await;
            press();
        }
        Intent::Stereo => {
            press();
            heard(terminal, shown, " · mono").await;
            press();
        }
        _ => untold(shown),
    }
    heard(terminal, shown, LIVE).await;
    heard(terminal, shown, " · both sides · volume 0 dB · stereo").await;
}
