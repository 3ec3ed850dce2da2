//! Who may come in, by what, and how it is told that it may not.

use ::http::Method;
use harness::Guarded;
use harness::cable::{Cable, Clients, OFFERED, media_of, stream_of};
use harness::signed::ORIGIN;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use super::MEDIA;

/// The answer over HTTP.
async fn refused(relay: &Guarded, path: &str, protocols: &str, headers: &[(&'static str, &str)]) -> u16 {
    match Cable::open(relay.addr(), path, protocols, headers, None).await {
        Err(Error::Http(answer)) => answer.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => 101,
    }
}

/// What somebody hears who is let in or not.
async fn first(relay: &Guarded, query: &str, headers: &[(&'static str, &str)]) -> Vec<Value> {
    let path = format!("/cable{query}");
    let opened = Cable::open(relay.addr(), &path, OFFERED, headers, None).await;
    let mut cable = opened.unwrap_or_else(|e| panic!("{query}: {e}"));
    let first = cable.next("the first message").await;
    if first["type"] == "welcome" {
        return vec![first];
    }
    vec![first, cable.next("the end").await]
}

#[tokio::test]
async fn a_token_is_shown_by_header_ticket_or_where_it_may_in_the_url() {
    let relay = Guarded::new();
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let page = relay
        .token("page", &["--role", "user", "--customer", "777", "--in-url"])
        .await;
    let relay = relay.start(&[]).await;
    let welcome = vec![json!({ "type": "welcome" })];
    let unauthorized = vec![
        json!({ "type": "disconnect", "reason": "unauthorized", "reconnect": false }),
        json!(1000),
    ];
    let bearer = format!("Bearer {alice}");
    assert_eq!(first(&relay, "", &[("authorization", &bearer)]).await, welcome);
    assert_eq!(first(&relay, &format!("?token={page}"), &[]).await, welcome);
    let ticket = relay.ask(Method::POST, "/api/v1/tickets", &alice).await;
    let ticket = ticket.expect(200).json()["ticket"].as_str().unwrap().to_owned();
    let by_ticket = format!("?ticket={ticket}");
    assert_eq!(first(&relay, &by_ticket, &[]).await, welcome);
    assert_eq!(
        first(&relay, &by_ticket, &[]).await,
        unauthorized,
        "a ticket opens one"
    );
    assert_eq!(first(&relay, "", &[]).await, unauthorized);
    assert_eq!(first(&relay, &format!("?token={alice}"), &[]).await, unauthorized);
    let wrong = [("authorization", "Bearer nobody")];
    assert_eq!(first(&relay, "", &wrong).await, unauthorized);
    // Without a protocol and a token it can only be Twilio, which signs.
    assert_eq!(refused(&relay, "/cable", "", &[]).await, 403);
    // A token is enough without a protocol, and no protocol is agreed on then.
    let opened = Cable::open(relay.addr(), "/cable", "", &[("authorization", &bearer)], None).await;
    let mut plain = opened.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        (plain.next("welcome").await, plain.agreed.take()),
        (welcome[0].clone(), None)
    );
    for (origin, status) in [(ORIGIN, 101), ("https://evil.example", 403)] {
        let headers = [("authorization", bearer.as_str()), ("origin", origin)];
        assert_eq!(
            refused(&relay, "/cable", OFFERED, &headers).await,
            status,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn the_first_known_protocol_of_the_clients_list_is_agreed_on() {
    let relay = harness::Relay::start(&[]).await;
    for (offered, agreed) in [
        (OFFERED, Some("actioncable-v1-json")),
        (
            "actioncable-unsupported, actioncable-v1-json",
            Some("actioncable-unsupported"),
        ),
        ("actioncable-unsupported", Some("actioncable-unsupported")),
        (
            "actioncable-v1-ext-json, actioncable-v1-json",
            Some("actioncable-v1-json"),
        ),
        (
            "app-token.abc, actioncable-v1-json, actioncable-ext-pong",
            Some("actioncable-v1-json"),
        ),
        ("actioncable-v1-ext-json", None),
    ] {
        let (key, host) = ("dGhlIHNhbXBsZSBub25jZQ==", relay.addr().to_string());
        let headers = [
            ("host", host.as_str()),
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", key),
            ("sec-websocket-protocol", offered),
        ];
        let answer = harness::http::send(relay.addr(), Method::GET, "/cable", &headers, "").await;
        let told = answer.headers.get("sec-websocket-protocol");
        let told = told.map(|told| told.to_str().unwrap());
        assert_eq!((answer.status.as_u16(), told), (101, agreed), "{offered}");
    }
}

#[tokio::test]
async fn real_clients_that_are_refused_do_not_come_again() {
    let relay = Guarded::new().start(&[]).await;
    let rails = ["rails61", "rails72", "rails81"];
    let mut clients = Clients::start(relay.addr(), "", &rails);
    clients
        .all("subscribe", MEDIA, json!({ "call_sid": "CA1" }))
        .await;
    clients.each(&rails, "disconnected", MEDIA, 1).await;
    for client in rails {
        let gone = clients.of(client, "disconnected", MEDIA);
        assert_eq!(gone[0]["willAttemptReconnect"], false, "{client}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_granted_is_as_one_that_does_not_exist() {
    let relay = Guarded::new();
    let admin = relay.token("root", &["--role", "admin"]).await;
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let source = relay.token("studio", &["--role", "source"]).await;
    let relay = relay.start(&[]).await;
    let (hers, _stream) = relay.live_call("777").await;
    let (other, _other) = relay.live_call("888").await;
    relay.is_live(hers.sid(), &admin).await;
    relay.is_live(other.sid(), &admin).await;
    let rejected = |id: &str| json!({ "identifier": id, "type": "reject_subscription" });
    for (token, sids) in [
        (&alice, [other.sid().as_str(), "CA404"]),
        (&source, [hers.sid().as_str(), "CA404"]),
    ] {
        let bearer = format!("Bearer {token}");
        let mut cable = Cable::welcome(relay.addr(), "", &[("authorization", &bearer)]).await;
        for id in sids.iter().flat_map(|sid| [stream_of(sid), media_of(sid)]) {
            cable.say("subscribe", &id).await;
            assert_eq!(cable.next("an answer").await, rejected(&id));
        }
    }
    let bearer = format!("Bearer {alice}");
    let mut cable = Cable::welcome(relay.addr(), "", &[("authorization", &bearer)]).await;
    let id = media_of(hers.sid());
    cable.subscribe(&id).await;
    // It becomes another customer's while it is heard.
    hers.webhook(&[("customer_id", "888")]).await.expect(200);
    assert_eq!(cable.next("that it is no longer granted").await, rejected(&id));
}
