//! Where Redis is and who we are there. User and password are shown in no print.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls::ClientConfig;

/// What a relay is told of the Redis that it shares calls over.
#[derive(Clone)]
pub struct Settings {
    /// Whether it is TLS (`rediss`).
    pub secure: bool,
    /// A name or address, without brackets.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// The database; 0 unless told.
    pub db: u32,
    /// The ACL user; `None` is Redis' own default.
    pub user: Option<String>,
    /// Its password; `None` where nothing is asked.
    pub password: Option<String>,
    /// What all keys and channels begin with, before `:v1:`.
    pub prefix: String,
    /// This relay's name: connections are called by it in Redis' own lists.
    pub node: String,
    /// Whom to believe instead of whom this machine believes.
    pub trust: Option<Arc<ClientConfig>>,
}

impl Settings {
    /// Where it is, as people say it: `redis.example.com:6379`.
    pub fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = |text: &Option<String>| text.as_ref().map(|_| "…");
        f.debug_struct("Settings")
            .field("secure", &self.secure)
            .field("place", &self.place())
            .field("db", &self.db)
            .field("user", &masked(&self.user))
            .field("password", &masked(&self.password))
            .field("prefix", &self.prefix)
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

/// A host that no certificate can be for.
#[derive(Debug, thiserror::Error)]
#[error("--redis: `{0}` is no name that a certificate could have; write rediss://HOST")]
pub struct Unusable(pub(super) String);
