//! `partyline demo`: three calls that talk, within a second, on a machine that needs nothing.

use harness::Terminal;

use super::eyes::{now, until};
use super::sized;

#[tokio::test]
async fn the_demo_shows_three_calls_and_reads_one_out() {
    let terminal = Terminal::partyline(&["demo"], sized(140, 40)).await;
    until(&terminal, "three live calls", |seen| {
        seen.has("Calls 3")
            && seen
                .pane("Calls")
                .iter()
                .filter(|row| row.contains("● live"))
                .count()
                == 3
    })
    .await;
    let seen = now(&terminal);
    for customer in ["4711", "12345", "lakesid"] {
        assert!(
            seen.listed(customer).is_some(),
            "{customer}:\n{}",
            seen.rows.join("\n")
        );
    }
    terminal.keys("\r");
    until(&terminal, "that there is no card, and the words", |seen| {
        seen.has("no sound device")
            && seen.pane_has("Call", "you listen")
            && seen
                .pane("Transcript")
                .iter()
                .any(|row| row.contains("agent") || row.contains("cust."))
    })
    .await;
    terminal.keys("q");
    assert!(terminal.ended().await.success());
    terminal.expect_as_before();
}
