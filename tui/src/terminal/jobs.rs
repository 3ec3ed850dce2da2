//! Job control: a stop that a shell notices, and whose the terminal is just now.

use rustix::process::{Signal, getpgrp, getpid, getsid, kill_current_process_group, kill_process};
use rustix::termios::tcgetpgrp;

use super::tty::Tty;

/// Whether a shell is there that can let us go on. Who is the head of a session has none.
pub fn can_stop() -> bool {
    getsid(None).is_ok_and(|session| session != getpgrp())
}

/// Stops as Ctrl-Z does it: with all of the job, so that whoever started us, `make` say, does not wait awake
/// while the shell waits for it. Returns once somebody has let us go on, or a moment before the stop.
pub fn stop_job() {
    let _ = kill_current_process_group(Signal::STOP);
}

/// The same for this process alone: it was it that was told.
pub fn stop_self() {
    let _ = kill_process(getpid(), Signal::STOP);
}

/// Whether we are in the foreground; who is not may neither read nor draw.
pub fn is_ours(tty: &Tty) -> bool {
    match tcgetpgrp(tty) {
        Ok(group) => group == getpgrp(),
        // No terminal of this session's: there is nobody to share it with.
        Err(_) => true,
    }
}
