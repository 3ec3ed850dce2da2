//! A relay that is killed at random while listeners come, go, and hear what was said before: whoever got `subscribed`
//! is on record, by the time it came, and the chain is whole. `make soak` kills more often.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use harness::listener::Item;
use harness::record::verify;
use harness::wait::{SOON, within};
use harness::{Listener, MediaSocket, Record, api};
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::ClientMessage;
use partyline_shared::protocol::server::ServerMessage;
use partyline_shared::track::Track;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::hear;

/// Kills, unless `PARTYLINE_KILLS` says how many.
const KILLS: u64 = 20;
const NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];
const CALLS: usize = 2;

/// Between two frames of a track.
const FRAME: Duration = Duration::from_millis(20);

/// One who listens.
struct Ear {
    name: &'static str,
    listener: Listener,
    dice: StdRng,
    record: Arc<Record>,
    /// How long the record was before this relay.
    before: u64,
}

/// What had to be on record: how often each was answered, by event and call.
type Owed = HashMap<(&'static str, CallSid), usize>;

#[tokio::test]
async fn whoever_hears_is_on_record_whenever_the_relay_is_killed() {
    let kills = std::env::var("PARTYLINE_KILLS").map_or(KILLS, |text| text.parse().expect("a number"));
    let record = Arc::new(Record::new());
    let mut tokens = Vec::new();
    for name in NAMES {
        tokens.push((name, record.add(name, &["--role", "admin"]).await));
    }
    let mut begun = 0;
    for kill in 0..kills {
        begun += one_life(&record, &tokens, kill).await;
        partyline_relay::audit::verify(&[record.audit()]).unwrap_or_else(|bad| panic!("kill {kill}: {bad}"));
    }
    assert!(begun >= kills as usize * NAMES.len(), "{begun}");
    let ended = record.relay(&[]).await;
    ended.stop().await.expect_code(0);
    verify(&[&record.audit()]).await.expect_code(0);
}

/// A relay from its start to its end; gives how often somebody began to hear.
async fn one_life(record: &Arc<Record>, tokens: &[(&'static str, String)], seed: u64) -> usize {
    let before = record.length();
    let relay = record.relay(&[]).await;
    let (mut streams, mut calls) = (JoinSet::new(), Vec::new());
    for _ in 0..CALLS {
        let (call, stream) = api::live_call(&relay).await;
        calls.push(call.sid().clone());
        streams.spawn(talk(stream));
    }
    let (tell, mut told) = mpsc::channel(1024);
    let mut listening = JoinSet::new();
    for (n, (name, token)) in tokens.iter().enumerate() {
        let ear = Ear {
            name,
            listener: Listener::connect_as(relay.addr(), token).await,
            dice: StdRng::seed_from_u64(seed * 16 + n as u64),
            record: record.clone(),
            before,
        };
        listening.spawn(ear.listens(calls.clone(), tell.clone()));
    }
    drop(tell);
    let mut dice = StdRng::seed_from_u64(seed);
    let enough = NAMES.len() + dice.random_range(0..60);
    for _ in 0..enough {
        within(SOON, "somebody to hear", told.recv())
            .await
            .expect("they listen");
    }
    // Anywhere in what one of them is about to hear.
    sleep(Duration::from_micros(dice.random_range(0..20_000))).await;
    relay.kill().await;
    drop(told);
    let mut begun = 0;
    let lines = record.since(before);
    while let Some(one) = listening.join_next().await {
        let (name, owed) = one.expect("a listener's own story goes well");
        for ((event, call), count) in owed {
            let found = on_record(&lines, event, name, &call);
            assert!(found >= count, "{name} {event} {call}: {found} of {count}");
            begun += usize::from(event == "listen_begin") * count;
        }
        for call in &calls {
            let [begins, ends] =
                ["listen_begin", "listen_end"].map(|event| on_record(&lines, event, name, call));
            assert!(ends <= begins, "{name} {call}: {ends} ends of {begins}");
        }
    }
    streams.shutdown().await;
    begun
}

fn on_record(lines: &[Value], event: &str, name: &str, call: &CallSid) -> usize {
    let is =
        |line: &&Value| line["event"] == event && line["who"] == name && line["call_sid"] == call.as_str();
    lines.iter().filter(is).count()
}

/// Both talk until nobody takes it.
async fn talk(mut stream: MediaSocket) {
    for at in (57..).step_by(20) {
        for track in Track::BOTH {
            if stream.try_media(track, at, &[0x2a; 160]).await.is_err() {
                return;
            }
        }
        sleep(FRAME).await;
    }
}

impl Ear {
    /// Comes and goes at random until the relay is gone.
    async fn listens(mut self, calls: Vec<CallSid>, tell: mpsc::Sender<()>) -> (&'static str, Owed) {
        let mut owed = Owed::new();
        loop {
            let call = &calls[self.dice.random_range(0..calls.len())];
            let (replay_ms, save) = match self.dice.random_range(0..4) {
                0 => (500, false),
                1 => (0, true),
                2 => (200, true),
                _ => (0, false),
            };
            let subscribe = ClientMessage::Subscribe(hear(call, replay_ms, save));
            if !self.listener.try_say(&subscribe).await || !self.is_answered(call).await {
                break;
            }
            for (event, due) in [("listen_begin", true), ("replay", replay_ms > 0), ("save", save)] {
                *owed.entry((event, call.clone())).or_default() += usize::from(due);
            }
            let written = self.record.since(self.before);
            for ((event, call), count) in &owed {
                let found = on_record(&written, event, self.name, call);
                assert!(
                    found >= *count,
                    "{} hears {call} before it is on record: {event}",
                    self.name
                );
            }
            // The story may have seen enough.
            let _ = tell.try_send(());
            for _ in 0..self.dice.random_range(0..3) {
                if let Item::Closed(_) = self.listener.next("a frame, or the end").await {
                    return self.went(owed);
                }
            }
            if self.dice.random_bool(0.3) {
                let unsubscribe = ClientMessage::Unsubscribe {
                    call_sid: call.clone(),
                };
                if !self.listener.try_say(&unsubscribe).await {
                    break;
                }
            }
        }
        self.went(owed)
    }

    fn went(self, owed: Owed) -> (&'static str, Owed) {
        assert!(
            self.listener.strays.is_empty(),
            "frames that no `subscribed` announced"
        );
        (self.name, owed)
    }

    /// Waits for `subscribed`; `false` where the relay went before.
    async fn is_answered(&mut self, call: &CallSid) -> bool {
        loop {
            match self.listener.next("subscribed, or the end").await {
                Item::Closed(_) => return false,
                Item::Text(text) => match *text {
                    ServerMessage::Subscribed { call_sid, .. } if call_sid == *call => return true,
                    ServerMessage::Error { message, .. } => panic!("{message}"),
                    _ => {}
                },
                Item::Frame(_) => {}
            }
        }
    }
}
