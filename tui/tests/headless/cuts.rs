//! 50 cuts over real sockets: every line once and in order, every chunk heard or reported.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::Track;

use super::program::{Temp, end, start};
use super::standin::{Peer, StandIn, call, line};

const CUTS: usize = 50;

/// What the relay has said so far, whoever heard it.
#[derive(Default)]
struct Call {
    lines: u64,
    chunks: u32,
}

fn audio(chunk: u32) -> AudioFrame {
    // Never 0xff, and another byte for each neighbour.
    AudioFrame::new(Track::Inbound, 7, chunk, chunk * 20, &[(chunk % 200) as u8; 160])
}

impl Call {
    /// Answers a subscribe: what is remembered, then `more` of what happens now.
    async fn serve(&mut self, peer: &mut Peer, more: u32) {
        peer.greet(&call("CA1", false)).await;
        let asked = peer.subscribe().await;
        let after = asked.after.unwrap_or_default();
        let resumed = after.journal.is_some();
        peer.say(format!(
            r#"{{"type":"subscribed","call_sid":"CA1","audio_id":7,"journal":"j","resumed":{resumed},"zero_at":null}}"#
        ))
        .await;
        for seq in after.transcript + 1..=self.lines {
            peer.say(said(seq)).await;
        }
        if asked.audio {
            let frames = (asked.replay_ms / 20).min(150) as u32;
            for chunk in self.chunks.saturating_sub(frames) + 1..=self.chunks {
                peer.frame(&audio(chunk).replayed()).await;
            }
        }
        for step in 0..more {
            if step % 3 == 0 {
                self.lines += 1;
                peer.say(said(self.lines)).await;
            }
            if asked.audio {
                self.chunks += 1;
                peer.frame(&audio(self.chunks)).await;
            }
        }
    }
}

fn said(seq: u64) -> String {
    format!(
        r#"{{"type":"transcript","call_sid":"CA1","line":{}}}"#,
        line(seq, &format!("line {seq}"), true)
    )
}

/// Serves `CUTS` sockets and resets each: what the client has not read by then is lost.
async fn cut_often(standin: &mut StandIn) -> Call {
    let mut call = Call::default();
    for round in 0..CUTS {
        let mut peer = standin.peer().await;
        call.serve(&mut peer, (round as u32 * 7) % 40).await;
        if round % 3 == 0 {
            // It has read all of it, when it says so.
            peer.say(r#"{"type":"ping","id":1}"#).await;
            peer.hear().await;
        }
        peer.0.get_ref().set_zero_linger().unwrap();
    }
    let mut peer = standin.peer().await;
    call.serve(&mut peer, 30).await;
    peer.end_call().await;
    call
}

#[tokio::test]
async fn every_line_comes_once_and_in_order() {
    let mut standin = StandIn::start().await;
    let child = start(&standin.url, &["transcript", "CA1", "--follow"]);
    let call = cut_often(&mut standin).await;
    let ended = end(child).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let expected: Vec<String> = (1..=call.lines)
        .map(|seq| format!("09:00:05  customer  line {seq}"))
        .collect();
    assert_eq!(ended.lines(), expected);
    assert!(
        ended.stderr.matches("connected again").count() >= CUTS,
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn every_chunk_is_in_the_file_or_reported() {
    let mut standin = StandIn::start().await;
    let path = Temp::new("cuts.raw");
    let args = [
        "listen",
        "CA1",
        "--output",
        path.text(),
        "--format",
        "raw",
        "--track",
        "inbound",
        "--stats",
        "--json",
    ];
    let child = start(&standin.url, &args);
    let call = cut_often(&mut standin).await;
    let ended = end(child).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let stats: serde_json::Value = serde_json::from_str(ended.lines().last().unwrap()).unwrap();
    let file = std::fs::read(&*path).unwrap();
    // The first chunks may have been lost before the client heard of the stream at all.
    let first = call.chunks - file.len() as u32 / 160;
    let mut silent = 0;
    for (at, chunk) in file.chunks(160).enumerate() {
        let number = first + at as u32 + 1;
        if chunk == [0xff; 160] {
            silent += 1;
        } else {
            assert_eq!(chunk, audio(number).mulaw(), "chunk {number}");
        }
    }
    let missing: u64 = stats["missing"]
        .as_object()
        .unwrap()
        .values()
        .map(|n| n.as_u64().unwrap())
        .sum();
    assert_eq!(
        (missing, stats["late"].as_u64()),
        (silent, Some(0)),
        "{}",
        ended.stderr
    );
    assert!(stats["reconnects"].as_u64() >= Some(CUTS as u64), "{stats}");
    assert!(
        u64::from(call.chunks) > 800 && silent * 10 < u64::from(call.chunks),
        "{silent} of {} lost",
        call.chunks
    );
}
