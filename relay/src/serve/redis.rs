//! What the broker is told of the Redis that a configuration names, and what hands over to other relays.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::broker;
use crate::config::Config;
use crate::route::Relay;
use crate::route::api::Here;
use crate::sharing::{Sharing, asks, post};
use crate::stop::Stop;

/// How long what shares calls may take to end once it is told to: it is told by a flag.
const ENDED: Duration = Duration::from_secs(1);

/// What shares calls with other relays goes on until the last connection has ended: a callback that is answered has to
/// come to whoever has its call.
pub(super) struct Shared {
    stop: Stop,
    sharing: Option<Arc<Sharing>>,
    tasks: JoinSet<()>,
}

impl Shared {
    pub(super) fn new(stop: &Stop) -> Shared {
        Shared {
            stop: stop.of_the_last(),
            sharing: None,
            tasks: JoinSet::new(),
        }
    }

    /// What comes here of other relays' calls is brought to them from here on, and what they bring is done.
    pub(super) fn hands_over(&mut self, relay: &Arc<Relay>, sharing: &Sharing) {
        let (post, round) = post::open(sharing.hub().clone());
        sharing.admit(post);
        self.tasks.spawn(round.run(self.stop.clone()));
        if let Some(asks) = &relay.asks {
            asks.done_by(Arc::new(Here::of(relay)));
            sharing.admit(Arc::new(asks::Desk(asks.clone())));
        }
    }

    /// Calls are kept in step from here on.
    pub(super) fn runs(&mut self, sharing: Arc<Sharing>) {
        self.sharing = Some(sharing.clone());
        self.tasks.spawn(sharing.run(self.stop.clone()));
    }

    /// Everybody has left.
    pub(super) async fn end(mut self) {
        if let Some(sharing) = &self.sharing {
            sharing.end().await;
        }
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        let _ = timeout(ENDED, ended).await;
    }
}

/// Where calls are shared with other relays, as the relay of this name; `None` where they are not.
pub(crate) fn redis(config: &Config, node: &str) -> Option<broker::Settings> {
    let url = config.redis.clone()?;
    Some(broker::Settings {
        secure: url.secure,
        host: url.host,
        port: url.port,
        db: url.db,
        user: url.user,
        password: url.password,
        prefix: config.channel_prefix.clone(),
        node: node.to_owned(),
        trust: None,
    })
}
