//! One call, whatever comes first. Webhook, stream, callbacks of both legs and transcription arrive in every
//! order there is; what is known of the call in the end is the same.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use harness::twilio::new_sid;
use harness::{MediaSocket, Relay, Scratch, TwilioCall, api};
use partyline_relay::calls::order::PATIENCE;
use partyline_shared::call::{Call, CallStatus, StreamState};
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use partyline_shared::track::{Role, Track};

/// The dialled leg answers, in both of the ways that Twilio writes a time.
const ANSWERED: [&str; 2] = [
    "Sun, 22 Nov 2026 09:00:07 +0000",
    "2026-11-22T09:00:07.000000000Z",
];
/// The call's own leg did before.
const OWN_ANSWER: &str = "Sun, 22 Nov 2026 09:00:02 +0000";
/// When everything was said: callbacks that overtake one another leave the same times then.
const SAID: &str = "2026-11-22T09:00:09.123456789Z";

/// How often an order is told anew where its words came too slowly.
const TRIES: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Webhook,
    Stream,
    OwnLeg,
    DialledLeg,
    Words,
}

const STEPS: [Step; 5] = [
    Step::Webhook,
    Step::Stream,
    Step::OwnLeg,
    Step::DialledLeg,
    Step::Words,
];

/// What the transcription posts: its event, and for words the track, the text and whether they stay.
type Post = (&'static str, Option<(Track, &'static str, bool)>);

const POSTS: [Post; 4] = [
    ("transcription-started", None),
    (
        "transcription-content",
        Some((Track::Inbound, "how can I", false)),
    ),
    (
        "transcription-content",
        Some((Track::Inbound, "How can I help?", true)),
    ),
    (
        "transcription-content",
        Some((Track::Outbound, "Hello there.", true)),
    ),
];

fn orders<T: Copy>(of: &[T]) -> Vec<Vec<T>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in of.iter().enumerate() {
        let rest: Vec<T> = [&of[..at], &of[at + 1..]].concat();
        all.extend(
            orders(&rest)
                .into_iter()
                .map(|rest| [vec![*first], rest].concat()),
        );
    }
    all
}

/// One call that is told in one order.
struct Told {
    call: TwilioCall,
    /// The leg that it dials.
    leg: String,
    relay: SocketAddr,
    stream: Option<MediaSocket>,
    /// What was missing of its words for a moment may have been given up, so that another call comes of it.
    too_slow: bool,
}

impl Told {
    fn new(relay: SocketAddr) -> Told {
        Told {
            call: TwilioCall::at(relay),
            leg: new_sid("CA"),
            relay,
            stream: None,
            too_slow: false,
        }
    }

    async fn step(&mut self, step: Step, number: usize) {
        let call = &mut self.call;
        match step {
            Step::Webhook => {
                call.webhook(&[("customer_id", "77")]).await.expect(200);
            }
            Step::Stream => {
                let mut stream = call.open_stream().await;
                stream.connected().await;
                stream.start(&[("customer_id", "the stream's")]).await;
                stream.play(&[0xff; 800], &[0xff; 800], Duration::ZERO).await;
                let live = |call: &Call| call.stream == StreamState::Live && call.talk.silence_ms == 100;
                api::call_once(self.relay, call.sid(), "the stream to be live", live).await;
                self.stream = Some(stream);
            }
            Step::OwnLeg => {
                call.status("in-progress", &[("Timestamp", OWN_ANSWER)])
                    .await
                    .expect(204);
            }
            Step::DialledLeg => {
                let leg = self.leg.clone();
                let to = call.to.clone();
                for status in ["initiated", "ringing", "in-progress"] {
                    let at = [("Timestamp", ANSWERED[number % 2]), ("To", &to)];
                    call.leg_status(&leg, status, &at).await.expect(204);
                }
            }
            Step::Words => {
                let (orders, begun) = (orders(&[0, 1, 2, 3]), Instant::now());
                for &post in &orders[number % orders.len()] {
                    say(call, POSTS[post], post as u64 + 1).await;
                }
                self.too_slow = begun.elapsed() >= PATIENCE;
            }
        }
    }
}

async fn say(call: &mut TwilioCall, (event, words): Post, sequence: u64) {
    call.next_sequence_id = sequence;
    let mut fields = vec![("Timestamp", SAID)];
    let (track, data);
    if let Some((who, text, is_final)) = words {
        track = format!("{who}_track");
        data = serde_json::json!({ "transcript": text, "confidence": 0.9 }).to_string();
        let is_final = if is_final { "true" } else { "false" };
        fields.extend([
            ("Track", track.as_str()),
            ("TranscriptionData", &data),
            ("Final", is_final),
        ]);
    }
    call.transcription(event, &fields).await.expect(204);
}

/// All that is known of a call but its names and the moments at which it was heard of.
async fn known(relay: SocketAddr, sid: &CallSid) -> String {
    let mut call = api::call(relay, sid).await;
    call.call_sid = CallSid::parse("CA").unwrap();
    call.started_at = None;
    call.ended_at = call.ended_at.map(|_| UtcTime::from_unix_ms(0));
    let events = api::events(relay, sid).await;
    let events: BTreeSet<String> = events
        .iter()
        .map(|event| {
            let detail = |key: &str| event.detail.get(key).map(|v| format!(" {v}")).unwrap_or_default();
            format!(
                "{}{}{}{}",
                event.kind,
                detail("leg"),
                detail("status"),
                detail("duration_s")
            )
        })
        .collect();
    let lines = api::lines(relay, sid).await;
    let lines: BTreeSet<String> = lines
        .iter()
        .map(|line| {
            format!(
                "{} {} {} {:?} {:?}",
                line.track, line.text, line.is_final, line.confidence, line.at
            )
        })
        .collect();
    format!("{call:#?}\n{}\n{events:#?}\n{lines:#?}", call_addresses(&call))
}

/// Addresses are masked where they are printed.
fn call_addresses(call: &Call) -> String {
    let show = |address: &Option<partyline_shared::phone::PhoneNumber>| {
        address
            .as_ref()
            .map_or("-".to_owned(), |address| address.as_str().to_owned())
    };
    [&call.from, &call.to, &call.agent, &call.dialed]
        .map(show)
        .join(" ")
}

/// Plays one order; what is known while people talk, and when it is over. `None` where its words were too slow.
async fn play(relay: SocketAddr, number: usize, order: &[Step]) -> Option<(String, String)> {
    let mut told = Told::new(relay);
    for &step in order {
        told.step(step, number).await;
    }
    if told.too_slow {
        return None;
    }
    let sid = told.call.sid().clone();
    let live = known(relay, &sid).await;

    // The dialled leg hangs up: its end is not the call's.
    let leg = told.leg.clone();
    let ended = [("CallDuration", "31"), ("Duration", "1")];
    told.call.leg_status(&leg, "completed", &ended).await.expect(204);
    let call = api::call(relay, &sid).await;
    assert_eq!((call.status, call.ended_at), (CallStatus::InProgress, None));

    told.stream.take().expect("it was played").hang_up().await;
    api::call_once(relay, &sid, "the call's end", Call::is_ended).await;
    told.call.status("completed", &[]).await.expect(204);
    Some((live, known(relay, &sid).await))
}

/// The same, anew where it was too slow.
async fn play_in_time(relay: SocketAddr, number: usize, order: &[Step]) -> (String, String) {
    for _ in 0..TRIES {
        if let Some(told) = play(relay, number, order).await {
            return told;
        }
    }
    panic!("a few words take longer than {PATIENCE:?}, told as {order:?}");
}

#[tokio::test]
async fn every_order_tells_the_same_call() {
    let relay = Relay::start(&[]).await;
    let orders = orders(&STEPS);
    assert_eq!(orders.len(), 120);
    let mut first: Option<(String, String)> = None;
    for (number, order) in orders.iter().enumerate() {
        let told = play_in_time(relay.addr(), number, order).await;
        let first = first.get_or_insert(told.clone());
        assert_eq!(told.0, first.0, "while people talk, told as {order:?}");
        assert_eq!(told.1, first.1, "in the end, told as {order:?}");
    }

    // And it is the right one.
    let mut told = Told::new(relay.addr());
    for step in STEPS {
        told.step(step, 0).await;
    }
    let call = api::call(relay.addr(), told.call.sid()).await;
    assert_eq!(
        call_addresses(&call),
        "client:agent +15550100002 client:agent +15550100002"
    );
    assert_eq!(call.customer_id.as_deref(), Some("77"));
    assert_eq!(
        (call.direction.as_deref(), call.account_sid.as_deref()),
        (Some("inbound"), Some(harness::twilio::ACCOUNT))
    );
    assert_eq!(
        (call.roles.inbound, call.roles.outbound),
        (Role::Agent, Role::Customer)
    );
    assert_eq!(
        (call.status, call.stream),
        (CallStatus::InProgress, StreamState::Live)
    );
    assert_eq!(
        call.answered_at,
        UtcTime::parse(ANSWERED[0]),
        "when the dialled leg answered"
    );
    assert_eq!(call.tracks, Track::BOTH);
    let lines = api::lines(relay.addr(), told.call.sid()).await;
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["How can I help?", "Hello there."]);
}

#[tokio::test]
async fn odd_parties_and_times_are_one_call_too() {
    let relay = Relay::start(&[]).await;
    // Nobody tells who calls, and no TwiML of ours rings anybody.
    let mut call = TwilioCall::new(&relay);
    (call.from, call.direction) = ("anonymous".to_owned(), "outbound-api".to_owned());
    call.status("ringing", &[("Timestamp", "2026-11-22T09:00:00Z")])
        .await
        .expect(204);
    let ringing = api::call(relay.addr(), call.sid()).await;
    assert_eq!((ringing.status, ringing.answered_at), (CallStatus::Ringing, None));
    call.status("in-progress", &[("Timestamp", OWN_ANSWER)])
        .await
        .expect(204);
    // A callback that was overtaken changes nothing.
    call.status("initiated", &[]).await.expect(204);
    let live = api::call(relay.addr(), call.sid()).await;
    assert_eq!(call_addresses(&live), "anonymous +15550100002 - -");
    assert_eq!(live.direction.as_deref(), Some("outbound-api"));
    assert_eq!(
        (live.status, live.stream),
        (CallStatus::InProgress, StreamState::None)
    );
    assert_eq!(
        live.answered_at,
        UtcTime::parse(OWN_ANSWER),
        "nobody was dialled: its own"
    );
    assert_eq!(
        (live.roles.inbound, live.roles.outbound),
        (Role::Customer, Role::Agent)
    );

    call.status("completed", &[("Duration", "2"), ("CallDuration", "75")])
        .await
        .expect(204);
    let ended = |event: &partyline_shared::event::Event| event.detail["status"] == "completed";
    let event = api::event_once(relay.addr(), call.sid(), EventKind::CallStatus, ended).await;
    assert_eq!(event.detail["duration_s"], 75, "seconds, not minutes");
    // A repeated callback is no second event.
    call.status("completed", &[]).await.expect(204);
    let events = api::events(relay.addr(), call.sid()).await;
    assert_eq!(events.iter().filter(|event| ended(event)).count(), 1);
}

#[tokio::test]
async fn the_customer_is_the_routes_else_the_webhooks_else_the_streams() {
    let folder = Scratch::new();
    let config = folder.write(
        "relay.toml",
        "[[routes]]\nto = \"+15550100009\"\ndial = \"client:desk\"\ncustomer_id = \"777\"\nagent = \"inbound\"\n",
    );
    let relay = Relay::start(&["--config", config.to_str().unwrap()]).await;
    let customer = async |call: &TwilioCall| api::call(relay.addr(), call.sid()).await.customer_id;

    let call = TwilioCall::new(&relay);
    let mut stream = call.open_stream().await;
    stream.connected().await;
    stream.start(&[("customer_id", "stream")]).await;
    api::call_once(relay.addr(), call.sid(), "the stream's customer", |call| {
        call.customer_id.as_deref() == Some("stream")
    })
    .await;
    let form = call.voice_form("ringing", &[]);
    harness::http::post_form(relay.addr(), "/twilio/voice?customer_id=query", &form)
        .await
        .expect(200);
    assert_eq!(customer(&call).await.as_deref(), Some("query"));
    call.webhook(&[("customer_id", "later")]).await.expect(200);
    assert_eq!(
        customer(&call).await.as_deref(),
        Some("later"),
        "a later webhook replaces it"
    );
    call.webhook(&[("To", "+15550100009"), ("customer_id", "form")])
        .await
        .expect(200);
    let routed = api::call(relay.addr(), call.sid()).await;
    assert_eq!(
        routed.customer_id.as_deref(),
        Some("777"),
        "the route's goes before all"
    );
    assert_eq!(
        (routed.roles.inbound, routed.roles.outbound),
        (Role::Agent, Role::Customer)
    );
    stream.hang_up().await;
}
