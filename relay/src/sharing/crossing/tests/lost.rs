//! What is lost on the way is told, and costs nobody else anything.

use super::*;
use crate::calls::fanout::StreamInfo;
use crate::sharing::crossing::arrivals::Arrivals;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_stands_still_and_what_was_said_then_is_told_as_lost() {
    let redis = Redis::start();
    let (a, b) = (Relay::start(&redis, "a").await, Relay::start(&redis, "b").await);
    let call = a.call("CA1", 7);
    let ear = Ear::sit(&b.follows(&a, &call), 0);
    until("the ear to be known", || call.view().listeners == 1).await;
    let mut chunk = 0;
    let mut slowest = Duration::ZERO;
    let mut say = async |ms: u64| {
        for _ in 0..ms / 20 {
            chunk += 1;
            let began = Instant::now();
            said(&call, 7, chunk..=chunk);
            slowest = slowest.max(began.elapsed());
            sleep(Duration::from_millis(20)).await;
        }
        chunk
    };
    let frozen_at = say(300).await;
    redis.freeze();
    say(3_000).await;
    redis.thaw();
    let mut heard = Vec::new();
    let thawed_at = timeout(SOON, async {
        let thawed_at = say(20).await;
        loop {
            let last = say(20).await;
            heard.extend(ear.heard());
            let is_live = |item: &Item| matches!(item, Item::Frame(frame) if frame.chunk() >= thawed_at);
            if heard.iter().filter(|item| is_live(item)).count() >= 20 && last > thawed_at + 10 {
                return thawed_at;
            }
        }
    });
    let thawed_at = thawed_at.await.expect("it is live again");
    let (mut lost, mut next) = ([0, 0], [1, 1]);
    for item in &heard {
        let (track, from, to) = match item {
            Item::Frame(frame) => (frame.track(), frame.chunk(), frame.chunk()),
            Item::Gap(gap) => {
                assert_eq!(gap.reason, GapReason::RelayLink);
                lost[gap.track.index()] += gap.to_chunk - gap.from_chunk + 1;
                (gap.track, gap.from_chunk, gap.to_chunk)
            }
            Item::Stream(_) => continue,
        };
        assert_eq!(
            from,
            next[track.index()],
            "nothing is missing without a word: {item:?}"
        );
        next[track.index()] = to + 1;
    }
    // All but the second before it came back, and what was under way when it stood still.
    let stood = thawed_at - frozen_at;
    assert!(
        lost.iter().all(|lost| *lost + 75 > stood && *lost > 0),
        "{lost:?} of {stood}"
    );
    assert_eq!(
        b.metrics.frames_lost_relay_link.get(),
        lost.iter().map(|lost| u64::from(*lost)).sum::<u64>()
    );
    assert!(a.metrics.frames_uncrossed.get() > 0);
    assert!(
        slowest < Duration::from_secs(1),
        "who reads media waits for nobody: {slowest:?}"
    );
}

#[tokio::test]
async fn what_comes_while_this_relay_stands_in_for_the_owner_is_told_as_lost_afterwards() {
    let redis = Redis::start();
    let (a, b) = (Relay::start(&redis, "a").await, Relay::start(&redis, "b").await);
    let call = a.call("CA1", 7);
    let here = b.follows(&a, &call);
    let ear = Ear::sit(&here, 0);
    let kept = call.told(|_| Cursor::default()).unwrap().snapshot.stream.unwrap();
    let stream = StreamInfo {
        audio_id: kept.audio_id,
        zero_at: kept.zero_at,
    };
    let mut arrivals = Arrivals::default();
    let mut comes = |chunk| {
        let mut wire = Vec::new();
        let mut writer = codec::Writer::new(&mut wire);
        writer.live(call.sid(), stream);
        writer.item(&Item::Frame(frame(Track::Inbound, 7, chunk)));
        arrivals.take(&b.hub, &wire);
    };
    comes(1);
    here.take_over(Now::take(), true);
    comes(2);
    assert!(here.give_up(Now::take(), "a", |_| Cursor::default()).is_some());
    b.follows(&a, &call);
    comes(3);
    assert_eq!(inbound(&ear.heard()), ["1", "2-2 relay_link", "3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_is_what_is_said_where_it_stands_in_for_longer_and_asks_nobody() {
    let redis = Redis::start();
    let (a, b) = (Relay::start(&redis, "a").await, Relay::start(&redis, "b").await);
    let call = a.call("CA1", 7);
    let here = b.follows(&a, &call);
    let ear = Ear::sit(&here, 0);
    until("the ear to be known", || call.view().listeners == 1).await;
    said(&call, 7, 1..=2);
    let mut heard = ear.hears(|all| inbound(all).len() == 2).await;
    here.take_over(Now::take(), true);
    until("the ear to be gone", || call.view().listeners == 0).await;
    said(&call, 7, 3..=4);
    assert!(here.give_up(Now::take(), "a", |_| Cursor::default()).is_some());
    b.follows(&a, &call);
    until("the ear to be known again", || call.view().listeners == 1).await;
    said(&call, 7, 5..=5);
    heard.extend(
        ear.hears(|all| inbound(all).last().is_some_and(|last| last == "5"))
            .await,
    );
    assert_eq!(inbound(&heard), ["1", "2", "3-4 relay_link", "5"]);
}

#[test]
fn who_does_not_say_again_that_it_hears_a_call_is_forgotten() {
    let settings = Settings {
        retention: Duration::from_secs(60),
        history: Duration::from_secs(10),
        max_calls: 10,
    };
    let registry = Registry::new("a".into(), settings, Arc::default());
    let now = Now::take();
    let sid = CallSid::parse("CA1").unwrap();
    let call = registry.open(now, &sid).unwrap();
    call.accept_stream(now, 7, Accepted::default());
    let ear = book::Ear::new("b");
    let wants = Wants {
        listeners: 3,
        hearing: 2,
        replay_ms: 0,
    };
    ear.hears(now, &registry, &[(sid.clone(), wants)]);
    ear.watches(now.mono, 5.0);
    assert_eq!(call.view().listeners, 3);
    let later = now.plus(book::FORGOTTEN - Duration::from_millis(1));
    assert!(ear.on_deadline(later, &registry));
    assert_eq!(call.view().listeners, 3);
    let muted = Wants { hearing: 0, ..wants };
    ear.hears(later, &registry, &[(sid.clone(), muted)]);
    said(&call, 7, 1..=1);
    ear.drain(later.mono);
    assert!(
        !ear.with_outgoing(|outgoing| outgoing.has_any(later.mono)),
        "nobody hears it now"
    );
    let silent = later.plus(book::FORGOTTEN);
    assert!(!ear.on_deadline(silent, &registry), "nothing is left of it");
    assert_eq!(call.view().listeners, 0);
}

#[tokio::test]
async fn what_is_no_message_is_counted_and_nothing_else() {
    let redis = Redis::start();
    let b = Relay::start(&redis, "b").await;
    b.hub.broker.publish("audio:b", b"\x02foreign").await.unwrap();
    until("it to be counted", || b.metrics.crossings_bad.get() == 1).await;
}
