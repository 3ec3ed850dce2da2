//! A thousand calls, all of them changing: a key still does what it says, and nothing is lost of the list.

use std::net::SocketAddr;

use futures_util::StreamExt;
use futures_util::stream;
use harness::{Relay, TwilioCall};
use tokio::task::JoinSet;

use super::eyes::until;
use super::{sized, watch};

const CALLS: usize = 1_000;

/// Requests at once: enough to keep the relay busy.
const AT_ONCE: usize = 16;

/// Calls from this one on change for as long as the story runs.
const RESTLESS: usize = 900;

async fn ring_all(relay: SocketAddr) -> Vec<TwilioCall> {
    let calls = (0..CALLS).map(|number| async move {
        let mut call = TwilioCall::at(relay);
        call.from = format!("client:agent{:02}", number % 40);
        let customer = format!("cust{number:04}");
        call.webhook(&[("customer_id", &customer)]).await.expect(200);
        (number, call)
    });
    let mut calls: Vec<_> = stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
    calls.sort_by_key(|(number, _)| *number);
    calls.into_iter().map(|(_, call)| call).collect()
}

/// All are answered; then some of them change their customers for ever.
fn change_all(calls: Vec<TwilioCall>) -> JoinSet<()> {
    let mut calls: Vec<_> = calls.into_iter().enumerate().collect();
    let mut changing = JoinSet::new();
    while !calls.is_empty() {
        let mut some = calls.split_off(calls.len().saturating_sub(CALLS / AT_ONCE));
        changing.spawn(async move {
            for (_, call) in &mut some {
                call.status("in-progress", &[]).await.expect(204);
            }
            some.retain(|(number, _)| *number >= RESTLESS);
            for round in (0..7).cycle() {
                for (number, call) in &some {
                    let customer = format!("cust{number:04}-{round}");
                    call.webhook(&[("customer_id", &customer)]).await.expect(200);
                }
                if some.is_empty() {
                    return;
                }
            }
        });
    }
    changing
}

#[tokio::test]
async fn keys_work_while_a_thousand_calls_change() {
    let relay = Relay::start(&[]).await;
    let terminal = watch(&relay.url(), sized(120, 40)).await;
    terminal.wait_for("No calls yet.").await;
    let calls = ring_all(relay.addr()).await;
    until(&terminal, "a thousand calls", |seen| seen.has("Calls 1000")).await;
    let mut changing = change_all(calls);
    terminal.keys(">>");
    until(
        &terminal,
        "by customer, the first of them selected or not",
        |seen| seen.has("by customer"),
    )
    .await;
    terminal.keys("g");
    let at = async |customer: &str| {
        until(&terminal, customer, |seen| {
            seen.cursor().is_some_and(|(_, at)| at == customer)
        })
        .await;
    };
    at("cust0000").await;
    terminal.keys("jjj");
    at("cust0003").await;
    terminal.keys("k");
    at("cust0002").await;
    terminal.keys("/cust0777");
    until(&terminal, "one of a thousand", |seen| {
        seen.has("filter: /cust0777") && seen.customers() == ["cust0777"]
    })
    .await;
    terminal.keys("\x1b");
    until(&terminal, "all again", |seen| seen.has("Calls 1000")).await;
    terminal.keys("?");
    terminal.wait_for("Ctrl-Z").await;
    terminal.keys("?q");
    assert!(terminal.ended().await.success());
    // Those that were only answered are done; none has failed.
    while let Some(done) = changing.try_join_next() {
        done.expect("every request is answered");
    }
    assert!(!changing.is_empty(), "some have changed all the time");
}
