//! How a listener shows who it is: by its first message, or by a ticket.

use super::*;

#[tokio::test]
async fn the_first_message_may_say_who_it_is() {
    let relay = Guarded::new();
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let bob = relay.token("bob", &["--role", "user", "--customer", "778"]).await;
    let relay = relay.start(&[]).await;
    let (call, stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &alice).await;
    // In one segment with what follows: that is not lost.
    let mut listener = relay.stranger().await;
    listener.say_at_once(&[auth(&alice), subscribe(call.sid())]).await;
    listener.greeted().await;
    assert!(listener.calls.contains_key(call.sid()));
    let talk = Talk::begin(stream);
    listener.next_frame("a frame").await;
    // The same again renews, and is not heard of.
    listener.say(&auth(&alice)).await;
    listener.say(&ClientMessage::Ping { id: 1 }).await;
    let pong = |message: &ServerMessage| matches!(message, ServerMessage::Pong { .. });
    listener.until("pong", pong).await;
    listener.next_frame("another frame").await;
    // A lesser one acts at once.
    listener.say(&auth(&bob)).await;
    loses(&mut listener, call.sid()).await;
    listener.say(&auth("pl_wrong")).await;
    assert_eq!(listener.closed().await, NOT_AUTHORISED);
    talk.end().await;
}

#[tokio::test]
async fn a_wrong_one_none_and_too_much_before_it_are_sent_away_and_told_nothing() {
    let relay = Guarded::new();
    let alice = relay.token("alice", &["--role", "admin"]).await;
    let relay = relay.start(&[]).await;
    let (_call, _stream) = relay.live_call("777").await;
    let mut wrong = relay.stranger().await;
    wrong.say(&auth(&alice[..alice.len() - 1])).await;
    assert_eq!(wrong.closed().await, NOT_AUTHORISED);
    let mut long = relay.stranger().await;
    for _ in 0..17 {
        long.say_text(format!(r#"{{"type":"ping","more":"{}"}}"#, "x".repeat(1000)))
            .await;
    }
    assert_eq!(long.closed().await, Some(1009));
    let mut late = relay.stranger().await;
    // Whoever asks before it shows who it is gets no answer.
    late.say(&ClientMessage::Ping { id: 1 }).await;
    late.say(&subscribe(_call.sid())).await;
    let closed = within(Duration::from_secs(8), "5 s to be over", late.closed()).await;
    assert_eq!(closed, NOT_AUTHORISED);
    for told in [&wrong, &long, &late] {
        assert!(told.calls.is_empty() && told.heard.is_empty() && told.strays.is_empty());
    }
}

#[tokio::test]
async fn a_ticket_opens_one_connection_as_long_as_its_bearer_may() {
    let relay = Guarded::new();
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let relay = relay.start(&[]).await;
    let (call, _stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &alice).await;
    let ticket = async || {
        let answer = relay
            .ask(Method::POST, "/api/v1/tickets", &alice)
            .await
            .expect(200);
        answer.json()["ticket"].as_str().unwrap().to_owned()
    };
    let open = async |ticket: &str| {
        let path = format!("/listen?ticket={ticket}");
        Listener::open_at(relay.addr(), &path, &[], None).await
    };
    let (first, late) = (ticket().await, ticket().await);
    let mut listener = open(&first).await.unwrap_or_else(|e| panic!("refused: {e}"));
    listener.greeted().await;
    assert!(listener.calls.contains_key(call.sid()));
    let again = open(&first).await.err().expect("a ticket is for one connection");
    assert!(again.to_string().contains("401"), "{again}");
    relay.forget("alice").await;
    assert_eq!(listener.closed().await, NOT_AUTHORISED);
    let late = open(&late).await.err().expect("its bearer was removed");
    assert!(late.to_string().contains("401"), "{late}");
}
