//! Builds the pieces in order, runs them, takes them down.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use partyline_shared::protocol::server::{Relays, RelaysState};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::access::jwt::{self, Jwt, KeySource};
use crate::access::{Access, NoAccess};
use crate::admin::Admin;
use crate::api::sources::Sources;
use crate::audit::{self, Audit, OnFailure};
use crate::broker::commons::Commons;
use crate::calls::registry::{Registry, Settings};
use crate::clock::Now;
use crate::config::{AuditFail, Config, JwksSource, Problems};
use crate::doorman::Doorman;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::route::Relay;
use crate::shards::{Shards, Window};
use crate::sharing::Sharing;
use crate::sharing::allowances::Allowances;
use crate::sharing::asks::Asks;
use crate::sharing::crossing::Crossing;
use crate::sharing::rails::Rails;
use crate::state::{self, State};
use crate::stop::Stop;
use crate::tls;
use crate::twilio::door::Door;
use crate::{attach, broker, notify, server};

mod drain;
mod examine;
mod keepers;
mod machine;
mod memory;
mod redis;
mod reload;
mod tells;

pub use examine::{examine, writable};
pub use machine::Threads;
use machine::{files, listen};
use redis::Shared;
pub(crate) use redis::redis;

/// How long connections may take to end once everybody has been told: goodbye, close, and a moment.
const GRACE: Duration = Duration::from_secs(5);
/// How long the state may take to be written for the last time: its disk may not answer.
const LAST_SAVE: Duration = Duration::from_secs(3);
/// How long it takes to leave at the most: these, 7 s for what other relays are told, 5 s for the audit, and a reserve.
const LEAVING: Duration = Duration::from_secs(24);

/// A relay that accepts connections.
pub struct Serving {
    relay: Arc<Relay>,
    listener: TcpListener,
    /// How long media loops nap, where they are ours.
    window: Option<Arc<Window>>,
    shards: Shards,
    admin: Option<Admin>,
    jwt: Arc<Jwt>,
    told: Option<reload::Told>,
    state: Arc<State>,
}

/// Why a relay does not start.
#[derive(Debug, thiserror::Error)]
pub enum NoStart {
    /// The address is taken, or is none of this machine's.
    #[error("cannot listen on {0}: {1}; choose another with --listen")]
    Listen(SocketAddr, #[source] io::Error),
    /// The operator's address likewise.
    #[error("cannot listen on {0} for metrics: {1}; choose another with --admin-listen")]
    Admin(SocketAddr, #[source] io::Error),
    /// The system has no more threads or files.
    #[error("threads for connections could not be started: {0}")]
    Threads(#[source] io::Error),
    /// The tokens cannot be used.
    #[error("{0}")]
    Access(#[from] NoAccess),
    /// A login's keys cannot be used.
    #[error("{0}")]
    Keys(#[from] jwt::Unusable),
    /// Certificate or key cannot be used.
    #[error("{0}")]
    Tls(#[from] tls::Unusable),
    /// The audit cannot be written.
    #[error("{0}")]
    Audit(#[from] audit::OpenFailed),
    /// The state cannot be kept.
    #[error("{0}")]
    State(#[from] state::OpenFailed),
    /// Redis has no name that it could have.
    #[error("{0}")]
    Redis(#[from] broker::Unusable),
}

impl NoStart {
    /// Whether what it was told is wrong, rather than the machine.
    pub fn is_configuration(&self) -> bool {
        matches!(self, NoStart::State(why) if why.is_configuration())
            || matches!(
                self,
                NoStart::Access(NoAccess::Tokens(_))
                    | NoStart::Keys(_)
                    | NoStart::Redis(_)
                    | NoStart::Tls(_)
                    | NoStart::Audit(audit::OpenFailed::Foreign { .. })
            )
    }
}

/// Opens the listening socket and builds what stands behind it.
///
/// # Errors
/// [`NoStart`], which says what to do.
pub async fn bind(config: Config, threads: Threads) -> Result<Serving, NoStart> {
    let metrics = Arc::<Metrics>::default();
    let tls = match &config.tls {
        Some(files) => Some(Arc::new(tls::Server::open(files, metrics.clone())?)),
        None => None,
    };
    let cannot_listen = |error| NoStart::Listen(config.listen, error);
    let listener = listen(config.listen).map_err(cannot_listen)?;
    let local = listener.local_addr().map_err(cannot_listen)?;
    let admin = match config.admin_listen {
        Some(addr) => Some(
            Admin::bind(addr)
                .await
                .map_err(|error| NoStart::Admin(addr, error))?,
        ),
        None => None,
    };
    let (shards, window) = threads.start().map_err(NoStart::Threads)?;
    let began = Now::take();
    metrics.moments.reloaded.set_to(began.wall.unix_ms());
    // Drawn anew at each start: a listener that sees another name knows that nothing is remembered.
    let node = format!("{:08x}", rand::random::<u32>());
    let audit = match &config.audit {
        None => Audit::off(),
        Some(path) => Audit::open(path.clone(), node.clone(), on_failure(&config), metrics.clone())?,
    };
    let state = Arc::new(State::open(config.state.clone())?);
    let jwt = Jwt::new(login(&config))?;
    let access = Access::new(config.tokens.as_deref(), Some(jwt.clone()))?;
    let registry = Arc::new(Registry::new(node, settings(&config), metrics.clone()));
    let files = files(&config, threads);
    let limits = Arc::new(Limits::new(config.insecure, files, metrics.clone()));
    let sharing = match redis(&config, registry.node()) {
        Some(redis) => Some(Arc::new(Sharing::new(redis, registry.clone(), metrics.clone())?)),
        None => None,
    };
    let (commons, relays) = match &sharing {
        Some(sharing) => (
            Commons::shared(sharing.hub().broker.clone(), metrics.clone()),
            Some(alone_since(began)),
        ),
        None => (Commons::alone(), None),
    };
    let commons = Arc::new(commons);
    let door = Arc::new(Door::new(registry.clone(), limits.clone(), commons.clone()));
    state.recall(&door);
    registry.keep_paused(state.paused());
    registry.keep_erased(Now::take(), state.erased());
    let (stop, tasks, streams) = (Stop::default(), TaskTracker::new(), TaskTracker::new());
    let sources = Sources::new(registry.clone(), stop.clone(), tasks.clone(), streams.clone());
    let relay = Relay {
        twilio: door,
        registry,
        sources: Arc::new(sources),
        doorman: Arc::new(Doorman::new(
            access,
            Arc::new(audit),
            limits.clone(),
            metrics.clone(),
            commons.clone(),
        )),
        limits,
        metrics,
        presence: Arc::default(),
        state: state.clone(),
        asks: sharing.as_ref().map(|sharing| Asks::new(sharing.hub().clone())),
        sharing,
        commons,
        relays,
        tls,
        local,
        began,
        config: ArcSwap::from_pointee(config),
        stop,
        tasks,
        streams,
    };
    Ok(Serving {
        relay: Arc::new(relay),
        listener,
        window,
        shards,
        jwt,
        told: None,
        admin,
        state,
    })
}

/// What who listens is told of other relays before any of them is known.
fn alone_since(began: Now) -> watch::Sender<Relays> {
    watch::Sender::new(Relays {
        state: RelaysState::CutOff,
        since: began.wall,
        relays: 1,
    })
}

/// What calls are told.
fn settings(config: &Config) -> Settings {
    Settings {
        retention: config.retention,
        history: config.history,
        max_calls: config.max_calls,
    }
}

fn on_failure(config: &Config) -> OnFailure {
    match config.audit_fail {
        AuditFail::Closed => OnFailure::Refuse,
        AuditFail::Open => OnFailure::LetIn,
    }
}

/// Who else says who people are, where the operator names one.
pub(crate) fn login(config: &Config) -> jwt::Settings {
    let jwks = config.jwks.as_ref().map(|jwks| match jwks {
        JwksSource::File(path) => KeySource::File(path.clone()),
        JwksSource::Url(url) => KeySource::Url(url.clone()),
    });
    jwt::Settings {
        jwks,
        secret_file: config.jwt_secret_file.clone(),
        issuer: config.jwt_issuer.clone(),
        audience: config.jwt_audience.clone(),
    }
}

impl Serving {
    /// The address in use, with its real port.
    pub fn local(&self) -> SocketAddr {
        self.relay.local
    }

    /// Where operators ask how it is, with its real port.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(Admin::local)
    }

    /// How its address begins: `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        tls::scheme(self.relay.tls.is_some())
    }

    /// What makes it drain, and leave.
    pub fn stop(&self) -> Stop {
        self.relay.stop.clone()
    }

    /// What the doors share; for who runs the relay in its own process.
    pub fn relay(&self) -> &Arc<Relay> {
        &self.relay
    }

    /// Reads the configuration anew like this at each SIGHUP. Who runs the relay in its own process and does not say
    /// so keeps the signal.
    pub fn reload_by(&mut self, load: impl Fn() -> Result<Config, Problems> + Send + Sync + 'static) {
        self.told = Some(reload::Told::by(load));
    }

    /// Serves until it is told to leave, or has drained; then sees everybody out.
    pub async fn run(self) {
        let Serving {
            relay,
            listener,
            window,
            shards,
            jwt,
            told,
            admin,
            state,
        } = self;
        let stop = relay.stop.clone();
        let mut kept = JoinSet::new();
        let mut shared = Shared::new(&stop);
        kept.spawn(memory::keep(relay.clone()));
        kept.spawn(keepers::keep_time(relay.registry.clone(), stop.clone()));
        kept.spawn(keepers::keep_grants(relay.clone()));
        kept.spawn(keepers::keep_commons(relay.clone()));
        kept.spawn(keepers::keep_standing(relay.clone()));
        kept.spawn(keepers::keep_relays(relay.clone()));
        if let Some(told) = told {
            let (relay, jwt) = (relay.clone(), jwt.clone());
            kept.spawn(reload::Reloads { relay, jwt, told }.keep());
        }
        kept.spawn(drain::lead_out(relay.clone(), shards.streams()));
        kept.spawn(tells::keep_status(relay.clone()));
        kept.spawn(tells::keep_alive(shards.pulse()));
        kept.spawn(attach::run(relay.clone(), state.clone()));
        kept.spawn(
            state
                .clone()
                .keep(relay.registry.clone(), relay.twilio.clone(), stop.clone()),
        );
        if let Some(sharing) = relay.sharing.clone() {
            shared.hands_over(&relay, &sharing);
            kept.spawn(Crossing::among(&sharing).run(stop.clone()));
            if let Some(prefix) = &relay.config.load().redis_rails_prefix {
                let (hub, audit) = (sharing.hub(), relay.doorman.audit().clone());
                let rails = Rails::new(hub.broker.clone(), relay.registry.clone(), audit, prefix);
                kept.spawn(rails.run(stop.clone()));
            }
            let allowances = Arc::new(Allowances::new(sharing.hub().clone(), relay.limits.clone()));
            sharing.admit(allowances.clone());
            kept.spawn(async move { allowances.tell().await });
            shared.runs(sharing);
        }
        if let Some(tls) = relay.tls.clone() {
            kept.spawn(tls.watch());
        }
        if let Some(window) = window {
            kept.spawn(keepers::keep_pace(relay.clone(), window));
        }
        if let Some(admin) = admin {
            kept.spawn(admin.run(relay.clone()));
        }
        kept.spawn(keepers::keep_keys(jwt, stop));
        server::run(listener, relay.clone(), &shards).await;
        info!(
            listeners = relay.metrics.listeners.get(),
            "leaving: listeners are told"
        );
        notify::extend(LEAVING);
        shards.streams().leave();
        relay.sources.leave();
        relay.tasks.close();
        if timeout(GRACE, relay.tasks.wait()).await.is_err() {
            warn!(left = relay.tasks.len(), "some connections did not end in time");
        }
        shared.end().await;
        kept.shutdown().await;
        if timeout(LAST_SAVE, state.save(&relay.registry, &relay.twilio))
            .await
            .is_err()
        {
            warn!("the state could not be written in time: after a restart it is as it was");
        }
        drop(shards);
        if !relay.doorman.audit().close().await {
            warn!("the last lines of the audit could not be written in time");
        }
        for (name, total) in relay.metrics.totals() {
            info!(name, total, "counter");
        }
    }
}
