//! A relay that goes: since when, when it is tried next, and once it is back, what was missed.

use std::time::Duration;

use harness::network::quiet_port;
use harness::wait::SOON;
use harness::{Network, Relay, speech};

use super::eyes::{Seen, until};
use super::{rings, say, sized, watch};

const FRAME: Duration = Duration::from_millis(20);

/// How often who is away says that it tries.
fn away(seen: &Seen) -> bool {
    seen.has("away since") && (seen.says("next try in") || seen.says("trying now"))
}

/// A relay that is killed knows nothing when it is back; what was read stays, and the call goes on.
#[tokio::test]
async fn a_relay_that_was_killed_is_found_again() {
    let at = quiet_port().to_string();
    let relay = Relay::start_on(&at, &[]).await;
    let mut call = rings(&relay, "cust01").await;
    say(&mut call, "Before it went.").await;
    let terminal = watch(&relay.url(), sized(120, 40)).await;
    until(&terminal, "the call and its words", |seen| {
        seen.has("online since") && seen.has("Before it went.")
    })
    .await;
    relay.kill().await;
    until(&terminal, "since when, and what is next", |seen| {
        away(seen) && seen.listed("as of").is_some()
    })
    .await;
    assert!(
        super::eyes::now(&terminal).has("Before it went."),
        "what was read stays"
    );
    let relay = Relay::start_on(&at, &[]).await;
    terminal.keys("R");
    until(&terminal, "the relay", |seen| seen.has("online since")).await;
    call.aim(relay.addr());
    call.webhook(&[("customer_id", "cust01")]).await.expect(200);
    let _stream = call.live_stream().await;
    say(&mut call, "After it came back.").await;
    until(&terminal, "the call goes on, below what was before", |seen| {
        seen.listed("cust01").is_some_and(|row| row.contains("live"))
            && seen.pane_has("Transcript", "Before it went.")
            && seen.pane_has("Transcript", "before the relay restarted")
            && seen.pane_has("Transcript", "After it came back.")
    })
    .await;
}

/// A relay that leaves goes on until the last call is over. Who hears one hears it to its end, who comes meanwhile is
/// told why it has to wait, and both find the next relay by themselves.
#[tokio::test]
async fn a_relay_that_leaves_is_found_again() {
    let at = quiet_port().to_string();
    let relay = Relay::start_on(&at, &["--drain-timeout", "1h"]).await;
    let mut call = rings(&relay, "cust01").await;
    let mut stream = call.live_stream().await;
    let terminal = watch(&relay.url(), sized(120, 40)).await;
    until(&terminal, "the call", |seen| seen.listed("● live").is_some()).await;
    relay.program().signal("TERM");
    relay
        .program()
        .complains(SOON, "draining: live streams go on")
        .await;
    let late = watch(&relay.url(), sized(120, 40)).await;
    until(&late, "why it has to wait", |seen| {
        seen.says("the relay is about to leave and takes nobody new")
    })
    .await;
    say(&mut call, "While it drains.").await;
    until(&terminal, "what is said meanwhile", |seen| {
        seen.has("online since") && seen.has("While it drains.")
    })
    .await;
    stream.stop().await;
    until(&terminal, "that it has left", |seen| {
        away(seen) && seen.has("While it drains.")
    })
    .await;
    relay.ended(SOON).await.expect_code(0);
    let relay = Relay::start_on(&at, &[]).await;
    rings(&relay, "cust02").await;
    for terminal in [terminal, late] {
        until(&terminal, "the next relay and its call", |seen| {
            seen.has("online since") && seen.listed("cust02").is_some()
        })
        .await;
    }
}

/// The relay lives and remembers a second of audio: what is older is missed, and no line is.
#[tokio::test]
async fn what_was_missed_behind_a_cut_wire_is_told() {
    let relay = Relay::start(&["--history", "1s"]).await;
    let network = Network::to(relay.addr(), 1).await;
    let mut call = rings(&relay, "cust01").await;
    let mut stream = call.live_stream().await;
    let words = speech::piece(speech::LONG[0], 0, 6_000);
    let (before, rest) = words.split_at(8_000);
    let (meanwhile, after) = rest.split_at(32_000);
    let terminal = watch(&network.url(), sized(120, 40)).await;
    until(&terminal, "the call", |seen| seen.listed("● live").is_some()).await;
    terminal.keys("\r");
    until(&terminal, "the call, heard", |seen| seen.has("you listen")).await;
    stream.play(before, before, FRAME).await;
    network.down(true);
    until(&terminal, "since when, and what is next", away).await;
    say(&mut call, "Nobody heard this.").await;
    stream.play(meanwhile, meanwhile, FRAME).await;
    network.down(false);
    terminal.keys("R");
    let goes_on = stream.play(after, after, FRAME);
    let told = until(&terminal, "what was missed", |seen| {
        let told = seen.rows.iter().find(|row| row.contains("back after"));
        told.is_some_and(|row| missed_s(row) > 0.0 && row.contains(" s of audio, 0 lines"))
    });
    tokio::join!(goes_on, told);
    until(&terminal, "what was said meanwhile", |seen| {
        seen.pane_has("Transcript", "Nobody heard this.") && seen.has("you listen")
    })
    .await;
}

/// `… back after 4 s: missed 2.9 s of audio, …`, in seconds of audio.
fn missed_s(row: &str) -> f32 {
    let missed = row.split("missed ").nth(1);
    let seconds = missed.and_then(|rest| rest.split(' ').next()?.parse().ok());
    seconds.unwrap_or_default()
}
