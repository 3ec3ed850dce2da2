//! How it ends before the call does: rights that are taken, an admin's word, a relay that leaves, a reader that does not
//! read. Each time it breaks off, within the time that such a change has, and nobody else notices.

use std::time::Duration;

use ::http::Method;
use harness::guarded::{Guarded, Talk};
use harness::wait::{SOON, until, within};
use harness::{Finished, Relay, TwilioCall};
use partyline_shared::id::CallSid;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::*;

/// A change of rights acts within this.
const ACTS: Duration = Duration::from_secs(5);

const ALICE: [&str; 6] = ["--role", "user", "--customer", "777", "--allow", "save"];

/// Fails unless it was broken off: nobody takes it for the whole.
#[track_caller]
fn expect_broken(player: &Finished) {
    assert!(
        !matches!(player.code, None | Some(0)),
        "{:?}: {}",
        player.code,
        player.stderr
    );
    assert!(player.stdout.starts_with(&header(2)));
}

/// Somebody who asks for a call's audio and reads nothing of it.
async fn deaf(relay: SocketAddr, sid: &CallSid, token: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4 << 10).expect("a small buffer");
    // Loopback's segments would not fit into it.
    let segments = SockRef::from(&socket).set_tcp_mss(1_000);
    segments.expect("small segments");
    let mut socket = socket.connect(relay).await.expect("the relay accepts");
    let ask = format!(
        "GET {} HTTP/1.1\r\nHost: {relay}\r\nAuthorization: Bearer {token}\r\n\r\n",
        path(sid)
    );
    socket.write_all(ask.as_bytes()).await.expect("a request");
    socket
}

/// Why each of `who` ended, once they have.
async fn reasons(relay: &Guarded, who: &[&str]) -> Vec<String> {
    until(SOON, "ends on record", async || {
        let lines = relay.audit();
        let reason = |name: &&str| {
            let end = lines
                .iter()
                .find(|line| line["event"] == "listen_end" && line["who"] == **name);
            Some(end?["reason"].as_str()?.to_owned())
        };
        who.iter().map(reason).collect()
    })
    .await
}

async fn connected(relay: &Guarded, admin: &str) -> Vec<serde_json::Value> {
    let mut all = relay
        .ask(Method::GET, "/api/v1/listeners", admin)
        .await
        .expect(200)
        .json();
    all["listeners"].as_array_mut().expect("a list").split_off(0)
}

#[tokio::test]
async fn who_may_not_hear_it_any_more_is_out_and_the_others_hear_on() {
    let relay = Guarded::new();
    let admin = relay.token("root", &["--role", "admin"]).await;
    let mut tokens = Vec::new();
    for name in ["removed", "deaf", "lesser", "dismissed", "other"] {
        tokens.push(relay.token(name, &ALICE).await);
    }
    let [removed, unread, lesser, dismissed, other] = &tokens[..] else {
        panic!("five tokens")
    };
    let relay = relay.start(&[]).await;
    let (call, stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &admin).await;
    let at = path(call.sid());
    let talk = Talk::begin(stream);
    let players = [removed, lesser, dismissed, other].map(|token| curl_as(relay.addr(), &at, token));
    for player in &players {
        player.wrote(SOON, SECOND / 2).await;
    }
    let [removed, lesser, dismissed, other] = players;
    // The first to go: a few seconds after all buffers between them are full it is ended as too slow anyway.
    let mut silent = deaf(relay.addr(), call.sid(), unread).await;
    let all = until(SOON, "all of them", async || {
        let all = connected(&relay, &admin).await;
        (all.len() == 5).then_some(all)
    })
    .await;

    // By then they are full.
    other.wrote(SOON, other.stdout().len() + 5 * SECOND / 2).await;
    relay.forget("deaf").await;
    until(ACTS, "one that does not read to be out", async || {
        (connected(&relay, &admin).await.len() == 4).then_some(())
    })
    .await;
    // What it had not read by then it never will: less than it was given.
    let mut rest = Vec::new();
    let _ = within(SOON, "its end", silent.read_to_end(&mut rest)).await;
    assert!(rest.len() < 10 * SECOND);
    relay.forget("removed").await;
    expect_broken(&within(ACTS, "the removal to act", removed.finish(SOON)).await);
    let id = |name: &str| {
        let one = all.iter().find(|one| one["name"] == name).expect("it was there");
        format!("/api/v1/listeners/{}", one["id"].as_str().expect("an id"))
    };
    relay
        .ask(Method::DELETE, &id("dismissed"), &admin)
        .await
        .expect(204);
    expect_broken(&within(ACTS, "the word to act", dismissed.finish(SOON)).await);

    // The right to keep it goes, with a token that stays.
    let text = std::fs::read_to_string(relay.tokens()).unwrap();
    let (before, hers) = text.split_once(r#"name = "lesser""#).expect("her token");
    let less = hers.replacen(r#"allow = ["save"]"#, "allow = []", 1);
    assert_ne!(hers, less);
    std::fs::write(relay.tokens(), format!("{before}name = \"lesser\"{less}")).unwrap();
    expect_broken(&within(ACTS, "the change to act", lesser.finish(SOON)).await);

    // The others heard on, until the call is another customer's.
    let so_far = other.stdout().len();
    other.wrote(SOON, so_far + SECOND / 2).await;
    call.webhook(&[("customer_id", "778")]).await.expect(200);
    expect_broken(&within(ACTS, "the change to act", other.finish(SOON)).await);
    let why = reasons(&relay, &["removed", "deaf", "dismissed", "lesser", "other"]).await;
    let gone = "the token counts no longer";
    let expected = [
        gone,
        gone,
        "ended by an admin",
        "keeping audio needs the right save",
        "no longer granted",
    ];
    assert_eq!(why, expected);
    talk.end().await;
}

/// Reads a little of what a player takes at once, until there is no more.
async fn sip(mut socket: TcpStream) {
    let mut sip = [0; 1 << 10];
    while let Ok(1..) = socket.read(&mut sip).await {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn who_takes_nothing_or_too_little_is_let_go_and_harms_nobody() {
    let relay = Guarded::new();
    let alice = relay.token("alice", &ALICE).await;
    let bob = relay.token("bob", &ALICE).await;
    let carol = relay.token("carol", &ALICE).await;
    let relay = relay.start(&[]).await;
    let (call, stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &bob).await;
    let talk = Talk::begin(stream);
    let silent = deaf(relay.addr(), call.sid(), &alice).await;
    let slow = tokio::spawn(sip(deaf(relay.addr(), call.sid(), &carol).await));
    let player = curl_as(relay.addr(), &path(call.sid()), &bob);
    let why = reasons(&relay, &["alice", "carol"]).await;
    assert_eq!(why, ["too slow", "too slow"]);
    within(SOON, "the last of what is read slowly", slow)
        .await
        .expect("it reads");
    talk.end().await.hang_up().await;
    let heard = player.finish(SOON).await.expect_code(0).stdout;
    // No word of it is missing: from its first sample on it is loud, but where this machine stood still.
    let left = speech::channel(&heard, 1);
    let first = left
        .iter()
        .position(|sample| *sample != 0)
        .expect("they were heard");
    let pauses = left[first..].iter().filter(|sample| **sample == 0).count();
    let all = left[first..].len();
    assert!(pauses < all / 4, "{pauses} samples of silence among {all}");
    drop(silent);
}

#[tokio::test]
async fn a_relay_that_leaves_breaks_it_off_and_one_that_drains_does_not() {
    let relay = Relay::start(&["--drain-timeout", "1m"]).await;
    let mut call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    let stream = harness::api::live_stream(&relay, &call).await;
    let other = TwilioCall::new(&relay);
    other.webhook(&[]).await.expect(200);
    let [player, idle] = [&call, &other].map(|call| curl(relay.addr(), &path(call.sid()), &[]));
    player.wrote(SOON, SECOND / 4).await;
    idle.wrote(SOON, SECOND / 4).await;
    relay.program().signal("TERM");
    let at = path(call.sid());
    until(SOON, "the relay to drain", async || {
        let answer = harness::http::get(relay.addr(), "/readyz").await;
        (answer.status == 503).then_some(())
    })
    .await;
    let draining = curl(relay.addr(), &at, &["--fail"]);
    assert_ne!(draining.finish(SOON).await.code, Some(0));
    let so_far = player.stdout().len();
    player.wrote(SOON, so_far + SECOND / 4).await;
    stream.hang_up().await;
    call.status("completed", &[]).await.expect(204);
    player.finish(SOON).await.expect_code(0);
    expect_broken(&idle.finish(SOON).await);
    relay.ended(SOON).await.expect_code(0);
}
