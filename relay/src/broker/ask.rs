//! What is asked of Redis: at once refused while the link is down, and never waited for longer than is said here.
//! Whatever fails is counted by its reason.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, Value, cmd};

use super::Broker;
use super::failed::{Failed, answer};
use super::open::Lines;
use crate::patience::within;

/// How long one answer may take: a hundred times what it takes on a network that is well, and a tenth of what state may
/// take to be right.
pub(super) const COMMAND: Duration = Duration::from_millis(500);
/// The same for many sent together.
pub(super) const PIPELINE: Duration = Duration::from_secs(2);

impl Broker {
    /// What one command comes to.
    ///
    /// # Errors
    /// [`Failed`], within 500 ms in which this process runs.
    pub async fn command(&self, cmd: Cmd) -> Result<Value, Failed> {
        self.counted(async |lines| one(&lines.commands, &cmd, COMMAND).await)
            .await
    }

    /// What several commands come to, sent together; one that is refused is a [`Value::ServerError`] among them.
    ///
    /// # Errors
    /// [`Failed`], within 2 s; it may have been done in part.
    pub async fn pipeline(&self, pipe: Pipeline) -> Result<Vec<Value>, Failed> {
        self.counted(async |lines| many(&lines.commands, &pipe, PIPELINE).await)
            .await
    }

    /// Tells all that are subscribed to a channel; how many those are.
    ///
    /// # Errors
    /// [`Failed`], within 500 ms in which this process runs.
    pub async fn publish(&self, tail: &str, payload: &[u8]) -> Result<u64, Failed> {
        let publish = self.publishing(tail, payload);
        self.counted(async |lines| one(&lines.commands, &publish, COMMAND).await.map(number))
            .await
    }

    /// The same on a connection of its own, so that what is large delays nothing else.
    ///
    /// # Errors
    /// [`Failed`], within 500 ms in which this process runs.
    pub async fn publish_audio(&self, tail: &str, payload: &[u8]) -> Result<u64, Failed> {
        let publish = self.publishing(tail, payload);
        self.counted(async |lines| one(&lines.audio, &publish, COMMAND).await.map(number))
            .await
    }

    /// What several commands come to, sent together on the connection for audio: their names are whole ones, since what
    /// others than relays read is called as they will. One that is refused is a [`Value::ServerError`] among them.
    ///
    /// # Errors
    /// [`Failed`], within 500 ms in which this process runs; it may have been done in part.
    pub async fn pipeline_audio(&self, pipe: Pipeline) -> Result<Vec<Value>, Failed> {
        self.counted(async |lines| many(&lines.audio, &pipe, COMMAND).await)
            .await
    }

    fn publishing(&self, tail: &str, payload: &[u8]) -> Cmd {
        let mut publish = cmd("PUBLISH");
        publish.arg(self.key(tail)).arg(payload);
        publish
    }

    /// Asks, where the link is up, and counts what comes to nothing.
    pub(super) async fn counted<T>(
        &self,
        ask: impl AsyncFnOnce(&Lines) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let metrics = &self.0.metrics;
        let Some(lines) = self.0.state.lines() else {
            metrics.redis_failed_down.add_one();
            return Err(Failed::Down);
        };
        let answered = ask(&lines).await;
        match &answered {
            Ok(_) => {}
            Err(Failed::Down) => metrics.redis_failed_down.add_one(),
            Err(Failed::Late) => metrics.redis_failed_late.add_one(),
            Err(Failed::Broken) => metrics.redis_failed_broken.add_one(),
            Err(Failed::Refused(no)) => {
                metrics.redis_failed_refused.add_one();
                if no.is_read_only() {
                    lines.give_up();
                }
            }
        }
        answered
    }
}

/// Sends one command on a connection.
pub(super) async fn one(
    line: &MultiplexedConnection,
    cmd: &Cmd,
    patience: Duration,
) -> Result<Value, Failed> {
    let mut line = line.clone();
    match within(patience, line.send_packed_command(cmd)).await {
        Ok(answered) => answer(answered?),
        Err(_) => Err(Failed::Late),
    }
}

/// Sends several, and takes as many answers.
pub(super) async fn many(
    line: &MultiplexedConnection,
    pipe: &Pipeline,
    patience: Duration,
) -> Result<Vec<Value>, Failed> {
    if pipe.is_empty() {
        return Ok(Vec::new());
    }
    let mut line = line.clone();
    match within(patience, line.send_packed_commands(pipe, 0, pipe.len())).await {
        Ok(answered) => Ok(answered?),
        Err(_) => Err(Failed::Late),
    }
}

fn number(value: Value) -> u64 {
    match value {
        Value::Int(n) => u64::try_from(n).unwrap_or_default(),
        _ => 0,
    }
}
