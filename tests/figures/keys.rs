//! A thousand calls that change all the time, and how soon a key is on the screen: when what it does was read from
//! the terminal, not when it was drawn there.

use std::num::NonZero;
use std::time::{Duration, Instant};

use harness::impostor::{Impostor, Peer};
use harness::terminal::{Setup, Terminal, a_moment};
use harness::wait::{SOON, within};
use partyline_shared::protocol::PROTOCOL;
use serde_json::{Value, json};

use super::Row;
use super::cost::Cost;

const SIZE: (u16, u16) = (200, 60);

/// Calls.
const CALLS: usize = 1_000;

/// Between two changes of the same call: what the relay allows at most.
const EACH: Duration = Duration::from_secs(2);

/// Levels of all calls, so often.
const LEVELS: Duration = Duration::from_millis(200);

fn call(at: usize, round: u64) -> Value {
    let ms = round * 1_000 + at as u64;
    json!({
        "call_sid": format!("CA{at}"), "customer_id": format!("c{at:04}"), "from": "client:anna", "agent": "client:anna",
        "to": format!("+1555010{at:04}"), "direction": "inbound", "roles": {"inbound": "agent", "outbound": "customer"},
        "status": "in-progress", "stream": "live", "tracks": ["inbound", "outbound"], "listeners": round % 3,
        "started_at": format!("2026-11-22T09:{:02}:{:02}.000Z", at / 60, at % 60), "lost_chunks": round,
        "talk": {"inbound_ms": ms, "outbound_ms": ms * 2, "both_ms": round, "silence_ms": 5},
    })
}

async fn greet(peer: &mut Peer) {
    peer.say(
        &json!({"type": "hello", "protocol": PROTOCOL, "relay": "0", "node": "n",
        "user": {"name": "a", "role": "admin"}, "time": "2026-11-22T09:00:00.000Z"}),
    )
    .await;
    let calls: Vec<Value> = (0..CALLS).map(|at| call(at, 0)).collect();
    for (at, page) in calls.chunks(200).enumerate() {
        let more = (at + 1) * 200 < CALLS;
        peer.say(&json!({"type": "calls", "calls": page, "more": more}))
            .await;
    }
}

/// All calls change, each every two seconds, one after another; and all levels, all the time.
async fn change(mut peer: Peer) {
    let step = EACH / CALLS as u32;
    let (begun, mut levels) = (Instant::now(), Instant::now());
    for count in 0_u64.. {
        let at = count as usize % CALLS;
        let round = count / CALLS as u64 + 1;
        tokio::time::sleep_until((begun + step * count as u32).into()).await;
        peer.say(&json!({"type": "call", "call": call(at, round)})).await;
        if levels.elapsed() >= LEVELS {
            levels = Instant::now();
            let loud = |at: usize| -20.0 - ((at as u64 + count) % 40) as f64;
            let all: Vec<Value> = (0..CALLS)
                .map(|at| json!({"call_sid": format!("CA{at}"), "inbound": loud(at), "outbound": loud(at + 7)}))
                .collect();
            peer.say(&json!({"type": "levels", "levels": all})).await;
        }
    }
}

/// The customer of the row under the cursor.
fn selected(screen: &vt100::Screen) -> Option<String> {
    let row = screen
        .rows(0, 60)
        .find(|row| row.starts_with('>') || row.starts_with('▶'))?;
    let at = row.find(" c0").or_else(|| row.find(" c1"))?;
    row.get(at + 1..at + 6).map(str::to_owned)
}

/// When the cursor first stood elsewhere after each key, by what was read and when.
fn latencies(terminal: &Terminal, pressed: &[(Instant, String)]) -> Vec<f64> {
    let raw = terminal.raw();
    let size = |number: u16| NonZero::new(number).expect("a size");
    let mut screen = vt100::Parser::new(size(SIZE.1), size(SIZE.0), 0);
    let mut from = 0;
    let mut keys = pressed.iter().peekable();
    let mut found = Vec::new();
    for (at, end) in terminal.arrivals() {
        screen.process(&raw[from..end]);
        from = end;
        while let Some((when, before)) = keys.peek() {
            let is_moved = selected(screen.screen()).is_some_and(|now| now != *before);
            if at < *when || !is_moved {
                break;
            }
            found.push((at - *when).as_secs_f64() * 1e3);
            keys.next();
        }
    }
    found
}

/// Latency, and what all of it costs.
pub(crate) async fn measure(time: Duration) -> [Row; 2] {
    let mut impostor = Impostor::start().await;
    let setup = Setup {
        size: SIZE,
        ..Setup::default()
    };
    let terminal = Terminal::partyline(&["--relay", &impostor.url()], setup).await;
    let mut peer = impostor.peer().await;
    greet(&mut peer).await;
    terminal.wait_for("1000").await;
    let changes = tokio::spawn(change(peer));
    terminal.keys("g");
    terminal
        .wait_until("a cursor", |screen| selected(screen).is_some())
        .await;
    let mut pressed = Vec::new();
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < time && count < CALLS - 2 {
        // At another moment of the monitor's own beat each time.
        a_moment(40 + count as u64 * 37 % 90).await;
        let before = terminal.look(selected).expect("a cursor");
        pressed.push((Instant::now(), before.clone()));
        terminal.keys("\x1b[B");
        let is_moved = |screen: &vt100::Screen| selected(screen).is_some_and(|now| now != before);
        within(
            SOON,
            "a moved cursor",
            terminal.wait_until("a moved cursor", is_moved),
        )
        .await;
        count += 1;
    }
    let mut found = latencies(&terminal, &pressed);
    assert_eq!(found.len(), pressed.len(), "each key was seen");
    found.sort_by(f64::total_cmp);
    let part = |part: f64| found[((found.len() - 1) as f64 * part) as usize];
    let latency = format!(
        "p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms of {} keys",
        part(0.5),
        part(0.99),
        part(1.0),
        found.len()
    );
    let cost = Cost::of(&terminal, time).await;
    changes.abort();
    [
        Row {
            what: format!("a key among {CALLS} changing calls"),
            found: latency,
            goal: "33 ms",
        },
        Row {
            what: format!(
                "{CALLS} calls, {} changes and 5 levels a second",
                CALLS as u64 / EACH.as_secs()
            ),
            found: cost.words(),
            goal: "at most 5 pictures/s",
        },
    ]
}
