//! One track's last bytes, by their place. All of its room is there from the beginning, so that nothing is allocated
//! while a call runs; it is overwritten when a frame is forgotten and when all of it is.

use std::ops::RangeInclusive;

use partyline_shared::audio::FRAME_BYTES;
use partyline_shared::audio::level::Energy;
use zeroize::Zeroize;

/// Under this a slot is quiet, dBFS: the noise of a telephone line, not the end of a word.
const QUIET_DB: f64 = -45.0;

/// What is known of a slot.
#[derive(Debug, Clone, Copy)]
struct Note {
    /// Bytes that there are.
    length: u8,
    quiet: bool,
}

/// Nothing.
const HOLE: Note = Note {
    length: 0,
    quiet: true,
};

/// The ring.
pub(super) struct Ring {
    bytes: Vec<u8>,
    notes: Vec<Note>,
    /// Bytes from the start that were ever written.
    touched: usize,
}

impl Ring {
    /// An empty one.
    pub(super) fn new(slots: usize) -> Ring {
        Ring {
            // The system gives such pages when they are first written.
            bytes: vec![0; slots * FRAME_BYTES],
            notes: vec![HOLE; slots],
            touched: 0,
        }
    }

    pub(super) fn slots(&self) -> usize {
        self.notes.len()
    }

    fn index(&self, place: i64) -> usize {
        place.rem_euclid(self.slots().max(1) as i64) as usize
    }

    /// Puts a frame at a place whose last one was forgotten; false where there is one.
    pub(super) fn put(&mut self, place: i64, mulaw: &[u8]) -> bool {
        let free = self.at(place).is_empty() && !mulaw.is_empty();
        if free {
            self.append(place, mulaw);
        }
        free
    }

    /// Adds bytes behind those that are there, as many as there is room for.
    pub(super) fn append(&mut self, place: i64, mulaw: &[u8]) {
        let index = self.index(place);
        let start = index * FRAME_BYTES;
        let Some(note) = self.notes.get_mut(index) else {
            return;
        };
        let had = usize::from(note.length);
        let room = self.bytes.get_mut(start + had..start + FRAME_BYTES);
        let mut length = had;
        for (to, from) in room.into_iter().flatten().zip(mulaw) {
            *to = *from;
            length += 1;
        }
        note.length = length as u8;
        self.touched = self.touched.max(start + length);
        let quiet = Energy::of(self.at(place))
            .dbfs()
            .is_none_or(|level| level < QUIET_DB);
        if let Some(note) = self.notes.get_mut(index) {
            note.quiet = quiet;
        }
    }

    /// What is at a place, or was there a ring's length ago.
    pub(super) fn at(&self, place: i64) -> &[u8] {
        let index = self.index(place);
        let length = self.notes.get(index).map_or(0, |note| usize::from(note.length));
        let start = index * FRAME_BYTES;
        self.bytes.get(start..start + length).unwrap_or_default()
    }

    /// Whether nobody speaks there.
    pub(super) fn is_quiet(&self, place: i64) -> bool {
        self.notes.get(self.index(place)).is_none_or(|note| note.quiet)
    }

    /// Makes holes of these places.
    pub(super) fn forget(&mut self, places: RangeInclusive<i64>) {
        for place in places {
            let index = self.index(place);
            let Some(note) = self.notes.get_mut(index) else {
                return;
            };
            let length = usize::from(std::mem::replace(note, HOLE).length);
            let start = index * FRAME_BYTES;
            let bytes = self.bytes.get_mut(start..start + length);
            bytes.unwrap_or_default().zeroize();
        }
    }

    /// Overwrites all of it.
    pub(super) fn wipe(&mut self) {
        let touched = std::mem::take(&mut self.touched);
        self.bytes.get_mut(..touched).unwrap_or_default().zeroize();
        self.notes.fill(HOLE);
    }

    /// All bytes, to see whether anything is left.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        self.wipe();
    }
}
