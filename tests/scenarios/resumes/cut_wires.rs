//! Fifty cuts of each wire, at random bytes, while a call goes on: three supervisors who read, watch and
//! write it have all of it at the end.

use std::path::Path;
use std::time::Duration;

use harness::wait::{SOON, until};
use harness::{
    Finished, MediaSocket, Network, Program, Relay, Scratch, TwilioCall, http, speech, supervisor,
};
use partyline_shared::audio::g711;
use partyline_shared::track::Track;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

const CUTS: usize = 50;

/// Between two frames of a track: twice as fast as people talk.
const PACE: Duration = Duration::from_millis(10);

/// Fifty cuts take some ten seconds; who is not cut any more is waited for no longer than a busy machine takes.
const LIMIT: Duration = Duration::from_secs(240);

/// A supervisor behind a wire of its own.
struct Supervisor {
    program: Program,
    wire: Network,
}

impl Supervisor {
    async fn start(relay: &Relay, seed: u64, args: &[&str]) -> Supervisor {
        let wire = Network::to(relay.addr(), seed).await;
        let program = supervisor::start(&wire.url(), args);
        Supervisor { program, wire }
    }

    async fn finish(self) -> Finished {
        let cuts = self.wire.cuts();
        assert!(cuts >= CUTS, "{cuts} cuts");
        self.program.finish(SOON).await.expect_code(0)
    }
}

/// What is sent as the `step`th frame of a track: never silence, and another one than its neighbours.
fn frame(track: Track, step: usize) -> [u8; 160] {
    let byte = 16 + (step * 7 + 3 * track.index()) % 100;
    [byte as u8; 160]
}

/// What a call has had so far.
struct Story {
    call: TwilioCall,
    stream: MediaSocket,
    steps: usize,
    finals: Vec<String>,
}

impl Story {
    /// 20 ms of the call: a frame of each track, a line, an event.
    async fn step(&mut self) {
        let step = self.steps;
        self.steps += 1;
        for track in Track::BOTH {
            self.stream
                .media(track, 57 + 20 * step as u64, &frame(track, step))
                .await;
        }
        // An event of a kind that is not summed up.
        let error = [("StreamError", format!("event of step {step}"))];
        let error = error.each_ref().map(|(name, text)| (*name, text.as_str()));
        let told = self
            .call
            .stream_callback(&self.stream.stream, "stream-error", &error);
        told.await.expect(204);
        let is_final = step.is_multiple_of(3);
        let text = format!("words of step {step}");
        let track = Track::BOTH[step / 3 % 2];
        self.call.says(track, &text, is_final).await.expect(204);
        self.finals.extend(is_final.then_some(text));
    }
}

#[tokio::test]
async fn fifty_cuts_of_each_wire_lose_nothing() {
    let (relay, scratch) = (Relay::start(&[]).await, Scratch::new());
    let call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    let sid = call.sid().to_string();
    let path = scratch.file("x.wav");
    let output = path.to_string_lossy();
    let reads = Supervisor::start(&relay, 11, &["transcript", &sid, "--follow", "--json"]).await;
    let watches = Supervisor::start(&relay, 12, &["events", &sid, "--follow", "--json"]).await;
    // From the first frame on, also where the first connections do not live to hear it.
    let listen = [
        "listen", &sid, "--output", &output, "--replay", "10s", "--stats", "--json",
    ];
    let hears = Supervisor::start(&relay, 13, &listen).await;
    let ready = async || {
        let path = format!("/api/v1/calls/{sid}");
        let call = http::get(relay.addr(), &path).await.expect(200).json();
        let all = [&reads, &watches].iter().all(|s| s.wire.bytes_from_relay() > 500);
        (call["listeners"] == 1 && all).then_some(())
    };
    until(SOON, "all three are connected", ready).await;
    let stream = call.live_stream().await;
    let mut story = Story {
        call,
        stream,
        steps: 0,
        finals: Vec::new(),
    };
    // A hello and a list are over 1 KB; two seconds of replay are 36.
    for (who, least, most) in [
        (&reads, 1000, 7000),
        (&watches, 1000, 7000),
        (&hears, 2000, 60_000),
    ] {
        who.wire.cut_after(least, most);
        who.wire.cut();
    }
    let begun = Instant::now();
    let mut waits_for = vec![&reads, &watches, &hears];
    while !waits_for.is_empty() {
        assert!(begun.elapsed() < LIMIT, "{} wires are not cut", waits_for.len());
        story.step().await;
        waits_for.retain(|who| {
            let goes_on = who.wire.cuts() < CUTS;
            if !goes_on {
                who.wire.hold();
            }
            goes_on
        });
        sleep_until(begun + PACE * story.steps as u32).await;
    }
    for _ in 0..20 {
        story.step().await;
    }
    let Story {
        mut call,
        stream,
        steps,
        finals,
    } = story;
    stream.hang_up().await;
    call.status("completed", &[]).await.expect(204);

    let read = reads.finish().await.json_lines();
    let seqs: Vec<u64> = read.iter().filter_map(|line| line["seq"].as_u64()).collect();
    assert!(
        seqs.is_sorted_by(|one, next| one < next),
        "lines in order: {seqs:?}"
    );
    let said = |line: &Value| line["text"].as_str().unwrap_or_default().to_owned();
    let read: Vec<String> = read
        .iter()
        .filter(|line| line["final"] == true)
        .map(said)
        .collect();
    assert_eq!(read, finals);

    let seen = watches.finish().await.json_lines();
    let seqs: Vec<u64> = seen.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(
        seqs,
        (1..=seen.len() as u64).collect::<Vec<_>>(),
        "every event, once, in order"
    );
    let said = |event: &Value| event["detail"]["message"].as_str().map(str::to_owned);
    let errors: Vec<String> = seen.iter().filter_map(said).collect();
    let meant = (0..steps).map(|step| format!("event of step {step}"));
    assert_eq!(errors, meant.collect::<Vec<_>>());

    let stats = hears.finish().await.json_lines().pop().expect("--stats");
    assert!(stats["reconnects"].as_u64() > Some(CUTS as u64 / 2), "{stats}");
    let missing: u64 = stats["missing"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!(holes(&path, steps), missing, "{stats}");
    relay.stop().await.expect_code(0);
}

/// Frames that are silent in the file; fails unless all others are what was sent, in their places.
fn holes(path: &Path, steps: usize) -> u64 {
    let wav = std::fs::read(path).unwrap();
    let mut holes = 0;
    for track in Track::BOTH {
        let channel = speech::channel(&wav, track.index() + 1);
        assert_eq!(channel.len(), steps * 160, "{track}");
        for (step, heard) in channel.chunks(160).enumerate() {
            if heard.iter().all(|sample| *sample == 0) {
                holes += 1;
            } else {
                assert_eq!(
                    heard,
                    frame(track, step).map(g711::decode),
                    "{track}, frame {step}"
                );
            }
        }
    }
    holes
}
