//! What a relay takes of the machine that it runs on: a port, threads, open files.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tracing::{info, warn};

use crate::config::Config;
use crate::limits::guests::GUESTS;
use crate::limits::{Budget, files};
use crate::shards::{Shards, Window};

/// Connections that the kernel keeps until they are accepted: a flood has a moment's worth of them before Twilio's, and
/// whose finds no room tries again only after a second. Linux keeps no more unless it is told to.
const BACKLOG: u32 = 4096;

/// Whose threads serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// Connections are served in the runtime that asks, streams by one thread: for who runs the relay in its own
    /// process.
    Here,
    /// As many for connections and for streams as there are cores.
    AllCores,
}

impl Threads {
    pub(super) fn start(self) -> io::Result<(Shards, Option<Arc<Window>>)> {
        match self {
            Threads::Here => Ok((Shards::here()?, None)),
            Threads::AllCores => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                let window = Arc::<Window>::default();
                Ok((Shards::threads(cores, &window)?, Some(window)))
            }
        }
    }
}

pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Else a relay that comes back finds its port taken by connections of the one before.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// How many connections there may be: what all calls and listeners that are allowed take, where files allow it.
pub(super) fn files(config: &Config, threads: Threads) -> Budget {
    // Another program's limits are its own.
    if threads == Threads::AllCores
        && let Err(error) = files::raise()
    {
        warn!(%error, "the limit of open files could not be raised");
    }
    let wanted = config.max_calls.saturating_add(config.max_listeners);
    let wanted = (wanted.saturating_add(GUESTS) as u64).saturating_add(files::RESERVE);
    let budget = Budget::of_this_process(wanted);
    if budget.most < wanted {
        let (connections, of_others) = (budget.most, budget.for_anyone);
        info!(
            connections,
            of_others,
            wanted,
            "the limit of open files allows fewer connections than --max-calls and --max-listeners; raise it (LimitNOFILE, ulimit -n)"
        );
    }
    budget
}
