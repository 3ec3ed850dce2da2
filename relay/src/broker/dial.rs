//! One connection to Redis: TCP, TLS where it is asked for, who we are, and our name in its lists. Each step has its
//! time; none is tried twice.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ErrorKind, ProtocolVersion, PushInfo, RedisConnectionInfo, RedisError, cmd,
};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_util::task::AbortOnDropHandle;

use super::ask::{self, COMMAND};
use super::failed::Failed;
use super::hear::Ears;
use super::settings::Settings;
use crate::trust;

/// How long a step may take: a name's addresses, a connection, TLS, to be known, to be subscribed.
pub(super) const STEP: Duration = Duration::from_secs(1);
/// Addresses of a name that are tried.
const MOST_ADDRESSES: usize = 4;
/// The system asks after this silence whether the other side is there. We ask sooner; this frees what is left behind.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// Requests that wait to be written: what comes beyond them waits in whoever asks, who has a time of its own.
const WAITING: usize = 256;

/// Why there is no link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoLink {
    /// For people, of one of few kinds.
    pub(crate) why: &'static str,
    /// The system's word or Redis' code; empty where there is none.
    pub(crate) detail: String,
}

impl NoLink {
    pub(super) fn new(why: &'static str, detail: impl ToString) -> NoLink {
        NoLink {
            why,
            detail: detail.to_string(),
        }
    }

    fn late(why: &'static str) -> NoLink {
        NoLink::new(why, format!("no answer within {} s", STEP.as_secs()))
    }
}

/// A connection, whose task ends with this.
pub(super) struct Dialled {
    pub(super) line: MultiplexedConnection,
    /// Ends when the connection does.
    pub(super) driver: AbortOnDropHandle<()>,
}

/// Where Redis is, and whom we believe there.
pub(super) struct Way {
    addresses: Vec<SocketAddr>,
    trust: Option<Arc<ClientConfig>>,
}

impl Way {
    /// Looks the name up, and reads whom this machine believes: what was changed meanwhile counts.
    pub(super) async fn find(settings: &Settings) -> Result<Way, NoLink> {
        const UNKNOWN: &str = "its name is not found";
        let found = timeout(STEP, lookup_host((settings.host.as_str(), settings.port))).await;
        let found = found.map_err(|_| NoLink::late(UNKNOWN))?;
        let found = found.map_err(|error| NoLink::new(UNKNOWN, error))?;
        let addresses: Vec<SocketAddr> = found.take(MOST_ADDRESSES).collect();
        if addresses.is_empty() {
            return Err(NoLink::new(UNKNOWN, "it has no address"));
        }
        let trust = match (&settings.trust, settings.secure) {
            (_, false) => None,
            (Some(trust), true) => Some(trust.clone()),
            (None, true) => Some(believed().await?),
        };
        Ok(Way { addresses, trust })
    }

    /// The first address that there is a connection to, by which all others go.
    pub(super) async fn first(mut self, settings: &Settings) -> Result<(Way, Dialled), NoLink> {
        let mut failed = NoLink::new("it cannot be reached", "");
        for address in std::mem::take(&mut self.addresses) {
            match self.dial(settings, address, None).await {
                Ok(dialled) => {
                    self.addresses = vec![address];
                    return Ok((self, dialled));
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Another connection to where the first went.
    pub(super) async fn another(
        &self,
        settings: &Settings,
        ears: Option<Arc<Ears>>,
    ) -> Result<Dialled, NoLink> {
        match self.addresses.first() {
            Some(address) => self.dial(settings, *address, ears).await,
            None => Err(NoLink::new("it cannot be reached", "")),
        }
    }

    async fn dial(
        &self,
        settings: &Settings,
        address: SocketAddr,
        ears: Option<Arc<Ears>>,
    ) -> Result<Dialled, NoLink> {
        const UNREACHED: &str = "it cannot be reached";
        let tcp = timeout(STEP, TcpStream::connect(address)).await;
        let tcp = tcp.map_err(|_| NoLink::late(UNREACHED))?;
        let tcp = tcp.map_err(|error| NoLink::new(UNREACHED, error))?;
        prepare(&tcp).map_err(|error| NoLink::new(UNREACHED, error))?;
        let Some(trust) = &self.trust else {
            return known(settings, tcp, ears).await;
        };
        const UNTRUSTED: &str = "it cannot be trusted";
        let name = ServerName::try_from(settings.host.clone());
        let name =
            name.map_err(|_| NoLink::new(UNTRUSTED, "its name is none that a certificate could have"))?;
        let tls = timeout(STEP, TlsConnector::from(trust.clone()).connect(name, tcp)).await;
        let tls = tls.map_err(|_| NoLink::late("it does not speak TLS"))?;
        let tls = tls.map_err(|error| {
            let explained = trust::explain(&error);
            NoLink::new(UNTRUSTED, explained.unwrap_or_else(|| error.to_string()))
        })?;
        known(settings, tls, ears).await
    }
}

fn prepare(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    SockRef::from(tcp).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))
}

/// Says who we are, and takes what comes of itself.
async fn known<S>(settings: &Settings, stream: S, ears: Option<Arc<Ears>>) -> Result<Dialled, NoLink>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut who = RedisConnectionInfo::default()
        .set_protocol(ProtocolVersion::RESP3)
        .set_skip_set_lib_name()
        .set_db(settings.db.into());
    if let Some(user) = &settings.user {
        who = who.set_username(user);
    }
    if let Some(password) = &settings.password {
        who = who.set_password(password);
    }
    // Whoever asks has a time-out of its own, by what is asked.
    let mut config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(WAITING);
    if let Some(ears) = ears {
        config = config.set_push_sender(move |push: PushInfo| {
            ears.push(&push);
            Ok::<(), ()>(())
        });
    }
    let made = timeout(STEP, MultiplexedConnection::new_with_config(&who, stream, config)).await;
    let made = made.map_err(|_| NoLink::late("it does not answer"))?;
    let (line, driver) = made.map_err(|error| refused(&error))?;
    let dialled = Dialled {
        line,
        driver: AbortOnDropHandle::new(tokio::spawn(driver)),
    };
    let mut name = cmd("CLIENT");
    name.arg("SETNAME").arg(format!("partyline-{}", settings.node));
    match ask::one(&dialled.line, &name, COMMAND).await {
        // Only people miss it.
        Ok(_) | Err(Failed::Refused(_)) => Ok(dialled),
        Err(failed) => Err(NoLink::new("it does not answer", failed)),
    }
}

/// What it means that Redis does not take us. Its own words name the user.
fn refused(error: &RedisError) -> NoLink {
    let code = error.code().unwrap_or_default();
    match (error.kind(), code) {
        (ErrorKind::AuthenticationFailed, _) | (_, "WRONGPASS" | "NOAUTH" | "NOPERM") => {
            NoLink::new("it does not take our user and password", code)
        }
        (ErrorKind::RESP3NotSupported, _) | (_, "NOPROTO") => {
            NoLink::new("it is too old: 6.2 is the least", code)
        }
        (ErrorKind::Io, _) => NoLink::new("it hangs up", error),
        (ErrorKind::Parse, _) => NoLink::new("it does not speak Redis' protocol", ""),
        _ => NoLink::new("it refuses the connection", code),
    }
}

async fn believed() -> Result<Arc<ClientConfig>, NoLink> {
    const NOBODY: &str = "nobody can be trusted";
    match tokio::task::spawn_blocking(trust::plain).await {
        Ok(trust) => trust.map_err(|error| NoLink::new(NOBODY, error)),
        Err(error) => Err(NoLink::new(NOBODY, error)),
    }
}
