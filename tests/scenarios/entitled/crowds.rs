//! Too many of one token, too many who have shown nothing: they wait or are sent away, and Twilio gets in.

use std::time::Instant;

use super::*;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use harness::http;
use partyline_relay::limits::preauth::{SEAT_TIME, SEATS, SEATS_AN_ADDRESS};
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
    let begun = Instant::now();
    let hoard = at_once(opening).await.into_iter().map(Result::unwrap);
    let opened_in = begun.elapsed();
    // Another address is not in its way, nor is who shows a token at once.
    let mut other = from(&relay, "192.0.2.2").await.unwrap();
    other.say(&auth(&alice)).await;
    other.greeted().await;
    let codes = at_once(hoard.map(|mut one| async move { one.closed().await })).await;
    let many = |code: u16| codes.iter().filter(|closed| **closed == Some(code)).count();
    let (sent_away, seated) = (many(4009), many(4001));
    assert_eq!(sent_away + seated, SEATS_AN_ADDRESS + 3, "{codes:?}");
    // Who comes when the others have had their seats for a moment is not sent away, but waits until these are free.
    assert!(
        sent_away == 3 || sent_away < 3 && opened_in >= SEAT_TIME,
        "{seated} seats of one address in {opened_in:?}"
    );
}

/// How often all seats are taken anew where the first got free before all was seen.
const TRIES: usize = 3;

#[tokio::test]
async fn when_all_seats_are_taken_twilio_gets_in_and_the_rest_wait_their_turn() {
    for _ in 0..TRIES {
        if all_seats_are_taken().await {
            return;
        }
    }
    panic!("nobody got in before the first seats were free again");
}

/// False where the first seats were free again before all was seen.
async fn all_seats_are_taken() -> bool {
    let relay = Guarded::new();
    let alice = relay.token("alice", &["--role", "admin"]).await;
    let relay = relay.start(&["--trusted-proxy", "127.0.0.0/8"]).await;
    let addresses: Vec<String> = (0..SEATS)
        .map(|n| format!("198.51.100.{}", n / (SEATS_AN_ADDRESS / 2)))
        .collect();
    let begun = Instant::now();
    let hoard = at_once(addresses.iter().map(|address| from(&relay, address))).await;
    let mut hoard: Vec<Listener> = hoard.into_iter().map(Result::unwrap).collect();
    // One more is not answered until somebody goes.
    let waits = async {
        let mut seated = from(&relay, "203.0.113.1").await.unwrap();
        seated.say(&auth(&alice)).await;
        seated.greeted().await;
    };
    let others = async {
        let (call, _stream) = relay.live_call("777").await;
        relay.is_live(call.sid(), &alice).await;
        relay.listen(&alice).await;
        http::get(relay.addr(), "/healthz").await.expect(200);
    };
    tokio::pin!(waits);
    tokio::select! {
        biased;
        () = &mut waits => {
            assert!(begun.elapsed() >= SEAT_TIME, "there was a seat");
            return false;
        }
        () = others => {}
    }
    hoard.pop().unwrap().close().await;
    within(SOON, "the seat that got free", waits).await;
    true
}
