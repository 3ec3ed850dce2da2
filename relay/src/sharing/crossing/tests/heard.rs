//! Who listens elsewhere hears what who listens here does, and nothing crosses for anybody else.

use redis::{InfoDict, cmd};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_frame_is_heard_elsewhere_once_in_order_and_byte_for_byte() {
    let redis = Redis::start();
    let (a, b) = (Relay::start(&redis, "a").await, Relay::start(&redis, "b").await);
    let call = a.call("CA1", 7);
    let ear = Ear::sit(&b.follows(&a, &call), 0);
    until("the ear to be known", || call.view().listeners == 1).await;
    let mut heard = Vec::new();
    for from in (1..=300).step_by(50) {
        // A mailbox has room for 256: nobody says 6 s in one go.
        said(&call, 7, from..=from + 49);
        heard.extend(ear.hears(|all| all.len() >= 100).await);
    }
    let missing = Gap {
        track: Track::Inbound,
        from_chunk: 301,
        to_chunk: 302,
        reason: GapReason::Upstream,
    };
    media(&call, Instant::now(), 7, &[Item::Gap(missing)]);
    said(&call, 7, 303..=303);
    heard.extend(ear.hears(|all| all.len() >= 4).await);
    let mut sent: Vec<Item> = (1..=303)
        .filter(|chunk| !(301..=302).contains(chunk))
        .flat_map(|chunk| Track::BOTH.map(|track| Item::Frame(frame(track, 7, chunk))))
        .collect();
    sent.insert(600, Item::Gap(missing));
    // The outbound track says nothing of its own two, and that is not the same as saying that they were lost upstream.
    let lost = Gap {
        track: Track::Outbound,
        reason: GapReason::RelayLink,
        ..missing
    };
    sent.insert(602, Item::Gap(lost));
    heard.extend(ear.heard());
    assert_eq!(heard, sent);
    assert_eq!(a.metrics.frames_crossed_out.get(), 602);
    assert_eq!(b.metrics.frames_crossed_in.get(), 602);
    assert_eq!(b.metrics.frames_lost_relay_link.get(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_carries_the_calls_that_are_heard_elsewhere_and_no_others() {
    let redis = Redis::start();
    let (a, b) = (Relay::start(&redis, "a").await, Relay::start(&redis, "b").await);
    let calls: Vec<_> = (0..200).map(|n| a.call(&format!("CA{n:032}"), 7)).collect();
    let theirs: Vec<_> = calls.iter().map(|call| b.follows(&a, call)).collect();
    let ears: Vec<_> = theirs.iter().take(5).map(|call| Ear::sit(call, 0)).collect();
    until("the ears to be known", || {
        calls.iter().map(|call| call.view().listeners).sum::<u32>() == 5
    })
    .await;
    let mut admin = redis.admin().await;
    let mut read = async || {
        let mut info = cmd("INFO");
        info.arg("stats");
        let stats: InfoDict = info.query_async(&mut admin).await.unwrap();
        stats.get::<u64>("total_net_input_bytes").unwrap()
    };
    let before = read().await;
    calls.iter().for_each(|call| said(call, 7, 1..=20));
    for ear in &ears {
        ear.hears(|all| all.len() >= 40).await;
    }
    let bytes = read().await - before;
    let audio = 5 * 40 * 176;
    assert!(bytes > audio && bytes < 2 * audio, "{bytes} for {audio} of audio");
    drop(ears);
    until("nobody to hear it", || {
        calls.iter().all(|call| call.view().listeners == 0)
    })
    .await;
    let crossed = a.metrics.frames_crossed_out.get();
    said(&calls[0], 7, 21..=40);
    // It would be sent before this is asked for and answered.
    let again = Ear::sit(&theirs[0], 0);
    until("an ear to be known again", || calls[0].view().listeners == 1).await;
    said(&calls[0], 7, 41..=41);
    let heard = again.hears(|all| all.len() >= 2).await;
    assert_eq!(
        inbound(&heard),
        ["41"],
        "what nobody was there for is not missing"
    );
    assert_eq!(a.metrics.frames_crossed_out.get(), crossed + 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_owner_remembers_is_heard_first_by_whoever_asked_for_it() {
    let redis = Redis::start();
    let (a, b) = (Relay::start(&redis, "a").await, Relay::start(&redis, "b").await);
    let call = a.call("CA1", 7);
    said(&call, 7, 1..=400);
    let theirs = b.follows(&a, &call);
    let first = Ear::sit(&theirs, 400);
    // It may have come already.
    assert!(first.seat.awaits_replay() || first.seat.has_replay());
    until("the replay", || first.seat.has_replay()).await;
    let replay: Vec<Item> = first.seat.take_replay().unwrap().into();
    let chunks: Vec<String> = (381..=400).map(|chunk: u32| chunk.to_string()).collect();
    assert_eq!(inbound(&replay), chunks);
    assert!(
        replay
            .iter()
            .all(|item| matches!(item, Item::Frame(frame) if frame.is_replayed()))
    );
    said(&call, 7, 401..=410);
    let chunks: Vec<String> = (401..=410).map(|chunk: u32| chunk.to_string()).collect();
    let heard = first.hears(|all| all.len() >= 20).await;
    assert_eq!(inbound(&heard), chunks, "what is remembered is not heard twice");

    let crossed = b.metrics.frames_crossed_in.get();
    let (mailbox, sub) = (Arc::<Mailbox>::default(), 1);
    mailbox.set_subs(vec![sub]);
    let ask = Ask {
        mailbox: &mailbox,
        sub,
        audio: true,
        form: None,
        from: Begin::Now,
        replay_ms: 500,
    };
    let here = theirs.subscribe(Now::take(), &Grant::insecure(), ask).unwrap();
    assert_eq!(here.replay.len(), 50, "so much is remembered here by now");

    let more = Ear::sit(&theirs, 5_000);
    until("more of it", || more.seat.has_replay()).await;
    let replay: Vec<Item> = more.seat.take_replay().unwrap().into();
    let chunks: Vec<String> = (161..=410).map(|chunk: u32| chunk.to_string()).collect();
    assert_eq!(inbound(&replay), chunks);
    said(&call, 7, 411..=411);
    for ear in [&first, &more] {
        let heard = ear.hears(|all| all.len() >= 2).await;
        assert_eq!(inbound(&heard), ["411"]);
    }
    assert_eq!(b.metrics.frames_crossed_in.get(), crossed + 2);
    assert_eq!(theirs.remembers().len(), 2 * 251);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_stream_is_told_before_its_frames_also_where_they_come_before_word_of_it() {
    let redis = Redis::start();
    let (a, b) = (Relay::start(&redis, "a").await, Relay::start(&redis, "b").await);
    let call = a.call("CA1", 7);
    let ear = Ear::sit(&b.follows(&a, &call), 0);
    until("the ear to be known", || call.view().listeners == 1).await;
    said(&call, 7, 1..=2);
    ear.hears(|all| all.len() >= 4).await;
    // Its beginning is to be another millisecond, as it is where Twilio was asked again.
    sleep(Duration::from_millis(2)).await;
    a.call("CA1", 8);
    said(&call, 8, 1..=2);
    let heard = ear.hears(|all| all.len() >= 5).await;
    assert!(
        matches!(heard[0], Item::Stream(stream) if stream.audio_id == 8),
        "{heard:?}"
    );
    assert_eq!(inbound(&heard), ["1", "2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_changes_its_relay_is_heard_from_there() {
    let redis = Redis::start();
    let (a, b) = (Relay::start(&redis, "a").await, Relay::start(&redis, "b").await);
    let call = a.call("CA1", 7);
    let theirs = b.follows(&a, &call);
    let ear = Ear::sit(&theirs, 0);
    until("the ear to be known", || call.view().listeners == 1).await;
    theirs.take_over(Now::take(), true);
    until("the ear to be gone", || call.view().listeners == 0).await;
    let here = Ear::sit(&a.follows(&b, &theirs), 0);
    until("an ear on the other side", || theirs.view().listeners == 2).await;
    sleep(Duration::from_millis(2)).await;
    b.call("CA1", 9);
    said(&theirs, 9, 1..=3);
    for ear in [&ear, &here] {
        let heard = ear.hears(|all| inbound(all).len() >= 3).await;
        assert_eq!(inbound(&heard), ["1", "2", "3"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn levels_cross_while_somebody_looks_at_them() {
    let redis = Redis::start();
    let (a, b) = (Relay::start(&redis, "a").await, Relay::start(&redis, "b").await);
    let call = a.call("CA1", 7);
    let theirs = b.follows(&a, &call);
    let watching = b.hub.registry.feed().watched.watch(10.0);
    let mut chunk = 0;
    until("a level", || {
        chunk += 1;
        said(&call, 7, chunk..=chunk);
        theirs.energy().inbound.samples > 0
    })
    .await;
    assert_eq!(a.metrics.frames_crossed_out.get(), 0, "they are not frames");
    drop(watching);
    // Nobody is told any more once the last word of it has come.
    let mut before = theirs.energy();
    let mut still = 0;
    until("no level", || {
        chunk += 1;
        said(&call, 7, chunk..=chunk);
        let now = theirs.energy();
        still = if now == before { still + 1 } else { 0 };
        before = now;
        still > 150
    })
    .await;
}
