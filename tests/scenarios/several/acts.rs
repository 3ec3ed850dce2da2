//! What is done at one relay holds at all: a call that is erased, paused, heard or asked for elsewhere than where it is; a
//! ticket, a pass, a webhook and a listener that another relay knows.

use ::http::Method;
use harness::guarded::Talk;
use harness::numbers::{Numbers, admin_of};
use harness::relays::stream_of;
use harness::twilio::{now, pass};
use harness::wait::{SOON, until};
use harness::{Listener, Relays, http};
use partyline_shared::call::{Call, CallStatus, StreamState};
use partyline_shared::event::EventKind;
use partyline_shared::protocol::close;
use partyline_shared::track::Track;
use serde_json::Value;

use super::{AT_ONCE, finals, heard, posts, said, says};

/// Where calls are, and where things are done to them.
const HERE: usize = 0;
const THERE: usize = 1;

#[tokio::test]
async fn what_is_done_at_another_relay_is_done() {
    let relays = Relays::start(2, &["--attach", "never", "--admin-listen", "127.0.0.1:0"]).await;
    pauses_and_erases(&relays).await;
    what_is_known_at_one(&relays).await;
    listeners_of_all(&relays).await;
    link_is_shown(&relays).await;
}

async fn pauses_and_erases(relays: &Relays) {
    let (mut call, mut stream) = relays.live_call("7", HERE, HERE).await;
    let sid = call.sid().clone();
    let mut listeners = Vec::new();
    for nth in [HERE, THERE] {
        relays
            .shows(nth, &sid, "the live stream", |call| {
                call.stream == StreamState::Live
            })
            .await;
        let mut listener = relays.listen(nth).await;
        listener
            .until_so("the call in the list", |l| l.calls.contains_key(&sid))
            .await;
        listener.subscribe(&sid).await;
        listeners.push(listener);
    }
    says(&mut call, "told").await;
    let line = posts(relays, THERE, &sid, "posted").await;
    assert_eq!(line["text"], "posted");
    let path = format!("/api/v1/calls/{sid}");
    // Twice: what is asked for a second time is answered as the first time.
    for _ in 0..2 {
        let answer = relays.ask(THERE, Method::POST, &format!("{path}/pause")).await;
        assert_eq!(answer.expect(200).json()["paused"], true);
    }
    relays.everywhere(&sid, "the pause", |call| call.paused).await;
    stream.play(&said(1, 5), &[], AT_ONCE).await;
    // The relay may read them later than what comes by other ways.
    let admin = admin_of(relays.at(HERE).program()).await;
    let dropped = |numbers: &Numbers| numbers.get("partyline_frames_lost_total{reason=\"paused\"}") == 5.0;
    Numbers::once(admin, "the frames to be dropped", dropped).await;
    says(&mut call, "unheard").await;
    relays
        .ask(THERE, Method::POST, &format!("{path}/resume"))
        .await
        .expect(200);
    relays
        .everywhere(&sid, "the end of the pause", |call| !call.paused)
        .await;
    for listener in &mut listeners {
        let resumed = |l: &Listener| l.heard(&sid).event(EventKind::Resumed).is_some();
        listener.until_so("the end of the pause", resumed).await;
        finals(listener, &sid, 2).await;
        let heard = listener.heard(&sid);
        assert_eq!(heard.finals(), ["told", "posted"]);
        let known = |kind| heard.events.iter().filter(|event| event.kind == kind).count();
        assert_eq!((known(EventKind::Paused), known(EventKind::Resumed)), (1, 1));
        assert!(heard.audio(Track::Inbound).is_empty());
    }
    relays.agree(&sid).await;
    // Ended first: it is what is remembered that is erased.
    stream.hang_up().await;
    relays
        .everywhere(&sid, "the end", |call| call.ended_at.is_some())
        .await;
    let answer = relays.ask(THERE, Method::DELETE, &path).await;
    assert!(answer.status.is_success(), "{answer:?}");
    for (nth, listener) in listeners.iter_mut().enumerate() {
        listener
            .until_so("the call to be removed", |l| l.removed.contains(&sid))
            .await;
        relays.ask(nth, Method::GET, &path).await.expect(404);
    }
    let left = relays.redis.keys(&format!("*{sid}*")).await;
    assert!(left.iter().all(|key| key.contains("erased")), "{left:?}");
}

async fn what_is_known_at_one(relays: &Relays) {
    // A ticket that one gave opens one connection at another.
    let ticket = relays.ask(HERE, Method::POST, "/api/v1/tickets").await;
    let ticket = ticket.expect(200).json()["ticket"]
        .as_str()
        .expect("a ticket")
        .to_owned();
    let path = format!("/listen?ticket={ticket}");
    let opened = Listener::open_at(relays.addr(THERE), &path, &[], None).await;
    opened.expect("it is let in").greeted().await;
    for nth in [HERE, THERE] {
        let again = Listener::open_at(relays.addr(nth), &path, &[], None).await;
        assert!(again.is_err(), "a ticket was taken twice, at {nth}");
    }

    // A webhook that was caught and is sent to another relay acts once; the same goes for a callback.
    let mut call = relays.call(HERE);
    let answer = call.webhook(&[]).await.expect(200);
    let sid = call.sid().clone();
    relays.everywhere(&sid, "the call", |_| true).await;
    let time = now().to_rfc2822();
    let fields = [
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", "1"),
        ("Timestamp", time.as_str()),
    ];
    let form = call.voice_form("in-progress", &fields);
    call.post("/twilio/status", &form).await.expect(204);
    let in_progress = |call: &Call| call.status == CallStatus::InProgress;
    relays.everywhere(&sid, "its status", in_progress).await;
    let [_, _, before] = relays.agree(&sid).await;
    call.aim(relays.addr(THERE));
    call.webhook(&[]).await.expect(200);
    call.post("/twilio/status", &form).await.expect(204);
    let admin = admin_of(relays.at(THERE).program()).await;
    let replayed = |numbers: &Numbers| numbers.get("partyline_webhooks_replayed_total") == 2.0;
    Numbers::once(admin, "what was replayed to be counted", replayed).await;
    let [_, _, after] = relays.agree(&sid).await;
    assert_eq!(before, after, "what was replayed acted");

    // A pass that one gave is taken once, at any.
    let pass = pass(&answer);
    let stream = stream_of(&call, &pass).await;
    relays
        .everywhere(&sid, "the live stream", |call| call.stream == StreamState::Live)
        .await;
    call.aim(relays.addr(HERE));
    let mut second = stream_of(&call, &pass).await;
    second.closed().await;
    relays
        .everywhere(&sid, "the first stream", |call| call.stream == StreamState::Live)
        .await;
    stream.hang_up().await;
}

async fn listeners_of_all(relays: &Relays) {
    let (call, stream) = relays.live_call("8", HERE, HERE).await;
    let alice = relays
        .add_token("alice", &["--role", "user", "--customer", "8"])
        .await;
    let mut hers = until(SOON, "alice's token to be known", async || {
        Listener::open_as(relays.addr(THERE), &alice).await.ok()
    })
    .await;
    hers.greeted().await;
    hers.until_so("the call in the list", |l| l.calls.contains_key(call.sid()))
        .await;
    hers.subscribe_with(heard(call.sid())).await;
    let talk = Talk::begin(stream);
    hers.next_frame("a frame of the other relay").await;
    let all = "/api/v1/listeners";
    let of_call = format!("/api/v1/calls/{}/listeners", call.sid());
    for path in [all, &of_call] {
        for nth in [HERE, THERE] {
            until(
                SOON,
                &format!("alice in what relay {nth} shows at {path}"),
                async || {
                    let shown = relays.ask(nth, Method::GET, path).await.expect(200).json();
                    named(&shown, "alice").map(drop)
                },
            )
            .await;
        }
    }
    relays
        .everywhere(call.sid(), "a listener", |call| call.listeners == 1)
        .await;
    let shown = relays.ask(HERE, Method::GET, all).await.expect(200).json();
    let id = named(&shown, "alice").expect("she is there")["id"].clone();
    let id = id.as_str().expect("an id");
    let ended = relays.ask(HERE, Method::DELETE, &format!("{all}/{id}")).await;
    assert!(ended.status.is_success(), "{ended:?}");
    assert_eq!(hers.closed().await, Some(close::POLICY));
    relays
        .everywhere(call.sid(), "no listener", |call| call.listeners == 0)
        .await;
    talk.end().await.hang_up().await;
}

fn named<'a>(shown: &'a Value, name: &str) -> Option<&'a Value> {
    let all = shown["listeners"].as_array().expect("a list");
    all.iter().find(|one| one["name"] == name)
}

/// An operator sees whether a relay has its link, and a load balancer sends calls to one that has not.
async fn link_is_shown(relays: &Relays) {
    let admin = admin_of(relays.at(HERE).program()).await;
    let up = |numbers: &Numbers| numbers.get("partyline_redis_up") == 1.0;
    Numbers::once(admin, "a link that is up", up).await;
    relays.link(HERE).hold();
    Numbers::once(admin, "a link that is down", |numbers| !up(numbers)).await;
    let detail = http::get(admin, "/readyz").await;
    assert!(detail.text().contains("redis"), "{}", detail.text());
    http::get(relays.addr(HERE), "/readyz").await.expect(200);
    relays.link(HERE).go_on();
    Numbers::once(admin, "a link that is up again", up).await;
}
