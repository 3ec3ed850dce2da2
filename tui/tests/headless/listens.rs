//! listen --output: the file, the pipe, and every way it ends.

use std::io::Read;

use partyline_shared::audio::wav::{HEADER, UNKNOWN_SIZE, header};
use partyline_shared::audio::{frame::AudioFrame, g711};
use partyline_shared::track::Track::{Inbound, Outbound};

use super::program::{DEADLINE, Temp, end, signal, start};
use super::standin::{StandIn, call, frame};

/// Both tracks: inbound 1, 2, 4 (3 is a gap) from 20 ms on, outbound 1 from 60 ms on, short.
fn frames() -> [AudioFrame; 4] {
    let short = AudioFrame::new(Outbound, 7, 1, 60, &[0x30; 100]);
    [
        frame(Inbound, 1, 0x11),
        frame(Inbound, 2, 0x12),
        short,
        frame(Inbound, 4, 0x14),
    ]
}

/// What they are as stereo samples.
fn samples() -> Vec<u8> {
    let mut left = [[0x11u8; 160], [0x12; 160], [0xff; 160], [0x14; 160]].concat();
    let mut right = [[0xffu8; 160], [0xff; 160], [0x30; 160], [0xff; 160]].concat();
    right[420..480].fill(0xff);
    let pairs = left.drain(..).zip(right.drain(..));
    pairs
        .flat_map(|(l, r)| [g711::decode(l).to_le_bytes(), g711::decode(r).to_le_bytes()].concat())
        .collect()
}

const GAP: &str =
    r#"{"type":"gap","call_sid":"CA1","track":"inbound","from_chunk":3,"to_chunk":3,"reason":"upstream"}"#;

#[tokio::test]
async fn a_file_is_what_was_sent_with_holes_as_silence() {
    let mut standin = StandIn::start().await;
    let path = Temp::new("a.wav");
    let child = start(
        &standin.url,
        &[
            "listen",
            "CA1",
            "--output",
            path.text(),
            "--replay",
            "10s",
            "--stats",
            "--json",
        ],
    );
    let mut peer = standin.peer().await;
    peer.greet(&call("CA1", false)).await;
    let asked = peer.subscribe().await;
    assert_eq!((asked.audio, asked.save, asked.replay_ms), (true, true, 10_000));
    peer.subscribed(7).await;
    for one in &frames()[..3] {
        peer.frame(one).await;
    }
    peer.say(GAP).await;
    peer.frame(&frames()[3]).await;
    peer.end_call().await;
    let ended = end(child).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let file = std::fs::read(&*path).unwrap();
    assert_eq!(file[..HEADER], header(2, 4 * 160 * 4));
    assert!(file[HEADER..] == samples());
    assert_eq!(ended.stderr, "partyline: 1 frame missing on inbound (upstream)\n");
    let stats: serde_json::Value = serde_json::from_str(ended.lines().last().unwrap()).unwrap();
    assert_eq!(
        stats,
        serde_json::json!({"type":"stats","frames":4,"missing":{"upstream":1},"late":0,"bytes":2560,"reconnects":0})
    );
}

#[tokio::test]
async fn a_pipe_has_the_same_and_says_until_the_end() {
    let mut standin = StandIn::start().await;
    let child = start(
        &standin.url,
        &["listen", "CA1", "--output", "-", "--wait", "--stats"],
    );
    let mut peer = standin.peer().await;
    peer.greet("").await;
    peer.say(format!(r#"{{"type":"call","call":{}}}"#, call("CA1", false)))
        .await;
    assert!(
        peer.subscribe().await.replay_ms > 3_600_000,
        "from the first frame that is remembered"
    );
    peer.subscribed(7).await;
    for one in &frames() {
        peer.frame(one).await;
    }
    peer.end_call().await;
    let ended = end(child).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stdout[..HEADER], header(2, UNKNOWN_SIZE));
    assert!(ended.stdout[HEADER..] == samples());
    assert!(
        ended
            .stderr
            .contains("4 frames, 1 missing (1 untold), 0 late, 2560 bytes, 0 reconnects"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn raw_is_the_bytes_of_one_track() {
    let mut standin = StandIn::start().await;
    let child = start(
        &standin.url,
        &[
            "listen", "CA1", "--output", "-", "--format", "raw", "--track", "inbound",
        ],
    );
    let mut peer = standin.peer().await;
    peer.greet(&call("CA1", false)).await;
    peer.subscribe().await;
    peer.subscribed(7).await;
    for one in &frames() {
        peer.frame(one).await;
    }
    peer.end_call().await;
    assert!(end(child).await.stdout == [[0x11u8; 160], [0x12; 160], [0xff; 160], [0x14; 160]].concat());
}

#[tokio::test]
async fn ctrl_c_finishes_the_file() {
    for name in ["INT", "TERM"] {
        let mut standin = StandIn::start().await;
        let child = start(
            &standin.url,
            &["listen", "CA1", "--output", "-", "--track", "inbound"],
        );
        let path = Temp::new("c.wav");
        let filed = start(&standin.url, &["listen", "CA1", "--output", path.text()]);
        let mut children = vec![child, filed];
        for _ in 0..2 {
            let mut peer = standin.peer().await;
            peer.greet(&call("CA1", false)).await;
            peer.subscribe().await;
            peer.subscribed(7).await;
            for chunk in 1..=10 {
                peer.frame(&frame(Inbound, chunk, 9)).await;
            }
            tokio::spawn(async move {
                while let Ok(Some(_)) =
                    tokio::time::timeout(DEADLINE, futures_util::StreamExt::next(&mut peer.0)).await
                {
                }
            });
        }
        // All ten have arrived when they come out of the pipe.
        let mut stdout = children[0].stdout.take().unwrap();
        let read = tokio::task::spawn_blocking(move || stdout.read_exact(&mut vec![0; HEADER + 10 * 320]));
        tokio::time::timeout(DEADLINE, read)
            .await
            .expect("ten frames")
            .unwrap()
            .unwrap();
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while std::fs::metadata(&*path).map_or(0, |meta| meta.len()) < HEADER as u64 {
            assert!(tokio::time::Instant::now() < deadline, "the file");
            tokio::task::yield_now().await;
        }
        for child in children.drain(..) {
            signal(child.id(), name);
            assert_eq!(end(child).await.code, Some(0));
        }
        let file = std::fs::read(&*path).unwrap();
        assert_eq!(file[..HEADER], header(2, (file.len() - HEADER) as u32));
    }
}

#[tokio::test]
async fn a_killed_recorder_leaves_a_file_that_can_be_read() {
    let mut standin = StandIn::start().await;
    let path = Temp::new("k.wav");
    let mut child = start(
        &standin.url,
        &["listen", "CA1", "--output", path.text(), "--track", "inbound"],
    );
    let mut peer = standin.peer().await;
    peer.greet(&call("CA1", false)).await;
    peer.subscribe().await;
    peer.subscribed(7).await;
    let deadline = tokio::time::Instant::now() + DEADLINE;
    let mut chunk = 0;
    // Until a header that names a size has been written over the first one.
    let file = loop {
        chunk += 1;
        peer.frame(&frame(Inbound, chunk, 9)).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let file = std::fs::read(&*path).unwrap_or_default();
        if file.len() > HEADER && file[40..HEADER] != [0xff; 4] {
            break file;
        }
        assert!(tokio::time::Instant::now() < deadline, "a header with a size");
    };
    signal(child.id(), "KILL");
    child.wait().unwrap();
    let size = u32::from_le_bytes(file[40..HEADER].try_into().unwrap()) as usize;
    assert!(size > 0 && size <= file.len() - HEADER && size.is_multiple_of(320));
}

#[tokio::test]
async fn a_reader_that_stops_holds_nobody_for_long() {
    let mut standin = StandIn::start().await;
    let mut child = start(
        &standin.url,
        &["listen", "CA1", "--output", "-", "--track", "inbound"],
    );
    let stdout = child.stdout.take();
    let mut peer = standin.peer().await;
    peer.greet(&call("CA1", false)).await;
    peer.subscribe().await;
    peer.subscribed(7).await;
    // The pipe, the pieces, the signals and the sockets fill, and then the relay is what has to wait: that
    // it does is seen by a frame that it cannot send.
    let mut chunk = 0;
    let stuck = async {
        loop {
            chunk += 1;
            let one = frame(Inbound, chunk, 9);
            if tokio::time::timeout(std::time::Duration::from_secs(2), peer.frame(&one))
                .await
                .is_err()
            {
                break;
            }
        }
    };
    tokio::time::timeout(DEADLINE, stuck)
        .await
        .expect("a socket that is full");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    if let Ok(status) = status {
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(kib < 100 << 10, "{line}");
    }
    signal(child.id(), "INT");
    let ended = end(child).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("does not read"), "{}", ended.stderr);
    drop(stdout);
}
