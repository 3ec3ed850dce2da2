//! The task that plays one source's call, over the real clock with little patience. Nothing is said of how fast it is.

use crate::api::sources::name::Owner;
use std::collections::{HashSet, VecDeque};

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::call::StreamState;
use partyline_shared::id::CallSid;
use tokio::time::{sleep, timeout};

use super::*;
use crate::access::Grant;
use crate::calls::call::{Ask, Begin, Kind, Standing};
use crate::calls::fanout::Mailbox;
use crate::calls::registry::{Registry, Settings};

/// What a test waits for at most.
const SOON: Duration = Duration::from_secs(20);

/// A source of these tests is gone after so long: longer than its audio waits before it is heard.
const PATIENCE: Duration = Duration::from_millis(400);

async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let waits = async {
        while !so() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, waits).await.unwrap_or_else(|_| panic!("{what}"));
}

fn ground() -> (Registry, Arc<Ground>) {
    let metrics = Arc::<Metrics>::default();
    let settings = Settings {
        retention: SOON,
        history: Duration::ZERO,
        max_calls: 1,
    };
    let ground = Ground {
        metrics: metrics.clone(),
        stop: Stop::default(),
        tasks: TaskTracker::new(),
        streams: TaskTracker::new(),
        leaving: CancellationToken::new(),
        gone: PATIENCE,
    };
    (Registry::new("n".into(), settings, metrics), Arc::new(ground))
}

/// The frames in which something is said that the mailbox has now.
fn heard(mailbox: &Mailbox, said: u8) -> Vec<AudioFrame> {
    let mut taken = VecDeque::new();
    mailbox.take(&mut taken, usize::MAX);
    let frames = taken.into_iter().filter_map(|(_, item)| match item {
        Item::Frame(frame) if frame.mulaw().contains(&said) => Some(frame),
        _ => None,
    });
    frames.collect()
}

#[tokio::test]
async fn a_source_that_falls_silent_is_lost_and_begins_anew_with_what_it_says_next() {
    let (registry, ground) = ground();
    let sid = CallSid::parse("CA1").unwrap();
    let call = registry.open(Now::take(), &sid).unwrap();
    let source = Source::new(&call, Owner::of(&Grant::insecure()).mark());
    source.begin(call.clone(), Now::take(), &ground, ground.token().unwrap());
    let mailbox = Arc::new(Mailbox::new(None));
    mailbox.set_subs(vec![1]);
    let ask = Ask {
        mailbox: &mailbox,
        sub: 1,
        audio: true,
        form: None,
        from: Begin::Now,
        replay_ms: 0,
    };
    let _place = call.subscribe(Now::take(), &Grant::insecure(), ask).unwrap();

    let mut streams = HashSet::new();
    for (round, said) in [0x11, 0x22].into_iter().enumerate() {
        source.publish(&ground, Track::Inbound, &[said; 160]).unwrap();
        assert_eq!(call.standing().1, StreamState::Live, "round {round}");
        let mut frames = Vec::new();
        until("what it says is heard", || {
            frames.extend(heard(&mailbox, said));
            !frames.is_empty()
        })
        .await;
        assert_eq!((frames.len(), frames[0].mulaw()), (1, &[said; 160][..]));
        assert_eq!(frames[0].chunk(), 1, "a stream of its own");
        streams.insert(frames[0].audio_id());
        until("it is lost", || call.standing().1 == StreamState::Lost).await;
        until("a relay that drains waits for it no more", || {
            ground.streams.is_empty()
        })
        .await;
        assert_eq!(
            call.standing_for(&Grant::insecure()),
            Standing::Live,
            "it may come back"
        );
    }
    assert_eq!(streams.len(), 2);
    let (_, events) = call.remembered(&Grant::insecure(), Kind::Events, None).unwrap();
    let lost = events.iter().filter(|event| {
        let json = event.json();
        json.contains("stream_lost") && json.contains(SILENT)
    });
    assert!(lost.count() >= 2);
    assert!(ground.metrics.sources_lost.get() >= 2);

    // Nothing is left to be played: it is over at once, and takes no more.
    source.complete();
    assert!(call.is_over());
    let refused = source.publish(&ground, Track::Inbound, &[0x33; 160]).unwrap_err();
    assert_eq!(
        (refused.status, refused.code),
        (StatusCode::BAD_REQUEST, "call_ended")
    );
    assert!(ground.streams.is_empty());
}

#[tokio::test]
async fn a_call_that_is_remembered_no_more_is_in_nobodys_memory() {
    let (registry, ground) = ground();
    let now = Now::take();
    let call = registry.open(now, &CallSid::parse("CA1").unwrap()).unwrap();
    let source = Source::new(&call, Owner::of(&Grant::insecure()).mark());
    let kept = Arc::downgrade(&call);
    source.begin(call, now, &ground, ground.token().unwrap());
    source.complete();
    until("its end", || kept.upgrade().is_some_and(|call| call.is_over())).await;
    until("its task's end", || ground.tasks.is_empty()).await;
    assert!(source.call().is_some());
    let later = Now::take().plus(2 * SOON);
    registry.on_deadline(later);
    registry.on_deadline(later.plus(SOON));
    assert!(kept.upgrade().is_none() && source.call().is_none());
    let refused = source.publish(&ground, Track::Inbound, &[1]).unwrap_err();
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "it was completed");
}

/// Each byte once of what is played in the next second and a half.
fn played(source: &Source) -> Vec<u8> {
    let (mut items, mut state) = (Vec::new(), lock(&source.state));
    let stream = state.stream.as_mut().unwrap();
    let _ = stream.turn(Instant::now() + Duration::from_millis(1500), &mut items);
    let mut bytes: Vec<u8> = items
        .iter()
        .flat_map(|item| match item {
            Item::Frame(frame) => frame.mulaw().to_vec(),
            _ => Vec::new(),
        })
        .collect();
    bytes.sort_unstable();
    bytes.dedup();
    bytes
}

#[tokio::test]
async fn what_is_posted_during_a_pause_is_not_played_after_it() {
    let (registry, ground) = ground();
    let (now, grant) = (Now::take(), Grant::insecure());
    let call = registry.open(now, &CallSid::parse("CA1").unwrap()).unwrap();
    let source = Arc::new(Source::new(&call, Owner::of(&grant).mark()));
    let say = |byte| source.publish(&ground, Track::Inbound, &[byte; 8_000]).unwrap();
    call.pause(now, &grant).unwrap();
    assert_eq!(say(0x11), Duration::from_secs(1), "it is as far ahead as ever");
    call.resume(now, &grant).unwrap();
    say(0x22);
    // No task has had its turn.
    assert_eq!(played(&source), [0x22, SILENCE]);
}
