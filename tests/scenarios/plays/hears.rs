//! Recorded people, by hand and by the simulator: `sox`, `ffmpeg` and a sound card have them sample for sample.

use std::time::Duration;

use harness::browser::Browser;
use harness::wait::SOON;
use harness::{Listener, Program, Relay, Scratch, TwilioCall, api, http, simulate, speech};
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;
use serde_json::json;

use super::*;

/// As people talk.
const REAL_TIME: Duration = Duration::from_millis(20);

/// A pipe into `sox`, as people write it.
fn piped_into_sox(url: &str, into: &Path) -> Program {
    let script = r#"curl --silent --show-error --fail "$0" | sox -V1 -D -t wav - "$1""#;
    let into = into.to_string_lossy();
    Program::start(Path::new("/bin/sh"), ["-c", script, url, into.as_ref()], &[])
}

async fn heard_by(relay: &Relay, sid: &CallSid, listeners: u32) {
    let what = format!("{listeners} listeners");
    api::call_once(relay.addr(), sid, &what, |call| call.listeners == listeners).await;
}

/// A ticket, which stands in a URL where no header can be set.
async fn ticket(relay: &Relay) -> String {
    let answer = http::post_form(relay.addr(), "/api/v1/tickets", &Default::default()).await;
    answer.expect(200).json()["ticket"]
        .as_str()
        .expect("a ticket")
        .to_owned()
}

/// They wait before anybody speaks, hear each word of both, a track that begins late and a stream that takes over, and
/// the file ends with the call.
#[tokio::test]
async fn two_people_are_heard_by_sox_and_ffmpeg_at_once() {
    let (relay, scratch) = (Relay::start(&[]).await, Scratch::new());
    let call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    let sid = call.sid().clone();
    let url = format!("{}{}", relay.url(), path(&sid));
    let file = |name: &str| scratch.file(name);
    let both = piped_into_sox(&url, &file("both.wav"));
    let one = piped_into_sox(&format!("{url}?track=outbound"), &file("one.wav"));
    let old = curl(
        relay.addr(),
        &format!("{}?track=inbound", path(&sid)),
        &["--http1.0"],
    );
    let wav = file("ffmpeg.wav");
    let address = format!("{url}?ticket={}", ticket(&relay).await);
    let wav = wav.to_string_lossy();
    let ffmpeg = ["-nostdin", "-loglevel", "error", "-i", &address, "-y", &wav];
    let ffmpeg = Program::start(Path::new("ffmpeg"), ffmpeg, &[]);
    let mut witness = Listener::connect(relay.addr()).await;
    witness.subscribe(&sid).await;
    heard_by(&relay, &sid, 5).await;
    old.wrote(SOON, 44 + SECOND / 2).await;

    let mut stream = call.live_stream().await;
    let inbound = speech::piece("demo-instruct", 700, 2_000);
    let outbound = speech::piece("demo-congrats", 900, 1_600);
    let (first, rest) = inbound.split_at(160 * 20);
    stream.play(first, &[], REAL_TIME).await;
    stream.clock.outbound = stream.clock.inbound;
    stream.play(rest, &outbound[..160 * 40], REAL_TIME).await;
    // What a stream says is dropped once another has taken over.
    let all = |witness: &Listener| witness.heard(&sid).audio(Track::Inbound).len() == inbound.len();
    witness.until_so("all that was said first", all).await;
    let mut second = call.live_stream().await;
    second.play(&[], &outbound[160 * 40..], REAL_TIME).await;
    second.hang_up().await;
    drop(stream);

    for player in [both, one, ffmpeg] {
        player.finish(SOON).await.expect_code(0);
    }
    let old = old.finish(SOON).await.expect_code(0).stdout;
    assert!(old.starts_with(&header(1)));
    assert_says(&speech::channel(&old, 1), &inbound);
    let read = |name: &str| std::fs::read(file(name)).unwrap();
    assert_says(&speech::channel(&read("one.wav"), 1), &outbound);
    for name in ["both.wav", "ffmpeg.wav"] {
        let wav = read(name);
        assert_says(&speech::channel(&wav, 1), &inbound);
        assert_says(&speech::channel(&wav, 2), &outbound);
    }
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn who_comes_in_the_middle_of_a_simulated_call_hears_the_rest_of_it() {
    let scratch = Scratch::new();
    let said = scratch.file("said.wav");
    let from = speech::file("demo-congrats").to_string_lossy().into_owned();
    let into = said.to_string_lossy().into_owned();
    let mulaw = [&from, "-e", "mu-law", "-b", "8", &into, "trim", "0", "5"];
    speech::sox(&mulaw, &[]);
    let relay = Relay::start(&[]).await;
    let twilio = simulate::start(&relay, &["--agent", &into, "--customer", &into]);
    let started = twilio
        .line(SOON, "a call that started", |line| line.ends_with(" started"))
        .await;
    let sid = CallSid::parse(started.trim_end_matches(" started")).expect("a SID");
    let player = curl(relay.addr(), &path(&sid), &[]);
    twilio.finish(SOON).await.expect_code(0);
    let heard = player.finish(SOON).await.expect_code(0).stdout;
    let all = voice(&speech::decoded(&speech::sox(&[&into, "-t", "ul", "-"], &[])));
    for channel in [1, 2] {
        let heard = voice(&speech::channel(&heard, channel));
        assert!(heard.len() > 8000, "{} samples", heard.len());
        assert!(all.ends_with(&heard), "what is heard was not said like that");
    }
}

/// A page of another origin has it in an element, which can set no header.
#[tokio::test]
async fn an_audio_element_plays_it_by_a_ticket_until_the_call_ends() {
    let relay = Relay::start(&[]).await;
    let (call, mut stream) = api::live_call(&relay).await;
    let url = format!(
        "{}{}?ticket={}",
        relay.url(),
        path(call.sid()),
        ticket(&relay).await
    );
    let browser = Browser::start("element", &json!({ "url": url }));
    browser.says("plays").await;
    heard_by(&relay, call.sid(), 1).await;
    stream
        .play(&speech::piece("demo-instruct", 700, 1_000), &[], REAL_TIME)
        .await;
    stream.hang_up().await;
    let end = browser.says("ended").await;
    let seconds = end["seconds"].as_f64();
    assert!(seconds > Some(2.0), "what came before, and what was said: {end}");
    browser.ended().await;
}

/// `ffmpeg` plays it, as any program would, into the card that the tests have.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_player_plays_it_to_a_sound_card() {
    use harness::Card;
    let card = Card::start(8000, 0.0);
    let relay = Relay::start(&[]).await;
    let (call, mut stream) = api::live_call(&relay).await;
    let url = format!("{}{}?track=inbound", relay.url(), path(call.sid()));
    let args = [
        "-nostdin",
        "-loglevel",
        "error",
        "-i",
        &url,
        "-f",
        "alsa",
        "default",
    ];
    let player = Program::start(Path::new("ffmpeg"), args, &[card.env()]);
    heard_by(&relay, call.sid(), 1).await;
    let said = speech::piece("demo-instruct", 700, 2_000);
    stream.play(&said, &[], REAL_TIME).await;
    stream.hang_up().await;
    player.finish(SOON).await.expect_code(0);
    let played = card.stop().frames;
    let left: Vec<i16> = played.iter().map(|frame| frame[0]).collect();
    assert_says(&left, &said);
}
