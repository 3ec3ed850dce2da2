//! A browser with the page in it: who has keys only hears a call as it was said, who stands still harms nobody, and who
//! came over plain HTTP is told what is missing.

use std::f32::consts::SQRT_2;
use std::time::{Duration, UNIX_EPOCH};

use ::http::Method;
use harness::browser::{Browser, samples};
use harness::certificates::{Authority, Pair};
use harness::guarded::Guarded;
use harness::network::quiet_port;
use harness::program::Program;
use harness::signed::{ORIGIN, TOKEN};
use harness::twilio::ACCOUNT;
use harness::wait::{SOON, until};
use harness::{Relay, Scratch, Witness, api, binaries, http, signal, speech};
use serde_json::json;

/// Telephone speech out of a jitter buffer and a resampler differs from what `sox` makes of it by less, dB:
/// another voice, or a wrong pitch, by more than -10.
const ALIKE_DB: f64 = -20.0;
/// How far the page may be behind, s: buffers, and a machine that is busy with other stories.
const BEHIND_S: f64 = 2.0;
/// A pause in a debugger, ms: longer than what waits for a listener at the relay, and what the page may be behind.
const STALL_MS: usize = 4000;
/// What a browser needs around it, ms: to begin to listen, and to be heard afterwards.
const AROUND_MS: usize = 12_000;
/// What the envelopes of two signals are compared by, a part of a second.
const STEPS_A_SECOND: usize = 100;

/// Lines of a transcript that is long, and is there at once all the same.
const LINES: usize = 300;

/// Lets in pages over plain HTTP from the relay's own machine.
const LOCALHOST: &[&str] = &["--allowed-origin", r"/http:\/\/localhost:[0-9]+/"];

/// What the customer says meanwhile, in writing.
const SAYS: &str = "I would like to know how this works";

fn loudness(signal: &[f32]) -> f32 {
    (signal.iter().map(|x| x * x).sum::<f32>() / signal.len() as f32).sqrt()
}

/// At which second of `said` what was `heard` begins: where their loudness goes alike.
fn begins_at(said: &[f32], heard: &[f32], rate: u32) -> f64 {
    let envelope = |signal: &[f32]| -> Vec<f32> {
        let steps = signal.chunks_exact(rate as usize / STEPS_A_SECOND);
        steps.map(loudness).collect()
    };
    let (said, heard) = (envelope(said), envelope(heard));
    let alike = |window: &[f32]| {
        let both: f32 = window.iter().zip(&heard).map(|(a, b)| a * b).sum();
        both / window.iter().map(|a| a * a).sum::<f32>().sqrt().max(1e-6)
    };
    let all = said.windows(heard.len()).map(alike).enumerate();
    let best = all
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .expect("more was said than heard");
    best.0 as f64 / STEPS_A_SECOND as f64
}

#[tokio::test]
async fn by_keys_alone_a_call_is_heard_as_it_was_said() {
    let (relay, folder) = (Guarded::new(), Scratch::new());
    let authority = Authority::new();
    authority
        .certify(&["calls.example.com", "localhost", "127.0.0.1"])
        .put(&folder);
    let [cert, key] = Pair::paths(&folder).map(|path| path.display().to_string());
    let trusted = authority.file(&folder);
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let relay = relay.start(&["--tls-cert", &cert, "--tls-key", &key]).await;
    let browser = Browser::start(
        "hears",
        &json!({
            "url": ORIGIN,
            "hosts": format!("MAP calls.example.com:443 {}", relay.addr()),
            "token": alice,
            "mutes": "agent",
            "says": SAYS,
        }),
    );
    browser.says("ready").await;
    let script = folder.write(
        "script.toml",
        format!("[[lines]]\nat_ms = 300\nuntil_ms = 5000\nwho = \"customer\"\ntext = \"{SAYS}\"\n"),
    );
    let [customer, agent] =
        [speech::LONG[0], speech::LONG[1]].map(|name| speech::file(name).display().to_string());
    let port = relay.addr().port();
    let url = format!("https://localhost:{port}");
    let mut args = vec![
        "simulate",
        "--relay",
        &url,
        "--public-url",
        ORIGIN,
        "--customer-id",
        "777",
        "--duration",
        "10m",
        "--loop",
    ];
    let script = script.display().to_string();
    args.extend([
        "--to",
        "+12125550123",
        "--customer",
        &customer,
        "--agent",
        &agent,
        "--script",
        &script,
    ]);
    let env = [
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_ACCOUNT_SID", ACCOUNT),
        ("SSL_CERT_FILE", trusted.as_str()),
    ];
    let _call = Program::start(&binaries::path(binaries::RELAY), args, &env);

    let (heard, rate) = samples(&browser.says("heard").await);
    // Twice: it goes on from the beginning.
    let said = speech::mulaw(speech::LONG[0]).repeat(2);
    let (_, said) = signal::as_played(&said, rate);
    let heard = signal::low(&heard, rate);
    let at = (begins_at(&said, &heard, rate) * f64::from(rate)) as usize;
    let there = &said[at..said.len().min(at + heard.len())];
    // Each side is played to both ears, together as loud as it would be to one.
    let heard: Vec<f32> = heard.iter().map(|x| x * SQRT_2).collect();
    let found = signal::compare(there, &heard, rate);
    assert!(
        found.windows.len() > 10,
        "{} windows of speech",
        found.windows.len()
    );
    assert!(found.median_db() < ALIKE_DB, "{} dB differ", found.median_db());

    browser.says("done").await;
    let begun = relay
        .audit()
        .into_iter()
        .find(|line| line["event"] == "listen_begin");
    assert_eq!(begun.map(|line| line["who"].clone()), Some(json!("alice")));
    relay.forget("alice").await;
    browser.ended().await;
}

#[tokio::test]
async fn a_page_that_stands_still_harms_nobody_and_comes_back_to_what_is_live() {
    let at = quiet_port().to_string();
    let relay = Relay::start_on(&at, &[]).await;
    let browser = Browser::start("stalls", &json!({ "url": relay.url(), "stall": STALL_MS }));
    browser.says("ready").await;
    let millis = STALL_MS + AROUND_MS;
    let witness = Witness::begin(&relay, millis).await;
    let began = UNIX_EPOCH.elapsed().expect("a clock that is set");
    let heard = browser.says("heard").await;
    // By the page's clock: what it heard takes long to get here.
    let now = Duration::from_millis(heard["at"].as_u64().expect("when"));
    let now = (now - began).as_secs_f64();
    let (heard, rate) = samples(&heard);
    let said = speech::piece(speech::LONG[0], 500, millis);
    let (_, said) = signal::as_played(&said, rate);
    let heard = signal::low(&heard, rate);
    let length = heard.len() as f64 / f64::from(rate);
    let behind = now - (begins_at(&said, &heard, rate) + length);
    assert!(behind.abs() < BEHIND_S, "{behind} s behind what is live");
    witness.was_not_disturbed().await;

    browser.says("may go").await;
    relay.kill().await;
    browser.says("gone").await;
    let relay = Relay::start_on(&at, &[]).await;
    let (_call, _stream) = api::live_call(&relay).await;
    browser.ended().await;
}

#[tokio::test]
async fn who_may_hold_calls_back_does_it_from_the_page() {
    let relay = Guarded::new();
    let [of_777, user] = [["--customer", "777"], ["--role", "user"]];
    let alice = relay
        .token("alice", &[&of_777[..], &user, &["--allow", "pause"]].concat())
        .await;
    let bob = relay.token("bob", &[of_777, user].concat()).await;
    let worker = relay.token("worker", &["--role", "transcriber"]).await;
    // A page over plain HTTP is one of the relay's own machine, so that it has sound.
    let at = quiet_port();
    let relay = relay.start_at(at, LOCALHOST).await;
    let (call, _stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &alice).await;
    let path = format!("/api/v1/calls/{}/transcript", call.sid());
    let bearer = format!("Bearer {worker}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    for n in 0..LINES {
        let line = json!({ "track": "inbound", "text": format!("Line {n}"), "final": true }).to_string();
        http::send(relay.addr(), Method::POST, &path, &headers, line)
            .await
            .expect(201);
    }
    let wants = json!({
        "url": format!("http://localhost:{}", relay.addr().port()),
        "call": call.sid(),
        "lines": LINES,
        "may": alice,
        "mayNot": bob,
    });
    let browser = Browser::start("holds", &wants);
    browser.says("may go").await;
    let relay = relay.kill().await.start_at(at, LOCALHOST).await;
    browser.says("done").await;
    browser.ended().await;
    let holds = |line: &serde_json::Value| line["event"] == "pause" || line["event"] == "resume";
    let held: Vec<_> = relay.audit().into_iter().filter(holds).collect();
    let told = held
        .iter()
        .map(|line| (line["event"].clone(), line["who"].clone()));
    let expected = [("pause", "alice"), ("resume", "alice")].map(|(event, who)| (json!(event), json!(who)));
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn without_a_secure_page_there_is_no_sound_and_all_else() {
    let relay = Guarded::new();
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let relay = relay
        .start(&["--allowed-origin", r"/http:\/\/calls\.test:[0-9]+/"])
        .await;
    let (call, _stream) = relay.live_call("777").await;
    let (other, _other_stream) = relay.live_call("8").await;
    relay.is_live(call.sid(), &alice).await;
    let wants = json!({
        "url": format!("http://calls.test:{}", relay.addr().port()),
        "hosts": "MAP calls.test 127.0.0.1",
        "call": call.sid(),
        "token": alice,
        "others": [other.sid().as_str(), "CA00000000000000000000000000000000"],
    });
    let browser = Browser::start("plain", &wants);
    browser.says("done").await;
    browser.ended().await;
    // Nothing was heard, so nothing is on record as heard.
    until(SOON, "nobody to be connected", async || {
        let seen = relay
            .ask(Method::GET, "/api/v1/calls", &alice)
            .await
            .expect(200)
            .json();
        (seen["calls"][0]["listeners"] == 0).then_some(())
    })
    .await;
}
