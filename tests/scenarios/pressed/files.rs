//! A relay that may open 256 files, and more clients than that: it goes on with its calls, takes new ones, refuses who
//! wants to listen, does not spin, and is all there again afterwards.

use std::time::Instant;

use harness::wait::{SOON, until, within};
use harness::{Guarded, Listener, Witness};
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{SPINS, counted, cpu};

/// As the issue has it.
const CAPPED: &str = "ulimit -n 256";
/// Connections tried: twice what fits.
const TRIED: usize = 400;
/// How long a call is talked while nobody else gets in.
const TALK_MS: usize = 6_000;
/// An idle listener with a token, or why it is refused.
async fn listens(relay: &Guarded, token: &str) -> Result<Listener, String> {
    let opens = Box::pin(Listener::open_as(relay.addr(), token));
    let opened = within(SOON, "an answer", opens).await;
    opened.map_err(|e| e.to_string())
}

#[tokio::test]
async fn where_files_run_out_calls_go_on_and_listeners_wait() {
    let relay = Guarded::new();
    let token = relay.token("office", &["--role", "admin"]).await;
    let relay = relay.start_after(CAPPED, &[]).await;
    println!("files are limited by: {CAPPED}");
    let witness = Witness::begin_guarded(&relay, &token, TALK_MS).await;

    // Listeners as many as are let in; the others are told to come back.
    let (mut listeners, mut refused) = (Vec::new(), Vec::new());
    for _ in 0..TRIED {
        match listens(&relay, &token).await {
            Ok(listener) => listeners.push(listener),
            Err(why) => refused.push(why),
        }
    }
    assert!(
        (50..200).contains(&listeners.len()),
        "{} were let in",
        listeners.len()
    );
    assert!(refused.iter().all(|why| why.contains("503")), "{refused:?}");
    println!(
        "{} listeners were let in, {} refused with 503",
        listeners.len(),
        refused.len()
    );

    // And connections that say nothing, past all that fits.
    let mut silent = Vec::new();
    for _ in 0..TRIED {
        silent.extend(TcpStream::connect(relay.addr()).await.ok());
    }
    let (before, since) = (cpu(&relay), Instant::now());
    // A load balancer is told the truth, and keeps no connection.
    let mut asks = TcpStream::connect(relay.addr()).await.expect("the relay accepts");
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    asks.write_all(request).await.expect("it reads");
    let mut all = String::new();
    let read = within(SOON, "the answer and the end", asks.read_to_string(&mut all)).await;
    let told = all.starts_with("HTTP/1.1 200") && all.contains("connection: close");
    assert!(told, "{read:?}: {all}");

    // New calls are answered and heard all the same.
    for _ in 0..5 {
        let (call, stream) = relay.live_call("7").await;
        stream.hang_up().await;
        assert!(call.sid().as_str().starts_with("CA"));
    }
    witness.was_not_disturbed().await;
    let share = (cpu(&relay) - before).as_secs_f64() / since.elapsed().as_secs_f64();
    println!("of a core it took {share:.2} meanwhile");
    assert!(share < SPINS, "it spins: {share:.2} of a core");

    drop((listeners, silent));
    until(SOON, "somebody new to be let in", async || {
        listens(&relay, &token).await.ok()
    })
    .await;
    let calls = relay.ask(Method::GET, "/api/v1/calls", &token).await;
    assert_eq!(calls.status, 200);
    relay.program().signal("TERM");
    let log = relay.ended().await.stderr;
    assert!(counted(&log, "requests_shed") >= refused.len() as u64);
    assert!(counted(&log, "connections_displaced") > 0);
    // However fast they came: one of them may be Twilio's.
    assert_eq!(counted(&log, "connections_refused"), 0);
}
