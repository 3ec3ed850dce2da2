//! Thousands of short calls leave nothing behind but what is to be remembered of them, and that is small.

use std::time::Duration;

use harness::wait::until;
use harness::{Guarded, TwilioCall, twilio};
use partyline_shared::track::Track;
use tokio::task::JoinSet;

/// Calls at the same time.
const AT_ONCE: usize = 16;
/// Between two calls: an account may have 100 a second dialled.
const EVERY: Duration = Duration::from_millis(12);
/// Calls after which memory is looked at first; ten times as many after which it is looked at again. `make soak` makes
/// it 2,000 and 20,000.
const FIRST: usize = 300;
/// What the relay may grow by between the two, kB: as much as with ten times as many calls. One call that is kept has
/// 6 KB, so that a few hundred of them would show.
const GROWTH_KB: u64 = 4 << 10;
/// How long nothing happens before memory is looked at: more than calls stay visible here.
const QUIET: Duration = Duration::from_secs(5);

fn first() -> usize {
    let said = std::env::var("PARTYLINE_SHORT_CALLS").ok();
    said.map_or(FIRST, |n| n.parse().expect("PARTYLINE_SHORT_CALLS is a number"))
}

/// A whole call as Twilio makes it: webhook, stream with its pass, both tracks, a line, callbacks.
async fn short_call(relay: std::net::SocketAddr) {
    let mut call = TwilioCall::at(relay);
    call.signs = Some((harness::signed::TOKEN, harness::signed::ORIGIN));
    // Each of somebody else: what is remembered of callers is looked at, too.
    call.from = format!("client:{}", twilio::new_sid("agent"));
    let answer = call.webhook(&[("customer_id", "7")]).await.expect(200);
    let mut stream = call.open_stream().await;
    stream.connected().await;
    stream.start(&[("partyline_pass", &twilio::pass(&answer))]).await;
    stream.play(&[0x55; 800], &[0x66; 800], Duration::ZERO).await;
    let name = stream.stream.clone();
    call.stream_callback(&name, "stream-started", &[])
        .await
        .expect(204);
    call.says(Track::Inbound, "Hello there.", true).await.expect(204);
    stream.hang_up().await;
    call.stream_callback(&name, "stream-stopped", &[])
        .await
        .expect(204);
    for status in ["in-progress", "completed"] {
        call.status(status, &[]).await.expect(204);
    }
}

/// So many calls; then quiet. Gives the relay's memory, kB.
async fn calls(relay: &Guarded, token: &str, count: usize) -> u64 {
    let addr = relay.addr();
    let mut talking = JoinSet::new();
    let mut pace = tokio::time::interval(EVERY);
    for _ in 0..count {
        pace.tick().await;
        if talking.len() >= AT_ONCE {
            talking
                .join_next()
                .await
                .expect("one talks")
                .expect("a call goes well");
        }
        talking.spawn(short_call(addr));
    }
    while let Some(done) = talking.join_next().await {
        done.expect("a call goes well");
    }
    until(harness::wait::SOON, "every call to be forgotten", async || {
        let listed = relay
            .ask(http::Method::GET, "/api/v1/calls?status=all", token)
            .await;
        listed.json()["calls"]
            .as_array()
            .expect("a list")
            .is_empty()
            .then_some(())
    })
    .await;
    tokio::time::sleep(QUIET).await;
    relay.program().rss_kb()
}

#[tokio::test]
async fn short_calls_leave_nothing_behind() {
    let relay = Guarded::new();
    let token = relay.token("office", &["--role", "admin"]).await;
    let relay = relay.start(&["--retention", "2s", "--history", "0s"]).await;
    let few = first();
    let before = calls(&relay, &token, few).await;
    let after = calls(&relay, &token, few * 9).await;
    println!("{before} kB after {few} calls, {after} kB after {}", few * 10);
    let grown = after.saturating_sub(before);
    assert!(
        grown < GROWTH_KB,
        "the relay grew by {grown} kB, from {before} kB"
    );
}
