//! The disk is full: calls, and who hears one already, are unharmed, and nothing spins while it stays so. Who is refused
//! meanwhile, and what is on record afterwards, is told in `on_record/full_disk`.

use std::time::Instant;

use harness::wait::{SOON, until};
use harness::{Guarded, Listener, Witness};
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{ClientMessage, Subscribe};
use partyline_shared::protocol::server::ServerMessage;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::{SPINS, cpu};

/// How long a call is talked while the disk is full.
const TALK_MS: usize = 6_000;

/// Lets no file of the relay grow beyond what the audit has now, or frees it.
fn limit(relay: &Guarded, full: bool) {
    let pid = Pid::from_raw(relay.program().pid() as i32).expect("it runs");
    let audit = std::fs::metadata(relay.path("audit.jsonl")).expect("there is an audit");
    let limit = Rlimit {
        // Half a line more, so that a write begins and breaks off.
        current: full.then(|| audit.len() + 100),
        maximum: None,
    };
    prlimit(Some(pid), Resource::Fsize, limit).expect("a limit can be set");
}

/// Whether it may hear a call now.
async fn may_hear(listener: &mut Listener, call: &CallSid) -> bool {
    let hear = Subscribe {
        call_sid: call.clone(),
        audio: true,
        after: None,
        replay_ms: 0,
        save: false,
        saved: None,
    };
    listener.say(&ClientMessage::Subscribe(hear)).await;
    let answered = |message: &ServerMessage| {
        matches!(
            message,
            ServerMessage::Subscribed { .. } | ServerMessage::Error { .. }
        )
    };
    let answer = listener.until("an answer to subscribe", answered).await;
    matches!(answer, ServerMessage::Subscribed { .. })
}

#[tokio::test]
async fn where_the_disk_is_full_calls_go_on_and_nothing_spins() {
    let relay = Guarded::new();
    let token = relay.token("office", &["--role", "admin"]).await;
    let relay = relay.start(&[]).await;
    let witness = Witness::begin_guarded(&relay, &token, TALK_MS).await;
    let mut waits = relay.listen(&token).await;
    limit(&relay, true);
    println!("the disk is full by RLIMIT_FSIZE");
    let (before, since) = (cpu(&relay), Instant::now());
    assert!(
        !may_hear(&mut waits, witness.sid()).await,
        "it cannot be put on record"
    );
    let (call, stream) = relay.live_call("8").await;
    relay.is_live(call.sid(), &token).await;
    witness.was_not_disturbed().await;
    let share = (cpu(&relay) - before).as_secs_f64() / since.elapsed().as_secs_f64();
    println!("of a core it took {share:.2} meanwhile");
    assert!(share < SPINS, "it spins: {share:.2} of a core");

    limit(&relay, false);
    until(SOON, "somebody to be let in again", async || {
        may_hear(&mut waits, call.sid()).await.then_some(())
    })
    .await;
    stream.hang_up().await;
}
