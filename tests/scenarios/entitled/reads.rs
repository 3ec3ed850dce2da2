//! What a script is answered without a token, with a wrong one, and about calls that are not its business.

use super::*;
use harness::http;

#[tokio::test]
async fn a_call_that_is_not_granted_is_answered_as_one_that_does_not_exist() {
    let relay = Guarded::new();
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let source = relay.token("source", &["--role", "source"]).await;
    let relay = relay.start(&[]).await;
    let (call, _stream) = relay.live_call("778").await;
    let (hers, _other) = relay.live_call("777").await;
    relay.is_live(hers.sid(), &alice).await;
    let none = "CA00000000000000000000000000000000";
    for token in [&alice, &source] {
        for rest in ["", "/transcript", "/events", "/transcript?after=1", "/listeners"] {
            let of = async |sid: &str| {
                let path = format!("/api/v1/calls/{sid}{rest}");
                let answer = relay.ask(Method::GET, &path, token).await.expect(404);
                let mut headers = answer.headers.clone();
                headers.remove("date");
                (headers, answer.body)
            };
            assert_eq!(of(call.sid().as_str()).await, of(none).await, "{rest}");
        }
    }
    let listed = |answer: http::Answer| -> Vec<String> {
        let calls = answer.expect(200).json()["calls"].take();
        let sids = calls.as_array().unwrap().iter();
        sids.map(|call| call["call_sid"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = "/api/v1/calls?status=all";
    assert_eq!(
        listed(relay.ask(Method::GET, all, &alice).await),
        [hers.sid().as_str()]
    );
    assert!(listed(relay.ask(Method::GET, all, &source).await).is_empty());
    // By name she learns of who hears her own no more than that it is not hers to know.
    let path = format!("/api/v1/calls/{}/listeners", hers.sid());
    relay.ask(Method::GET, &path, &alice).await.expect(403);
    // On the socket the two look the same too.
    let mut listener = relay.listen(&alice).await;
    let mut answers = Vec::new();
    for sid in [call.sid().as_str(), none] {
        listener.say(&subscribe(&CallSid::parse(sid).unwrap())).await;
        let error = |message: &ServerMessage| matches!(message, ServerMessage::Error { .. });
        let answer = listener.until("an error", error).await;
        answers.push(format!("{answer:?}").replace(sid, "SID"));
    }
    assert_eq!(answers[0], answers[1]);
    // The record is for who runs the relay: it tells them apart.
    let refused = until(SOON, "what she was refused to be on record", async || {
        let mut lines = relay.audit();
        lines.retain(|line| line["event"] == "refused" && line["who"] == "alice");
        (lines.len() == 2).then_some(lines)
    })
    .await;
    let of = |line: &serde_json::Value| (line["call_sid"].clone(), line["customer_id"].clone());
    assert_eq!(of(&refused[0]), (call.sid().as_str().into(), "778".into()));
    assert_eq!(of(&refused[1]), (none.into(), serde_json::Value::Null));
}

#[tokio::test]
async fn who_shows_nothing_or_guesses_is_refused_and_slowed_down_and_nobody_else() {
    let relay = Guarded::new();
    let alice = relay.token("alice", &["--role", "admin"]).await;
    let relay = relay.start(&[]).await;
    for path in ["/api/v1/calls", "/api/v1/calls/CA1", "/api/v1/calls/CA1/events"] {
        let answer = http::get(relay.addr(), path).await.expect(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(answer.json()["error"]["code"], "not_authorised");
    }
    let basic = [("authorization", "Basic YTpi")];
    http::send(relay.addr(), Method::GET, "/api/v1/calls", &basic, "")
        .await
        .expect(401);
    // The rest of one token is guessed.
    let guess = async |n: usize| {
        let token = format!("pl_AAAAAAAAAAAA{n:031}");
        relay.ask(Method::GET, "/api/v1/calls", &token).await
    };
    let mut tries = 0;
    let slowed = loop {
        let answer = guess(tries).await;
        if answer.status != 401 {
            break answer.expect(429);
        }
        tries += 1;
        assert!(tries < 50, "whoever guesses is never slowed down");
    };
    let wait: u64 = slowed.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    // By the same way the handshake is refused, and others of the same address are not.
    let bearer = format!("Bearer pl_AAAAAAAAAAAA{:031}", 99);
    let opened = Listener::open_at(relay.addr(), "/listen", &[("authorization", &bearer)], None).await;
    let refused = opened.err().expect("it is slowed down").to_string();
    assert!(refused.contains("429"), "{refused}");
    relay.ask(Method::GET, "/api/v1/calls", &alice).await.expect(200);
    relay.listen(&alice).await;
}
