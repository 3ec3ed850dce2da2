//! Hearing calls: what the list and the call pane say of them.

use std::time::Duration;

use harness::terminal::Setup;
use harness::{Card, Relay, Terminal, speech};
use partyline::event::Intent;
use tokio::task::JoinHandle;

use super::super::eyes::until;
use super::super::{rings, watch};
use super::{keys, untold};

/// How the sound row begins while the call is heard as it is said.
const LIVE: &str = " live · ";

/// Longer than the story, s.
const SPOKEN: usize = 300;

/// A call in which both talk without end.
pub(super) async fn talks(relay: &Relay, customer: &str) -> JoinHandle<()> {
    let call = rings(relay, customer).await;
    let mut stream = call.live_stream().await;
    let speech: Vec<u8> = speech::mulaw(speech::LONG[0])
        .into_iter()
        .cycle()
        .take(SPOKEN * 8000)
        .collect();
    tokio::spawn(async move { stream.play(&speech, &speech, Duration::from_millis(20)).await })
}

/// The monitor on that card, with the list and the call beside each other.
pub(super) async fn listens(relay: &Relay, card: &Card) -> Terminal {
    let (name, config) = card.env();
    let setup = Setup {
        size: (180, 24),
        env: vec![(name, config.to_owned())],
        ..Setup::default()
    };
    watch(&relay.url(), setup).await
}

#[tokio::test]
async fn every_key_for_hearing_does_what_it_says() {
    let (relay, card) = (Relay::start(&[]).await, Card::start(48_000, 0.0));
    let first = talks(&relay, "cust01").await;
    let second = talks(&relay, "cust02").await;
    let terminal = listens(&relay, &card).await;
    until(&terminal, "two calls, not heard", |seen| {
        seen.pane_has("Call", "Enter listens") && seen.customers() == ["cust01", "cust02"]
    })
    .await;
    for (intent, shown, key) in keys("Listen") {
        does(&terminal, intent, shown, &key).await;
    }
    first.abort();
    second.abort();
}

/// Waits until the call pane says so, and that the call is heard.
pub(super) async fn heard(terminal: &Terminal, shown: &str, says: &str) {
    let what = format!("{shown}: {says:?} of a call that is heard");
    until(terminal, &what, |seen| {
        seen.pane_has("Call", "you listen") && seen.pane_has("Call", says)
    })
    .await;
}

/// Waits until the call pane shows that customer in front, and the list the others behind it.
async fn in_front(terminal: &Terminal, shown: &str, customer: &str, behind: &[&str]) {
    until(
        terminal,
        &format!("{shown}: {customer} in front of {behind:?}"),
        |seen| {
            let marked = |mark: &str, customer: &str| {
                seen.listed(customer)
                    .is_some_and(|row| row.chars().nth(1) == mark.chars().next())
            };
            let others = ["cust01", "cust02"]
                .into_iter()
                .filter(|other| *other != customer);
            seen.pane_has("Call", "you listen")
                && seen.pane_has("Call", customer)
                && seen.pane_has("Call", LIVE)
                && marked("♪", customer)
                && others
                    .into_iter()
                    .all(|other| marked(if behind.contains(&other) { "♩" } else { " " }, other))
        },
    )
    .await;
}

/// Presses the key where it means something, and puts back what it changed: the first call is selected, and heard
/// live and alone.
async fn does(terminal: &Terminal, intent: Intent, shown: &str, key: &[u8]) {
    let press = || terminal.keys(key);
    match intent {
        Intent::Listen => press(),
        Intent::Also => {
            terminal.keys("j");
            press();
            in_front(terminal, shown, "cust02", &["cust01"]).await;
            terminal.keys("s");
            in_front_after_stop(terminal, shown).await;
            terminal.keys("k");
        }
        Intent::Switch => {
            terminal.keys("ja");
            in_front(terminal, shown, "cust02", &["cust01"]).await;
            press();
            in_front(terminal, shown, "cust01", &["cust02"]).await;
            press();
            in_front(terminal, shown, "cust02", &["cust01"]).await;
            terminal.keys("sk");
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
            let what = format!("{shown}: what comes meanwhile waits");
            until(terminal, &what, |seen| {
                // The player is asked once a second: one of them may be passed over.
                let is_behind = |s: u32| seen.pane_has("Call", &format!(" paused, 0:0{s} behind live"));
                seen.pane_has("Call", "you listen") && (1..10).any(is_behind)
            })
            .await;
            press();
            heard(terminal, shown, " behind live · ").await;
            terminal.keys("l");
        }
        Intent::FollowOn => {
            press();
            heard(terminal, shown, " live · then the next call of agent ").await;
            press();
            heard(terminal, shown, " live · then the next call of customer cust01").await;
            press();
        }
        Intent::Mark => {
            press();
            until(terminal, "the mark", |seen| seen.says("insecure marked")).await;
        }
        _ => untold(shown),
    }
    in_front(terminal, shown, "cust01", &[]).await;
    heard(terminal, shown, " · both sides · volume 0 dB · stereo").await;
}

/// The first call is in front again, while the second one is shown.
async fn in_front_after_stop(terminal: &Terminal, shown: &str) {
    until(
        terminal,
        &format!("{shown}: the first call in front again"),
        |seen| {
            seen.pane_has("Call", "you listen to cust01")
                && seen.listed("cust02").is_some_and(|row| row.starts_with("> "))
        },
    )
    .await;
}
