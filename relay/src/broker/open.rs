//! All connections of a link: one for commands, one for audio that is published, and those that are subscribed. There is
//! a link only when each of them answers and every channel is confirmed, so that nothing is missed in between.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use futures_util::future::try_join_all;
use redis::aio::MultiplexedConnection;
use redis::cmd;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::ask::{self, COMMAND};
use super::dial::{Dialled, NoLink, STEP, Way};
use super::failed::Failed;
use super::hear::Ears;
use super::settings::Settings;
use crate::lock::lock;

/// What is asked by while the link is up.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) commands: MultiplexedConnection,
    pub(super) audio: MultiplexedConnection,
    /// Scripts that this Redis was given, by their hashes: as many as the program has.
    scripts: Mutex<HashSet<String>>,
    given_up: CancellationToken,
}

impl Lines {
    pub(super) fn knows(&self, sha: &str) -> bool {
        lock(&self.scripts).contains(sha)
    }

    pub(super) fn learn(&self, sha: &str) {
        lock(&self.scripts).insert(sha.to_owned());
    }

    /// This Redis is not the one to ask: the link is to be made anew.
    pub(super) fn give_up(&self) {
        self.given_up.cancel();
    }

    /// Ends when that was said.
    pub(super) async fn given_up(&self) {
        self.given_up.cancelled().await;
    }
}

/// A link that has come about.
pub(super) struct Opened {
    pub(super) lines: Arc<Lines>,
    /// Every connection, the one for commands first.
    pub(super) dialled: Vec<Dialled>,
}

/// Connects, and subscribes to everything. All go to one address: a name may lead to several.
pub(super) async fn open(settings: &Settings, ears: &[Arc<Ears>]) -> Result<Opened, NoLink> {
    let (way, first) = Way::find(settings).await?.first(settings).await?;
    answers(&first.line).await?;
    let audio = way.another(settings, None);
    // Each step of each has its time, and there is no link without all of them.
    let hearing = try_join_all(ears.iter().map(|ears| subscribed(&way, settings, ears)));
    let (audio, hearing) = tokio::try_join!(audio, hearing)?;
    let lines = Arc::new(Lines {
        commands: first.line.clone(),
        audio: audio.line.clone(),
        scripts: Mutex::default(),
        given_up: CancellationToken::new(),
    });
    let dialled = [first, audio].into_iter().chain(hearing).collect();
    Ok(Opened { lines, dialled })
}

/// Somebody who is known may still be told to wait: Redis reads its data, or follows one that it lost.
async fn answers(line: &MultiplexedConnection) -> Result<(), NoLink> {
    match ask::one(line, &cmd("PING"), COMMAND).await {
        Ok(_) => Ok(()),
        Err(Failed::Refused(no)) if no.code() == "NOPERM" => {
            Err(NoLink::new("it does not let our user do what is needed", no))
        }
        Err(Failed::Refused(no)) => Err(NoLink::new("it is not ready", no)),
        Err(failed) => Err(NoLink::new("it does not answer", failed)),
    }
}

async fn subscribed(way: &Way, settings: &Settings, ears: &Arc<Ears>) -> Result<Dialled, NoLink> {
    const DEAF: &str = "it does not let us hear its channels";
    let mut dialled = way.another(settings, Some(ears.clone())).await?;
    match timeout(STEP, dialled.line.subscribe(ears.channels())).await {
        Ok(Ok(())) => Ok(dialled),
        Ok(Err(error)) => Err(match Failed::from(error) {
            Failed::Refused(no) => NoLink::new(DEAF, no),
            failed => NoLink::new("it does not answer", failed),
        }),
        Err(_) => Err(NoLink::new("it does not answer", Failed::Late)),
    }
}
