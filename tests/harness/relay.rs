//! `partyline-relay serve` as a process, on a port of its own.

use std::net::SocketAddr;
use std::time::Duration;

use crate::binaries;
use crate::program::{Finished, Program};
use crate::wait::SOON;

/// What stdout says once the relay accepts connections.
const READY: &str = "listening on ";

/// A story that is over waits for no stream of its own. One about leaving says by --drain-timeout what it wants.
pub const LEAVES_AT_ONCE: (&str, &str) = ("PARTYLINE_DRAIN_TIMEOUT", "0s");

/// A running relay; killed when dropped.
pub struct Relay {
    program: Program,
    url: String,
    addr: SocketAddr,
}

impl Relay {
    /// Starts one under --insecure on a free port, and waits until it says that it accepts connections.
    pub async fn start(extra: &[&str]) -> Relay {
        Self::start_on("127.0.0.1:0", extra).await
    }

    /// The same on a given address: a relay that comes back where it was.
    pub async fn start_on(listen: &str, extra: &[&str]) -> Relay {
        Self::serve(&[&["--listen", listen, "--insecure"], extra].concat(), &[]).await
    }

    /// Starts one with all that it is to be told, and waits the same way.
    pub async fn serve(flags: &[&str], env: &[(&str, &str)]) -> Relay {
        let args = [&["serve"], flags].concat();
        let env = [&[LEAVES_AT_ONCE], env].concat();
        let program = Program::start(&binaries::path(binaries::RELAY), args, &env);
        let line = program.line(SOON, READY, |line| line.starts_with(READY)).await;
        let url = line.trim_start_matches(READY).to_owned();
        let addr = url.split_once("://").map(|(_, addr)| addr.parse());
        let Some(Ok(addr)) = addr else {
            panic!("no address in {line:?}");
        };
        Relay { program, url, addr }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:PORT`, or `https://`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The process: its output, signals and memory.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Resident memory, kB.
    pub fn rss_kb(&self) -> u64 {
        self.program.rss_kb()
    }

    /// Asks it to leave (SIGTERM) and waits for its end.
    pub async fn stop(self) -> Finished {
        self.program.signal("TERM");
        self.ended(SOON).await
    }

    /// Waits for an end that was asked for otherwise.
    pub async fn ended(self, limit: Duration) -> Finished {
        self.program.finish(limit).await
    }

    /// Ends it as a power cut would.
    pub async fn kill(self) {
        self.program.kill().await;
    }
}
