//! Who is connected and hears nothing costs next to nothing.

use harness::wait::{SOON, within};
use harness::{Listener, Relay};

/// Listeners that hear nothing.
const IDLE: usize = 400;
/// What each may take of the relay's memory, kB: 5 are its task and state; with the buffer that its handshake was
/// read into, which has 8 KiB and is touched in part, they are 9.
const EACH_KB: u64 = 7;

#[tokio::test]
async fn an_idle_listener_holds_no_buffer() {
    let relay = Relay::start(&[]).await;
    // What is made once for all of them.
    let first = Listener::connect(relay.addr()).await;
    let before = relay.rss_kb();
    let mut idle = Vec::new();
    let come = async {
        for _ in 0..IDLE {
            idle.push(Listener::connect(relay.addr()).await);
        }
    };
    within(SOON, "all listeners", come).await;
    let each = (relay.rss_kb() - before) / IDLE as u64;
    assert!(each <= EACH_KB, "{each} kB each");
    drop((first, idle));
    relay.stop().await.expect_code(0);
}
