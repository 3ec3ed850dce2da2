//! The picker of the monitor, with two cards: the one that is chosen plays, at once, and the default again.

use harness::terminal::Setup;
use harness::wait::{SOON, until};
use harness::{Card, Relay, Scratch, Terminal, TwilioCall};

use super::Talk;

/// Waits until a card plays speech, and not the silence of a program that has it open.
async fn plays(card: &Card, what: &str) {
    let before = card.loud();
    until(SOON, what, async || (card.loud() > before).then_some(())).await;
}

#[tokio::test]
async fn a_card_is_chosen_in_the_monitor_and_plays_at_once() {
    let (relay, scratch) = (Relay::start(&[]).await, Scratch::new());
    let [desk, headset] = [Card::start(48_000, 0.0), Card::start(48_000, 0.0)];
    let part = |name: &str, says: &str, card: &Card| {
        let fifo = card.folder().join("card");
        format!(
            "pcm.{name} {{ type plug slave {{ pcm \"{says}\" format S16_LE channels 2 rate 48000 }} \
             hint {{ show on description \"The {says}\" }} }}\n\
             pcm.{says} {{ type file slave.pcm \"null\" file \"{}\" format \"raw\" }}\n",
            fifo.display()
        )
    };
    let parts = [
        part("!default", "desk", &desk),
        part("second", "headset", &headset),
    ];
    let alsa = scratch.write(
        "asound.conf",
        format!("</usr/share/alsa/alsa.conf>\n{}", parts.concat()),
    );
    let mut call = TwilioCall::new(&relay);
    call.webhook(&[("customer_id", "cust01")]).await.expect(200);
    let talk = Talk::begin(call.live_stream().await);
    let setup = Setup {
        size: (80, 24),
        env: vec![("ALSA_CONFIG_PATH", alsa.to_string_lossy().into_owned())],
        ..Setup::default()
    };
    let terminal = Terminal::partyline(&["--relay", &relay.url()], setup).await;
    terminal.wait_for("cust01").await;
    terminal.keys("\r");
    plays(&desk, "the desk's card").await;
    terminal.keys("D");
    terminal.wait_for("the system's default · in use").await;
    terminal.wait_for("The headset  alsa:second").await;
    let row = terminal
        .text()
        .lines()
        .position(|row| row.contains("The headset"));
    // Two rows for each, below the title; the first is the default.
    terminal.keys("j".repeat((row.expect("it is there") - 1) / 2));
    terminal.wait_for(">  The headset").await;
    terminal.keys("\r");
    terminal.wait_for("playing on The headset").await;
    plays(&headset, "the headset").await;
    let before = desk.loud();
    terminal.keys("D");
    terminal.wait_for("The headset · in use").await;
    terminal.keys("\x1b");
    terminal.wait_for("cust01").await;
    assert_eq!(desk.loud(), before, "it went from one to the other");
    terminal.keys("D");
    terminal.wait_for("The headset · in use").await;
    terminal.keys("g\r");
    plays(&desk, "the desk's card again").await;
    terminal.keys("q");
    assert!(terminal.ended().await.success());
    terminal.expect_as_before();
    talk.end(&mut call).await;
    relay.stop().await.expect_code(0);
}
