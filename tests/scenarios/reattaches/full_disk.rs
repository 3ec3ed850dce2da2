//! The disk is full when a relay is started: it takes calls all the same, and remembers again when there is room.

use ::http::Method;
use harness::guarded::Guarded;
use harness::wait::{SOON, until};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// A call, and a line that is none: it is gone when the file has been written again.
const LEFT: &str = concat!(
    "partyline state 1\n",
    r#"{"call_sid":"CA11111111111111111111111111111111","roles":{"inbound":"customer","outbound":"agent"},"stream":"live"}"#,
    "\nno call\n"
);

#[tokio::test]
async fn a_relay_that_is_started_on_a_full_disk_takes_calls_and_remembers_later() {
    let guarded = Guarded::new();
    let token = guarded.token("admin", &["--role", "admin"]).await;
    let state = guarded.path("calls.state");
    std::fs::write(&state, LEFT).unwrap();
    // No file may have a byte more, which is what a full disk looks like; whoever looks after it makes room later.
    let relay = guarded.start_after("ulimit -S -f 0", &["--state", &state]).await;
    let program = relay.program();
    program.complains(SOON, "there is no room for the state").await;
    program.complains(SOON, "make room on its disk").await;
    assert_eq!(std::fs::read_to_string(&state).unwrap(), LEFT);
    until(SOON, "the call that was before", async || {
        let path = "/api/v1/calls/CA11111111111111111111111111111111";
        let answer = relay.ask(Method::GET, path, &token).await;
        (answer.status == 200).then_some(())
    })
    .await;

    let pid = i32::try_from(program.pid()).ok().and_then(Pid::from_raw);
    let unlimited = Rlimit {
        current: None,
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, unlimited).expect("a limit can be lifted");
    until(SOON, "a state that was written", async || {
        let text = std::fs::read_to_string(&state).unwrap();
        (text.contains("CA1111") && !text.contains("no call")).then_some(())
    })
    .await;
    relay.stop().await.expect_code(0);
}
