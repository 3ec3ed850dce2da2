//! No card, a wrong name, a card that is plugged in later: it is said in words, the rest goes on, and nothing
//! that a library prints reaches the terminal.

use std::time::Duration;

use harness::wait::SOON;
use harness::{Card, Finished, Program, Relay, Scratch, TwilioCall, binaries, speech};

/// ALSA, told that the default is a card that no machine has.
const NO_CARD: &str = "</usr/share/alsa/alsa.conf>\npcm.!default { type hw card 31 }\n";

/// A second of a call.
async fn talk(call: &mut TwilioCall) {
    let said = speech::piece(speech::LONG[0], 1000, 1000);
    call.webhook(&[]).await.expect(200);
    let mut stream = call.live_stream().await;
    let pace = Duration::from_millis(20);
    stream.play(&said, &said, pace).await;
    stream.hang_up().await;
    call.status("completed", &[]).await.expect(204);
}

/// `partyline … listen SID --wait --stats` with this configuration of ALSA's.
fn listen(relay: &Relay, call: &TwilioCall, alsa: &str, args: &[&str]) -> Program {
    let url = relay.url();
    let mut all = vec!["--relay", &url];
    all.extend(args);
    all.extend(["listen", call.sid().as_str(), "--wait", "--stats"]);
    Program::start(
        &binaries::path(binaries::LISTENER),
        all,
        &[("ALSA_CONFIG_PATH", alsa)],
    )
}

/// Fails if anybody but us wrote to stderr.
#[track_caller]
fn assert_ours_alone(done: &Finished) {
    let foreign = done.stderr.lines().find(|line| !line.starts_with("partyline: "));
    assert_eq!(foreign, None, "in:\n{}", done.stderr);
}

#[tokio::test]
async fn without_a_card_a_call_is_followed_to_its_end_in_silence() {
    let (relay, scratch) = (Relay::start(&[]).await, Scratch::new());
    let alsa = scratch.write("asound.conf", NO_CARD);
    let mut call = TwilioCall::new(&relay);
    let listener = listen(&relay, &call, &alsa.to_string_lossy(), &[]);
    listener
        .complains(SOON, "no sound device; it is tried again")
        .await;
    talk(&mut call).await;
    let done = listener.finish(SOON).await.expect_code(0);
    assert!(done.stderr.contains("100 frames played"), "{}", done.stderr);
    let told = done.stderr.matches("it is tried again").count();
    assert_eq!(told, 1, "each reason once:\n{}", done.stderr);
    assert_ours_alone(&done);
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn a_device_that_is_not_there_is_named() {
    let (relay, card) = (Relay::start(&[]).await, Card::start(48_000, 0.0));
    let mut call = TwilioCall::new(&relay);
    let (_, alsa) = card.env();
    let listener = listen(&relay, &call, alsa, &["--device", "Grandma's radio"]);
    let why = "no sound: no device called Grandma's radio: `partyline devices` lists them";
    listener.complains(SOON, why).await;
    talk(&mut call).await;
    let done = listener.finish(SOON).await.expect_code(0);
    assert_ours_alone(&done);
    assert_eq!(card.played(), 0, "another device was used");
    relay.stop().await.expect_code(0);
}
