//! Fifty people talk and are listened to when the relay is killed. Another one is started in its place: whoever
//! listened comes back by himself, sees the calls as they were and that a restart was between, and hears them again.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use harness::guarded::Guarded;
use harness::network::quiet_port;
use harness::rest::{Opened, Rest, RestCall};
use harness::supervisor::BACKOFF_FLOOR_MS;
use harness::terminal::Setup;
use harness::wait::{SOON, until};
use harness::{Listener, Terminal, TwilioCall};
use partyline_shared::call::{Call, CallStatus};
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{After, Subscribe};
use partyline_shared::track::Track;

use super::restarts::written;
use super::{AT_ONCE, count};

const CALLS: usize = 50;
const LISTENERS: usize = 10;

/// Of a call that a listener hears: how it stood, and how far he was.
type Known = BTreeMap<CallSid, (Call, After)>;

/// Comes back as a client does: tries until he is let in, and goes on where he was.
async fn comes_back(relay: std::net::SocketAddr, bearer: String, known: Known) -> Listener {
    let headers = [("authorization", bearer.as_str())];
    let mut listener = until(SOON, "a relay", async || {
        Listener::open_at(relay, "/listen", &headers, None).await.ok()
    })
    .await;
    listener.greeted().await;
    let listed = |l: &Listener| known.keys().all(|sid| l.calls.contains_key(sid));
    listener.until_so("the calls that were", listed).await;
    for (sid, (_, after)) in &known {
        let goes_on = Subscribe {
            call_sid: sid.clone(),
            audio: true,
            after: Some(after.clone()),
            replay_ms: 0,
            save: false,
            saved: None,
        };
        listener.subscribe_with(goes_on).await;
    }
    let streams = |l: &Listener| {
        known.keys().all(|sid| {
            let subscribed = l.heard(sid).subscribed.last();
            subscribed.is_some_and(|subscribed| subscribed.audio_id.is_some())
        })
    };
    listener
        .until_so("the streams that were asked for", streams)
        .await;
    listener
}

/// The frame that is said in the call of this customer.
fn said(customer: &str) -> [u8; 160] {
    [customer.parse().unwrap(); 160]
}

/// What he sees: the same calls, another numbering that begins with the restart, and what is said now.
async fn expect_heard(mut listener: Listener, known: Known) {
    for (sid, (before, after)) in &known {
        let customer = before.customer_id.as_deref().unwrap();
        let hears = |l: &Listener| l.heard(sid).audio(Track::Inbound) == said(customer);
        listener.until_so("what is said now", hears).await;
        let now = &listener.calls[sid];
        assert_eq!(
            (&now.from, &now.to, &now.customer_id, &now.dialed, now.started_at),
            (
                &before.from,
                &before.to,
                &before.customer_id,
                &before.dialed,
                before.started_at
            )
        );
        assert_eq!(now.status, CallStatus::InProgress);
        let first = &listener.heard(sid).subscribed[0];
        assert!(!first.resumed && Some(&first.journal) != after.journal.as_ref());
        let lost = listener.heard(sid).event(EventKind::StreamLost).unwrap();
        let why = lost.detail["reason"].as_str().unwrap();
        assert!(why.contains("the relay was started"), "{why}");
        assert_eq!(count(&listener, sid, EventKind::StreamStarted), 1);
    }
    assert!(listener.strays.is_empty());
}

/// The real monitor over this relay.
async fn monitor(relay: &Guarded, token: &str) -> Terminal {
    let file = relay.token_file(token);
    let args = ["--relay", &relay.url(), "--token-file", &file];
    // No card, whatever this machine has; and no patience, so that the story takes seconds.
    let env = [
        ("ALSA_CONFIG_PATH", "/dev/null"),
        ("PARTYLINE_BACKOFF_FLOOR_MS", BACKOFF_FLOOR_MS),
    ];
    let setup = Setup {
        size: (130, 40),
        env: env.map(|(name, value)| (name, value.to_owned())).to_vec(),
        ..Setup::default()
    };
    Terminal::partyline(&args, setup).await
}

#[tokio::test]
async fn whoever_listened_to_fifty_calls_is_back_after_a_kill() {
    let mut rest = Rest::start().await;
    let guarded = Guarded::new();
    let token = guarded.token("admin", &["--role", "admin"]).await;
    let (state, url) = (guarded.path("calls.state"), rest.url());
    let flags = ["--twilio-api", &url, "--state", &state];
    let at = quiet_port();
    let guarded = guarded.start_at(at, &flags).await;
    rest.aim(Some(at));
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS {
        listeners.push((guarded.listen(&token).await, Known::new()));
    }
    let (mut calls, mut streams) = (Vec::<TwilioCall>::new(), Vec::new());
    for n in 0..CALLS {
        let (call, stream) = guarded.live_call(&n.to_string()).await;
        guarded.is_live(call.sid(), &token).await;
        rest.has(call.sid().as_str(), RestCall::default());
        listeners[n % LISTENERS].0.subscribe(call.sid()).await;
        calls.push(call);
        streams.push(stream);
    }
    let terminal = monitor(&guarded, &token).await;
    terminal.wait_for("Calls 50").await;
    terminal.keys("\r");
    terminal.wait_for("you listen").await;
    let say =
        async |call: &mut TwilioCall, text: &str| call.says(Track::Inbound, text, true).await.expect(204);
    say(&mut calls[0], "Before it went.").await;
    terminal.wait_for("Before it went.").await;
    written(&guarded, &calls.iter().map(TwilioCall::sid).collect::<Vec<_>>()).await;

    let guarded = guarded.kill().await;
    let back = FuturesUnordered::new();
    for (mut listener, mut known) in listeners {
        assert_eq!(listener.closed().await, None);
        for (sid, heard) in &listener.heard {
            known.insert(sid.clone(), (listener.calls[sid].clone(), heard.after()));
        }
        let bearer = format!("Bearer {token}");
        back.push(async move { (comes_back(at, bearer, known.clone()).await, known) });
    }
    drop(streams);
    let starts = async {
        terminal.wait_for("away since").await;
        let guarded = guarded.start_at(at, &flags).await;
        let mut streams: Vec<Opened> = Vec::new();
        for _ in 0..CALLS {
            streams.push(rest.stream().await);
        }
        (guarded, streams)
    };
    let (there, (_guarded, mut streams)) = tokio::join!(back.collect::<Vec<_>>(), starts);
    terminal
        .wait_until("the calls, the restart, and that audio was missed", |screen| {
            let text = screen.contents();
            let says = |what| text.contains(what);
            says("Calls 50")
                && says("online since")
                && says("Before it went.")
                && says("before the relay restarted")
                && says("missed perhaps some audio")
        })
        .await;
    for Opened { stream, parameters } in &mut streams {
        let (name, customer) = &parameters[0];
        assert_eq!(name, "customer_id");
        stream.play(&said(customer), &[], AT_ONCE).await;
    }
    for (listener, known) in there {
        assert_eq!(known.len(), CALLS / LISTENERS);
        expect_heard(listener, known).await;
    }
    say(&mut calls[0], "After it came back.").await;
    terminal.wait_for("After it came back.").await;
    for call in &calls {
        assert_eq!(rest.asked_for(call.sid().as_str()).len(), 1, "once for each");
    }
}
