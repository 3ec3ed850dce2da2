//! The terminal, taken and given back: one guard enters it and leaves it, whatever ends the program, a panic
//! included. What stands on it is drawn elsewhere.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`tty`] | the device: read and written without ever waiting |
//! | [`keys`] | bytes to keys and answers, sans-I/O |
//! | [`probe`] | whether the background is dark or light |
//! | [`jobs`] | Ctrl-Z, and whether the terminal is ours just now |

pub mod jobs;
pub mod keys;
pub mod probe;
pub mod tty;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::logging::Diverted;
use tty::Tty;

/// How long a terminal that takes nothing is waited for when it is left. Longer than a busy one needs, shorter
/// than anyone waits for a program that was told to end.
const LEAVE_WAIT: Duration = Duration::from_millis(500);

/// Alternate screen, cleared, no cursor, and pasted text told from keys.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[2J\x1b[?25l\x1b[?2004h";

/// First whatever sequence was cut short: `Esc` begins a new one in any state.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?1049l\x1b[?25h";

/// The terminal while it is ours; the panic hook has to find it.
static UP: Mutex<Option<Up>> = Mutex::new(None);

struct Up {
    tty: Arc<Tty>,
    manner: Manner,
    before: Termios,
    /// Whether it is in our mode now, and not left for a while.
    is_entered: bool,
    /// Whether it owes us an answer, which is not for the shell.
    owes: bool,
    /// Error output goes elsewhere meanwhile.
    diverted: Option<Diverted>,
    broken: CancellationToken,
}

/// What is wanted of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// All of it.
    Screen,
    /// Keys come at once, and lines are added to what stands there.
    Lines,
}

/// The guard; there is one at a time. The terminal is as it was when this is gone.
#[must_use = "the terminal is left when this is dropped"]
pub struct Terminal {
    tty: Arc<Tty>,
    broken: CancellationToken,
}

impl Terminal {
    /// Takes the terminal; error output goes to `diverted` until it is given back.
    ///
    /// # Errors
    /// [`Failure::Failed`] where there is none.
    pub fn enter(manner: Manner, diverted: Option<Diverted>) -> Result<Terminal, Failure> {
        let bad = |e: io::Error| Failure::Failed(format!("the terminal cannot be used: {e}"));
        let tty = Arc::new(Tty::open()?);
        let before = tcgetattr(&*tty).map_err(|e| bad(e.into()))?;
        install_hook();
        let broken = CancellationToken::new();
        *up() = Some(Up {
            tty: tty.clone(),
            manner,
            before,
            is_entered: false,
            owes: false,
            diverted,
            broken: broken.clone(),
        });
        let terminal = Terminal { tty, broken };
        terminal.enter_again().map_err(bad)?;
        Ok(terminal)
    }

    /// Puts it into our mode, as at first: after a stop, or whenever something else may have changed it.
    ///
    /// # Errors
    /// Whatever the system says: the terminal is gone then.
    pub fn enter_again(&self) -> io::Result<()> {
        match up().as_mut() {
            Some(up) => up.enter(),
            None => Ok(()),
        }
    }

    /// Gives it back for a while.
    pub fn leave_for_now(&self) {
        if let Some(up) = up().as_mut() {
            up.leave();
        }
    }

    /// Writes as much as there is room for. What comes while the terminal is not ours is for nobody.
    ///
    /// # Errors
    /// As the system says: the terminal is gone.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match up().as_ref() {
            Some(up) if up.is_entered => up.tty.write(bytes),
            _ => Ok(bytes.len()),
        }
    }

    /// The device.
    pub fn tty(&self) -> &Arc<Tty> {
        &self.tty
    }

    /// The terminal was asked something, or has answered.
    pub fn set_owes(&self, owes: bool) {
        if let Some(up) = up().as_mut() {
            up.owes = owes;
        }
    }

    /// Cuts the log where it is too long.
    pub fn trim_log(&self) {
        if let Some(diverted) = up().as_ref().and_then(|up| up.diverted.as_ref()) {
            diverted.trim();
        }
    }

    /// Cancelled when any part of the program has panicked: the terminal is given back by then.
    pub fn broken(&self) -> CancellationToken {
        self.broken.clone()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(give_back());
    }
}

impl Up {
    fn enter(&mut self) -> io::Result<()> {
        let mut raw = self.before.clone();
        raw.make_raw();
        tcsetattr(&*self.tty, OptionalActions::Now, &raw)?;
        self.is_entered = true;
        match self.manner {
            Manner::Screen => self.tty.write_within(ENTER, LEAVE_WAIT),
            Manner::Lines => Ok(()),
        }
    }

    fn leave(&mut self) {
        // Who is in the background would be stopped for touching it; the shell has put it right by itself.
        if !std::mem::take(&mut self.is_entered) || !jobs::is_ours(&self.tty) {
            return;
        }
        // Whatever fails here fails because the terminal is gone: nobody is left to see it.
        let bytes = match self.manner {
            Manner::Screen => LEAVE,
            // They changed nothing that would have to be put back, and a screen reader is spared all sequences.
            Manner::Lines => b"",
        };
        let _ = self.tty.write_within(bytes, LEAVE_WAIT);
        if self.owes {
            let _ = tcflush(&*self.tty, QueueSelector::IFlush);
        }
        let _ = tcsetattr(&*self.tty, OptionalActions::Now, &self.before);
    }
}

fn up() -> MutexGuard<'static, Option<Up>> {
    // Nothing panics while it is held; and who could not leave the terminal for that would leave it broken.
    UP.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal first, then error output, so that what is said next is seen.
fn give_back() -> Option<CancellationToken> {
    let mut up = up().take()?;
    up.leave();
    drop(up.diverted.take());
    Some(up.broken)
}

/// Once for the process: without a terminal of ours it does what the hook before it did.
fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let broken = give_back();
            before(info);
            if let Some(broken) = broken {
                broken.cancel();
            }
        }));
    });
}
