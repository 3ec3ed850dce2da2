//! Calls over TLS: nothing of them is lost, and who falls behind is told as anybody else.

use std::time::Duration;

use harness::listener::Heard;
use harness::signed::{ORIGIN, TOKEN};
use harness::twilio::ACCOUNT;
use harness::wait::{SOON, within};
use harness::{Guarded, Listener, Program, Tunnel, TwilioCall, Witness, api, binaries, speech};
use partyline_shared::event::EventKind;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::Track;

use super::Home;

/// A kernel's buffer that is soon full, bytes.
const NARROW: u32 = 4 << 10;
/// Listeners that hear nothing.
const IDLE: usize = 100;
/// What each may take of the relay's memory, kB: an idle one without TLS takes 7.
const EACH_KB: u64 = 50;

/// Twilio's part, signed, and a listener with a token, both over TLS, and both by the machine's own trust.
#[tokio::test]
async fn a_signed_call_is_heard_sample_for_sample() {
    let home = Home::new();
    let flags = home.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let relay = Guarded::new();
    let token = relay.token("root", &["--role", "admin"]).await;
    let token = relay.token_file(&token);
    let relay = relay.start(&flags).await;
    assert!(relay.url().starts_with("https://127.0.0.1:"), "{}", relay.url());
    let trust = home.authority.file(&home.folder);

    let said = [
        speech::piece(speech::LONG[0], 300, 1700),
        speech::piece(speech::LONG[1], 300, 1700),
    ];
    let voices = [0, 1].map(|n| {
        let path = home.folder.file(&format!("voice-{n}.wav")).display().to_string();
        let from = ["-t", "ul", "-r", "8000", "-c", "1", "-"];
        let into = ["-t", "wav", "-e", "mu-law", &path];
        speech::sox(&[&from[..], &into[..]].concat(), &said[n]);
        path
    });
    let url = relay.url();
    let mut args = vec!["simulate", "--check", "--relay", &url, "--public-url", ORIGIN];
    args.extend([
        "--token-file",
        &token,
        "--agent",
        &voices[0],
        "--customer",
        &voices[1],
    ]);
    let env = [
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_ACCOUNT_SID", ACCOUNT),
        ("SSL_CERT_FILE", &trust),
    ];
    let twilio = Program::start(&binaries::path(binaries::RELAY), args, &env);
    let started = twilio
        .line(SOON, "a call that started", |line| line.ends_with(" started"))
        .await;
    let sid = started.trim_end_matches(" started");
    let listeners = ["inbound", "outbound"].map(|track| {
        let path = home.folder.file(track).display().to_string();
        let mut args = vec!["--relay", &url, "--token-file", &token, "listen", sid, "--wait"];
        args.extend(["--format", "raw", "--track", track, "--output", &path]);
        let env = [("SSL_CERT_FILE", trust.as_str())];
        Program::start(&binaries::path(binaries::LISTENER), args, &env)
    });
    twilio.finish(SOON).await.expect_code(0);
    for (listener, (track, said)) in listeners
        .into_iter()
        .zip(["inbound", "outbound"].into_iter().zip(&said))
    {
        listener.finish(SOON).await.expect_code(0);
        let heard = std::fs::read(home.folder.file(track)).unwrap();
        assert!(heard == *said, "{track}: {} bytes of {}", heard.len(), said.len());
    }
}

/// A listener that does not read, so that what is sealed finds no room in the middle of a record: what was lost is
/// named, what was not is heard, and nobody else misses anything.
#[tokio::test]
async fn who_does_not_read_is_told_what_it_missed() {
    let home = Home::new();
    let relay = home.relay().await;
    let tunnel = home.tunnel(&relay).await;
    let narrow = Tunnel::narrow(relay.addr(), &home.authority, NARROW).await;
    let witness = Witness::begin_at(tunnel.addr(), 8000).await;
    let sid = witness.sid().clone();
    let opened = Listener::open(narrow.addr(), Some(NARROW)).await;
    let mut behind = opened.expect("/listen");
    behind.subscribe(&sid).await;
    witness.was_not_disturbed().await;
    let over = |heard: &Heard| heard.event(EventKind::StreamStopped).is_some();
    behind
        .until_so("the end of the call", |l| over(l.heard(&sid)))
        .await;
    let heard = behind.heard(&sid);
    heard.assert_no_hole();
    assert!(!heard.gaps.is_empty(), "it fell behind");
    assert!(heard.gaps.iter().all(|gap| gap.reason == GapReason::SlowListener));
    relay.stop().await.expect_code(0);
}

/// Frames as fast as they can be said, in records of many: more than a turn of reading takes.
#[tokio::test]
async fn what_comes_all_at_once_is_read_whole() {
    let home = Home::new();
    let relay = home.relay().await;
    let tunnel = home.tunnel(&relay).await;
    let call = TwilioCall::at(tunnel.addr());
    let mut stream = call.live_stream().await;
    let said = [
        speech::piece(speech::LONG[0], 0, 20_000),
        speech::piece(speech::LONG[1], 0, 20_000),
    ];
    let playing = stream.play(&said[0], &said[1], Duration::ZERO);
    within(SOON, "the relay to take it all", playing).await;
    stream.hang_up().await;
    let ended = |call: &partyline_shared::call::Call| call.ended_at.is_some();
    let call = api::call_once(tunnel.addr(), call.sid(), "the end", ended).await;
    assert_eq!((call.lost_chunks, call.tracks.len()), (0, Track::BOTH.len()));
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn an_idle_listener_holds_little() {
    let home = Home::new();
    let relay = home.relay().await;
    let tunnel = home.tunnel(&relay).await;
    // What is made once for all of them.
    let first = Listener::connect(tunnel.addr()).await;
    let before = relay.rss_kb();
    let mut idle = Vec::new();
    let come = async {
        for _ in 0..IDLE {
            idle.push(Listener::connect(tunnel.addr()).await);
        }
    };
    within(SOON, "all listeners", come).await;
    let each = (relay.rss_kb() - before) / IDLE as u64;
    println!("an idle listener over TLS: {each} kB");
    assert!(each <= EACH_KB, "{each} kB each");
    drop((first, idle));
    relay.stop().await.expect_code(0);
}
