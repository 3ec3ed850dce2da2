//! Moving: in the list, in a text, from pane to pane.

use harness::{Relay, Terminal, TwilioCall};
use partyline::event::Intent;

use super::super::eyes::{Seen, until};
use super::super::{ring, say, sized, watch};
use super::{keys, untold};

pub(super) const GROUP: &str = "Move";

/// Of a terminal of 140 × 24: the list's rows, and the transcript's.
const LIST: usize = 20;
const TEXT: usize = 9;

/// Calls and lines: more than there is room for twice.
const CALLS: usize = 30;
const LINES: usize = 40;

/// The panes, in the order of Tab.
const PANES: [&str; 4] = ["Calls", "Call", "Transcript", "Events"];

#[tokio::test]
async fn every_key_that_moves_moves() {
    let relay = Relay::start(&[]).await;
    let mut calls = ring(&relay, CALLS).await;
    for line in 1..=LINES {
        say(&mut calls[0], &format!("line {line:02}")).await;
    }
    let terminal = watch(&relay.url(), sized(140, 24)).await;
    until(&terminal, "all calls", |seen| seen.has("Calls 30")).await;
    for (intent, shown, key) in keys(GROUP) {
        match intent {
            Intent::NextPane => panes(&terminal, &key, [1, 2, 3, 0]).await,
            Intent::PrevPane => panes(&terminal, &key, [3, 2, 1, 0]).await,
            _ => in_the_list(&terminal, intent, shown, &key).await,
        }
    }
    terminal.keys("g\t\t");
    until(&terminal, "the transcript with the keys", |seen| {
        seen.focus() == Some("Transcript") && lines(seen).last() == Some(&LINES)
    })
    .await;
    let mut last = LINES;
    for (intent, shown, key) in keys(GROUP) {
        if !matches!(intent, Intent::NextPane | Intent::PrevPane) {
            in_a_text(&terminal, &mut calls[0], &mut last, (intent, shown, &key)).await;
        }
    }
}

async fn panes(terminal: &Terminal, key: &[u8], order: [usize; 4]) {
    for next in order {
        terminal.keys(key);
        let next = PANES[next];
        until(terminal, &format!("the keys in {next}"), |seen| {
            seen.focus() == Some(next)
        })
        .await;
    }
}

/// From the first call or the last to another.
async fn in_the_list(terminal: &Terminal, intent: Intent, shown: &str, key: &[u8]) {
    let (from, to) = match intent {
        Intent::Up => (CALLS, CALLS - 1),
        Intent::PageUp => (CALLS, CALLS - LIST),
        Intent::Home => (CALLS, 1),
        Intent::Down => (1, 2),
        Intent::PageDown => (1, 1 + LIST),
        Intent::End => (1, CALLS),
        _ => untold(shown),
    };
    let at = async |number: usize| {
        let customer = format!("cust{number:02}");
        let what = format!("{shown}: the cursor from {from} to {to}, at {customer}");
        until(terminal, &what, |seen| {
            seen.cursor().is_some_and(|(_, at)| at == customer)
        })
        .await;
    };
    terminal.keys(if from == 1 { "g" } else { "G" });
    at(from).await;
    terminal.keys(key);
    at(to).await;
}

/// The numbers of the lines that are seen.
fn lines(seen: &Seen) -> Vec<usize> {
    let number = |row: &String| row.split_once("line ")?.1.get(..2)?.parse().ok();
    seen.pane("Transcript").iter().filter_map(number).collect()
}

/// From the end or the beginning to elsewhere: which line is the lowest.
async fn in_a_text(
    terminal: &Terminal,
    call: &mut TwilioCall,
    last: &mut usize,
    (intent, shown, key): (Intent, &str, &[u8]),
) {
    let page = TEXT / 2;
    let (from, to) = match intent {
        Intent::Up => (*last, *last - 1),
        Intent::PageUp => (*last, *last - page),
        Intent::Home => (*last, TEXT),
        Intent::Down => (TEXT, TEXT + 1),
        Intent::PageDown => (TEXT, TEXT + page),
        Intent::End => (TEXT, *last),
        _ => untold(shown),
    };
    let at = async |lowest: usize| {
        let all: Vec<usize> = (lowest + 1 - TEXT..=lowest).collect();
        let what = format!("{shown}: the lines from {from} to {to}, at {lowest}");
        until(terminal, &what, |seen| lines(seen) == all).await;
    };
    terminal.keys(if from == TEXT { "g" } else { "G" });
    at(from).await;
    terminal.keys(key);
    at(to).await;
    if intent == Intent::End {
        *last += 1;
        say(call, &format!("line {last:02}")).await;
        at(*last).await;
    }
}
