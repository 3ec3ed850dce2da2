//! Builds the pieces in order, runs them, takes them down.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use crate::calls::registry::{Registry, Settings, TICK};
use crate::clock::Now;
use crate::config::{Coalesce, Config};
use crate::load::Load;
use crate::metrics::Metrics;
use crate::pace::Pace;
use crate::route::Relay;
use crate::server;
use crate::shards::{Shards, Window};
use crate::stop::Stop;

/// How long connections may take to end once everybody has been told: goodbye, close, and a moment.
const GRACE: Duration = Duration::from_secs(5);

/// How often it is looked at how busy the machine is: what comes between two looks fits into the kernel's
/// buffers.
const LOOK: Duration = Duration::from_secs(1);

/// A relay that accepts connections.
pub struct Serving {
    relay: Arc<Relay>,
    listener: TcpListener,
    /// How long media loops nap, where they are ours.
    window: Option<Arc<Window>>,
    shards: Shards,
}

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
    fn start(self) -> io::Result<(Shards, Option<Arc<Window>>)> {
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

/// Why a relay does not start.
#[derive(Debug, thiserror::Error)]
pub enum NoStart {
    /// The address is taken, or is none of this machine's.
    #[error("cannot listen on {0}: {1}; choose another with --listen")]
    Listen(SocketAddr, #[source] io::Error),
    /// The system has no more threads or files.
    #[error("threads for connections could not be started: {0}")]
    Threads(#[source] io::Error),
}

/// Opens the listening socket and builds what stands behind it.
///
/// # Errors
/// [`NoStart`], which says what to do.
pub async fn bind(config: Config, threads: Threads) -> Result<Serving, NoStart> {
    let cannot_listen = |error| NoStart::Listen(config.listen, error);
    let listener = TcpListener::bind(config.listen).await.map_err(cannot_listen)?;
    let local = listener.local_addr().map_err(cannot_listen)?;
    let (shards, window) = threads.start().map_err(NoStart::Threads)?;
    let metrics = Arc::<Metrics>::default();
    let settings = Settings {
        retention: config.retention,
        history: config.history,
        max_calls: config.max_calls,
    };
    // Drawn anew at each start: a listener that sees another name knows that nothing is remembered.
    let node = format!("{:08x}", rand::random::<u32>());
    let relay = Relay {
        registry: Arc::new(Registry::new(node, settings, metrics.clone())),
        metrics,
        local,
        config: ArcSwap::from_pointee(config),
        stop: Stop::default(),
        tasks: TaskTracker::new(),
    };
    Ok(Serving {
        relay: Arc::new(relay),
        listener,
        window,
        shards,
    })
}

impl Serving {
    /// The address in use, with its real port.
    pub fn local(&self) -> SocketAddr {
        self.relay.local
    }

    /// What stops it when cancelled.
    pub fn stop(&self) -> Stop {
        self.relay.stop.clone()
    }

    /// What the doors share; for who runs the relay in its own process.
    pub fn relay(&self) -> &Arc<Relay> {
        &self.relay
    }

    /// Serves until stopped, then sees everybody out.
    pub async fn run(self) {
        let Serving {
            relay,
            listener,
            window,
            shards,
        } = self;
        let deadlines = relay
            .tasks
            .spawn(keep_time(relay.registry.clone(), relay.stop.clone()));
        let pace = window.map(|window| relay.tasks.spawn(keep_pace(relay.clone(), window)));
        server::run(listener, relay.clone(), &shards).await;
        info!("leaving: listeners are told");
        shards.streams_leave();
        relay.tasks.close();
        if timeout(GRACE, relay.tasks.wait()).await.is_err() {
            warn!(left = relay.tasks.len(), "some connections did not end in time");
        }
        deadlines.abort();
        if let Some(pace) = pace {
            pace.abort();
        }
        drop(shards);
        for (name, total) in relay.metrics.totals() {
            info!(name, total, "counter");
        }
    }
}

/// Sets how long frames may wait for one another, by how busy the machine is.
async fn keep_pace(relay: Arc<Relay>, window: Arc<Window>) {
    let mut pace = Pace::new(relay.config.load().coalesce);
    let mut load = Load::default();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while relay.stop.run_until_cancelled(looks.tick()).await.is_some() {
        let coalesce = relay.config.load().coalesce;
        pace.set(coalesce);
        let next = pace.window(if coalesce == Coalesce::Auto {
            load.look()
        } else {
            None
        });
        if next != window.get() {
            debug!(ms = next.as_millis(), "frames wait for one another for so long");
            window.set(next);
        }
    }
}

async fn keep_time(registry: Arc<Registry>, stop: Stop) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        registry.on_deadline(Now::take());
    }
}
