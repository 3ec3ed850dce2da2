//! The screen on terminals of every size and colour.

use std::collections::BTreeSet;

use harness::Relay;
use harness::terminal::{Answers, Setup};

use super::eyes::{cell, now, until};
use super::{ring, say, sized, watch};

/// Two calls, of which the first has words.
async fn two_calls() -> (Relay, Vec<harness::TwilioCall>) {
    let relay = Relay::start(&[]).await;
    let mut calls = ring(&relay, 2).await;
    say(&mut calls[0], "Good morning.").await;
    (relay, calls)
}

const ALL: [&str; 4] = ["Calls", "Call", "Transcript", "Events"];

/// Which panes there are; while it runs, from size to size.
#[tokio::test]
async fn the_layout_follows_the_size() {
    let (relay, _calls) = two_calls().await;
    let terminal = watch(&relay.url(), sized(100, 30)).await;
    for (size, panes) in [
        ((100, 30), &ALL[..]),
        ((60, 15), &ALL[..3]),
        ((59, 20), &ALL[..1]),
        ((200, 60), &ALL[..]),
        ((80, 40), &ALL[..]),
        ((40, 10), &ALL[..1]),
    ] {
        terminal.resize(size.0, size.1);
        until(&terminal, &format!("{panes:?} at {size:?}"), |seen| {
            seen.panes() == panes && seen.cursor().is_some_and(|(_, at)| at == "cust01")
        })
        .await;
        assert_eq!(
            now(&terminal).is_beside(),
            size.0 >= 100,
            "{size:?}: side by side from 100 on"
        );
    }
    // The only pane is the one with the keys.
    terminal.resize(59, 20);
    for pane in ["Call", "Transcript", "Events", "Calls"] {
        terminal.keys("\t");
        until(&terminal, &format!("only {pane}"), |seen| seen.panes() == [pane]).await;
    }
    for (columns, rows) in [(39, 9), (39, 30), (100, 9), (1, 1)] {
        terminal.resize(columns, rows);
        // Of a single cell nothing can be read; it is survived.
        let says = if columns == 1 {
            "T".to_owned()
        } else {
            format!("Too small: {columns}x{rows}")
        };
        until(&terminal, &format!("{columns}x{rows} is too small"), |seen| {
            seen.has(&says)
        })
        .await;
    }
    terminal.resize(100, 30);
    until(&terminal, "all panes again", |seen| seen.panes() == ALL).await;
}

/// From the beginning in a terminal of that size.
#[tokio::test]
async fn it_starts_in_any_size() {
    let (relay, _calls) = two_calls().await;
    for (size, text) in [
        ((60, 15), "Good morning."),
        ((200, 60), "Good morning."),
        ((39, 9), "Too small: 39x9"),
    ] {
        let terminal = watch(&relay.url(), sized(size.0, size.1)).await;
        terminal.wait_for(text).await;
        terminal.keys("q");
        assert!(terminal.ended().await.success());
    }
}

/// What every `ESC [ … m` of these bytes asks for: a number each, colours of more than one number as one text.
fn styles(raw: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(raw);
    let mut styles = BTreeSet::new();
    for rest in text.split("\x1b[").skip(1) {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != ';')
            .unwrap_or(rest.len());
        if !rest[end..].starts_with('m') {
            continue;
        }
        let numbers = &rest[..end];
        if numbers.split(';').any(|number| matches!(number, "38" | "48")) {
            styles.insert(numbers.to_owned());
        } else {
            styles.extend(numbers.split(';').map(str::to_owned));
        }
    }
    styles
}

fn is_colour(style: &str) -> bool {
    let numbers: Vec<u16> = style
        .split(';')
        .filter_map(|number| number.parse().ok())
        .collect();
    match numbers[..] {
        [] => false,
        [number] => matches!(number, 30..=37 | 40..=47 | 90..=97 | 100..=107),
        _ => true,
    }
}

/// The 16 colours of any terminal, by the numbers that any terminal knows; none where none is wanted.
#[tokio::test]
async fn sixteen_colours_are_enough_and_none_are_too() {
    let (relay, _calls) = two_calls().await;
    let dark = Answers::Background("1010/1010/1010");
    let light = Answers::Background("ffff/ffff/eeee");
    let mut seen = Vec::new();
    for (answers, no_color) in [(dark, ""), (light, ""), (dark, "1")] {
        let mut setup = Setup {
            answers,
            ..sized(100, 30)
        };
        setup.env.push(("NO_COLOR", no_color.to_owned()));
        let terminal = watch(&relay.url(), setup).await;
        terminal.wait_for("Good morning.").await;
        // Something of every sort: a notice, the help, trouble.
        terminal.keys("s?");
        terminal.wait_for("Ctrl-Z").await;
        terminal.keys("?\r");
        until(&terminal, "a call that is heard without a card", |seen| {
            seen.has("no sound device")
        })
        .await;
        let title = terminal.look(|screen| cell(screen, "Calls").map(|cell| cell.fgcolor()));
        seen.push((title, styles(&terminal.raw())));
    }
    for (_, styles) in &seen {
        let more: Vec<&String> = styles.iter().filter(|style| style.contains(';')).collect();
        assert!(more.is_empty(), "colours beyond the 16: {more:?}");
    }
    let colours = |at: usize| seen[at].1.iter().filter(|style| is_colour(style)).count();
    assert!(
        colours(0) > 1 && colours(1) > 1,
        "dark and light have colours: {seen:?}"
    );
    assert_ne!(seen[0].1, seen[1].1, "dark and light are two");
    assert_eq!(colours(2), 0, "NO_COLOR has none: {:?}", seen[2].1);
}
