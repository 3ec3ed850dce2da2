//! What comes on channels goes to who hears it, in the task that reads the connection: nothing is queued in between, and
//! whoever hears must not wait.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use redis::{PushInfo, PushKind, Value};

/// Is told the channel, without the prefix, and what was published.
pub type Hear = Arc<dyn Fn(&str, &[u8]) + Send + Sync>;

/// Channels, and who hears what comes on them.
#[derive(Clone)]
pub struct Subscription {
    /// Without the prefix: `changes`.
    pub channels: Vec<String>,
    /// Called in the connection's own task, one message after the other, so it must not block.
    pub hear: Hear,
    /// Whether they have a connection of their own, so that what is large delays nobody else.
    pub own_connection: bool,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("channels", &self.channels)
            .field("own_connection", &self.own_connection)
            .finish_non_exhaustive()
    }
}

/// What one connection is subscribed to.
pub(super) struct Ears {
    by_channel: HashMap<Vec<u8>, (String, Hear)>,
}

impl Ears {
    /// One for each connection: those without their own come together, first.
    pub(super) fn of(subscriptions: &[Subscription], prefix: &str) -> Vec<Ears> {
        let (own, shared): (Vec<_>, Vec<_>) = subscriptions.iter().partition(|one| one.own_connection);
        let groups = std::iter::once(shared).chain(own.into_iter().map(|one| vec![one]));
        groups
            .map(|group| {
                let each = group.iter().flat_map(|one| {
                    let named = one.channels.iter();
                    named.map(|tail| {
                        let channel = format!("{prefix}{tail}").into_bytes();
                        (channel, (tail.clone(), one.hear.clone()))
                    })
                });
                Ears {
                    by_channel: each.collect(),
                }
            })
            .filter(|ears| !ears.by_channel.is_empty())
            .collect()
    }

    /// The channels' whole names.
    pub(super) fn channels(&self) -> Vec<Vec<u8>> {
        self.by_channel.keys().cloned().collect()
    }

    /// Something came of itself.
    pub(super) fn push(&self, push: &PushInfo) {
        if push.kind != PushKind::Message {
            return;
        }
        if let [Value::BulkString(channel), Value::BulkString(payload)] = push.data.as_slice()
            && let Some((tail, hear)) = self.by_channel.get(channel)
        {
            hear(tail, payload);
        }
    }
}
