//! A browser that does not read loses its own oldest audio, and neither its lines nor its pings; nobody else notices.

use std::time::Duration;

use harness::cable::{Cable, OFFERED, media_of};
use harness::{Relay, api};
use serde_json::{Value, json};

use super::say_all;

/// A kernel's buffer that is soon full, bytes.
const NARROW: u32 = 4 << 10;
/// Frames of each track: three times what a narrow socket and its mailbox hold.
const FRAMES: usize = 600;
/// Finals said while somebody does not read.
const LINES: usize = 20;

/// Reads on to the last line that is said and the last frame, of which the line may come first.
async fn to_the_last(cable: &mut Cable) -> (Vec<Value>, bool) {
    let (mut came, mut pinged, mut awaited) = (Vec::new(), false, 2);
    loop {
        let next = cable.any("the last line").await;
        assert!(next.is_object(), "it was ended: {next}");
        pinged |= next["type"] == "ping";
        let message = next["message"].clone();
        let last_frame = message["track"] == "outbound" && message["chunk"] == json!(FRAMES.to_string());
        awaited -= usize::from(message["text"] == "the last") + usize::from(last_frame);
        if message.is_object() {
            came.push(message);
        }
        if awaited == 0 {
            return (came, pinged);
        }
    }
}

fn chunks(came: &[Value], track: &str) -> Vec<usize> {
    let media = came.iter().filter(|message| message["track"] == track);
    let chunk = |message: &Value| message["chunk"].as_str().map(|chunk| chunk.parse().unwrap());
    media.filter_map(chunk).collect()
}

fn finals(came: &[Value]) -> Vec<String> {
    let texts = came.iter().filter_map(|message| message["text"].as_str());
    texts.map(str::to_owned).collect()
}

#[tokio::test]
async fn who_does_not_read_loses_audio_alone_and_comes_to_the_live_edge() {
    let relay = Relay::start(&[]).await;
    let (mut call, mut stream) = api::live_call(&relay).await;
    let id = media_of(call.sid());
    let opened = Cable::open(relay.addr(), "/cable", OFFERED, &[], Some(NARROW)).await;
    let mut slow = opened.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(slow.next("welcome").await, json!({ "type": "welcome" }));
    slow.subscribe(&id).await;
    let mut swift = Cable::welcome(relay.addr(), "", &[]).await;
    swift.subscribe(&id).await;
    let lines: Vec<String> = (0..LINES).map(|n| format!("line {n}")).collect();
    let reads = tokio::spawn(async move { to_the_last(&mut swift).await });
    let silence = vec![0xff; FRAMES * 160];
    // Three times real time: four seconds, much less than the ten after which a blocked write ends it.
    let pace = Duration::from_micros(6_800);
    tokio::join!(stream.play(&silence, &silence, pace), say_all(&mut call, &lines));
    say_all(&mut call, &["the last".to_owned()]).await;
    let (heard, _) = reads.await.unwrap();
    let all: Vec<usize> = (1..=FRAMES).collect();
    for track in ["inbound", "outbound"] {
        assert_eq!(chunks(&heard, track), all, "the other misses nothing");
    }

    let (came, pinged) = to_the_last(&mut slow).await;
    assert!(pinged, "pings are not lost behind audio");
    let said: Vec<String> = lines.iter().cloned().chain(["the last".to_owned()]).collect();
    assert_eq!(finals(&came), said);
    assert_eq!(finals(&heard), said);
    let got = chunks(&came, "inbound");
    assert!(
        got.is_sorted_by(|a, b| a < b) && got.len() < FRAMES,
        "{} came",
        got.len()
    );
    stream.hang_up().await;
}
