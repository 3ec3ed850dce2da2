//! How old a sample is when the card takes it, behind a wire on which everything is late by 0 to 30 ms.

use std::time::Duration;

use harness::wait::SOON;
use harness::{Card, Program, Relay, TwilioCall, Uneven, binaries, speech};
use serde_json::Value;

use super::Row;

const RATE: u32 = 48_000;

/// Runs, of which the middle one counts.
const RUNS: u64 = 5;

/// Later than that nothing comes.
const LATE: Duration = Duration::from_millis(30);

/// What is left out at the beginning, and so long a call lasts at least.
const SETTLE: Duration = Duration::from_secs(10);

/// The figures of `--stats`: p95 of the delay, ms, and what was concealed, ms.
async fn run(time: Duration, seed: u64) -> (u64, u64) {
    let relay = Relay::start(&[]).await;
    let wire = Uneven::to(relay.addr(), LATE, seed).await;
    let card = Card::start(RATE, 0.0);
    let mut call = TwilioCall::new(&relay);
    let args = [
        "--relay",
        &wire.url(),
        "listen",
        call.sid().as_str(),
        "--wait",
        "--stats",
        "--json",
    ];
    let listener = Program::start(&binaries::path(binaries::LISTENER), args, &[card.env()]);
    listener.complains(SOON, "playing on").await;
    call.webhook(&[]).await.expect(200);
    let mut stream = call.live_stream().await;
    let frames = (time + SETTLE).as_millis() as usize * 8;
    let voice = |name| {
        speech::mulaw(name)
            .into_iter()
            .cycle()
            .take(frames)
            .collect::<Vec<u8>>()
    };
    let (customer, agent) = (voice(speech::LONG[0]), voice(speech::LONG[1]));
    stream.play(&customer, &agent, Duration::from_millis(20)).await;
    stream.hang_up().await;
    call.status("completed", &[]).await.expect(204);
    let told = listener.finish(SOON).await.expect_code(0).json_lines();
    card.stop();
    let stats: &Value = told.last().expect("--stats says something");
    let number = |value: &Value| value.as_u64().unwrap_or(u64::MAX);
    (
        number(&stats["settled_delay_ms"]["p95"]),
        number(&stats["concealed_ms"]),
    )
}

/// The median of five.
pub(crate) async fn measure(time: Duration) -> Row {
    let mut found = Vec::new();
    for seed in 0..RUNS {
        found.push(run(time, seed).await);
    }
    found.sort_unstable();
    let (p95, _) = found[found.len() / 2];
    let mut concealed: Vec<u64> = found.iter().map(|(_, ms)| *ms).collect();
    concealed.sort_unstable();
    Row {
        what: "socket to card, arrivals 0–30 ms late".to_owned(),
        found: format!(
            "p95 {p95} ms after 10 s, {} ms concealed (median of {RUNS}; p95 of each: {:?})",
            concealed[concealed.len() / 2],
            found.iter().map(|(p95, _)| *p95).collect::<Vec<_>>()
        ),
        goal: "p95 under 100 ms, nothing concealed",
    }
}
