//! Too many of one token, too many who have shown nothing: they wait or are sent away, and Twilio gets in.

use super::*;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use harness::http;
use partyline_relay::limits::preauth::{SEATS, SEATS_AN_ADDRESS};
use partyline_relay::limits::sockets::OF_ONE_TOKEN;

/// Does all of these at once; gives what they gave, as it came.
async fn at_once<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    all.collect::<FuturesUnordered<F>>().collect().await
}

#[tokio::test]
async fn one_token_has_so_many_sockets_and_no_more() {
    let relay = Guarded::new();
    let alice = relay.token("alice", &["--role", "admin"]).await;
    let bob = relay.token("bob", &["--role", "admin"]).await;
    let relay = relay.start(&[]).await;
    let mut all = at_once((0..OF_ONE_TOKEN).map(|_| relay.listen(&alice))).await;
    let bearer = format!("Bearer {alice}");
    let headers = [("authorization", bearer.as_str())];
    let opened = Listener::open_at(relay.addr(), "/listen", &headers, None).await;
    let refused = opened.err().expect("it has enough").to_string();
    assert!(refused.contains("429"), "{refused}");
    let mut late = relay.stranger().await;
    late.say(&auth(&alice)).await;
    assert_eq!(late.closed().await, Some(4009));
    // Nor is there one for who came by another token.
    let mut turned = relay.listen(&bob).await;
    turned.say(&auth(&alice)).await;
    assert_eq!(turned.closed().await, Some(4009));
    // Nobody else is kept out, and a place that gets free is had.
    relay.listen(&bob).await;
    all.pop().unwrap().close().await;
    until(SOON, "a place to get free", async || {
        Listener::open_at(relay.addr(), "/listen", &headers, None)
            .await
            .ok()
            .map(drop)
    })
    .await;
}

/// Somebody behind the proxy who has shown nothing.
async fn from(relay: &Guarded, address: &str) -> Result<Listener, String> {
    let headers = [("x-forwarded-for", address)];
    let opened = Listener::open_at(relay.addr(), "/listen", &headers, None).await;
    opened.map_err(|error| error.to_string())
}

#[tokio::test]
async fn one_address_takes_so_many_seats_and_no_more() {
    let relay = Guarded::new();
    let alice = relay.token("alice", &["--role", "admin"]).await;
    let relay = relay.start(&["--trusted-proxy", "127.0.0.0/8"]).await;
    let opening = (0..SEATS_AN_ADDRESS + 3).map(|_| from(&relay, "192.0.2.1"));
    let hoard = at_once(opening).await.into_iter().map(Result::unwrap);
    // Another address is not in its way, nor is who shows a token at once.
    let mut other = from(&relay, "192.0.2.2").await.unwrap();
    other.say(&auth(&alice)).await;
    other.greeted().await;
    let codes = at_once(hoard.map(|mut one| async move { one.closed().await })).await;
    let many = |code: u16| codes.iter().filter(|closed| **closed == Some(code)).count();
    assert_eq!((many(4009), many(4001)), (3, SEATS_AN_ADDRESS));
}

#[tokio::test]
async fn when_all_seats_are_taken_twilio_gets_in_and_the_rest_wait_their_turn() {
    let relay = Guarded::new();
    let alice = relay.token("alice", &["--role", "admin"]).await;
    let relay = relay.start(&["--trusted-proxy", "127.0.0.0/8"]).await;
    let addresses: Vec<String> = (0..SEATS)
        .map(|n| format!("198.51.100.{}", n / (SEATS_AN_ADDRESS / 2)))
        .collect();
    let hoard = at_once(addresses.iter().map(|address| from(&relay, address))).await;
    let mut hoard: Vec<Listener> = hoard.into_iter().map(Result::unwrap).collect();
    // One more is not answered until somebody goes.
    let waiting = from(&relay, "203.0.113.1");
    tokio::pin!(waiting);
    let (call, _stream) = tokio::select! {
        biased;
        _ = &mut waiting => panic!("there was no seat"),
        call = relay.live_call("777") => call,
    };
    relay.is_live(call.sid(), &alice).await;
    relay.listen(&alice).await;
    http::get(relay.addr(), "/healthz").await.expect(200);
    hoard.pop().unwrap().close().await;
    let mut seated = within(SOON, "the seat that got free", waiting).await.unwrap();
    seated.say(&auth(&alice)).await;
    seated.greeted().await;
}
