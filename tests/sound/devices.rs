//! No card, a wrong name, a card that is chosen, or left for another, a sound server that goes and comes: it is said
//! in words, the rest goes on, and nothing that a library prints reaches the terminal.

mod moves;
mod picks;
mod server;

use std::time::Duration;

use harness::wait::SOON;
use harness::{Card, Finished, MediaSocket, Program, Relay, Scratch, TwilioCall, api, binaries, speech};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// ALSA, told that the default is a card that no machine has.
const NO_CARD: &str = "</usr/share/alsa/alsa.conf>\npcm.!default { type hw card 31 }\n";

/// A frame of a track, in real time.
const REAL_TIME: Duration = Duration::from_millis(20);

/// A call that rings, and that the listener who waits for it hears: what is said from then on is live to them. One
/// that comes late gets what it missed out of the relay's memory, and that is not.
async fn rings(relay: &Relay, call: &TwilioCall) {
    call.webhook(&[]).await.expect(200);
    let what = "the listener who waits for the call";
    api::call_once(relay.addr(), call.sid(), what, |call| call.listeners == 1).await;
}

/// A second of a call.
async fn talk(relay: &Relay, call: &mut TwilioCall) {
    let said = speech::piece(speech::LONG[0], 1000, 1000);
    rings(relay, call).await;
    let mut stream = call.live_stream().await;
    stream.play(&said, &said, REAL_TIME).await;
    stream.hang_up().await;
    call.status("completed", &[]).await.expect(204);
}

/// Two people who talk until they are told to stop.
struct Talk {
    stop: oneshot::Sender<()>,
    talks: JoinHandle<MediaSocket>,
}

impl Talk {
    fn begin(mut stream: MediaSocket) -> Talk {
        let (stop, mut stopped) = oneshot::channel();
        let talks = tokio::spawn(async move {
            let said = speech::mulaw(speech::LONG[0]);
            // A tenth of a second at a time; none of it is pure silence for long.
            for piece in said.chunks_exact(800).cycle() {
                if stopped.try_recv().is_ok() {
                    break;
                }
                stream.play(piece, piece, REAL_TIME).await;
            }
            stream
        });
        Talk { stop, talks }
    }

    /// Ends the call.
    async fn end(self, call: &mut TwilioCall) {
        self.stop.send(()).expect("they talk");
        self.talks.await.expect("the stream is taken").hang_up().await;
        call.status("completed", &[]).await.expect(204);
    }
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

/// What `--stats` says of how many frames were played.
fn frames_played(done: &Finished) -> Option<usize> {
    let (before, _) = done.stderr.split_once(" frames played live")?;
    before.rsplit(' ').next()?.parse().ok()
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
    talk(&relay, &mut call).await;
    let done = listener.finish(SOON).await.expect_code(0);
    // A frame that this machine has held up for too long is not counted.
    let played = frames_played(&done).unwrap_or_default();
    assert!((50..=100).contains(&played), "{}", done.stderr);
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
    talk(&relay, &mut call).await;
    let done = listener.finish(SOON).await.expect_code(0);
    assert_ours_alone(&done);
    assert_eq!(card.played(), 0, "another device was used");
    relay.stop().await.expect_code(0);
}
