//! A relay whose memory is limited, and more to remember than fits: it lets go of what it can do without, and of no
//! call. By a control group where one can be made, else by a limit of the address space.

use std::path::PathBuf;
use std::time::Duration;

use harness::wait::{SOON, until};
use harness::{Guarded, Listener, MediaSocket, Witness};
use partyline_shared::audio::{BYTES_PER_MS, FRAME_BYTES};
use partyline_shared::track::Track;

/// What the relay may take in all, bytes: several times what it takes with nothing to do.
const GROUP: u64 = 64 << 20;
/// Audio said in one message, bytes: 4 s of it, which are remembered as 200 frames of 200 bytes.
const PIECE: usize = 200 * FRAME_BYTES;
/// Messages said: more to remember than fits …
const PIECES: usize = 1_500;
/// … and not so fast that between two looks, a second, all is taken.
const EVERY: Duration = Duration::from_millis(8);

/// A control group of this story's own; gone when it is dropped.
struct Group(PathBuf);

impl Group {
    /// In the old or the new hierarchy, wherever it can be made and limited.
    fn make() -> Option<Group> {
        let name = format!("partyline-story-{}", std::process::id());
        let roots = [
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            ("/sys/fs/cgroup", "memory.max"),
        ];
        roots.iter().find_map(|(root, limit)| {
            let group = Group(PathBuf::from(root).join(&name));
            std::fs::create_dir(&group.0).ok()?;
            std::fs::write(group.0.join(limit), GROUP.to_string()).ok()?;
            Some(group)
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

async fn talk_much(stream: &mut MediaSocket) {
    let audio = vec![0x55; PIECE];
    let mut pace = tokio::time::interval(EVERY);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for n in 0..PIECES as u64 {
        pace.tick().await;
        let at = n * (PIECE as u64 / u64::from(BYTES_PER_MS));
        stream.media(Track::Inbound, at, &audio).await;
    }
}

#[tokio::test]
async fn where_memory_runs_out_audio_is_forgotten_and_calls_go_on() {
    let group = Group::make();
    let relay = Guarded::new();
    let token = relay.token("office", &["--role", "admin"]).await;
    let limited = match &group {
        Some(group) => format!("echo $$ > {}/cgroup.procs", group.0.display()),
        // Else each thread takes 64 MB of addresses at once for what it will allocate.
        None => "export MALLOC_ARENA_MAX=1".to_owned(),
    };
    let relay = relay.start_after(&limited, &["--history", "24h"]).await;
    match &group {
        Some(group) => println!("memory is limited by the control group {}", group.0.display()),
        None => {
            limit_addresses(&relay);
            println!("memory is limited by RLIMIT_AS: no control group can be made here");
        }
    }
    let witness = Witness::begin_guarded(&relay, &token, 12_000).await;
    let (_call, mut stream) = relay.live_call("8").await;
    talk_much(&mut stream).await;
    relay.program().complains(SOON, "calls remember no audio").await;
    let next = relay.live_call("9").await;
    witness.was_not_disturbed().await;
    // Calls may be heard, also by who comes now.
    until(SOON, "somebody new to be let in", async || {
        Listener::open_as(relay.addr(), &token).await.ok()
    })
    .await;
    drop((next, stream));
    relay.program().signal("TERM");
    assert_eq!(relay.ended().await.code, Some(0));
}

/// A third more than it has taken already, so that it is well below what it heeds. By its process number: it has to
/// have started before it is known how much that is.
fn limit_addresses(relay: &Guarded) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", relay.program().pid())).expect("it runs");
    let size = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))
        .expect("a size");
    let kb: u64 = size
        .split_whitespace()
        .next()
        .and_then(|kb| kb.parse().ok())
        .expect("kB");
    let limit = kb * 1024 / 3 * 4;
    let done = std::process::Command::new("prlimit")
        .args([
            "--pid",
            &relay.program().pid().to_string(),
            &format!("--as={limit}"),
        ])
        .status();
    assert!(
        done.is_ok_and(|status| status.success()),
        "prlimit (util-linux) cannot be run"
    );
}
