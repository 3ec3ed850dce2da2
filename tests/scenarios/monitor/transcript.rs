//! What is said is seen as it is said: a guess fades and is replaced, and who reads back is left alone.

use harness::Relay;
use partyline_shared::track::Track;

use super::eyes::{Seen, cell, until};
use super::{rings, say, sized, watch};

#[tokio::test]
async fn a_partial_line_is_faded_and_replaced() {
    let relay = Relay::start(&[]).await;
    let mut call = rings(&relay, "cust01").await;
    let terminal = watch(&relay.url(), sized(100, 30)).await;
    let is_faded = |screen: &vt100::Screen, text: &str| cell(screen, text).map(|cell| cell.dim());
    for (text, is_final) in [
        ("i wood like", false),
        ("I would like to", false),
        ("I would like a refund.", true),
    ] {
        call.says(Track::Outbound, text, is_final).await.expect(204);
        let what = format!("{text:?}, faded: {}", !is_final);
        terminal
            .wait_until(&what, |screen| is_faded(screen, text) == Some(!is_final))
            .await;
        let seen = super::eyes::now(&terminal);
        let rows: Vec<&String> = seen
            .pane("Transcript")
            .iter()
            .filter(|row| row.contains("cust."))
            .collect();
        assert_eq!(rows.len(), 1, "each takes the place of the one before: {rows:?}");
        assert_eq!(
            rows[0].contains('…'),
            !is_final,
            "more is to come, or not: {rows:?}"
        );
    }
}

/// What is above the status, that is the transcript's rows, and what its title says.
fn shown(seen: &Seen) -> (Vec<String>, String) {
    let pane = seen.pane("Transcript");
    let rows = pane.iter().filter(|row| row.contains("line ")).cloned().collect();
    (rows, pane.first().cloned().unwrap_or_default())
}

#[tokio::test]
async fn scrolled_back_it_stays_put_and_end_follows_again() {
    let relay = Relay::start(&[]).await;
    let mut call = rings(&relay, "cust01").await;
    for line in 1..=40 {
        say(&mut call, &format!("line {line}.")).await;
    }
    let terminal = watch(&relay.url(), sized(100, 30)).await;
    terminal.wait_for("line 40.").await;
    terminal.keys("\t\t\x1b[5~");
    until(&terminal, "a page back", |seen| {
        let (rows, title) = shown(seen);
        rows.len() > 5 && title.contains("End follows") && !seen.has("line 40.")
    })
    .await;
    let (before, title) = shown(&super::eyes::now(&terminal));
    let below: usize = title
        .split('↓')
        .nth(1)
        .and_then(|rest| rest.split(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("how many are below is in the title: {title}"));
    for line in 41..=60 {
        say(&mut call, &format!("line {line}.")).await;
    }
    let more = format!("↓{} more", below + 20);
    until(&terminal, "twenty more lines below, and nothing moved", |seen| {
        let (rows, title) = shown(seen);
        assert_eq!(rows, before);
        title.contains(&more)
    })
    .await;
    terminal.keys("\x1b[F");
    until(&terminal, "the end", |seen| {
        let (_, title) = shown(seen);
        seen.has("line 60.") && !title.contains("End follows")
    })
    .await;
    say(&mut call, "line 61.").await;
    terminal.wait_for("line 61.").await;
}
