//! An ear at a desk, a monitor elsewhere, and a port between them that is open to everybody: who may be heard, and what
//! others get. What the desk's card gets is told among the stories of sound, and what the screen says among the
//! monitor's.

use std::time::Duration;

use harness::wait::{SOON, until};
use harness::{Ear, Finished, Link, Network, Program, Relay, Tap, TwilioCall, binaries};
use partyline_shared::track::Track;

use super::monitor::NO_CARD;

/// Bytes of an opening: all that is ever said to who does not know the secret.
const OPENING: usize = 56;

/// A frame that nobody says by chance.
fn known() -> Vec<u8> {
    (0..160u8).map(|n| n.wrapping_mul(37).wrapping_add(11)).collect()
}

/// `partyline --ear ADDR listen SID --wait` with this code, on a machine without a card.
fn listen(relay: &Relay, ear: impl std::fmt::Display, call: &TwilioCall, code: &str) -> Program {
    let (url, ear) = (relay.url(), ear.to_string());
    let args = [
        "--relay",
        &url,
        "--ear",
        &ear,
        "listen",
        call.sid().as_str(),
        "--wait",
        "--stats",
    ];
    let env = [NO_CARD, ("PARTYLINE_EAR_CODE", code)];
    Program::start(&binaries::path(binaries::LISTENER), args, &env)
}

async fn desk() -> Ear {
    Ear::start(&[NO_CARD]).await
}

/// Whether some of it stands there as it is.
fn is_in(wire: &[u8], known: &[u8]) -> bool {
    wire.windows(12)
        .any(|some| known.windows(12).any(|part| some == part))
}

#[track_caller]
fn assert_told(done: &Finished, code: i32, why: &str) {
    assert_eq!(done.code, Some(code), "{}", done.stderr);
    assert!(done.stderr.contains(why), "no {why:?} in: {}", done.stderr);
}

#[tokio::test]
async fn a_wrong_code_hears_nothing_and_is_told_so() {
    let (relay, ear) = (Relay::start(&[]).await, desk().await);
    let call = TwilioCall::new(&relay);
    let wrong = if ear.code().starts_with('0') { "1" } else { "0" };
    let wrong = format!("{wrong}{}", &ear.code()[1..]);
    let done = listen(&relay, ear.addr(), &call, &wrong).finish(SOON).await;
    assert_told(
        &done,
        3,
        "does not take this code: type the one that `partyline ear` shows now",
    );
    let done = listen(&relay, ear.addr(), &call, "7331").finish(SOON).await;
    assert_told(&done, 2, "a code is twelve letters and digits");
    ear.program()
        .complains(SOON, "a wrong code was tried, and heard nothing")
        .await;
    // Nothing has changed: who knows it is let in, however it is typed.
    let typed = ear.code().to_lowercase().replace('-', " ");
    let monitor = listen(&relay, ear.addr(), &call, &typed);
    ear.program().complains(SOON, "a monitor has paired").await;
    monitor
        .complains(SOON, "no sound at the ear: no sound device")
        .await;
    monitor.signal("INT");
    monitor.finish(SOON).await.expect_code(0);
    ear.program().complains(SOON, "the monitor has ended").await;
    let left = ear.stop().await.expect_code(0);
    assert!(
        !left.stderr.contains(&wrong) && !left.stderr.contains(&typed),
        "{}",
        left.stderr
    );
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn one_monitor_at_a_time_and_each_code_once() {
    let (relay, mut ear) = (Relay::start(&[]).await, desk().await);
    let call = TwilioCall::new(&relay);
    let first = ear.code().to_owned();
    let monitor = listen(&relay, ear.addr(), &call, &first);
    let second = ear.next_code().await.to_owned();
    let done = listen(&relay, ear.addr(), &call, &first).finish(SOON).await;
    assert_told(&done, 3, "each is good once");
    let done = listen(&relay, ear.addr(), &call, &second).finish(SOON).await;
    assert_told(&done, 1, "has another monitor");
    ear.program().complains(SOON, "another monitor was refused").await;
    monitor.signal("INT");
    monitor.finish(SOON).await.expect_code(0);
    ear.program().complains(SOON, "the monitor has ended").await;
    let next = listen(&relay, ear.addr(), &call, &second);
    assert_ne!(ear.next_code().await, second);
    // The desk ends first: the monitor says so, and goes on without.
    ear.stop().await.expect_code(0);
    next.complains(SOON, "is away").await;
    next.signal("INT");
    next.finish(SOON).await.expect_code(0);
    relay.stop().await.expect_code(0);
}

/// On the way there is nothing to read; and when the wire is led to somebody else, who even says yes to everything,
/// nothing of the call is said to them.
#[tokio::test]
async fn who_listens_on_the_way_or_takes_the_port_gets_nothing_of_the_call() {
    let (relay, ear) = (Relay::start(&[]).await, desk().await);
    let mut call = TwilioCall::new(&relay);
    let (tap, squatter) = (Tap::to(ear.addr()).await, Tap::nowhere([b'+'; 49].to_vec()).await);
    let wire = Network::to(tap.addr(), 1).await;
    let monitor = listen(&relay, wire.addr(), &call, ear.code());
    ear.program().complains(SOON, "a monitor has paired").await;
    call.webhook(&[]).await.expect(200);
    let mut stream = call.live_stream().await;
    let spoken = known().repeat(50);
    stream.play(&spoken, &spoken, Duration::from_millis(20)).await;
    until(SOON, "a second of two tracks that goes by", async || {
        (tap.said().len() > 100 * 160).then_some(())
    })
    .await;
    assert!(!is_in(&tap.said(), &known()), "a frame in clear");
    wire.aim(squatter.addr());
    wire.cut();
    monitor
        .complains(SOON, "is not the ear; nothing was said to it")
        .await;
    for at in 0..10 {
        stream.media(Track::Inbound, 5_000 + at * 20, &known()).await;
    }
    let said = squatter.said();
    assert!(
        said.len() >= OPENING && said.len().is_multiple_of(OPENING),
        "{}",
        said.len()
    );
    assert!(
        said.chunks(OPENING).all(|opening| opening.starts_with(b"PLEAR")),
        "{said:?}"
    );
    // The port is ssh's again, and the monitor is back by itself.
    wire.aim(tap.addr());
    wire.cut();
    ear.program().complains(SOON, "the monitor is back").await;
    stream.hang_up().await;
    call.status("completed", &[]).await.expect(204);
    monitor.finish(SOON).await.expect_code(0);
    assert!(!is_in(&tap.said(), &known()), "a frame in clear");
    ear.stop().await.expect_code(0);
    relay.stop().await.expect_code(0);
}

/// A firewall that forgets: nobody closes anything, and both ends notice all the same.
#[tokio::test]
async fn a_link_that_falls_silent_is_noticed_at_both_ends_and_made_again() {
    let (relay, ear) = (Relay::start(&[]).await, desk().await);
    let call = TwilioCall::new(&relay);
    let wire = Link::to(ear.addr()).await;
    let monitor = listen(&relay, wire.addr(), &call, ear.code());
    monitor
        .complains(SOON, "no sound at the ear: no sound device")
        .await;
    wire.hold();
    let silent = "nothing came for 2 s";
    ear.program().complains(SOON, silent).await;
    monitor.complains(SOON, silent).await;
    wire.cut();
    ear.program().complains(SOON, "the monitor is back").await;
    monitor.signal("INT");
    monitor.finish(SOON).await.expect_code(0);
    ear.stop().await.expect_code(0);
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn who_is_there_instead_of_the_ear_is_found_out_before_anything_is_said() {
    let relay = Relay::start(&[]).await;
    let call = TwilioCall::new(&relay);
    let code = "7KQ4-M2XD-91PV";
    let squatter = Tap::nowhere([b'+'; 49].to_vec()).await;
    let done = listen(&relay, squatter.addr(), &call, code).finish(SOON).await;
    assert_told(&done, 3, "it is not your ear");
    assert_eq!(squatter.said().len(), OPENING);
    let other = Tap::nowhere(b"SSH-2.0-OpenSSH\r\n".to_vec()).await;
    let done = listen(&relay, other.addr(), &call, code).finish(SOON).await;
    assert_told(&done, 1, "does not answer as an ear");
    let nobody = harness::network::quiet_port();
    let done = listen(&relay, nobody, &call, code).finish(SOON).await;
    assert_told(&done, 1, "no ear listens at");
    assert!(!done.stderr.contains(code), "{}", done.stderr);
    relay.stop().await.expect_code(0);
}
