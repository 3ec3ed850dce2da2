//! The program itself: relays tried again, help, what is open is left, drawn anew, stopped, quit.

use harness::{Network, Relay, Terminal};
use partyline::event::Intent;
use partyline::keymap::BINDINGS;

use super::super::eyes::until;
use super::super::{rings, sized, watch};
use super::{keys, untold};

pub(super) const GROUP: &str = "Program";

#[tokio::test]
async fn every_other_key_does_what_it_says() {
    let relay = Relay::start(&[]).await;
    let _call = rings(&relay, "cust01").await;
    // As many rows as the help has.
    let terminal = watch(&relay.url(), sized(110, 40)).await;
    terminal.wait_for("cust01").await;
    for (intent, shown, key) in keys(GROUP) {
        match intent {
            Intent::Devices => chooses(&terminal, &key).await,
            Intent::Retry => tries_again(&relay, &key).await,
            Intent::Help => helps(&terminal, &key).await,
            Intent::Cancel => leaves(&terminal, &key).await,
            Intent::Redraw => draws_anew(&relay, &key).await,
            Intent::Suspend => stops(&relay, &key).await,
            Intent::Quit => quits(&relay, shown, &key).await,
            _ => untold(shown),
        }
    }
}

/// Left to itself it would stay away for a minute or two.
async fn tries_again(relay: &Relay, key: &[u8]) {
    let network = Network::to(relay.addr(), 1).await;
    let mut setup = sized(110, 30);
    setup
        .env
        .push(("PARTYLINE_BACKOFF_FLOOR_MS", "1000000".to_owned()));
    let terminal = watch(&network.url(), setup).await;
    until(&terminal, "a relay", |seen| {
        seen.has("online since") && seen.has("cust01")
    })
    .await;
    network.down(true);
    until(&terminal, "a relay that is away, and when it is tried", |seen| {
        seen.has("away since") && seen.says("next try in")
    })
    .await;
    network.down(false);
    terminal.keys(key);
    until(&terminal, "the relay, at once", |seen| seen.has("online since")).await;
}

/// Which cards there are: none, and that is said.
async fn chooses(terminal: &Terminal, key: &[u8]) {
    terminal.keys(key);
    until(terminal, "the choice of sound cards", |seen| {
        seen.has("Sound cards ━")
            && seen.has("the system's default · in use")
            && seen.has("! no sound device")
    })
    .await;
    terminal.keys("\x1b");
    until(terminal, "the panes", |seen| {
        seen.has("cust01") && !seen.has("Sound cards")
    })
    .await;
}

/// All keys of the table, with what they do.
async fn helps(terminal: &Terminal, key: &[u8]) {
    terminal.keys(key);
    until(terminal, "every key", |seen| {
        BINDINGS.iter().all(|binding| {
            seen.rows.iter().any(|row| {
                row.contains(binding.help) && binding.shown.split(' ').all(|shown| row.contains(shown))
            })
        })
    })
    .await;
    terminal.keys(key);
    until(terminal, "the panes", |seen| seen.has("cust01")).await;
}

/// The nearest thing that is open, one at a time.
async fn leaves(terminal: &Terminal, key: &[u8]) {
    terminal.keys("?");
    until(terminal, "the help", |seen| seen.has("Keys")).await;
    terminal.keys(key);
    until(terminal, "the panes", |seen| {
        seen.has("cust01") && !seen.has("Keys")
    })
    .await;
    terminal.keys("/nobody");
    until(terminal, "nobody", |seen| {
        seen.has("filter: /nobody") && seen.customers().is_empty()
    })
    .await;
    terminal.keys(key);
    until(terminal, "what was there before", |seen| {
        !seen.has("filter: /") && seen.customers() == ["cust01"]
    })
    .await;
    terminal.keys("/cust\r");
    until(terminal, "a filter", |seen| {
        seen.has("· /cust") && !seen.has("filter: /")
    })
    .await;
    terminal.keys(key);
    until(terminal, "no filter", |seen| {
        !seen.has("/cust") && seen.customers() == ["cust01"]
    })
    .await;
}

/// A shell with job control, and the monitor in it.
async fn in_a_shell(relay: &Relay, before: &str) -> Terminal {
    let shell = Terminal::shell(sized(110, 30)).await;
    let url = relay.url();
    shell.keys(format!("{before}partyline --relay {url}; echo ended=$?\r"));
    shell.wait_for("cust01").await;
    shell
}

/// What something else has written over the screen goes.
async fn draws_anew(relay: &Relay, key: &[u8]) {
    let fifo = "\"$HOME/late\"";
    let shell = in_a_shell(relay, &format!("mkfifo {fifo}; cat {fifo} >/dev/tty & ")).await;
    std::fs::write(shell.home().file("late"), "a word from elsewhere").expect("`cat` reads");
    // A pane may have been drawn over a part of it by now.
    shell.wait_for_bytes(b"a word from elsewhere").await;
    shell.keys(key);
    until(&shell, "the screen as it was", |seen| {
        seen.has("cust01") && !seen.has("elsewhere")
    })
    .await;
}

async fn stops(relay: &Relay, key: &[u8]) {
    let shell = in_a_shell(relay, "").await;
    shell.keys(key);
    shell
        .wait_until("the shell's screen", |screen| {
            !screen.alternate_screen() && screen.contents().contains("Stopped")
        })
        .await;
    shell.keys("clear; fg\r");
    shell
        .wait_until("the monitor's screen", |screen| {
            screen.alternate_screen() && screen.contents().contains("cust01")
        })
        .await;
}

async fn quits(relay: &Relay, shown: &str, key: &[u8]) {
    let shell = in_a_shell(relay, "").await;
    shell.keys(key);
    shell
        .wait_until(&format!("{shown}: the end, and that all went well"), |screen| {
            !screen.alternate_screen() && screen.contents().contains("ended=0")
        })
        .await;
}
