//! Builds the pieces in order, runs them, takes them down.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::access::jwt::{self, Jwt, KeySource};
use crate::access::{Access, Login, NoAccess};
use crate::audit::{self, Audit, OnFailure};
use crate::calls::registry::{Registry, Settings};
use crate::config::{AuditFail, Config, JwksSource};
use crate::doorman::Doorman;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::route::Relay;
use crate::server;
use crate::shards::{Shards, Window};
use crate::stop::Stop;
use crate::twilio::door::Door;

mod keepers;

/// How long connections may take to end once everybody has been told: goodbye, close, and a moment.
const GRACE: Duration = Duration::from_secs(5);

/// A relay that accepts connections.
pub struct Serving {
    relay: Arc<Relay>,
    listener: TcpListener,
    /// How long media loops nap, where they are ours.
    window: Option<Arc<Window>>,
    shards: Shards,
    jwt: Option<Arc<Jwt>>,
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
    /// The tokens cannot be used.
    #[error("{0}")]
    Access(#[from] NoAccess),
    /// A login's keys cannot be used.
    #[error("{0}")]
    Keys(#[from] jwt::Unusable),
    /// The audit cannot be written.
    #[error("{0}")]
    Audit(#[from] audit::OpenFailed),
}

impl NoStart {
    /// Whether what it was told is wrong, rather than the machine.
    pub fn is_configuration(&self) -> bool {
        matches!(
            self,
            NoStart::Access(NoAccess::Tokens(_))
                | NoStart::Keys(_)
                | NoStart::Audit(audit::OpenFailed::Foreign { .. })
        )
    }
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
    let audit = match &config.audit {
        None => Audit::off(),
        Some(path) => {
            let on_failure = match config.audit_fail {
                AuditFail::Closed => OnFailure::Refuse,
                AuditFail::Open => OnFailure::LetIn,
            };
            Audit::open(path.clone(), node.clone(), on_failure, metrics.clone())?
        }
    };
    let jwt = login(&config)?;
    let access = Access::new(
        config.tokens.as_deref(),
        jwt.clone().map(|jwt| -> Arc<dyn Login> { jwt }),
    )?;
    let registry = Arc::new(Registry::new(node, settings, metrics.clone()));
    let limits = Arc::new(Limits::new(config.insecure, metrics.clone()));
    let relay = Relay {
        twilio: Arc::new(Door::new(registry.clone())),
        registry,
        doorman: Arc::new(Doorman::new(
            access,
            Arc::new(audit),
            limits.clone(),
            metrics.clone(),
        )),
        limits,
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
        jwt,
    })
}

/// Who else says who people are, where the operator names one.
fn login(config: &Config) -> Result<Option<Arc<Jwt>>, jwt::Unusable> {
    if config.jwks.is_none() && config.jwt_secret_file.is_none() {
        return Ok(None);
    }
    let jwks = config.jwks.as_ref().map(|jwks| match jwks {
        JwksSource::File(path) => KeySource::File(path.clone()),
        JwksSource::Url(url) => KeySource::Url(url.clone()),
    });
    let settings = jwt::Settings {
        jwks,
        secret_file: config.jwt_secret_file.clone(),
        issuer: config.jwt_issuer.clone(),
        audience: config.jwt_audience.clone(),
    };
    Jwt::new(settings).map(Some)
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
            jwt,
        } = self;
        let stop = relay.stop.clone();
        let mut kept = JoinSet::new();
        kept.spawn(keepers::keep_time(relay.registry.clone(), stop.clone()));
        kept.spawn(keepers::keep_grants(relay.clone()));
        kept.spawn(keepers::keep_files(relay.clone()));
        if let Some(window) = window {
            kept.spawn(keepers::keep_pace(relay.clone(), window));
        }
        if let Some(jwt) = jwt {
            kept.spawn(keepers::keep_keys(jwt, stop));
        }
        server::run(listener, relay.clone(), &shards).await;
        info!("leaving: listeners are told");
        shards.streams_leave();
        relay.tasks.close();
        if timeout(GRACE, relay.tasks.wait()).await.is_err() {
            warn!(left = relay.tasks.len(), "some connections did not end in time");
        }
        kept.shutdown().await;
        drop(shards);
        if !relay.doorman.audit().close().await {
            warn!("the last lines of the audit could not be written in time");
        }
        for (name, total) in relay.metrics.totals() {
            info!(name, total, "counter");
        }
    }
}
