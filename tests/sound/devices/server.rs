//! A sound server, a real one: its card is pulled and plugged in, it is killed and started, it hangs. Whoever listens
//! goes on, tells why there is no sound, and plays again by itself; and no thread turns at full speed meanwhile.

use std::time::Duration;

use harness::pulse::SINK;
use harness::wait::{SOON, until};
use harness::{Program, Pulse, Relay, Scratch, TwilioCall, binaries};
use tokio::time::{Instant, sleep_until};

use super::{Talk, assert_ours_alone, listen, rings};

/// How long the server or its card is away: as long as it takes to see what the program does meanwhile.
const AWAY: Duration = Duration::from_secs(2);

/// Of a core, the most that is used meanwhile. Unoptimised and on a busy machine it takes a tenth; a thread that turns
/// at full speed takes all of it, or half where it has to share.
const MOST_CPU: f64 = 0.4;

/// Waits until stderr has `text` so many times.
async fn complains_times(listener: &Program, text: &str, times: usize) {
    let what = format!("{text:?}, {times} times");
    until(SOON, &what, async || {
        (listener.stderr().matches(text).count() >= times).then_some(())
    })
    .await;
}

/// The server or its card is away; what it takes meanwhile.
async fn outage(listener: &Program, what: &str) {
    let (before, begun) = (listener.cpu_seconds(), Instant::now());
    sleep_until(begun + AWAY).await;
    let used = (listener.cpu_seconds() - before) / begun.elapsed().as_secs_f64();
    eprintln!("{what}: {:.1} % of a core", used * 100.0);
    assert!(used < MOST_CPU, "{what}: {:.0} % of a core", used * 100.0);
}

/// It plays again by itself; how soon is a figure, not a test.
async fn again(pulse: &Pulse, listener: &Program, what: &str, times: usize) {
    let begun = Instant::now();
    complains_times(listener, "playing on", times).await;
    eprintln!("{what}: playing again after {} ms", begun.elapsed().as_millis());
    pulse.speaks_on(SINK).await;
}

#[tokio::test]
async fn a_server_that_goes_and_comes_interrupts_nothing_but_the_sound() {
    let (relay, mut pulse) = (Relay::start(&[]).await, Pulse::start().await);
    let mut call = TwilioCall::new(&relay);
    let (_, alsa) = pulse.env();
    let listener = listen(&relay, &call, alsa, &[]);
    complains_times(&listener, "playing on", 1).await;
    rings(&relay, &call).await;
    let talk = Talk::begin(call.live_stream().await);
    pulse.speaks_on(SINK).await;

    pulse.unplug().await;
    complains_times(&listener, "has gone", 1).await;
    outage(&listener, "without a card").await;
    pulse.plug(SINK).await;
    again(&pulse, &listener, "the card", 2).await;

    pulse.kill().await;
    complains_times(&listener, "the sound server does not answer", 1).await;
    outage(&listener, "without a server").await;
    pulse.restart().await;
    again(&pulse, &listener, "the server", 3).await;

    pulse.stop();
    complains_times(&listener, "the sound server does not answer", 2).await;
    pulse.go_on();
    again(&pulse, &listener, "the server that hung", 4).await;

    talk.end(&mut call).await;
    let done = listener.finish(SOON).await.expect_code(0);
    assert!(done.stderr.contains(" 0 reconnects"), "{}", done.stderr);
    assert!(
        !done.stderr.contains("missing"),
        "a frame did not come:\n{}",
        done.stderr
    );
    assert_ours_alone(&done);
    relay.stop().await.expect_code(0);
}

/// What `partyline devices` says of the default, and its end within the deadline.
async fn default_of(alsa: &str) -> String {
    let program = binaries::path(binaries::LISTENER);
    let done = Program::start(&program, ["devices"], &[("ALSA_CONFIG_PATH", alsa)])
        .finish(SOON)
        .await
        .expect_code(0);
    assert_ours_alone(&done);
    let text = done.text();
    let default = text.lines().find(|line| line.starts_with("* alsa:default"));
    default.unwrap_or_default().to_owned()
}

/// Which devices there are is said whatever the server does, and whatever ALSA's files say.
#[tokio::test]
async fn the_devices_are_listed_by_a_server_that_is_there_hangs_and_is_dead() {
    let mut pulse = Pulse::start().await;
    let alsa = pulse.env().1.to_owned();
    let offers = default_of(&alsa).await;
    assert!(offers.contains(" Hz, ") && !offers.contains("cannot"), "{offers}");
    pulse.stop();
    let hangs = default_of(&alsa).await;
    assert!(hangs.ends_with("cannot be opened: it does not answer"), "{hangs}");
    pulse.go_on();
    pulse.kill().await;
    let dead = default_of(&alsa).await;
    assert!(
        dead.ends_with("cannot be opened: the sound server does not answer"),
        "{dead}"
    );
    let scratch = Scratch::new();
    let broken = scratch.write("asound.conf", "pcm.!default { type");
    assert_eq!(
        default_of(&broken.to_string_lossy()).await,
        "",
        "no device is known"
    );
}

/// The server itself moves what plays; nothing is opened anew for it.
#[tokio::test]
async fn a_new_default_of_the_server_is_followed_without_a_gap() {
    let (relay, pulse) = (Relay::start(&[]).await, Pulse::start().await);
    let mut call = TwilioCall::new(&relay);
    let (_, alsa) = pulse.env();
    let listener = listen(&relay, &call, alsa, &[]);
    complains_times(&listener, "playing on", 1).await;
    rings(&relay, &call).await;
    let talk = Talk::begin(call.live_stream().await);
    pulse.plays_on(SINK).await;
    pulse.plug("headset").await;
    pulse.set_default("headset").await;
    pulse.plays_on("headset").await;
    pulse.speaks_on("headset").await;
    talk.end(&mut call).await;
    let done = listener.finish(SOON).await.expect_code(0);
    assert_eq!(done.stderr.matches("playing on").count(), 1, "{}", done.stderr);
    relay.stop().await.expect_code(0);
}
