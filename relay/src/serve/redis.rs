//! What the broker is told of the Redis that a configuration names, and what hands over to other relays.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::broker;
use crate::config::Config;
use crate::route::Relay;
use crate::route::api::Here;
use crate::sharing::{Sharing, asks, post};

/// What comes here of other relays' calls is brought to them from here on, and what they bring is done.
pub(super) fn hand_over(relay: &Arc<Relay>, sharing: &Sharing, kept: &mut JoinSet<()>) {
    let (post, round) = post::open(sharing.hub().clone());
    sharing.admit(post);
    kept.spawn(round.run(relay.stop.clone()));
    if let Some(asks) = &relay.asks {
        asks.done_by(Arc::new(Here::of(relay)));
        sharing.admit(Arc::new(asks::Desk(asks.clone())));
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
