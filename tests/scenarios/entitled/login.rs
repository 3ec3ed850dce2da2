//! A login elsewhere: its keys are fetched from it, and when it changes them who was let in by an old one is out.

use super::*;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// How long a relay may take to look at a login's keys again: it asks at most every 10 s.
const LOOKS_AGAIN: Duration = Duration::from_secs(15);
/// Between two tries of a token whose key the relay does not have yet.
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// One key of the login.
struct Key {
    id: &'static str,
    pair: Ed25519KeyPair,
}

impl Key {
    fn new(id: &'static str) -> Key {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap();
        Key { id, pair }
    }

    fn published(&self) -> Value {
        let x = encode(self.pair.public_key().as_ref());
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.id, "x": x }] })
    }

    /// A user of customer 777; `n` makes it another token.
    fn token(&self, n: u64) -> String {
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.id });
        let claims = json!({
            "iss": "https://login.example", "aud": "partyline", "sub": "alice", "jti": n,
            "exp": harness::twilio::now().unix_ms() / 1000 + 600,
            "partyline": { "role": "user", "customers": ["777"], "allow": [] },
        });
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", encode(signature.as_ref()))
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Publishes what it is told to.
async fn publish(keys: Arc<Mutex<Value>>) -> SocketAddr {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = server.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match socket.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            let body = keys.lock().unwrap().to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            // Who has heard enough goes away, which is no fault of the server's.
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    addr
}

#[tokio::test]
async fn who_was_let_in_by_a_key_that_is_taken_back_is_out() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let keys = Arc::new(Mutex::new(old.published()));
    let login = publish(keys.clone()).await;
    let jwks = format!("http://{login}/keys");
    let expect = [
        "--jwks",
        &jwks,
        "--jwt-issuer",
        "https://login.example",
        "--jwt-audience",
        "partyline",
    ];
    let relay = Guarded::new().start(&expect).await;
    let (call, stream) = relay.live_call("777").await;
    let (others, _other) = relay.live_call("778").await;
    let first = old.token(1);
    until(SOON, "the login's keys", async || {
        (relay.ask(Method::GET, "/api/v1/calls", &first).await.status == 200).then_some(())
    })
    .await;
    let mut listener = relay.listen(&first).await;
    assert!(!listener.calls.contains_key(others.sid()));
    listener.subscribe(call.sid()).await;
    let talk = Talk::begin(stream);
    listener.next_frame("a frame").await;
    // Renewed by another token of the same person, it goes on.
    listener.say(&auth(&old.token(2))).await;
    listener.next_frame("another frame").await;
    let forged = Key::new("old").token(3);
    assert_eq!(relay.ask(Method::GET, "/api/v1/calls", &forged).await.status, 401);

    // It reads on meanwhile: who does not is cut off without a word.
    let hears = tokio::spawn(async move { listener.closed().await });
    *keys.lock().unwrap() = new.published();
    // Another token each time: one that is wrong again and again is slowed down.
    let mut tried = 10;
    let deadline = tokio::time::Instant::now() + LOOKS_AGAIN;
    loop {
        tried += 1;
        let answer = relay.ask(Method::GET, "/api/v1/calls", &new.token(tried)).await;
        if answer.status == 200 {
            break;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "the new key is never taken"
        );
        tokio::time::sleep(TRY_AGAIN).await;
    }
    let closed = within(ACTS, "the change to act", hears).await;
    assert_eq!(closed.expect("it reads"), NOT_AUTHORISED);
    assert_eq!(relay.ask(Method::GET, "/api/v1/calls", &first).await.status, 401);
    relay.listen(&new.token(1)).await.subscribe(call.sid()).await;
    talk.end().await;
}
