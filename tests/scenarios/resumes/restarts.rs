//! The relay ends in the middle of a call, politely or not, and another one begins at its address.

use std::time::Duration;

use harness::network::quiet_port;
use harness::wait::SOON;
use harness::{Listener, MediaSocket, Program, Relay, Scratch, TwilioCall, media, speech, supervisor};
use partyline_shared::event::EventKind;
use partyline_shared::protocol::client::Subscribe;
use partyline_shared::protocol::server::ServerMessage;
use partyline_shared::track::Track;
use serde_json::Value;

/// The supervisors of this story, and a listener who speaks the protocol himself.
struct Audience {
    reads: Program,
    watches: Program,
    hears: Program,
    listener: Listener,
}

/// Says lines of these numbers, and waits until the reader has the last.
async fn talk(call: &mut TwilioCall, reads: &Program, numbers: std::ops::RangeInclusive<u32>) {
    let last = format!("line {}", numbers.end());
    for number in numbers {
        call.says(Track::Outbound, &format!("line {number} perhaps"), false)
            .await
            .expect(204);
        call.says(Track::Outbound, &format!("line {number}"), true)
            .await
            .expect(204);
    }
    let is_last = |line: &str| line.contains(&format!("\"{last}\""));
    reads.line(SOON, &last, is_last).await;
}

async fn play(stream: &mut MediaSocket, said: &[u8]) {
    stream.play(said, &[], Duration::from_millis(10)).await;
}

async fn another_relay_goes_on(politely: bool) {
    let (addr, scratch) = (quiet_port(), Scratch::new());
    let relay = Relay::start_on(&addr.to_string(), &[]).await;
    let mut call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    let sid = call.sid().clone();
    let path = scratch.file("x.wav");
    let output = path.to_string_lossy();
    let url = relay.url();
    let mut all = Audience {
        reads: supervisor::start(&url, &["transcript", sid.as_str(), "--follow", "--json"]),
        watches: supervisor::start(&url, &["events", sid.as_str(), "--follow", "--json"]),
        hears: supervisor::start(&url, &["listen", sid.as_str(), "--output", &output]),
        listener: Listener::connect(addr).await,
    };
    let subscribed = all.listener.subscribe(&sid).await;
    all.listener
        .until_so("both listen", |l| l.calls[&sid].listeners == 2)
        .await;
    let mut stream = call.live_stream().await;
    let before = speech::piece("demo-instruct", 700, 600);
    play(&mut stream, &before).await;
    talk(&mut call, &all.reads, 1..=5).await;
    let started = |line: &str| line.contains("stream_started");
    all.watches.line(SOON, "a stream", started).await;
    let whole = |l: &Listener| {
        let heard = l.heard(&sid);
        heard.finals().len() == 5 && heard.audio(Track::Inbound) == before
    };
    all.listener.until_so("all that was said", whole).await;
    if politely {
        let leaving = tokio::spawn(relay.stop());
        let goodbye = |m: &ServerMessage| {
            matches!(
                m,
                ServerMessage::Goodbye {
                    retry_after_ms: 1..,
                    ..
                }
            )
        };
        all.listener.until("goodbye", goodbye).await;
        assert_eq!(all.listener.closed().await, Some(1001));
        leaving.await.unwrap().expect_code(0);
    } else {
        relay.kill().await;
        assert_eq!(all.listener.closed().await, None);
    }
    drop(stream);

    let relay = Relay::start_on(&addr.to_string(), &[]).await;
    // Twilio goes on where it was: its numbers, its stream's clock, its call.
    let mut stream = call.live_stream().await;
    let after = speech::piece("demo-congrats", 900, 600);
    talk(&mut call, &all.reads, 6..=10).await;
    let asked = all.listener.heard(&sid).after();
    let mut listener = Listener::connect(addr).await;
    let anew = listener
        .subscribe_with(Subscribe {
            call_sid: sid.clone(),
            audio: true,
            after: Some(asked),
            replay_ms: 0,
            save: false,
            saved: None,
        })
        .await;
    assert!(!anew.resumed && anew.journal != subscribed.journal, "{anew:?}");
    listener
        .until_so("both listen again", |l| l.calls[&sid].listeners == 2)
        .await;
    stream.clock.inbound = media::LEAD_IN_MS;
    play(&mut stream, &after).await;
    stream.hang_up().await;
    call.status("completed", &[]).await.expect(204);
    let over = |l: &Listener| l.heard(&sid).event(EventKind::CallStatus).is_some();
    listener.until_so("the end", over).await;
    assert_eq!(
        listener.heard(&sid).finals(),
        (6..=10).map(|n| format!("line {n}")).collect::<Vec<_>>()
    );
    listener.heard(&sid).assert_no_hole();

    let read = all.reads.finish(SOON).await.expect_code(0);
    assert!(read.stderr.contains("anew"), "{}", read.stderr);
    let finals: Vec<Value> = read
        .json_lines()
        .into_iter()
        .filter(|l| l["final"] == true)
        .collect();
    let texts: Vec<&str> = finals.iter().filter_map(|line| line["text"].as_str()).collect();
    assert_eq!(texts, (1..=10).map(|n| format!("line {n}")).collect::<Vec<_>>());
    let seen = all.watches.finish(SOON).await.expect_code(0).json_lines();
    let seqs: Vec<u64> = seen.iter().filter_map(|event| event["seq"].as_u64()).collect();
    let second = seqs.iter().rposition(|seq| *seq == 1).unwrap();
    let counted = |seqs: &[u64]| *seqs == (1..=seqs.len() as u64).collect::<Vec<_>>();
    assert!(
        second > 1 && counted(&seqs[..second]) && counted(&seqs[second..]),
        "{seqs:?}"
    );
    all.hears.finish(SOON).await.expect_code(0);
    let channel = speech::channel(&std::fs::read(&path).unwrap(), 1);
    let [before, after] = [before, after].map(|said| speech::decoded(&said));
    assert_eq!(channel[..before.len()], before, "what was said before");
    assert_eq!(
        channel[channel.len() - after.len()..],
        after,
        "what was said after"
    );
    let between = &channel[before.len()..channel.len() - after.len()];
    assert!(between.iter().all(|sample| *sample == 0), "silence between");
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn a_relay_that_is_killed() {
    another_relay_goes_on(false).await;
}

#[tokio::test]
async fn a_relay_that_leaves() {
    another_relay_goes_on(true).await;
}
