//! Builds the pieces in order, runs them, takes them down.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::calls::registry::{Registry, Settings, TICK};
use crate::clock::Now;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::route::Relay;
use crate::server;

/// How long connections may take to end once everybody has been told: goodbye, close, and a moment.
const GRACE: Duration = Duration::from_secs(5);

/// A relay that accepts connections.
pub struct Serving {
    relay: Arc<Relay>,
    listener: TcpListener,
}

/// Opens the listening socket and builds what stands behind it.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn bind(config: Config) -> io::Result<Serving> {
    let listener = TcpListener::bind(config.listen).await?;
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
        local: listener.local_addr()?,
        config: ArcSwap::from_pointee(config),
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
    };
    Ok(Serving {
        relay: Arc::new(relay),
        listener,
    })
}

impl Serving {
    /// The address in use, with its real port.
    pub fn local(&self) -> SocketAddr {
        self.relay.local
    }

    /// What stops it when cancelled.
    pub fn stop(&self) -> CancellationToken {
        self.relay.stop.clone()
    }

    /// What the doors share; for who runs the relay in its own process.
    pub fn relay(&self) -> &Arc<Relay> {
        &self.relay
    }

    /// Serves until stopped, then sees everybody out.
    pub async fn run(self) {
        let Serving { relay, listener } = self;
        let deadlines = relay
            .tasks
            .spawn(keep_time(relay.registry.clone(), relay.stop.clone()));
        server::run(listener, relay.clone()).await;
        info!("leaving: listeners are told");
        relay.tasks.close();
        if timeout(GRACE, relay.tasks.wait()).await.is_err() {
            warn!(left = relay.tasks.len(), "some connections did not end in time");
        }
        deadlines.abort();
        for (name, total) in relay.metrics.totals() {
            info!(name, total, "counter");
        }
    }
}

async fn keep_time(registry: Arc<Registry>, stop: CancellationToken) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        registry.on_deadline(Now::take());
    }
}
