//! A panic that a test asks for, to see that the terminal survives it: `PARTYLINE_TEST_PANIC` is `loop` or `task`,
//! for where it is to happen, and after how many ms. Nothing else reads it, and nobody sets it by accident.

use std::time::Duration;

/// Waits until the fault is due, and panics where it is the loop's; for ever, where there is none.
#[allow(clippy::panic)] // it is what was asked for
pub(super) async fn wait() {
    let asked = std::env::var("PARTYLINE_TEST_PANIC").unwrap_or_default();
    let Some((place, ms)) = asked.split_once(' ') else {
        return std::future::pending().await;
    };
    let after = Duration::from_millis(ms.parse().unwrap_or(0));
    if place == "task" {
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            panic!("a task panics, as PARTYLINE_TEST_PANIC asks");
        });
        return std::future::pending().await;
    }
    tokio::time::sleep(after).await;
    panic!("the loop panics, as PARTYLINE_TEST_PANIC asks");
}
