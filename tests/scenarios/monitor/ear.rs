//! The monitor on a server, its ear at a desk: the code is asked for before there is a screen, and the screen says where
//! sound is played, and when it cannot be.

use std::time::Duration;

use harness::{Card, Ear, Network, Relay, Terminal};

use super::eyes::until;
use super::{rings, sized};

#[tokio::test]
async fn the_screen_says_where_the_ear_plays_and_that_it_is_away() {
    let (relay, card) = (Relay::start(&[]).await, Card::start(48_000, 0.0));
    let ear = Ear::start(&[card.env()]).await;
    let wire = Network::to(ear.addr(), 1).await;
    let call = rings(&relay, "cust01").await;
    let mut stream = call.live_stream().await;
    let talks = tokio::spawn(async move {
        let tone = [0x20, 0xA0].repeat(8000 * 60);
        stream.play(&tone, &tone, Duration::from_millis(20)).await;
    });
    let addr = wire.addr().to_string();
    let terminal = Terminal::partyline(&["--relay", &relay.url(), "--ear", &addr], sized(160, 30)).await;
    terminal.wait_for("Code that the ear at").await;
    terminal.keys(format!("{}\r", ear.code()));
    until(&terminal, "the card at the ear", |seen| {
        seen.listed("● live").is_some() && seen.has("sound: ear:")
    })
    .await;
    assert!(
        !String::from_utf8_lossy(&terminal.raw()).contains(ear.code()),
        "the code was shown"
    );
    terminal.keys("\r");
    until(&terminal, "that it plays there", |seen| {
        seen.pane_has("Call", "you listen")
            && seen.pane_has("Call", " live ·")
            && seen.has("ear:")
            && seen.has("48 kHz")
    })
    .await;
    wire.down(true);
    until(&terminal, "that it is away", |seen| seen.says("is away")).await;
    wire.down(false);
    until(&terminal, "that it plays again", |seen| {
        seen.pane_has("Call", " live ·") && seen.has("48 kHz")
    })
    .await;
    terminal.keys("q");
    assert!(terminal.ended().await.success());
    ear.program()
        .complains(harness::wait::SOON, "the monitor has ended")
        .await;
    ear.stop().await.expect_code(0);
    talks.abort();
    relay.stop().await.expect_code(0);
}
