//! What Redis is given: payloads to the byte, in their order, on record before the first, and nothing while that cannot be.

use std::time::Duration;

use harness::rails::Subscribed;
use harness::wait::{SOON, until};
use harness::{Record, Redis, Relay, TwilioCall, api};
use partyline_shared::track::Track;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use super::{channels, published, publishing};

/// Longer than it takes to look whether somebody is there, and to write a line.
const A_WHILE: Duration = Duration::from_millis(700);

/// Lets no file of the relay grow, or frees it.
fn limit(relay: &Relay, length: Option<u64>) {
    let pid = Pid::from_raw(relay.program().pid() as i32).expect("it runs");
    let limit = Rlimit {
        current: length,
        maximum: None,
    };
    prlimit(Some(pid), Resource::Fsize, limit).expect("a limit can be set");
}

#[tokio::test]
async fn payloads_have_the_contracts_bytes_and_are_on_record_before_the_first() {
    let redis = Redis::start().await;
    let record = Record::new();
    let audit = record.audit();
    let relay = publishing(&redis, &["--audit", &audit.display().to_string()]).await;
    let mut call = TwilioCall::new(&relay);
    call.webhook(&[("customer_id", "<7>")]).await.expect(200);
    let sid = call.sid().clone();
    let mut rails = Subscribed::to(redis.addr(), &channels(&sid)).await;
    let mut stream = call.live_stream().await;

    let (channel, start) = rails.next("the start").await;
    let on_record = published(&audit);
    assert_eq!(channel, channels(&sid)[0]);
    let known = api::call(relay.addr(), &sid).await;
    let started = known.started_at.expect("it began");
    assert_eq!(
        start,
        format!(
            r#"{{"event":"start","call_sid":"{sid}","customer_id":"\u003c7\u003e","started_at":"{started}"}}"#
        )
    );
    let [begin] = &on_record[..] else {
        panic!("{on_record:?}")
    };
    assert_eq!(
        (&begin["call_sid"], &begin["customer_id"]),
        (&sid.as_str().into(), &"<7>".into())
    );
    assert_eq!((&begin["who"], &begin["to"]), (&"rails".into(), &Value::Null));

    call.says(Track::Outbound, "a < b", true).await.expect(204);
    let line = rails.next_of("call_transcript_").await;
    assert_eq!((&line["text"], &line["final"]), (&"a < b".into(), &true.into()));
    stream.play(&[0x55; 8_000], &[0x66; 8_000], Duration::ZERO).await;
    stream.hang_up().await;
    let mut chunks = [Vec::new(), Vec::new()];
    let stop = loop {
        let (channel, payload) = rails.next("the rest of the call").await;
        let told: Value = serde_json::from_str(&payload).expect("JSON");
        match told["event"].as_str() {
            Some("media") if channel.contains("call_audio_") && told["track"] == "inbound" => {
                let (chunk, at) = (chunks[0].len() + 1, &told["timestamp"]);
                let golden = format!(
                    r#"{{"event":"media","call_sid":"{sid}","track":"inbound","chunk":"{chunk}","timestamp":{at},"payload":"{}","format":{{"encoding":"audio/x-mulaw","sample_rate":8000,"channels":1}}}}"#,
                    "VVVV".repeat(53) + "VQ=="
                );
                assert_eq!(payload, golden);
                chunks[0].push(chunk as u32);
            }
            Some("media") if channel.contains("call_audio_") => {
                chunks[1].push(told["chunk"].as_str().expect("text").parse().expect("a number"));
            }
            Some("stop") => break payload,
            _ => {}
        }
    };
    let all: Vec<u32> = (1..=50).collect();
    assert_eq!(chunks, [all.clone(), all], "each track in its order");
    let ended = api::call(relay.addr(), &sid).await.ended_at.expect("it ended");
    assert_eq!(
        stop,
        format!(r#"{{"event":"stop","call_sid":"{sid}","ended_at":"{ended}"}}"#)
    );

    let lines = until(SOON, "the end on record", async || {
        let lines = published(&audit);
        (lines.len() == 2).then_some(lines)
    })
    .await;
    assert_eq!(
        (&lines[1]["bytes"], &lines[1]["reason"]),
        (&16_000.into(), &"the call ended".into())
    );
    assert!(lines[1]["from"] == lines[0]["from"] && lines[1]["to"].is_string());
}

#[tokio::test]
async fn what_cannot_be_put_on_record_is_not_published_and_a_paused_call_is_not_either() {
    let redis = Redis::start().await;
    let record = Record::new();
    let audit = record.audit();
    let relay = publishing(&redis, &["--audit", &audit.display().to_string()]).await;
    let (call, mut stream) = api::live_call(&relay).await;
    limit(&relay, Some(record.length() + 100));
    let mut rails = Subscribed::to(redis.addr(), &channels(call.sid())).await;
    stream.play(&[0x55; 1_600], &[0x66; 1_600], Duration::ZERO).await;
    assert!(rails.is_silent(A_WHILE).await, "nothing is on record");
    assert_eq!(published(&audit), Vec::<Value>::new());
    limit(&relay, None);
    let (_, start) = rails.next("the start, once that can be put on record").await;
    assert!(start.contains(r#""event":"start""#), "{start}");

    let path = format!("/api/v1/calls/{}", call.sid());
    let post = async |what: &str| {
        let path = format!("{path}/{what}");
        harness::http::send(relay.addr(), ::http::Method::POST, &path, &[], "")
            .await
            .expect(200);
    };
    post("pause").await;
    // What was said before may be on its way.
    while !rails.is_silent(A_WHILE).await {}
    stream.play(&[0x77; 1_600], &[0x77; 1_600], Duration::ZERO).await;
    assert!(rails.is_silent(A_WHILE).await, "the call is paused");
    post("resume").await;
    stream.play(&[0x11; 160], &[0x22; 160], Duration::ZERO).await;
    let next = rails.next_of("call_audio_").await;
    assert!(
        next["payload"]
            .as_str()
            .is_some_and(|audio| audio.starts_with("ERER")),
        "{next}"
    );
}

#[tokio::test]
async fn who_subscribes_again_after_redis_was_away_hears_again_and_the_record_says_so() {
    let mut redis = Redis::start().await;
    let record = Record::new();
    let audit = record.audit();
    let relay = publishing(&redis, &["--audit", &audit.display().to_string()]).await;
    let (call, mut stream) = api::live_call(&relay).await;
    let names = channels(call.sid());
    let mut rails = Subscribed::to(redis.addr(), &names).await;
    rails.next("the start").await;
    redis.kill().await;
    // Nobody is there to take it.
    stream.play(&[0x55; 1_600], &[0x66; 1_600], Duration::ZERO).await;
    redis.restart_empty().await;
    let mut rails = Subscribed::to(redis.addr(), &names).await;
    let (_, start) = rails.next("the start, told once more").await;
    assert!(start.contains(r#""event":"start""#), "{start}");
    stream.play(&[0x11; 160], &[0x22; 160], Duration::ZERO).await;
    let next = rails.next_of("call_audio_").await;
    assert!(
        next["payload"]
            .as_str()
            .is_some_and(|audio| audio.starts_with("ERER")),
        "what nobody took is not told later: {next}"
    );
    let whys: Vec<Value> = published(&audit)
        .into_iter()
        .map(|mut line| line["reason"].take())
        .collect();
    assert_eq!(
        whys,
        [Value::Null, "the link to Redis is down".into(), Value::Null]
    );
}
