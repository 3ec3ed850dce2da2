//! What the service manager wants to know (sd_notify): whether the relay is ready, reloads, stops, lives. Says nothing
//! where nobody asked for it, and until [`start`] was called: a relay inside another program is not the service.
//! Never waits: what the manager does not take at once is not said, and the log tells so once.

use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tracing::warn;

/// The one of this process, if there is one.
static MANAGER: OnceLock<Manager> = OnceLock::new();

/// Finds out who started this process: for the program itself, once, when there is a log. The environment is left
/// as it is.
pub fn start() {
    let env = |name: &str| std::env::var(name).ok();
    match Manager::find(env, std::process::id()) {
        Ok(None) => {}
        Ok(Some(manager)) => drop(MANAGER.set(manager)),
        Err(error) => warn!(%error, "NOTIFY_SOCKET cannot be used: the service manager is told nothing"),
    }
}

/// Whether somebody listens.
pub fn is_heard() -> bool {
    MANAGER.get().is_some()
}

/// Within which time [`alive`] has to be said again and again; `None` where nobody waits for it.
pub fn watchdog() -> Option<Duration> {
    MANAGER.get()?.watchdog
}

/// Connections are accepted; also after [`reloading`].
pub fn ready() {
    say("READY=1");
}

/// Files are read again; [`ready`] follows, also where they are refused.
pub fn reloading() {
    let now = clock_gettime(ClockId::Monotonic);
    let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
    say(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
}

/// The relay will leave.
pub fn stopping() {
    say("STOPPING=1");
}

/// It takes so much longer, from now on.
pub fn extend(by: Duration) {
    say(&format!("EXTEND_TIMEOUT_USEC={}", by.as_micros()));
}

/// One line for people.
pub fn status(line: &str) {
    say(&format!("STATUS={line}"));
}

/// It lives.
pub fn alive() {
    say("WATCHDOG=1");
}

fn say(words: &str) {
    if let Some(manager) = MANAGER.get() {
        manager.say(words);
    }
}

/// A service manager that wants to be told.
#[derive(Debug)]
struct Manager {
    socket: UnixDatagram,
    at: SocketAddr,
    watchdog: Option<Duration>,
    has_failed: AtomicBool,
}

impl Manager {
    /// As the environment of the process `pid` names it.
    fn find(env: impl Fn(&str) -> Option<String>, pid: u32) -> io::Result<Option<Manager>> {
        let Some(at) = env("NOTIFY_SOCKET").filter(|at| !at.is_empty()) else {
            return Ok(None);
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        // Inherited from another process, it is meant for that one.
        let is_ours = env("WATCHDOG_PID").is_none_or(|of| of.parse() == Ok(pid));
        let micros = env("WATCHDOG_USEC").and_then(|text| text.parse().ok());
        Ok(Some(Manager {
            socket,
            at: address(&at)?,
            watchdog: micros
                .filter(|micros| is_ours && *micros > 0)
                .map(Duration::from_micros),
            has_failed: AtomicBool::new(false),
        }))
    }

    fn say(&self, words: &str) {
        if let Err(error) = self.socket.send_to_addr(words.as_bytes(), &self.at)
            && !self.has_failed.swap(true, Relaxed)
        {
            warn!(%error, "the service manager did not take what it was told, as further words may not be");
        }
    }
}

/// A path, or behind an `@` a name without one.
fn address(at: &str) -> io::Result<SocketAddr> {
    let unknown = || io::Error::new(io::ErrorKind::Unsupported, "it is neither a path nor @NAME");
    match at.strip_prefix('@') {
        None if at.starts_with('/') => SocketAddr::from_pathname(at),
        None => Err(unknown()),
        #[cfg(target_os = "linux")]
        Some(name) => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name),
        #[cfg(not(target_os = "linux"))]
        Some(_) => Err(unknown()),
    }
}

#[cfg(test)]
mod tests;
