//! The list is pushed: calls come, change, end, stay for a while and go, and nothing moves under the cursor.

use std::time::{Duration, Instant};

use harness::Relay;

use super::eyes::{Seen, cell, now, until};
use super::{ring, rings, sized, watch};

/// How long the relay remembers a call that has ended: for as long it is seen, also on a busy machine.
const RETENTION: Duration = Duration::from_secs(6);

#[tokio::test]
async fn calls_are_seen_as_they_come_and_change() {
    let relay = Relay::start(&[]).await;
    let terminal = watch(&relay.url(), sized(100, 30)).await;
    terminal.wait_for("No calls yet.").await;
    let mut call = rings(&relay, "cust01").await;
    let is = async |state: &str| {
        until(&terminal, &format!("cust01 {state}"), |seen| {
            seen.listed("cust01").is_some_and(|row| row.contains(state)) && seen.pane_has("Call", state)
        })
        .await;
    };
    is("◌ ringing").await;
    call.status("in-progress", &[]).await.expect(204);
    is("○ no stream").await;
    let mut stream = call.live_stream().await;
    is("● live").await;
    stream.stop().await;
    is("× ended").await;
    call.status("busy", &[]).await.expect(204);
    is("× busy").await;
    let _other = rings(&relay, "cust02").await;
    until(&terminal, "another call below", |seen| {
        seen.customers() == ["cust01", "cust02"]
    })
    .await;
}

#[tokio::test]
async fn an_ended_call_fades_stays_for_the_retention_and_goes() {
    let retention = format!("{}s", RETENTION.as_secs());
    let relay = Relay::start(&["--retention", &retention]).await;
    let mut calls = ring(&relay, 2).await;
    let terminal = watch(&relay.url(), sized(100, 30)).await;
    until(&terminal, "both calls", |seen| {
        seen.customers() == ["cust01", "cust02"]
    })
    .await;
    let is_faded = |screen: &vt100::Screen| cell(screen, "cust02").is_some_and(|cell| cell.dim());
    assert!(!terminal.look(is_faded));
    let ended = Instant::now();
    calls[1].status("completed", &[]).await.expect(204);
    terminal
        .wait_until("the ended call, faded", |screen| {
            screen.contents().contains("× ended") && is_faded(screen)
        })
        .await;
    until(&terminal, "the other call alone", |seen| {
        seen.customers() == ["cust01"]
    })
    .await;
    let stayed = ended.elapsed();
    assert!(stayed >= RETENTION, "it stayed for {stayed:?} only");
}

/// Above and below it calls come and go; the cursor stays on its call, and that on its row.
#[tokio::test]
async fn the_selected_call_stays_where_it_is() {
    let relay = Relay::start(&["--retention", "4s"]).await;
    let mut calls = ring(&relay, 40).await;
    let terminal = watch(&relay.url(), sized(100, 24)).await;
    until(&terminal, "all calls", |seen| seen.has("Calls 40")).await;
    // In the middle of the list and of the pane, with the newest calls on top.
    terminal.keys(">g");
    until(&terminal, "the newest call", |seen| {
        seen.has("newest first") && seen.has("↓20") && seen.cursor().is_some_and(|(row, _)| row == 2)
    })
    .await;
    terminal.keys("j".repeat(24) + &"k".repeat(9));
    until(&terminal, "the cursor in the middle", |seen| {
        seen.has("↑5") && seen.has("↓15") && seen.cursor().is_some_and(|(row, _)| row == 12)
    })
    .await;
    let selected = |seen: &Seen| seen.cursor().map(|(row, at)| (row, at.to_owned()));
    let middle = selected(&now(&terminal));
    let stays = async |what: &str, is_so: &dyn Fn(&Seen) -> bool| {
        until(&terminal, what, |seen| {
            assert_eq!(selected(seen), middle, "{what}:\n{}", seen.rows.join("\n"));
            is_so(seen)
        })
        .await;
    };
    // Above come five, below go five, then above go five.
    for number in 41..=45 {
        calls.push(rings(&relay, &format!("cust{number}")).await);
    }
    stays("five more", &|seen| seen.has("Calls 45")).await;
    for call in &mut calls[..5] {
        call.status("canceled", &[]).await.expect(204);
    }
    stays("five fewer", &|seen| seen.has("Calls 40")).await;
    for call in &mut calls[35..40] {
        call.status("canceled", &[]).await.expect(204);
    }
    stays("ten fewer", &|seen| seen.has("Calls 35")).await;
    // Its own end does not move it either, as long as the relay knows it.
    let (_, customer) = middle.clone().expect("a call is selected");
    let number: usize = customer
        .trim_start_matches("cust")
        .parse()
        .expect("it has a number");
    calls[number - 1].status("completed", &[]).await.expect(204);
    stays("its end", &|seen| {
        seen.listed(&customer).is_some_and(|row| row.contains("ended"))
    })
    .await;
    until(&terminal, "another call, since this one is gone", |seen| {
        seen.cursor().is_some_and(|(_, at)| at != customer) && seen.has("no longer known")
    })
    .await;
}
