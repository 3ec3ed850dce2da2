//! In tmux, as many supervisors have it: keys come as tmux writes them, sizes as it gives them, the background
//! as it knows it; one can go away and come back.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use harness::{Relay, Scratch, Terminal};

use super::eyes::until;
use super::{ring, sized};

/// A tmux server of the story's own, which ends with it.
struct Tmux {
    socket: PathBuf,
    _folder: Scratch,
}

impl Tmux {
    fn new() -> Tmux {
        let folder = Scratch::new();
        Tmux {
            socket: folder.file("tmux"),
            _folder: folder,
        }
    }

    /// The command line before tmux's own commands: nobody's configuration.
    fn typed(&self, rest: &str) -> String {
        format!("tmux -f /dev/null -S {} {rest}\r", self.socket.display())
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux")
            .arg("-S")
            .arg(&self.socket)
            .arg("kill-server")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

/// Where the cursor of the list stands.
async fn on(terminal: &Terminal, customer: &str) {
    until(terminal, &format!("the cursor on {customer}"), |seen| {
        seen.cursor().is_some_and(|(_, at)| at == customer)
    })
    .await;
}

#[tokio::test]
async fn in_tmux_keys_sizes_and_coming_back_are_as_elsewhere() {
    let relay = Relay::start(&[]).await;
    let _calls = ring(&relay, 3).await;
    let tmux = Tmux::new();
    let terminal = Terminal::shell(sized(120, 36)).await;
    terminal.keys(tmux.typed(&format!("new-session 'partyline --relay {}'", relay.url())));
    on(&terminal, "cust01").await;
    for (keys, customer) in [
        ("\x1b[B", "cust02"),
        ("\x1b[F", "cust03"),
        ("\x1b[A", "cust02"),
        ("\x1b[H", "cust01"),
        ("\x1b[6~", "cust03"),
        ("\x1b[5~", "cust01"),
    ] {
        terminal.keys(keys);
        on(&terminal, customer).await;
    }
    terminal.keys("\r");
    until(&terminal, "the call that is heard", |seen| {
        seen.pane_has("Call", "you listen")
    })
    .await;
    terminal.keys("\t");
    until(&terminal, "another pane", |seen| {
        seen.focus().is_some_and(|pane| pane != "Calls")
    })
    .await;
    terminal.keys("\x1b[Z");
    until(&terminal, "the list again", |seen| seen.focus() == Some("Calls")).await;
    terminal.keys("?");
    until(&terminal, "the keys", |seen| seen.focus() == Some("Keys")).await;
    // tmux waits whether more comes, and then it is Esc.
    terminal.keys("\x1b");
    until(&terminal, "the list again", |seen| seen.focus() == Some("Calls")).await;
    terminal.resize(60, 20);
    until(&terminal, "panes below each other", |seen| {
        !seen.is_beside() && seen.panes().first() == Some(&"Calls")
    })
    .await;
    terminal.resize(120, 36);
    until(&terminal, "panes beside each other", |seen| seen.is_beside()).await;
    // Away, and back: whoever comes finds the screen as it is now.
    terminal.keys("\x02d");
    terminal.wait_for("[detached").await;
    let _another = super::rings(&relay, "cust04").await;
    terminal.keys(tmux.typed("attach"));
    until(&terminal, "a call that came meanwhile", |seen| {
        seen.customers().contains(&"cust04")
    })
    .await;
    terminal.keys("q");
    terminal.wait_for("[exited]").await;
}
