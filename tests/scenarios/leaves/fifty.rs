//! A relay that is told to stop while fifty people talk and are listened to: nobody who is there misses a byte, nobody
//! new comes in, calls are connected all the same, and all that was heard is on record.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::Method;
use harness::record::verify;
use harness::wait::{SOON, within};
use harness::{Listener, MediaSocket, Record, TwilioCall, api, http};
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Error;

use super::{NEVER, expect_told, to_the_end};

const CALLS: usize = 50;
const LISTENERS: usize = 10;

/// Frames that are said before the relay is told, and after.
const FRAMES: usize = 20;

/// Twice real time's: fifty streams are not to be what is slow here.
const PACE: Duration = Duration::from_millis(40);

/// What is said in the call of this number, no frame of it like another.
fn said(call: usize) -> Vec<u8> {
    let frames = 0..2 * FRAMES;
    frames
        .flat_map(|n| [[call as u8; 80], [n as u8; 80]].concat())
        .collect()
}

/// Talks, waits for all others and for the word that the relay drains, talks on, and hangs up.
async fn talk(mut stream: MediaSocket, said: Vec<u8>, drains: Arc<Barrier>) {
    let (before, after) = said.split_at(said.len() / 2);
    stream.play(before, &[], PACE).await;
    drains.wait().await;
    stream.play(after, &[], PACE).await;
    stream.hang_up().await;
}

fn status(refused: Result<(), Error>) -> (u16, String, String) {
    match refused {
        Err(Error::Http(answer)) => {
            let body = answer.body().clone().unwrap_or_default();
            let again = answer.headers().get("retry-after");
            (
                answer.status().as_u16(),
                String::from_utf8_lossy(&body).into_owned(),
                again.map_or("", |v| v.to_str().unwrap()).to_owned(),
            )
        }
        other => panic!("not refused by HTTP: {other:?}"),
    }
}

/// What somebody new meets meanwhile.
async fn nobody_new_comes_in(relay: SocketAddr, token: &str) {
    http::get(relay, "/readyz").await.expect(503);
    http::get(relay, "/healthz").await.expect(200);
    let call = TwilioCall::at(relay);
    let connected = call.webhook(&[]).await.expect(200);
    let twiml = connected.text();
    assert!(
        twiml.contains("<Dial") && !twiml.contains("<Start") && twiml.contains("+15550100002"),
        "{twiml}"
    );
    let stream = MediaSocket::try_open(relay, call.sid().as_str(), &[]).await;
    let listener = Listener::open_as(relay, token).await;
    for refused in [stream.map(drop), listener.map(drop)] {
        let (status, body, again) = status(refused);
        assert_eq!((status, again.as_str()), (503, "5"));
        assert!(body.contains(r#""code":"draining""#), "{body}");
    }
}

/// What those meet who are there: calls, scripts, listeners.
async fn who_is_there_is_served(
    relay: SocketAddr,
    token: &str,
    call: &mut TwilioCall,
    listener: &mut Listener,
) {
    let bearer = format!("Bearer {token}");
    let ask =
        async |method, path: &str| http::send(relay, method, path, &[("authorization", &bearer)], "").await;
    let live = ask(Method::GET, "/api/v1/calls").await.expect(200);
    assert!(live.json()["calls"].as_array().unwrap().len() >= CALLS);
    ask(Method::POST, "/api/v1/tickets").await.expect(200);
    listener.subscribe(call.sid()).await;
    call.says(Track::Inbound, "Is it still there?", true)
        .await
        .expect(204);
    let read = |l: &Listener| l.heard(call.sid()).finals() == ["Is it still there?"];
    listener.until_so("the line", read).await;
}

#[tokio::test]
async fn fifty_calls_are_heard_to_their_end() {
    let record = Record::new();
    let alice = record.add("alice", &["--role", "admin"]).await;
    let relay = record.relay(&NEVER).await;
    let at = relay.addr();
    let (mut calls, mut talking) = (Vec::new(), JoinSet::new());
    let drains = Arc::new(Barrier::new(CALLS + 1));
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS {
        listeners.push(Listener::connect_as(at, &alice).await);
    }
    for n in 0..CALLS {
        let (call, stream) = api::live_call(&relay).await;
        listeners[n % LISTENERS].subscribe(call.sid()).await;
        calls.push(call);
        talking.spawn(talk(stream, said(n), drains.clone()));
    }
    let mut late = Listener::connect_as(at, &alice).await;
    let mut listening = JoinSet::new();
    for mut listener in listeners {
        listening.spawn(async move {
            let told = to_the_end(&mut listener).await;
            (listener, told)
        });
    }
    relay.program().signal("TERM");
    relay
        .program()
        .complains(SOON, "draining: live streams go on")
        .await;
    // Whatever is re-read meanwhile, nothing of it changes.
    relay.program().signal("HUP");
    nobody_new_comes_in(at, &alice).await;
    who_is_there_is_served(at, &alice, &mut calls[0], &mut late).await;
    within(SOON, "everybody to have said the first half", drains.wait()).await;
    let late = tokio::spawn(async move { to_the_end(&mut late).await });
    while let Some(talked) = talking.join_next().await {
        talked.expect("the relay hears them out");
    }
    let mut retries = BTreeSet::new();
    let mut heard = BTreeMap::new();
    while let Some(done) = listening.join_next().await {
        let (listener, told) = done.expect("a listener's own story goes well");
        retries.insert(expect_told(told));
        heard.extend(listener.heard);
    }
    expect_told(late.await.expect("a listener's own story goes well"));
    assert!(retries.len() > 1, "all are to come back at once: {retries:?}");
    expect_all(&calls, &heard);
    let log = relay.ended(SOON).await.expect_code(0).stderr;
    assert!(log.contains("the last live stream has ended"), "{log}");
    assert!(
        log.lines()
            .any(|line| line.contains("draining_refused") && line.contains("total=2")),
        "{log}"
    );
    verify(&[&record.audit()]).await.expect_code(0);
    for event in ["listen_begin", "listen_end"] {
        assert_eq!(record.of(event, "alice").len(), CALLS + 1, "{event}");
    }
}

/// Every byte of every call, and its end.
fn expect_all(calls: &[TwilioCall], heard: &BTreeMap<CallSid, harness::listener::Heard>) {
    assert_eq!(heard.len(), calls.len());
    for (n, call) in calls.iter().enumerate() {
        let heard = &heard[call.sid()];
        heard.assert_no_hole();
        assert!(heard.gaps.is_empty(), "{:?}", heard.gaps);
        assert!(heard.audio(Track::Inbound) == said(n), "call {n}: other bytes");
        assert!(heard.event(EventKind::StreamStopped).is_some(), "call {n}");
    }
}
