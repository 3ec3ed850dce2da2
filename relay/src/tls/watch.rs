//! Watches certificate and key, so that a renewed one is seen by new connections within seconds. It looks rather than
//! being told: that also works where the files are links into a folder that is swapped, or on another machine's
//! disk. Files that cannot be used change nothing, and are told of once.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, warn};

use super::files::{self, Stamps};
use super::server::Server;

/// How often the files are looked at. A look is two questions to the disk.
const LOOK: Duration = Duration::from_secs(1);

/// What a look at the files asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Nothing: they are as they were.
    Nothing,
    /// Take what is in them, if it is right; the other of the two may still be about to change.
    Try,
    /// The same, and if it is wrong, say so: they have stood still since the last look.
    TryAndTell,
}

/// What was seen of the files at the last look.
#[derive(Debug)]
pub(super) struct Seen {
    stamps: Stamps,
    /// Whether that was told to be wrong.
    told: bool,
}

impl Seen {
    /// What is in force was seen like this.
    pub(super) fn new(stamps: Stamps) -> Seen {
        Seen { stamps, told: false }
    }

    /// The files are seen like `now`, and what is in force was read of them as `in_force`: whoever read it, and a
    /// signal may have somebody else read what was there before.
    pub(super) fn look(&mut self, now: Stamps, in_force: Stamps) -> Ask {
        if now == in_force || now != self.stamps {
            *self = Seen::new(now);
            return if now == in_force { Ask::Nothing } else { Ask::Try };
        }
        if std::mem::replace(&mut self.told, true) {
            Ask::Nothing
        } else {
            Ask::TryAndTell
        }
    }
}

impl Server {
    /// Looks at the files as long as it is polled.
    pub async fn watch(self: Arc<Self>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = Seen::new(self.current().stamps);
        loop {
            looks.tick().await;
            // A disk that does not answer holds up no connection.
            let (server, mut now) = (self.clone(), seen);
            let looked = tokio::task::spawn_blocking(move || {
                server.look(&mut now);
                now
            });
            seen = match looked.await {
                Ok(seen) => seen,
                Err(_) => Seen::new(self.current().stamps),
            };
        }
    }

    pub(super) fn look(&self, seen: &mut Seen) {
        let current = self.current();
        let ask = seen.look(files::look(&current.files), current.stamps);
        if ask == Ask::Nothing {
            return;
        }
        match Server::read(&current.files) {
            Ok(tls) => self.apply_in_place_of(&current, tls),
            Err(unusable) if ask == Ask::TryAndTell => {
                self.metrics.tls_not_reloaded.add_one();
                error!(reason = %unusable, "the certificate cannot be replaced");
                warn!("new connections see the old one until its files are right");
            }
            Err(_) => {}
        }
    }
}
