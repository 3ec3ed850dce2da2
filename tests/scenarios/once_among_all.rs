//! What may happen once happens once among all relays: webhooks, passes, tickets. While Redis is silent each relay decides
//! by itself, and tells afterwards.

use ::http::Method;
use harness::relays::{Relays, stream_of};
use harness::signed::TOKEN;
use harness::twilio::pass;
use harness::wait::{SOON, until};
use harness::{Listener, TwilioCall, http};
use partyline_shared::protocol::client::Subscribe;
use partyline_shared::protocol::server::{RelaysState, ServerMessage};
use partyline_shared::track::Track;
use serde_json::json;

/// Where relays say what came of a webhook.
const SEEN: &str = "partyline:v1:seen:*";

/// Waits until Redis knows what came of so many webhooks.
async fn told(relays: &Relays, count: usize) {
    until(SOON, "Redis to be told of webhooks", async || {
        let mut told = 0;
        for key in relays.redis.keys(SEEN).await {
            told += usize::from(relays.redis.ask(&["GET", &key]).await != json!("?"));
        }
        (told == count).then_some(())
    })
    .await;
}

/// All that stands in Redis under these keys, as text.
async fn standing(relays: &Relays, pattern: &str) -> String {
    let mut all = String::new();
    for key in relays.redis.keys(pattern).await {
        let kind = relays.redis.ask(&["TYPE", &key]).await;
        let ask: &[&str] = match kind.as_str().expect("a kind") {
            "hash" => &["HGETALL", &key],
            "zset" => &["ZRANGE", &key, "0", "-1"],
            "stream" => &["XRANGE", &key, "-", "+"],
            _ => &["GET", &key],
        };
        let value = relays.redis.ask(ask).await;
        all.push_str(&format!("{key} {value}\n"));
    }
    all
}

/// What a player is answered that shows this ticket; it then goes.
async fn plays(relays: &Relays, nth: usize, call: &TwilioCall, ticket: &str) -> u16 {
    let path = format!("/api/v1/calls/{}/audio.wav?ticket={ticket}", call.sid());
    http::send(relays.addr(nth), Method::HEAD, &path, &[], "")
        .await
        .status
        .as_u16()
}

async fn ticket(relays: &Relays, nth: usize) -> String {
    let answer = relays.ask(nth, Method::POST, "/api/v1/tickets").await.expect(200);
    answer.json()["ticket"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn webhooks_passes_and_tickets_are_used_once_among_two_relays() {
    let relays = Relays::start(2, &[]).await;
    let mut call = relays.call(0);
    let form = call.voice_form("ringing", &[]);
    let first = call.post("/twilio/voice", &form).await.expect(200);
    told(&relays, 1).await;
    call.aim(relays.addr(1));
    let again = call.post("/twilio/voice", &form).await.expect(200);
    assert_eq!(again.text(), first.text(), "the same answer, so the same pass");

    let opened = pass(&first);
    let mut stream = stream_of(&call, &opened).await;
    // Nothing of what follows the start is lost while other relays are asked.
    for nth in 0..5 {
        stream.media(Track::Inbound, nth * 20, &[0x7f; 160]).await;
    }
    relays.at(1).is_live(call.sid(), relays.token()).await;
    let mut listener = relays.listen(1).await;
    listener
        .subscribe_with(Subscribe {
            call_sid: call.sid().clone(),
            audio: true,
            after: None,
            replay_ms: 5_000,
            save: false,
            saved: None,
        })
        .await;
    let all = |heard: &Listener| heard.heard(call.sid()).frames.inbound.len() == 5;
    listener.until_so("what came with the start", all).await;
    assert_eq!(listener.heard(call.sid()).frames.inbound[0].chunk(), 1);

    call.aim(relays.addr(0));
    let mut late = stream_of(&call, &opened).await;
    assert_eq!(
        late.closed().await,
        Some(1008),
        "its pass was shown at the other relay"
    );

    let (one, other) = (ticket(&relays, 0).await, ticket(&relays, 0).await);
    let all = standing(&relays, "partyline:v1:*").await;
    for secret in [opened.as_str(), &one, &other, relays.token(), TOKEN] {
        assert!(!all.contains(secret), "{all}");
    }
    assert!(all.contains(":ticket:") && all.contains(":seen:"), "{all}");
    assert_eq!(plays(&relays, 1, &call, &one).await, 200);
    for nth in [1, 0] {
        assert_eq!(
            plays(&relays, nth, &call, &one).await,
            401,
            "used up, at relay {nth}"
        );
    }
    assert_eq!(plays(&relays, 0, &call, &other).await, 200);
    assert_eq!(
        plays(&relays, 1, &call, &other).await,
        401,
        "used where it was made"
    );
}

#[tokio::test]
async fn while_redis_is_silent_a_relay_decides_by_itself_and_tells_it_afterwards() {
    let relays = Relays::start(2, &[]).await;
    let mut listener = relays.listen(0).await;
    let state = |wanted: fn(RelaysState) -> bool| move |message: &ServerMessage| matches!(message, ServerMessage::Relays(said) if wanted(said.state));
    relays.link(0).hold();
    let mut call = relays.call(0);
    let form = call.voice_form("ringing", &[]);
    let first = call.post("/twilio/voice", &form).await.expect(200);
    let opened = pass(&first);
    let again = call.post("/twilio/voice", &form).await.expect(200);
    assert_eq!(again.text(), first.text());
    let _stream = stream_of(&call, &opened).await;
    relays.at(0).is_live(call.sid(), relays.token()).await;
    let cut_off = state(|state| state == RelaysState::CutOff);
    listener.until("that the relay is cut off", cut_off).await;

    relays.link(0).go_on();
    let back = state(|state| state != RelaysState::CutOff);
    listener.until("that it is no more", back).await;
    told(&relays, 1).await;
    until(SOON, "Redis to be told of the pass", async || {
        let passes = relays.redis.keys("partyline:v1:pass:*").await;
        (!passes.is_empty()).then_some(())
    })
    .await;
    call.aim(relays.addr(1));
    let there = call.post("/twilio/voice", &form).await.expect(200);
    assert_eq!(there.text(), first.text(), "the other relay knows by now");
    let mut late = stream_of(&call, &opened).await;
    assert_eq!(late.closed().await, Some(1008));
}
