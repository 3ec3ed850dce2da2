//! The relay that has fifty streams is killed: the other one takes its calls over, says that their streams are lost, and
//! asks Twilio for them again. Who was connected there goes on at the other one, and misses no line; who listens there
//! to other calls notices nothing.

mod others;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use harness::rest::{Opened, Rest, RestCall};
use harness::wait::within;
use harness::{Listener, Relays};
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::After;
use partyline_shared::track::Track;
use tokio::time::{Instant, timeout_at};

use self::others::Others;
use super::{AT_ONCE, finals, from, in_order, posts, said, says};

const CALLS: usize = 50;
const LISTENERS: usize = 5;
const DIES: usize = 0;
const STAYS: usize = 1;

/// From the kill on: until the streams are known to be lost, and until they are heard again.
const LOST: Duration = Duration::from_secs(10);
const HEARD: Duration = Duration::from_secs(15);
/// Until who was connected there is back, from when they set out.
const BACK: Duration = Duration::from_secs(5);

/// Comes back at another relay and goes on with each call where he was.
async fn comes_back(
    relays: &Relays,
    known: BTreeMap<CallSid, After>,
) -> (Listener, BTreeMap<CallSid, After>) {
    let mut listener = relays.listen(STAYS).await;
    for (sid, after) in &known {
        let subscribed = listener.subscribe_with(from(sid, after.clone())).await;
        assert!(subscribed.resumed, "{sid}: {subscribed:?}");
    }
    (listener, known)
}

/// How long others talk: through all that is done when it dies.
const TALK: Duration = Duration::from_secs(9);
/// What nobody notices between two frames.
const UNNOTICED: Duration = Duration::from_millis(200);

/// `PARTYLINE_DEATHS` says how often it dies, and each time is compared with a run in which it does not; by hand, on
/// a machine that does nothing else.
#[tokio::test]
async fn a_relay_that_dies_with_fifty_streams_is_followed_by_one_that_has_them() {
    let compared = std::env::var("PARTYLINE_DEATHS").ok();
    let Some(deaths) = compared else {
        run(true).await;
        return;
    };
    for _ in 0..deaths.parse().expect("a number of deaths") {
        let (lives, dies) = (others::p999(&run(false).await), others::p999(&run(true).await));
        println!("p99.9 between two frames: {lives:?} while it lives, {dies:?} while it dies");
        assert!(dies <= UNNOTICED.max(2 * lives));
    }
}

/// All of it, or the same without the death; gives the times between the frames of other calls.
async fn run(dies: bool) -> Vec<Duration> {
    let mut rest = Rest::start().await;
    let api = rest.url();
    let mut relays = Relays::start(2, &["--twilio-api", &api]).await;
    let (mut calls, mut streams) = (Vec::new(), Vec::new());
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS {
        listeners.push(relays.listen(DIES).await);
    }
    for n in 0..CALLS {
        let (call, stream) = relays.live_call(&n.to_string(), n % 2, DIES).await;
        rest.has(call.sid().as_str(), RestCall::default());
        listeners[n % LISTENERS].subscribe(call.sid()).await;
        calls.push(call);
        streams.push(stream);
    }
    // One at the other relay hears one of them as well.
    let mut elsewhere = relays.listen(STAYS).await;
    let first = calls[0].sid().clone();
    elsewhere
        .until_so("the call in the list", |l| l.calls.contains_key(&first))
        .await;
    elsewhere.subscribe(&first).await;
    for (n, call) in calls.iter_mut().enumerate() {
        says(call, &format!("before {n}")).await;
    }
    for (n, call) in calls.iter().enumerate() {
        finals(&mut listeners[n % LISTENERS], call.sid(), 1).await;
        relays.agree(call.sid()).await;
    }
    finals(&mut elsewhere, &first, 1).await;

    let others = Others::begin(&relays, STAYS, TALK).await;
    if !dies {
        return others.between().await;
    }
    rest.aim(Some(relays.addr(STAYS)));
    relays.kill(DIES).await;
    let died = Instant::now();
    drop(streams);
    // What is told meanwhile reaches who is there.
    for (n, call) in calls.iter_mut().enumerate() {
        call.aim(relays.addr(STAYS));
        says(call, &format!("meanwhile {n}")).await;
    }
    let set_out = Instant::now();
    let back = FuturesUnordered::new();
    for mut listener in listeners {
        assert_eq!(listener.closed().await, None);
        let known = listener.heard.iter();
        let known = known.map(|(sid, heard)| (sid.clone(), heard.after())).collect();
        back.push(comes_back(&relays, known));
    }
    let back = timeout_at(set_out + BACK, back.collect::<Vec<_>>());
    let back = back.await.expect("who was connected there is back within 5 s");

    let lost = |l: &Listener| l.heard(&first).event(EventKind::StreamLost).is_some();
    let told = timeout_at(died + LOST, elsewhere.until_so("the loss", lost));
    told.await.expect("the loss is known within 10 s");
    let mut opened: Vec<Opened> = Vec::new();
    for _ in 0..CALLS {
        opened.push(rest.stream().await);
    }
    // The same customer as before is how a stream is told from another.
    let mut of: BTreeMap<u8, Opened> = BTreeMap::new();
    for stream in opened {
        let customer = stream
            .parameters
            .iter()
            .find(|(name, _)| name == "customer_id")
            .expect("it is given along");
        of.insert(customer.1.parse().expect("a number"), stream);
    }
    assert_eq!(of.len(), CALLS);
    let mut back = back;
    for (n, call) in calls.iter().enumerate() {
        let (listener, _) = &mut back
            .iter_mut()
            .find(|(_, known)| known.contains_key(call.sid()))
            .expect("one hears it");
        let anew = |l: &Listener| {
            l.heard(call.sid())
                .events
                .iter()
                .any(|e| e.kind == EventKind::StreamStarted)
        };
        listener.until_so("the stream that was asked for", anew).await;
        let frame = said(n as u8, 1);
        let stream = &mut of.get_mut(&(n as u8)).expect("its stream").stream;
        stream.play(&frame, &[], AT_ONCE).await;
        let hears = |l: &Listener| l.heard(call.sid()).audio(Track::Inbound) == frame;
        let heard = timeout_at(died + HEARD, listener.until_so("what is said now", hears));
        heard.await.expect("each is heard again within 15 s");
    }
    let after = within(
        HEARD,
        "a line that is posted now",
        posts(&relays, STAYS, &first, "after"),
    );
    after.await;
    for (n, call) in calls.iter().enumerate() {
        let sid = call.sid();
        let (listener, known) = back
            .iter_mut()
            .find(|(_, known)| known.contains_key(sid))
            .expect("one hears it");
        let mut expected = vec![format!("meanwhile {n}")];
        expected.extend((n == 0).then(|| "after".to_owned()));
        finals(listener, sid, expected.len()).await;
        let heard = listener.heard(sid);
        assert_eq!(heard.finals(), expected);
        assert!(heard.lines.iter().all(|line| line.seq > known[sid].transcript));
        let count = |kind| heard.events.iter().filter(|event| event.kind == kind).count();
        assert_eq!(
            (count(EventKind::StreamLost), count(EventKind::StreamStarted)),
            (1, 1)
        );
        in_order(listener, sid);
    }
    finals(&mut elsewhere, &first, 3).await;
    assert_eq!(
        elsewhere.heard(&first).finals(),
        ["before 0", "meanwhile 0", "after"]
    );
    in_order(&elsewhere, &first);
    others.between().await
}
