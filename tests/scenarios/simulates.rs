//! `partyline-relay simulate` against the real relay: its check passes when all arrived, and only then.

use harness::wait::{SOON, until};
use harness::{Finished, Listener, MediaSocket, Network, Program, Relay, Scratch, http};
use harness::{binaries, simulate, speech};
use partyline_shared::call::CallStatus;
use partyline_shared::id::CallSid;
use partyline_shared::track::{Role, Track};
use serde_json::Value;

/// The SID of the simulated call, once the relay has taken it.
async fn started(simulator: &Program) -> CallSid {
    let line = simulator
        .line(SOON, "a call that started", |line| line.ends_with(" started"))
        .await;
    CallSid::parse(line.trim_end_matches(" started")).expect("a line begins with a SID")
}

async fn ended_calls(relay: &Relay) -> Vec<Value> {
    let ended = http::get(relay.addr(), "/api/v1/calls?status=ended").await;
    let calls = ended.expect(200).json()["calls"].take();
    serde_json::from_value(calls).expect("a list")
}

/// Fails unless the check failed; gives what it said.
#[track_caller]
fn assert_lost(done: Finished, says: &str) {
    let done = done.expect_code(1);
    assert!(done.stderr.contains(says), "{}", done.stderr);
    assert!(done.text().contains(" failed"), "{}", done.text());
}

/// Five calls at once, their chunks counted over both tracks: no false gap, nothing lost.
#[tokio::test]
async fn five_calls_at_once_arrive_whole() {
    let relay = Relay::start(&[]).await;
    let args = [
        "--check",
        "--calls",
        "5",
        "--duration",
        "1500ms",
        "--chunks",
        "global",
        "--customer-id",
        "777",
    ];
    let done = simulate::start(&relay, &args).finish(SOON).await.expect_code(0);
    assert_eq!(done.text().matches(" ended\n").count(), 5, "{}", done.text());
    let calls = ended_calls(&relay).await;
    assert_eq!(calls.len(), 5);
    for call in calls {
        assert_eq!(
            (&call["lost_chunks"], &call["status"], &call["customer_id"]),
            (&0.into(), &"completed".into(), &"777".into())
        );
    }
    relay.stop().await.expect_code(0);
}

/// A recording of another rate and width; the agent alone, and the customer is quiet.
#[tokio::test]
async fn a_stereo_recording_at_44100_hz_is_played() {
    let (relay, scratch) = (Relay::start(&[]).await, Scratch::new());
    let path = scratch.file("x.wav");
    speech::wav("vm-goodbye", (44_100, 2, 24), &path);
    let agent = path.to_string_lossy();
    let args = ["--check", "--agent", &agent];
    simulate::start(&relay, &args).finish(SOON).await.expect_code(0);
    let call = ended_calls(&relay).await.pop().expect("one call");
    // Its length is the recording's, and it is the agent who spoke.
    let talk = |name: &str| call["talk"][name].as_u64().unwrap();
    assert!(talk("inbound_ms") > 200, "{}", call["talk"]);
    assert_eq!(talk("outbound_ms") + talk("both_ms"), 0, "{}", call["talk"]);
    relay.stop().await.expect_code(0);
}

/// The built-in conversation: who says what is known, and its lines come in order.
#[tokio::test]
async fn the_built_in_conversation_is_transcribed_by_role() {
    let relay = Relay::start(&[]).await;
    let simulator = simulate::start(&relay, &["--check", "--duration", "7s"]);
    let sid = started(&simulator).await;
    let mut listener = Listener::connect(relay.addr()).await;
    listener.subscribe(&sid).await;
    let over = |l: &Listener| l.calls[&sid].is_ended() && l.heard(&sid).finals().len() >= 2;
    listener
        .until_so("the end of the call, and its lines", over)
        .await;
    simulator.finish(SOON).await.expect_code(0);
    let roles = listener.calls[&sid].roles;
    assert_eq!((roles.inbound, roles.outbound), (Role::Agent, Role::Customer));
    let finals: Vec<(Role, &str)> = listener
        .heard(&sid)
        .lines
        .iter()
        .filter(|line| line.is_final)
        .map(|line| (*roles.get(line.track), line.text.as_str()))
        .collect();
    let greeting = "Good morning, this is Emily from Northwind Outdoor. \
                    You asked us to call you back about an order.";
    assert_eq!(finals[..2], [(Role::Customer, "Hello?"), (Role::Agent, greeting)]);
    let guesses = listener.heard(&sid).lines.iter();
    let guesses: Vec<&str> = guesses
        .filter(|line| !line.is_final && line.track == Track::Inbound)
        .map(|line| line.text.as_str())
        .collect();
    assert!(guesses.len() > 3, "{guesses:?}");
    assert!(
        guesses.iter().all(|guess| greeting.starts_with(guess)) && guesses.is_sorted_by_key(|g| g.len()),
        "{guesses:?}"
    );
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn ctrl_c_ends_the_call_as_people_hang_up() {
    let relay = Relay::start(&[]).await;
    let simulator = simulate::start(&relay, &["--check", "--loop"]);
    let sid = started(&simulator).await;
    let mut listener = Listener::connect(relay.addr()).await;
    listener.subscribe(&sid).await;
    listener.next_frame("audio").await;
    simulator.signal("INT");
    let done = simulator.finish(SOON).await.expect_code(0);
    assert_eq!(done.text(), format!("{sid} started\n{sid} ended\n"));
    let over = |l: &Listener| l.calls[&sid].status == CallStatus::Completed;
    listener.until_so("the end of the call", over).await;
    let kinds = |l: &Listener| {
        l.heard(&sid)
            .events
            .iter()
            .map(|e| e.kind.as_str())
            .collect::<Vec<_>>()
    };
    listener
        .until_so("all events", |l| kinds(l).contains(&"transcription_stopped"))
        .await;
    let kinds = kinds(&listener);
    assert!(
        kinds.contains(&"stream_stopped") && !kinds.contains(&"stream_lost"),
        "{kinds:?}"
    );
    relay.stop().await.expect_code(0);
}

/// Somebody else's stream takes the call over: what the simulator sends from then on is not heard.
#[tokio::test]
async fn audio_that_is_missing_fails_the_check() {
    let relay = Relay::start(&[]).await;
    let simulator = simulate::start(&relay, &["--check", "--duration", "1500ms"]);
    let sid = started(&simulator).await;
    let mut listener = Listener::connect(relay.addr()).await;
    listener.subscribe(&sid).await;
    listener.next_frame("audio").await;
    let mut other = MediaSocket::open(relay.addr(), sid.as_str()).await;
    other.connected().await;
    other.start(&[]).await;
    assert_lost(simulator.finish(SOON).await, "frames are missing");
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn a_listener_that_is_cut_off_fails_the_check() {
    let relay = Relay::start(&[]).await;
    let wire = Network::to(relay.addr(), 1).await;
    // Answers are shorter than this, half a second of audio is longer: it is the listener who is cut.
    wire.cut_after(9000, 9001);
    let url = wire.url();
    let args = ["simulate", "--relay", &url, "--check", "--duration", "2s"];
    let simulator = Program::start(&binaries::path(binaries::RELAY), args, &[]);
    assert_lost(simulator.finish(SOON).await, "/listen");
    assert_eq!(wire.cuts(), 1);
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn a_relay_that_is_killed_fails_the_check() {
    let relay = Relay::start(&[]).await;
    let simulator = simulate::start(&relay, &["--check", "--duration", "20s"]);
    let sid = started(&simulator).await;
    let live = async || {
        let path = format!("/api/v1/calls/{sid}");
        let call = http::get(relay.addr(), &path).await.expect(200).json();
        (call["stream"] == "live").then_some(())
    };
    until(SOON, "a live stream", live).await;
    relay.kill().await;
    assert_lost(simulator.finish(SOON).await, "error 319");
}
