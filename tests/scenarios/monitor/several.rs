//! Several relays in config.toml: all their calls in one list, and one that is away takes nothing from another.

use harness::{Relay, Scratch};

use super::eyes::{now, until};
use super::{rings, say, sized};
use harness::Terminal;

#[tokio::test]
async fn the_calls_of_all_relays_are_in_one_list() {
    let (north, south) = (Relay::start(&[]).await, Relay::start(&[]).await);
    let mut here = rings(&north, "cust01").await;
    let mut there = rings(&south, "cust02").await;
    say(&mut here, "Said in the north.").await;
    say(&mut there, "Said in the south.").await;
    let config = Scratch::new();
    std::fs::create_dir(config.file("partyline")).expect("a folder");
    let relays = format!(
        "[[relay]]\nname = \"north\"\nurl = \"{}\"\n[[relay]]\nname = \"south\"\nurl = \"{}\"\n",
        north.url(),
        south.url()
    );
    config.write("partyline/config.toml", relays);
    let mut setup = sized(140, 30);
    let folder = config.path().to_str().expect("a path that is text").to_owned();
    setup.env.push(("XDG_CONFIG_HOME", folder));
    let terminal = Terminal::partyline(&[], setup).await;
    terminal.wait_for("Calls 2").await;
    terminal.keys("g");
    until(&terminal, "both relays' calls", |seen| {
        seen.has("all 2 relays online")
            && seen.customers() == ["cust01", "cust02"]
            && seen.listed("cust01").is_some_and(|row| row.contains("north"))
            && seen.listed("cust02").is_some_and(|row| row.contains("south"))
            && seen.has("Said in the north.")
    })
    .await;
    north.kill().await;
    until(&terminal, "that one is away, and which", |seen| {
        seen.has("1 of 2 online") && seen.has("north away since") && seen.listed("north as of").is_some()
    })
    .await;
    terminal.keys("j");
    until(&terminal, "the other's call", |seen| {
        seen.pane_has("Transcript", "Said in the south.")
    })
    .await;
    say(&mut there, "And goes on.").await;
    let _new = rings(&south, "cust03").await;
    until(&terminal, "the other goes on", |seen| {
        seen.pane_has("Transcript", "And goes on.") && seen.customers() == ["cust01", "cust02", "cust03"]
    })
    .await;
    assert!(now(&terminal).has("1 of 2 online"));
}
