//! What is kept of heard calls, on its way from the player to the disk: the relay's task has it put on record first, and
//! a thread of its own writes it.

use std::path::PathBuf;
use std::sync::Arc;

use partyline_shared::protocol::client::Saved;
use partyline_shared::time::UtcTime;
use tokio::sync::Semaphore;

use super::effects::Hands;
use crate::app::state::App;
use crate::clip::{CLIP_MS, Clip, Sheet};
use crate::config::paths;
use crate::event::{CallKey, Event};

/// Clips written at once, 1 MB each: a disk that stands still is not asked for more.
const WRITERS: usize = 2;

/// Where clips go, and who writes them.
#[derive(Clone)]
pub(super) struct Shelf {
    folder: Option<PathBuf>,
    writers: Arc<Semaphore>,
}

impl Shelf {
    pub(super) fn new(folder: Option<PathBuf>) -> Shelf {
        Shelf {
            folder,
            writers: Arc::new(Semaphore::new(WRITERS)),
        }
    }

    /// Writes a clip: where it lies, or why not.
    pub(super) async fn put(self, clip: Clip) -> Result<String, String> {
        let none = || "there is no folder to put it in: name one by clips in config.toml".to_owned();
        let folder = self.folder.ok_or_else(none)?;
        let broken = |_| "its writer has failed".to_owned();
        let _seat = self
            .writers
            .acquire_owned()
            .await
            .map_err(|_| "the monitor ends".to_owned())?;
        let write = move || clip.write(&folder).map(|path| paths::shown(&path));
        tokio::task::spawn_blocking(write).await.map_err(broken)?
    }
}

impl Hands {
    /// Takes the last of a heard call out of the player, with its lines and events, and asks its relay; the answer
    /// where there is nothing to be asked.
    pub(super) fn keep(&self, app: &App, call: CallKey) -> Option<Event> {
        // Only what is heard can be kept. By the call's own name: what goes on record is what is in the file, whichever
        // call is in front.
        let is_heard = app.heard.as_ref() == Some(&call);
        let generation = self.heard.generation(&call).filter(|_| is_heard);
        let heard = generation.and_then(|generation| self.player.clip(generation, CLIP_MS));
        let Some(heard) = heard else {
            let why = "nothing of this call has been heard yet".to_owned();
            return Some(Event::Kept(call, Err(why)));
        };
        let (from, to) = (
            UtcTime::from_unix_ms(heard.from_ms),
            UtcTime::from_unix_ms(heard.to_ms),
        );
        let clip = Clip {
            tracks: heard.tracks,
            sheet: Sheet::of(app, &call, from, to),
        };
        let CallKey { relay, call } = call;
        self.wish(relay, |wishes| wishes.keep(call, Saved { from, to }, clip));
        None
    }
}
