//! Whether all loops still turn. Each is asked by its own way in, so that an answer means that it would have served
//! as well; how long an answer may take is for who asks to judge.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::media::MediaLoop;

/// Feels for the loops.
#[derive(Debug)]
pub struct Pulse {
    connections: Vec<Handle>,
    media: Arc<[Arc<MediaLoop>]>,
}

impl Pulse {
    pub(super) fn new(connections: Vec<Handle>, media: Arc<[Arc<MediaLoop>]>) -> Pulse {
        Pulse { connections, media }
    }

    /// Ends when every loop has answered; `false` where one is no more. Does not end where one hangs. Taken by
    /// exclusive reference: a loop answers one at a time.
    pub async fn beat(&mut self) -> bool {
        for connections in &self.connections {
            if connections.spawn(async {}).await.is_err() {
                return false;
            }
        }
        for media in self.media.iter() {
            if !media.answers().await {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
