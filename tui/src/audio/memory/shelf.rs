//! The memories of the calls that are heard, by generation. Who takes a call off the shelf overwrites it, whoever
//! still holds it: an inlet on its way to be dropped puts into it in vain.
//!
//! Each memory has a lock of its own. It is held for a copy of a frame: by the network's task when one comes, by the
//! worker for 20 ms of what lies behind live, by the screen for a clip. So it is hardly ever waited for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::desk::{SEATS, Wanted};
use super::Memory;

/// One call's memory, shared.
#[derive(Clone)]
pub struct Kept(Arc<Mutex<Memory>>);

impl Default for Kept {
    fn default() -> Self {
        Kept::new()
    }
}

impl Kept {
    /// An empty one.
    pub fn new() -> Kept {
        Kept(Arc::new(Mutex::new(Memory::new())))
    }

    /// One of another length, in slots of 20 ms.
    #[cfg(test)]
    pub(crate) fn of(slots: usize) -> Kept {
        Kept(Arc::new(Mutex::new(Memory::of(slots))))
    }

    /// One that takes nothing.
    pub fn closed() -> Kept {
        let mut memory = Memory::of(0);
        memory.close();
        Kept(Arc::new(Mutex::new(memory)))
    }

    /// To look or to write; not to be kept.
    pub fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The shelf.
#[derive(Default)]
pub struct Shelf(Mutex<[Option<(u64, Kept)>; SEATS]>);

impl Shelf {
    /// Makes it as wanted: what is left is overwritten, what is heard has its place.
    pub fn follow(&self, wanted: &Wanted) {
        let mut gone = [const { None }; SEATS];
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, gone) in shelf.iter_mut().zip(&mut gone) {
            *gone = place.take_if(|(generation, _)| wanted.seat(*generation).is_none());
        }
        for seat in wanted.seats.iter().flatten() {
            let is_there = |place: &Option<(u64, Kept)>| {
                place
                    .as_ref()
                    .is_some_and(|(generation, _)| *generation == seat.generation)
            };
            if !shelf.iter().any(is_there)
                && let Some(free) = shelf.iter_mut().find(|place| place.is_none())
            {
                *free = Some((seat.generation, Kept::new()));
            }
        }
        drop(shelf);
        for (_, kept) in gone.iter().flatten() {
            kept.lock().close();
        }
    }

    /// A call's memory.
    pub fn get(&self, generation: u64) -> Option<Kept> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = shelf.iter().flatten().find(|(of, _)| *of == generation);
        found.map(|(_, kept)| kept.clone())
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.follow(&Wanted::default());
    }
}

#[cfg(test)]
mod tests {
    use partyline_shared::audio::frame::AudioFrame;
    use partyline_shared::track::{Track, roles};

    use super::super::super::desk::Wanted;
    use super::*;
    use crate::event::Mix;

    #[test]
    fn who_is_left_is_forgotten_even_by_those_who_still_hold_it() {
        let (shelf, mut wanted) = (Shelf::default(), Wanted::default());
        let first = wanted.hear(roles(Track::Outbound), Mix::default());
        let (second, gone) = wanted.also(roles(Track::Outbound));
        assert_eq!(gone, None);
        shelf.follow(&wanted);
        let (one, two) = (shelf.get(first).unwrap(), shelf.get(second).unwrap());
        let frame = AudioFrame::new(Track::Inbound, 1, 1, 0, &[7; 160]);
        for kept in [&one, &two] {
            kept.lock().on_frame(&frame, 0);
        }
        wanted.leave(first);
        shelf.follow(&wanted);
        assert!(shelf.get(first).is_none());
        assert_eq!(one.lock().on_frame(&frame, 0), None, "it takes nothing more");
        assert!(one.lock().clip(20).is_none());
        assert!(two.lock().clip(20).is_some(), "the other one is as it was");
        drop(shelf);
        assert!(two.lock().clip(20).is_none());
    }
}
