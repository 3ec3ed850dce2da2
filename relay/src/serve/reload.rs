//! SIGHUP: all that the relay was told is read and checked again, and then put in force together, or nothing of it. What
//! is refused is told, a line a reason, and what was in force stays so. Connections never notice, but for rights that
//! are taken away. Flags and environment are those of the start; only files change.
//!
//! [`Read::all`] may fail and changes nothing; [`Read::apply`] changes everything and cannot fail. Reopening the audit
//! can, and leaves the old file in use then: so it stands between the two.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};

use super::{keepers, login, on_failure, settings};
use crate::access::jwt::{self, Jwt};
use crate::access::{self, Reread};
use crate::clock::Now;
use crate::config::{Config, Problems};
use crate::route::Relay;
use crate::tls::{self, Tls};
use crate::{log, notify};

/// Reads the whole configuration anew.
type Load = Arc<dyn Fn() -> Result<Config, Problems> + Send + Sync>;

/// Somebody who may say that files have changed, heard from when this is made: what is said before the relay runs is
/// not lost.
pub(super) struct Told {
    hangups: io::Result<Signal>,
    load: Load,
}

impl Told {
    pub(super) fn by(load: impl Fn() -> Result<Config, Problems> + Send + Sync + 'static) -> Told {
        Told {
            hangups: signal(SignalKind::hangup()),
            load: Arc::new(load),
        }
    }
}

/// What is read again, and how.
pub(super) struct Reloads {
    pub(super) relay: Arc<Relay>,
    pub(super) jwt: Arc<Jwt>,
    pub(super) told: Told,
}

/// What a changed file asked for that this process cannot do.
const RESTART: &str = "needs a restart of the relay; undo the change, or restart";

impl Reloads {
    /// Reads again at each SIGHUP.
    pub(super) async fn keep(mut self) {
        let stop = self.relay.stop.clone();
        loop {
            let hangups = match &mut self.told.hangups {
                Ok(hangups) => hangups,
                Err(error) => {
                    return warn!(%error, "SIGHUP cannot be caught: the configuration cannot be read again");
                }
            };
            if stop.run_until_cancelled(hangups.recv()).await.is_none() {
                return;
            }
            notify::reloading();
            self.once().await;
            notify::ready();
        }
    }

    async fn once(&self) {
        let metrics = &self.relay.metrics;
        match self.try_once().await {
            Ok(()) => {
                metrics.config_reloads.add_one();
                metrics.moments.reloaded.set_to(Now::take().wall.unix_ms());
                info!("told by SIGHUP: what was read is in force");
            }
            Err(reasons) => {
                metrics.config_reloads_refused.add_one();
                for reason in &reasons {
                    error!(reason, "told by SIGHUP: this cannot be put in force");
                }
                warn!(
                    reasons = reasons.len(),
                    "told by SIGHUP: nothing was changed, all stays as it was"
                );
            }
        }
    }

    async fn try_once(&self) -> Result<(), Vec<String>> {
        let read = Read::all(self).await?;
        let reopened = self.relay.doorman.audit().reopen().await;
        reopened.map_err(|error| vec![error.to_string()])?;
        read.apply(self);
        Ok(())
    }
}

/// All that was read and is right.
struct Read {
    config: Config,
    login: jwt::Reread,
    tokens: Reread,
    tls: Option<Tls>,
}

impl Read {
    /// Reads everything, and tells all that is wrong with it.
    async fn all(reloads: &Reloads) -> Result<Read, Vec<String>> {
        let load = reloads.told.load.clone();
        let loaded = tokio::task::spawn_blocking(move || load()).await;
        let config = match loaded {
            Ok(Ok(config)) => config,
            Ok(Err(problems)) => return Err(problems.iter().map(ToString::to_string).collect()),
            Err(error) => return Err(vec![format!("the configuration could not be read: {error}")]),
        };
        let old = reloads.relay.config.load_full();
        let mut reasons = needs_restart(&old, &config);
        // What waits comes first: the rest is not older than need be when it is put in force.
        let login = reloads.jwt.read(login(&config)).await;
        let login = kept(login.map_err(|error| vec![error.to_string()]), &mut reasons);
        let access = reloads.relay.doorman.access().clone();
        let path = config.tokens.clone();
        let tokens = tokio::task::spawn_blocking(move || access.read(path.as_deref())).await;
        let tokens = match tokens {
            Ok(read) => read.map_err(|unusable| unusable.reasons()),
            Err(error) => Err(vec![format!("the tokens could not be read: {error}")]),
        };
        let tokens = kept(tokens, &mut reasons);
        let files = config.tls.clone();
        let tls =
            tokio::task::spawn_blocking(move || files.map(|files| tls::Server::read(&files)).transpose());
        let tls = match tls.await {
            Ok(read) => read.map_err(|unusable| vec![unusable.to_string()]),
            Err(error) => Err(vec![format!("the certificate could not be read: {error}")]),
        };
        let tls = kept(tls, &mut reasons);
        match (login, tokens, tls) {
            (Some(login), Some(tokens), Some(tls)) if reasons.is_empty() => Ok(Read {
                config,
                login,
                tokens,
                tls,
            }),
            _ => Err(reasons),
        }
    }

    /// Puts everything in force.
    fn apply(self, reloads: &Reloads) {
        let Read {
            config,
            login,
            tokens,
            tls,
        } = self;
        let (relay, audit) = (&reloads.relay, reloads.relay.doorman.audit());
        for warning in &config.warnings {
            warn!("{warning}");
        }
        // Checked already; where the log is another program's, so is its level.
        drop(log::set_level(&config.log_level));
        if let (Some(server), Some(tls)) = (&relay.tls, tls) {
            server.apply(tls);
        }
        relay.registry.set(settings(&config));
        audit.set(on_failure(&config));
        relay.config.store(Arc::new(config));
        let news = relay.doorman.access().apply(tokens);
        news.into_iter().for_each(|news| {
            access::watch::tell(&news);
            keepers::on_record(audit, news);
        });
        reloads.jwt.apply(login);
    }
}

/// What was read, or nothing and why.
fn kept<T>(read: Result<T, Vec<String>>, reasons: &mut Vec<String>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(more) => {
            reasons.extend(more);
            None
        }
    }
}

/// Each setting that is another now and is looked at once, at the start: the sockets that are listened on, files that
/// belong to the process, and whether anybody is asked who they are.
fn needs_restart(old: &Config, new: &Config) -> Vec<String> {
    let changed = [
        ("listen", old.listen != new.listen),
        ("admin_listen", old.admin_listen != new.admin_listen),
        ("insecure", old.insecure != new.insecure),
        ("tls_cert", old.tls.is_some() != new.tls.is_some()),
        ("audit", old.audit != new.audit),
        ("state", old.state != new.state),
        ("twilio_api", old.twilio_api != new.twilio_api),
        ("redis", old.redis != new.redis),
        ("channel_prefix", old.channel_prefix != new.channel_prefix),
        (
            "redis_rails_prefix",
            old.redis_rails_prefix != new.redis_rails_prefix,
        ),
        ("log_format", old.log_format != new.log_format),
    ];
    let changed = changed.into_iter().filter(|(_, changed)| *changed);
    changed
        .map(|(name, _)| {
            let place = [new, old].map(|config| config.place_of(name));
            let place = place.into_iter().find(|place| !place.is_empty()).unwrap_or(name);
            format!("{place}: `{name}` has changed, which {RESTART}")
        })
        .collect()
}
