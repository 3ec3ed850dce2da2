//! What somebody who has a place reads: lines and events, from where they are, or from where they ask to go on.

use partyline_shared::protocol::client::After;

use super::seat::SeatGuard;
use crate::calls::fanout::StreamInfo;
use crate::calls::journal::{Cursor, Entry, Forgotten};
use crate::lock::lock;

/// Where somebody goes on who has a place: in another numbering of the call, or as they ask.
#[derive(Debug)]
pub struct Anew {
    /// Its name.
    pub journal: String,
    /// Where to read on.
    pub cursor: Cursor,
    /// The newest stream, once there was one.
    pub stream: Option<StreamInfo>,
}

impl SeatGuard {
    /// Reads up to `limit` lines and events after `cursor` and moves it; nothing where the place is lost.
    ///
    /// # Errors
    /// [`Forgotten`] when something after `cursor` is no longer remembered, or the numbering is another.
    pub fn read(&self, cursor: &mut Cursor, limit: usize) -> Result<Vec<Entry>, Forgotten> {
        let state = lock(&self.call.state);
        if state.journal.generation() != self.generation {
            return Err(Forgotten);
        }
        if !self.is_lost() && state.journal.has_news(*cursor) {
            state.journal.read(cursor, limit)
        } else {
            Ok(Vec::new())
        }
    }

    /// What to begin anew with where the numbering is another than the one that was read; once for each.
    pub fn renumbered(&mut self) -> Option<Anew> {
        let state = lock(&self.call.state);
        let generation = state.journal.generation();
        if generation == self.generation || self.is_lost() {
            return None;
        }
        self.generation = generation;
        Some(Anew {
            journal: state.journal.id().to_owned(),
            cursor: state.journal.resume(None).0,
            stream: state.stream_info(),
        })
    }

    /// Where a listener who keeps this place, and what is heard in it, reads on after what it has read: with whether
    /// that continues what it has. `None` where the place is lost.
    pub fn read_after(&mut self, after: Option<&After>) -> Option<(Anew, bool)> {
        let state = lock(&self.call.state);
        if self.is_lost() {
            return None;
        }
        self.generation = state.journal.generation();
        let (cursor, resumed) = state.journal.resume(after);
        let journal = state.journal.id().to_owned();
        let stream = state.stream_info();
        Some((
            Anew {
                journal,
                cursor,
                stream,
            },
            resumed,
        ))
    }
}
