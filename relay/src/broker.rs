//! Redis (or Valkey), which relays share their calls over: the connections, their coming back, what is heard on channels,
//! and scripts. Knows bytes, keys and channels, and no call. Nobody who reads media may wait for it.
//!
//! There is one state for all connections together: *up*, once each of them answers and every channel is subscribed, else
//! *down*, and then whoever asks is refused at once. One connection that fails takes all down, and all are made anew.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `settings` | where Redis is, and whose relay this is |
//! | `dial` | one connection: TCP, TLS, who we are, its name |
//! | `open` | all of them, and the channels |
//! | `run` | opens, watches, comes back |
//! | `link` | the state, and who waits for another |
//! | `hear` | what comes on channels, to who hears it |
//! | `ask` | commands, pipelines, what is published |
//! | `script` | Lua, by its hash |
//! | `examine` | one look, for the doctor |
//! | `failed` | what can go wrong |
//! | [`commons`] | what may happen once among all relays |

mod ask;
pub mod commons;
mod dial;
pub(crate) mod examine;
mod failed;
mod hear;
mod link;
mod open;
mod run;
mod script;
mod settings;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;

use std::sync::Arc;

use tokio::sync::watch;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::metrics::Metrics;

pub use failed::{Failed, Refusal};
pub use hear::{Hear, Subscription};
pub use link::Link;
pub use script::Script;
pub use settings::{Settings, Unusable};

/// The version of keys and messages: relays of another one share nothing with these.
const VERSION: &str = "v1";

/// What relays share. A clone is the same.
#[derive(Debug, Clone)]
pub struct Broker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    /// `P:v1:`.
    prefix: String,
    metrics: Arc<Metrics>,
    state: link::State,
}

impl Broker {
    /// Nothing is connected before [`Broker::run`].
    ///
    /// # Errors
    /// [`Unusable`] for a host that TLS has no name for.
    pub fn new(settings: Settings, metrics: Arc<Metrics>) -> Result<Broker, Unusable> {
        if settings.secure && ServerName::try_from(settings.host.as_str()).is_err() {
            return Err(Unusable(settings.host));
        }
        let prefix = format!("{}:{VERSION}:", settings.prefix);
        Ok(Broker(Arc::new(Inner {
            settings,
            prefix,
            metrics,
            state: link::State::new(),
        })))
    }

    /// The state of the link, and each that follows: who reads late sees the last.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.0.state.watch()
    }

    /// Whether the link is up. Costs a look at a pointer.
    pub fn is_up(&self) -> bool {
        self.0.state.is_up()
    }

    /// The whole name of a key or channel: `changes` is `P:v1:changes`.
    pub fn key(&self, tail: &str) -> String {
        format!("{}{tail}", self.0.prefix)
    }

    /// What all keys and channels begin with, `P:v1:`.
    pub fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// Whose relay this is.
    pub fn node(&self) -> &str {
        &self.0.settings.node
    }
}
