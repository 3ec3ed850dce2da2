//! Two hundred people talk at one relay and five of them are heard at another: Redis carries the audio of five, by its
//! own counters.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use harness::{Listener, MediaSocket, Relays};
use partyline_shared::audio::FRAME_BYTES;
use partyline_shared::audio::frame::HEAD;
use partyline_shared::track::Track;

use super::said;

const CALLS: usize = 200;
const HEARD: usize = 5;
const FRAMES: usize = 25;
/// Slower than people: what is counted is not how many messages this machine can say in a second.
const PACE: Duration = Duration::from_millis(80);

/// All talk, side by side.
async fn talk(streams: &mut [MediaSocket]) {
    let talking: FuturesUnordered<_> = streams
        .iter_mut()
        .enumerate()
        .map(|(n, stream)| async move {
            let audio = said(n as u8, FRAMES);
            stream.play(&audio, &audio, PACE).await;
        })
        .collect();
    talking.collect::<Vec<()>>().await;
}

#[tokio::test]
async fn redis_carries_what_is_heard_elsewhere_and_no_more() {
    let relays = Relays::start(2, &["--attach", "never"]).await;
    let (mut calls, mut streams) = (Vec::new(), Vec::new());
    for n in 0..CALLS {
        let (call, stream) = relays.live_call(&n.to_string(), 0, 0).await;
        calls.push(call);
        streams.push(stream);
    }
    for call in &calls {
        relays.shows(1, call.sid(), "the call", |_| true).await;
    }
    let count = async || {
        let from = relays.redis.counted("total_net_input_bytes").await;
        let to = relays.redis.counted("total_net_output_bytes").await;
        (from, to)
    };
    let quiet = count().await;
    let started = Instant::now();
    // Twice: what relays tell each other comes many calls at a time, of which few fall into so short a time.
    for _ in 0..2 {
        talk(&mut streams).await;
    }
    let unheard = count().await;
    let unheard_for = started.elapsed();
    let mut listener = relays.listen(1).await;
    for call in &calls[..HEARD] {
        listener.subscribe(call.sid()).await;
    }
    // Once a frame of each is heard, all that follow are.
    for (n, stream) in streams[..HEARD].iter_mut().enumerate() {
        let sid = calls[n].sid();
        let hears = |l: &Listener| !l.heard(sid).frames.get(Track::Inbound).is_empty();
        while !hears(&listener) {
            stream.play(&said(n as u8, 1), &[], PACE).await;
            listener.listens_for(PACE).await;
        }
    }
    let before = count().await;
    let begun: Vec<usize> = calls[..HEARD]
        .iter()
        .map(|call| listener.heard(call.sid()).audio(Track::Outbound).len())
        .collect();
    let started = Instant::now();
    talk(&mut streams).await;
    for (call, begun) in calls[..HEARD].iter().zip(begun) {
        let all =
            |l: &Listener| l.heard(call.sid()).audio(Track::Outbound).len() >= begun + FRAMES * FRAME_BYTES;
        listener.until_so("what is said", all).await;
        assert_eq!(listener.heard(call.sid()).gaps, []);
    }
    let after = count().await;
    // What relays tell each other of calls they tell by time, so where this took longer there is more of it.
    let as_long = started.elapsed().as_secs_f64() / unheard_for.as_secs_f64();

    let audio = |calls: usize| (calls * FRAMES * 2 * (FRAME_BYTES + HEAD)) as u64;
    for (what, [quiet, unheard, before, after]) in [
        ("to Redis", [quiet.0, unheard.0, before.0, after.0]),
        ("from Redis", [quiet.1, unheard.1, before.1, after.1]),
    ] {
        let besides = ((unheard - quiet) as f64 * as_long) as u64;
        let with = after - before;
        let told = format!(
            "{what}: {besides} bytes while nobody heard, {with} while {HEARD} were heard; the audio of {HEARD} is {}, \
             of all {}",
            audio(HEARD),
            audio(CALLS)
        );
        assert!(with >= audio(HEARD), "{told}");
        assert!(with < besides + 2 * audio(HEARD), "{told}");
        assert!(with < audio(CALLS) / 2, "{told}");
    }
}
