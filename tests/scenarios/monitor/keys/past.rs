//! Back in time in a heard call, and forward: what the call pane says of where one is.

use std::ops::RangeInclusive;

use harness::wait::{self, SOON};
use harness::{Card, Relay, Terminal};
use partyline::event::Intent;

use super::super::eyes::{Seen, until};
use super::hears::{heard, listens, talks};
use super::{keys, untold};

/// Of the card, samples a second.
const RATE: u32 = 48_000;

/// Ten seconds, and what the sound may have stood still meanwhile: that stays until one goes back to live.
const A_STEP: RangeInclusive<u64> = 9..=14;

/// How far behind live the call pane says that one is, s.
fn behind(seen: &Seen) -> Option<u64> {
    let row = seen
        .pane("Call")
        .iter()
        .find(|row| row.contains(" behind live"))?;
    let time = row.split(" behind live").next()?.split_whitespace().next_back()?;
    let (minutes, seconds) = time.split_once(':')?;
    Some(minutes.parse::<u64>().ok()? * 60 + seconds.parse::<u64>().ok()?)
}

/// Waits until one is so many seconds behind live.
async fn is_behind(terminal: &Terminal, shown: &str, seconds: RangeInclusive<u64>) {
    until(terminal, &format!("{shown}: {seconds:?} s behind live"), |seen| {
        behind(seen).is_some_and(|behind| seconds.contains(&behind))
    })
    .await;
}

#[tokio::test]
async fn every_key_of_the_past_does_what_it_says() {
    let (relay, card) = (Relay::start(&[]).await, Card::start(RATE, 0.0));
    let talk = talks(&relay, "cust01").await;
    let terminal = listens(&relay, &card).await;
    until(&terminal, "the call, not heard", |seen| {
        seen.pane_has("Call", "Enter listens") && seen.listed("● live").is_some()
    })
    .await;
    terminal.keys("\r");
    heard(&terminal, "Enter", " live · ").await;
    // There is nothing to go back to before it was heard: so long it has to be played.
    let enough = card.played() + 14 * RATE as usize;
    wait::until(SOON * 2, "fourteen seconds of it", async || {
        (card.played() >= enough).then_some(())
    })
    .await;
    for (intent, shown, key) in keys("Back in time") {
        does(&terminal, intent, shown, &key).await;
    }
    talk.abort();
}

/// Presses the key where it means something, and goes back to live.
async fn does(terminal: &Terminal, intent: Intent, shown: &str, key: &[u8]) {
    let press = || terminal.keys(key);
    let back = "\x1b[D";
    match intent {
        Intent::Back => {
            press();
            is_behind(terminal, shown, A_STEP).await;
        }
        Intent::Forward => {
            terminal.keys([back, back].concat());
            is_behind(terminal, shown, 11..=22).await;
            press();
            is_behind(terminal, shown, 1..=12).await;
        }
        Intent::Live => {
            terminal.keys(back);
            is_behind(terminal, shown, A_STEP).await;
            press();
            heard(terminal, shown, " live · ").await;
        }
        Intent::Fast => {
            terminal.keys(back);
            press();
            heard(terminal, shown, " behind live · 1.5× · ").await;
            // It catches up by half a second each second, whatever else it does.
            is_behind(terminal, shown, 1..=8).await;
            press();
            until(terminal, "no longer faster", |seen| {
                !seen.pane_has("Call", "1.5×")
            })
            .await;
        }
        Intent::SkipSilence => {
            terminal.keys(back);
            press();
            heard(terminal, shown, " behind live · silence skipped · ").await;
            press();
            until(terminal, "silence too", |seen| {
                !seen.pane_has("Call", "silence skipped")
            })
            .await;
        }
        Intent::Clip => {
            press();
            until(terminal, "where it lies", |seen| seen.says("kept: ")).await;
        }
        _ => untold(shown),
    }
    terminal.keys("l");
    heard(terminal, shown, " live · both sides").await;
}
