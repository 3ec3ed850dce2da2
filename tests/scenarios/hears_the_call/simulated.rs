//! The whole way: `partyline-relay simulate` plays two recordings in real time, and five supervisors write
//! them, each in its own form.

use std::path::{Path, PathBuf};

use harness::wait::SOON;
use harness::{Program, Relay, Scratch, api, binaries, simulate, speech};
use partyline_shared::audio::g711;
use partyline_shared::call::CallStatus;
use partyline_shared::id::CallSid;
use serde_json::json;

use super::{assert_is_after_silence, channels, listen, padded, whole_file};

/// What each of the two says, a second and a half to two of it, not in whole frames.
const PIECES: [(&str, &str); 2] = [("1.1", "16077s"), ("0.9", "12345s")];

/// One of the pieces as 16-bit PCM, or as µ-law made by `sox`; and the µ-law bytes that are to be heard.
fn recording(n: usize, scratch: &Scratch, mulaw: bool) -> (PathBuf, Vec<u8>) {
    let (start, length) = PIECES[n];
    let from = speech::file(speech::SHORT[n]);
    let path = scratch.file(&format!("said-{n}.wav"));
    let (from, into) = (from.to_string_lossy(), path.to_string_lossy());
    let mut args = vec![from.as_ref()];
    args.extend(if mulaw {
        ["-e", "mu-law", "-b", "8"]
    } else {
        ["-e", "signed", "-b", "16"]
    });
    args.extend([into.as_ref(), "trim", start, length]);
    speech::sox(&args, &[]);
    let bytes = if mulaw {
        speech::sox(&[into.as_ref(), "-t", "ul", "-"], &[])
    } else {
        let raw = speech::sox(&[into.as_ref(), "-t", "s16", "-L", "-"], &[]);
        let samples = raw
            .as_chunks()
            .0
            .iter()
            .map(|&pair| g711::encode(i16::from_le_bytes(pair)));
        samples.collect()
    };
    assert_eq!(bytes.len().to_string() + "s", length);
    (path, bytes)
}

/// `partyline listen SID --output - | sox -t wav - FILE`, as people write it.
fn piped_into_sox(relay: &Relay, sid: &str, into: &Path) -> Program {
    let script = r#""$0" --relay "$1" listen "$2" --wait --output - | sox -V1 -D -t wav - "$3""#;
    let partyline = binaries::path(binaries::LISTENER);
    let (partyline, into) = (partyline.to_string_lossy(), into.to_string_lossy());
    let args = ["-c", script, partyline.as_ref(), &relay.url(), sid, into.as_ref()];
    Program::start(Path::new("/bin/sh"), args, &[])
}

async fn both_sides_are_heard(mulaw: bool, chunks: &str) {
    let scratch = Scratch::new();
    let ((agent, inbound), (customer, outbound)) =
        (recording(0, &scratch, mulaw), recording(1, &scratch, mulaw));
    let relay = Relay::start(&[]).await;
    let (agent, customer) = (agent.to_string_lossy(), customer.to_string_lossy());
    let twilio = simulate::start(
        &relay,
        &[
            "--agent",
            &agent,
            "--customer",
            &customer,
            "--chunks",
            chunks,
            "--check",
        ],
    );
    let started = twilio
        .line(SOON, "a call that started", |line| line.ends_with(" started"))
        .await;
    let sid = started.trim_end_matches(" started");
    let file = |name: &str| scratch.file(name);
    let both = listen(&relay, sid, &file("both.wav"), &["--wait", "--stats", "--json"]);
    let one = listen(&relay, sid, &file("one.wav"), &["--wait", "--track", "outbound"]);
    let raw = ["inbound", "outbound"].map(|track| {
        let args = ["--wait", "--format", "raw", "--track", track];
        listen(&relay, sid, &file(track), &args)
    });
    let piped = piped_into_sox(&relay, sid, &file("piped.wav"));

    twilio.finish(SOON).await.expect_code(0);
    let told = both.finish(SOON).await.expect_code(0).json_lines();
    one.finish(SOON).await.expect_code(0);
    piped.finish(SOON).await.expect_code(0);
    for listener in raw {
        listener.finish(SOON).await.expect_code(0);
    }

    let sent = [&inbound, &outbound].map(|bytes| speech::decoded(&padded(bytes)));
    for wav in [
        whole_file(&file("both.wav")),
        std::fs::read(file("piped.wav")).unwrap(),
    ] {
        let leads: Vec<usize> = channels(&wav)
            .iter()
            .zip(&sent)
            .map(|(channel, sent)| assert_is_after_silence(channel, sent))
            .collect();
        // The earlier track begins the file; the other follows by the difference of their timestamps.
        assert_eq!(leads.iter().min(), Some(&0), "{leads:?}");
        assert!(leads.iter().all(|lead| lead.is_multiple_of(8)), "{leads:?}");
    }
    let one = speech::channel(&whole_file(&file("one.wav")), 1);
    assert_eq!(assert_is_after_silence(&one, &sent[1]), 0);
    for (track, sent) in [("inbound", &inbound), ("outbound", &outbound)] {
        let heard = std::fs::read(file(track)).unwrap();
        let said = padded(sent);
        assert!(heard.starts_with(&said), "{track}: the bytes differ");
        // The shorter voice is quiet, as Twilio is quiet, until the longer one is done.
        assert_eq!(heard.len(), padded(&inbound).len(), "{track}");
        assert!(
            heard[said.len()..].iter().all(|byte| byte | 0x80 == 0xff),
            "{track}"
        );
    }
    let stats = told.last().expect("--stats says something");
    let frames = 2 * padded(&inbound).len() / 160;
    assert_eq!(
        (&stats["frames"], &stats["missing"], &stats["late"]),
        (&json!(frames), &json!({}), &json!(0)),
        "{stats}"
    );
    let sid = CallSid::parse(sid).expect("a line begins with a SID");
    let call = api::call(relay.addr(), &sid).await;
    assert_eq!((call.lost_chunks, call.status), (0, CallStatus::Completed));
    relay.stop().await.expect_code(0);
}

/// Sixteen bits are encoded by us, sample for sample.
#[tokio::test]
async fn sixteen_bits_and_a_count_per_track() {
    both_sides_are_heard(false, "per-track").await;
}

/// µ-law made by `sox` goes through untouched.
#[tokio::test]
async fn mulaw_and_one_count_over_both_tracks() {
    both_sides_are_heard(true, "global").await;
}
