//! What is typed, as soon as it is typed: bytes of the terminal through [`Keys`], with a clock.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep, timeout_at};

use crate::terminal::Terminal;
use crate::terminal::keys::{Keys, Typed};
use crate::terminal::probe::{BUDGET, Background, QUESTION};
use crate::terminal::tty::Tty;

/// Bytes read at a time; a held key is three.
const READ: usize = 1024;

/// The terminal, as a source of keys.
pub(super) struct Input {
    tty: AsyncFd<Arc<Tty>>,
    keys: Keys,
    start: Instant,
}

impl Input {
    // What replaces it is unsafe, for fear of descriptors that are closed meanwhile; this one is owned.
    #[allow(deprecated)]
    pub(super) fn new(terminal: &Terminal) -> io::Result<Input> {
        Ok(Input {
            tty: AsyncFd::with_interest(terminal.tty().clone(), Interest::READABLE)?,
            keys: Keys::default(),
            start: Instant::now(),
        })
    }

    /// What was typed next, possibly nothing that means anything; `None` for a terminal that is gone. Cancelling
    /// it loses nothing.
    pub(super) async fn next(&mut self) -> Option<Vec<Typed>> {
        loop {
            let wait = self
                .keys
                .deadline()
                .map(|deadline| deadline.saturating_sub(self.now()));
            tokio::select! {
                biased;
                ready = self.tty.readable() => {
                    let mut ready = ready.ok()?;
                    let mut bytes = [0; READ];
                    match ready.get_inner().read(&mut bytes) {
                        Ok(0) => return None,
                        Ok(n) => {
                            let now = self.now();
                            return Some(self.keys.on_bytes(now, bytes.get(..n).unwrap_or_default()));
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                        Err(_) => return None,
                    }
                }
                () = sleep(Duration::from_millis(wait.unwrap_or_default())), if wait.is_some() => {
                    let now = self.now();
                    return Some(self.keys.on_deadline(now));
                }
            }
        }
    }

    /// Asks for the background, and waits for the answer a moment; what else was typed meanwhile comes too. An
    /// answer that comes later comes out of [`Input::next`].
    pub(super) async fn ask(&mut self, terminal: &Terminal) -> Option<(Option<Background>, Vec<Typed>)> {
        // Where there is no room for so little there is nobody who would answer.
        let _ = terminal.tty().write_within(QUESTION, BUDGET);
        self.keys.set_owed(true);
        terminal.set_owes(true);
        let end = Instant::now() + BUDGET;
        let mut all = Vec::new();
        while !all.contains(&Typed::Attributes) {
            match timeout_at(end, self.next()).await {
                Ok(typed) => all.extend(typed?),
                Err(_) => break,
            }
        }
        self.heed(terminal, &all);
        Some((Background::said(&all), all))
    }

    /// Whether the terminal has answered all it was asked.
    pub(super) fn heed(&self, terminal: &Terminal, typed: &[Typed]) {
        if typed.contains(&Typed::Attributes) {
            terminal.set_owes(false);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
