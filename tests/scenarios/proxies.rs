//! nginx, HAProxy and Caddy in front of a relay, each by its file in `assets/proxy`: two minutes of sockets that are
//! idle and sockets that are not, then a reload. All three at once, since they mostly wait.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use ::http::Method;
use harness::certificates::Authority;
use harness::proxy::Kind;
use harness::signed::{ORIGIN, TOKEN};
use harness::twilio::pass;
use harness::wait::{SOON, until, within};
use harness::{
    Guarded, Listener, MediaSocket, Program, Proxy, Scratch, Tunnel, TwilioCall, binaries, http, speech,
    supervisor,
};
use partyline_relay::twilio::signature;
use partyline_shared::audio::FRAME_BYTES;
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{ClientMessage, Subscribe};
use partyline_shared::protocol::server::ServerMessage;
use partyline_shared::track::Track;
use partyline_shared::twilio::form::Form;
use tokio::task::LocalSet;

/// Longer than any time-out that a proxy has by itself.
const WHILE: Duration = Duration::from_secs(120);
/// What is said after the reload.
const A_WHILE: Duration = Duration::from_secs(3);
/// Real time.
const PACE: Duration = Duration::from_millis(20);

/// From where people and Twilio come, as the proxy sees it. The relay believes the proxy, 127.0.0.1, alone.
const PEOPLE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 5);
const TWILIO: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 6);

/// What a client says of itself that is not so.
const FORGED: [(&str, &str); 4] = [
    ("x-forwarded-for", "203.0.113.7, 127.0.0.1"),
    ("x-forwarded-proto", "http"),
    ("x-forwarded-host", "elsewhere.example.com"),
    ("forwarded", "for=203.0.113.7;proto=http"),
];

/// What may stand in no log.
const CANARY: &str = "canary0123456789";

#[tokio::test]
async fn idle_and_live_sockets_last_for_minutes_behind_each_proxy_and_a_reload_does_what_is_written() {
    let local = LocalSet::new();
    let stories =
        [Kind::Nginx, Kind::Haproxy, Kind::Caddy].map(|kind| (kind, local.spawn_local(story(kind))));
    local.await;
    for (kind, story) in stories {
        if let Err(failed) = story.await {
            panic!("behind {kind}: {failed}");
        }
    }
}

/// A relay, a proxy, and who comes through it.
struct World {
    relay: Guarded,
    proxy: Proxy,
    /// People's way, Twilio's, and that of who is where the proxy is.
    people: Tunnel,
    twilio: Tunnel,
    near: Tunnel,
    /// Tokens of who hears all calls, and of who hears none.
    admin: String,
    nobodys: String,
    roots: String,
    _folder: Scratch,
}

impl World {
    async fn begin(kind: Kind) -> World {
        let (authority, folder) = (Authority::new(), Scratch::new());
        let relay = Guarded::new();
        let admin = relay.token("alice", &["--role", "admin"]).await;
        let nobodys = relay.token("bob", &["--role", "user", "--customer", "999"]).await;
        // What becomes of a lost stream is another story.
        let relay = relay
            .start(&["--trusted-proxy", "127.0.0.1", "--attach", "never"])
            .await;
        let proxy = Proxy::start(
            kind,
            relay.addr(),
            &authority.certify(&["localhost", "127.0.0.1"]),
        )
        .await;
        let roots = authority.file(&folder);
        World {
            people: Tunnel::from(PEOPLE, proxy.addr(), &authority).await,
            twilio: Tunnel::from(TWILIO, proxy.addr(), &authority).await,
            near: Tunnel::to(proxy.addr(), &authority).await,
            admin,
            nobodys,
            roots,
            relay,
            proxy,
            _folder: folder,
        }
    }

    /// A call whose stream is live, with every request signed, and a forged word about who asks beside it.
    async fn call(&self) -> (TwilioCall, MediaSocket) {
        let mut call = TwilioCall::at(self.twilio.addr());
        call.signs = Some((TOKEN, ORIGIN));
        let answer = call.webhook(&[]).await.expect(200);
        let cable = format!("{}/cable", ORIGIN.replacen("https", "wss", 1));
        let signed = signature::sign(TOKEN, &cable, &Form::default());
        let headers = [&FORGED[..], &[(signature::HEADER, &signed)]].concat();
        let opened = MediaSocket::try_open(self.twilio.addr(), call.sid().as_str(), &headers).await;
        let mut stream = opened.unwrap_or_else(|e| panic!("/cable refused the stream: {e}"));
        stream.connected().await;
        stream.start(&[("partyline_pass", &pass(&answer))]).await;
        self.relay.is_live(call.sid(), &self.admin).await;
        (call, stream)
    }

    async fn listen(&self, by: &Tunnel, token: &str) -> Listener {
        let bearer = format!("Bearer {token}");
        let headers = [&FORGED[..], &[("authorization", &bearer)]].concat();
        let opened = Listener::open_at(by.addr(), "/listen", &headers, None).await;
        let mut listener = opened.unwrap_or_else(|e| panic!("/listen refused: {e}"));
        listener.greeted().await;
        listener
    }

    /// The listener's own program, by itself over TLS to the proxy: what is said in this call, line by line.
    fn reads(&self, sid: &CallSid) -> Program {
        let url = format!("https://localhost:{}", self.proxy.addr().port());
        let token = self.relay.token_file(&self.admin);
        let floor = ("PARTYLINE_BACKOFF_FLOOR_MS", supervisor::BACKOFF_FLOOR_MS);
        Program::start(
            &binaries::path(binaries::LISTENER),
            [
                "--relay",
                &url,
                "--token-file",
                &token,
                "transcript",
                sid.as_str(),
                "--follow",
                "--json",
            ],
            &[floor, ("SSL_CERT_FILE", &self.roots)],
        )
    }

    /// What the relay says of the call's stream.
    async fn stream(&self, sid: &CallSid) -> String {
        let path = format!("/api/v1/calls/{sid}");
        let call = self.relay.ask(Method::GET, &path, &self.admin).await.expect(200);
        call.json()["stream"].as_str().unwrap_or_default().to_owned()
    }
}

async fn story(kind: Kind) {
    let mut world = World::begin(kind).await;
    let idle = world.listen(&world.people, &world.nobodys).await;
    let (mut call, stream) = world.call().await;
    let sid = call.sid().clone();
    let mut alice = world.listen(&world.people, &world.admin).await;
    alice.subscribe(&sid).await;
    let reads = world.reads(&sid);
    say(&mut call, &reads, "before").await;

    let (idle, alice, stream) =
        tokio::join!(quiet(idle, WHILE), hear(alice, &sid, WHILE), talk(stream, WHILE));
    let asked = http::get(world.people.addr(), &format!("/listen?ticket={CANARY}")).await;
    assert!(asked.status.is_client_error(), "{}", asked.status);
    world.proxy.reload().await;
    match kind {
        Kind::Nginx | Kind::Haproxy => goes_on(&world, &sid, idle, alice, stream).await,
        Kind::Caddy => comes_back(&world, &sid, idle, alice, stream).await,
    }
    say(&mut call, &reads, "after").await;
    let lines: Vec<_> = String::from_utf8(reads.stdout())
        .expect("text")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|line| line["text"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(lines, ["before", "after"], "{kind}: each line once");

    // A word that is believed of a proxy is not believed through it, also of who is where the proxy is.
    let mut carol = world.listen(&world.near, &world.admin).await;
    carol.subscribe(&sid).await;
    let audit = world.relay.audit();
    let begins: BTreeSet<_> = audit
        .iter()
        .filter(|line| line["event"] == "listen_begin")
        .map(|line| line["address"].as_str().unwrap_or_default())
        // What the program's own name for this machine is.
        .filter(|address| *address != "::1")
        .collect();
    assert_eq!(begins, BTreeSet::from(["127.0.0.1", "127.0.0.5"]));
    keeps_queries_to_itself(&mut world).await;
}

/// Someone says something in the call, and the program prints it.
async fn say(call: &mut TwilioCall, reads: &Program, text: &str) {
    call.says(Track::Outbound, text, true).await.expect(204);
    let mark = format!("\"{text}\"");
    reads.line(SOON, text, |line| line.contains(&mark)).await;
}

/// A listener who is told nothing for so long, and is not closed.
async fn quiet(mut idle: Listener, time: Duration) -> Listener {
    let came = idle.listens_for(time).await;
    assert!(came.is_empty(), "an idle listener was told {came:?}");
    idle
}

/// What is said on a track in so long.
fn said(track: Track, time: Duration) -> Vec<u8> {
    let piece = speech::mulaw(speech::LONG[track as usize]);
    let bytes = time.as_millis() as usize / 20 * FRAME_BYTES;
    piece.into_iter().cycle().take(bytes).collect()
}

/// Two people talk for so long.
async fn talk(mut stream: MediaSocket, time: Duration) -> MediaSocket {
    let (inbound, outbound) = (said(Track::Inbound, time), said(Track::Outbound, time));
    stream.play(&inbound, &outbound, PACE).await;
    stream
}

/// A listener who is heard to get all that is said in so long, byte for byte. What it heard before is forgotten.
async fn hear(mut listener: Listener, sid: &CallSid, time: Duration) -> Listener {
    if let Some(heard) = listener.heard.get_mut(sid) {
        heard.frames = Default::default();
    }
    let frames = time.as_millis() as usize / 20;
    while Track::BOTH
        .iter()
        .any(|&track| listener.heard(sid).frames.get(track).len() < frames)
    {
        listener.next("the next frame").await;
    }
    let heard = listener.heard(sid);
    assert_eq!(heard.gaps, [], "something was lost");
    heard.assert_no_hole();
    for track in Track::BOTH {
        assert!(
            heard.audio(track) == said(track, time),
            "{track}: not what was said"
        );
    }
    listener
}

/// The sockets know nothing of the reload.
async fn goes_on(world: &World, sid: &CallSid, mut idle: Listener, alice: Listener, stream: MediaSocket) {
    let (_alice, _stream) = tokio::join!(hear(alice, sid, A_WHILE), talk(stream, A_WHILE));
    idle.say(&ClientMessage::Ping { id: 7 }).await;
    idle.until("the pong", |m| matches!(m, ServerMessage::Pong { id: 7, .. }))
        .await;
    assert_eq!(world.stream(sid).await, "live");
    // And who comes now is let in.
    world.listen(&world.people, &world.admin).await.close().await;
}

/// All sockets are cut off: the listener resumes, and the stream is known to be lost.
async fn comes_back(
    world: &World,
    sid: &CallSid,
    mut idle: Listener,
    mut alice: Listener,
    mut stream: MediaSocket,
) {
    idle.closed().await;
    alice.closed().await;
    within(SOON, "the stream to be cut off", stream.closed()).await;
    until(SOON, "the stream to be lost", async || {
        (world.stream(sid).await == "lost").then_some(())
    })
    .await;
    let mut again = world.listen(&world.people, &world.admin).await;
    let after = alice.heard(sid).after();
    let resume = Subscribe {
        call_sid: sid.clone(),
        audio: true,
        after: Some(after.clone()),
        replay_ms: 0,
        save: false,
        saved: None,
    };
    let subscribed = again.subscribe_with(resume).await;
    assert!(subscribed.resumed, "{subscribed:?}");
    let lost = |l: &Listener| l.heard(sid).event(EventKind::StreamLost).is_some();
    again.until_so("the loss of the stream", lost).await;
    let first = again.heard(sid).events.first().map(|event| event.seq);
    assert_eq!(first, Some(after.event + 1), "none twice and none missing");
}

/// Neither what was asked nor what failed shows a query string, where a ticket may be.
async fn keeps_queries_to_itself(world: &mut World) {
    let relay = std::mem::take(&mut world.relay);
    drop(relay);
    let path = format!("/api/v1/calls?ticket={CANARY}");
    let asked = http::get(world.people.addr(), &path).await;
    assert!(
        matches!(asked.status.as_u16(), 502 | 503),
        "there is no relay, and yet {}",
        asked.status
    );
    let logs = until(SOON, "what was asked to be logged", async || {
        let logs = world.proxy.logs();
        let asked = ["/listen", "/api/v1/calls", "127.0.0.5"];
        asked.iter().all(|asked| logs.contains(asked)).then_some(logs)
    })
    .await;
    assert!(!logs.contains(CANARY), "a query string is logged:\n{logs}");
}
