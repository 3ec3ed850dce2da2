//! Both relays behind HAProxy are restarted one after the other, three times over, while twenty people talk and are
//! listened to: no call ends, no line is lost, and nobody is unheard for longer than five seconds.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ::http::Method;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use harness::listener::Item;
use harness::relays::{BEHIND, Front};
use harness::rest::{Rest, RestCall};
use harness::wait::{SOON, until};
use harness::{Listener, MediaSocket, Relays, TwilioCall};
use partyline_shared::id::CallSid;
use partyline_shared::line::Line;
use partyline_shared::protocol::client::After;
use partyline_shared::protocol::server::ServerMessage;
use partyline_shared::track::Track;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use super::{PACE, from, heard, once_each};

const CALLS: usize = 20;
const LISTENERS: usize = 4;
const ROUNDS: usize = 3;

/// Longest that a call is not heard.
const UNHEARD: Duration = Duration::from_secs(5);
/// How often each call has a line.
const LINE: Duration = Duration::from_millis(500);

/// Streams are given up soon after a relay is told to leave, and asked for again by the other one; not before HAProxy,
/// which takes more than a second, knows that it leaves.
const LEAVES: [&str; 2] = ["--drain-timeout", "3s"];

/// Talks until the story is over or the relay hangs up.
async fn talks(mut stream: MediaSocket, mut over: watch::Receiver<bool>) -> Option<MediaSocket> {
    let frame = [0x55; 160];
    let mut at = 57;
    let begun = Instant::now();
    for step in 0_u32.. {
        tokio::time::sleep_until(begun + PACE * step).await;
        if *over.borrow_and_update() {
            return Some(stream);
        }
        for track in Track::BOTH {
            if stream.try_media(track, at, &frame).await.is_err() {
                return None;
            }
        }
        at += 20;
    }
    None
}

/// Takes each stream that is asked for, and has it talk.
async fn twilio(
    mut rest: Rest,
    over: watch::Receiver<bool>,
    mut talking: JoinSet<Option<MediaSocket>>,
) -> usize {
    let (mut asked, mut ends) = (0, over.clone());
    loop {
        tokio::select! {
            opened = rest.opened() => {
                asked += 1;
                talking.spawn(talks(opened.stream, over.clone()));
            }
            _ = ends.wait_for(|over| *over) => break,
        }
    }
    // They stay open until all have been looked at.
    let open: Vec<_> = talking.join_all().await.into_iter().flatten().collect();
    assert_eq!(open.len(), CALLS, "each call has its stream");
    asked
}

/// What one who listens had of a call, over all his connections.
#[derive(Default)]
struct Kept {
    after: Option<After>,
    lines: BTreeMap<u64, Line>,
    journal: Option<String>,
    last: Option<Instant>,
    longest: Duration,
}

/// Listens to some calls, and comes back as a client does.
async fn listens(
    front: SocketAddr,
    token: String,
    mut kept: BTreeMap<CallSid, Kept>,
    over: watch::Receiver<bool>,
) -> BTreeMap<CallSid, Kept> {
    while !*over.borrow() {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let opened = Listener::open_at(front, "/listen", &headers, None).await;
        let Ok(mut listener) = opened else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        // It may be ended at any time, also before it has said who it is.
        if hears(&mut listener, &mut kept, &over).await.is_none() {
            keeps(&listener, &mut kept);
        }
    }
    kept
}

/// Hears until it is over, or until the relay closes: `None`.
async fn hears(
    listener: &mut Listener,
    kept: &mut BTreeMap<CallSid, Kept>,
    over: &watch::Receiver<bool>,
) -> Option<()> {
    for (sid, kept) in kept.iter() {
        let subscribe = kept
            .after
            .clone()
            .map_or_else(|| heard(sid), |after| from(sid, after));
        let said = partyline_shared::protocol::client::ClientMessage::Subscribe(subscribe);
        if !listener.try_say(&said).await {
            return None;
        }
    }
    let mut counts: BTreeMap<CallSid, usize> = BTreeMap::new();
    while !*over.borrow() {
        let came = listener.listens_for(PACE).await;
        if came.is_empty() && listener.has_ended() {
            return None;
        }
        for item in came {
            if let Item::Text(message) = item
                && let ServerMessage::Error { message, re, .. } = *message
            {
                panic!("a listener was refused: {message} ({re:?})");
            }
        }
        let now = Instant::now();
        for (sid, kept) in kept.iter_mut() {
            let count = listener
                .heard
                .get(sid)
                .map_or(0, |heard| heard.frames.get(Track::Inbound).len());
            let before = counts.insert(sid.clone(), count).unwrap_or(0);
            if count > before {
                let unheard = kept.last.map_or(Duration::ZERO, |last| now - last);
                kept.longest = kept.longest.max(unheard);
                kept.last = Some(now);
            }
        }
    }
    keeps(listener, kept);
    Some(())
}

/// What one connection brought is what the next one goes on from.
fn keeps(listener: &Listener, kept: &mut BTreeMap<CallSid, Kept>) {
    for (sid, heard) in &listener.heard {
        let Some(kept) = kept.get_mut(sid) else { continue };
        if heard.subscribed.is_empty() {
            continue;
        }
        let mut after = heard.after();
        if let Some(before) = kept.after.take() {
            after.transcript = after.transcript.max(before.transcript);
            after.event = after.event.max(before.event);
        }
        kept.after = Some(after);
        for subscribed in &heard.subscribed {
            let before = kept.journal.replace(subscribed.journal.clone());
            let one = before.is_none_or(|before| before == subscribed.journal);
            assert!(one, "{sid} was numbered anew");
        }
        for line in &heard.lines {
            let twice = kept.lines.insert(line.seq, line.clone());
            assert!(twice.is_none(), "{sid} twice: {line:?}");
        }
    }
}

/// Tells a line of each call every now and then; how many of each were taken.
async fn tells(mut calls: Vec<TwilioCall>, mut over: watch::Receiver<bool>) -> (Vec<TwilioCall>, usize) {
    let mut told = 0;
    while !*over.borrow_and_update() {
        let all: FuturesUnordered<_> = calls
            .iter_mut()
            .map(async |call| {
                // Twilio does not send again what was refused; a proxy has one relay that takes it at any time.
                call.says(Track::Inbound, &format!("line {told}"), true)
                    .await
                    .expect(204);
            })
            .collect();
        all.collect::<Vec<()>>().await;
        told += 1;
        let _ = tokio::time::timeout(LINE, over.changed()).await;
    }
    (calls, told)
}

#[tokio::test]
async fn a_rolling_restart_ends_no_call_and_loses_no_line() {
    let rest = Rest::start().await;
    let api = rest.url();
    let flags = [&["--twilio-api", &api][..], &BEHIND, &LEAVES].concat();
    let mut relays = Relays::start(2, &flags).await;
    let front = Front::before(&relays).await;
    rest.aim(Some(front.addr()));
    let (end, over) = watch::channel(false);
    let mut talking = JoinSet::new();
    let mut calls = Vec::new();
    for n in 0..CALLS {
        let (call, stream) = front
            .live_call(&n.to_string(), (relays.at(0), relays.token()))
            .await;
        rest.has(call.sid().as_str(), RestCall::default());
        talking.spawn(talks(stream, over.clone()));
        calls.push(call);
    }
    let sids: Vec<CallSid> = calls.iter().map(|call| call.sid().clone()).collect();
    let twilio = tokio::spawn(twilio(rest, over.clone(), talking));
    let listening: Vec<JoinHandle<_>> = (0..LISTENERS)
        .map(|nth| {
            let hers = sids.iter().skip(nth).step_by(LISTENERS);
            let hers = hers.map(|sid| (sid.clone(), Kept::default())).collect();
            let (at, token) = (front.addr(), relays.token().to_owned());
            tokio::spawn(listens(at, token, hers, over.clone()))
        })
        .collect();
    let telling = tokio::spawn(tells(calls, over.clone()));

    for _ in 0..ROUNDS {
        for nth in [0, 1] {
            let left = relays.leaves(nth).await.expect_code(0);
            // For who looks for what went wrong.
            println!("--- one that left said:\n{}", left.stderr);
            relays.comes_back(nth).await;
            // As an operator does: the next one only when this one serves, and all are heard.
            for sid in &sids {
                relays
                    .everywhere(sid, "a live stream", |call| {
                        call.stream == partyline_shared::call::StreamState::Live
                    })
                    .await;
            }
            front.serves(2).await;
        }
    }
    end.send_replace(true);
    let (_calls, told) = telling.await.expect("lines are told");
    let asked = twilio.await.expect("streams are opened");
    assert!(asked >= CALLS, "{asked} streams were asked for");
    let lines: Vec<String> = (0..told).map(|n| format!("line {n}")).collect();
    for sid in &sids {
        // The last of them may be on its way from the relay that took it to the one that has the call.
        let whole = until(SOON, "all that was said", async || {
            let [call, transcript, _] = relays.agree(sid).await;
            let texts = transcript["transcript"].as_array().expect("a list").iter();
            let texts: Vec<String> = texts
                .filter_map(|line| line["text"].as_str().map(str::to_owned))
                .collect();
            (texts.len() >= lines.len()).then_some((call, texts))
        });
        let (call, texts) = whole.await;
        assert_eq!(call["status"], "in-progress", "{sid}");
        assert_eq!(call["ended_at"], serde_json::Value::Null, "{sid}");
        assert_eq!(texts, lines, "{sid}");
    }
    let missing = until(SOON, "both relays to be ready", async || {
        let mut ready = true;
        for nth in [0, 1] {
            ready &= relays.ask(nth, Method::GET, "/readyz").await.status == 200;
        }
        ready.then_some(())
    });
    missing.await;
    for listening in listening {
        for (sid, kept) in listening.await.expect("they listen") {
            assert!(
                kept.longest <= UNHEARD,
                "{sid} was not heard for {:?}",
                kept.longest
            );
            // Those that were told when it was already over were told to nobody.
            let finals: Vec<&str> = kept
                .lines
                .values()
                .filter(|line| line.is_final)
                .map(|line| line.text.as_str())
                .collect();
            once_each(sid.as_str(), finals.clone(), lines[..finals.len()].to_vec());
            assert!(
                finals.len() + 2 >= lines.len(),
                "{sid}: {} of {}",
                finals.len(),
                lines.len()
            );
        }
    }
}
