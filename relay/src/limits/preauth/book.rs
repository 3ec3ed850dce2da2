//! Who is seated and who waits. Pure: time is handed in, and what wakes a waiter is only kept here (`W`).

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Instant;

use super::SHOWS_AT_ONCE;

/// One seat; a later one has a greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeatId(u64);

/// One place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WaitId(u64);

/// What who asks for a seat gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is seated.
    Seated(SeatId),
    /// It waits for its turn.
    Waits(WaitId),
    /// Too many wait.
    Full,
}

#[derive(Debug)]
struct Waiter<W> {
    id: WaitId,
    address: IpAddr,
    wake: W,
}

/// How many there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// Seats.
    pub(super) seats: usize,
    /// Seats of one address, where addresses matter.
    pub(super) an_address: Option<usize>,
    /// Waiting for one.
    pub(super) waiting: usize,
}

/// Seats and queue; both are bounded.
#[derive(Debug)]
pub(super) struct Book<W> {
    most: Most,
    next: u64,
    seats: BTreeMap<SeatId, (IpAddr, Instant)>,
    waiting: VecDeque<Waiter<W>>,
}

impl<W> Book<W> {
    pub(super) fn new(most: Most) -> Book<W> {
        Book {
            most,
            next: 0,
            seats: BTreeMap::new(),
            waiting: VecDeque::new(),
        }
    }

    /// A seat, a place in the queue, or nothing.
    pub(super) fn ask(&mut self, now: Instant, address: IpAddr, wake: W) -> Asked {
        let mine = self
            .waiting
            .iter()
            .filter(|waiter| waiter.address == address)
            .count();
        // Nobody overtakes those of its own address; the others would sit if there were a seat for them.
        let (comes_first, has_room) = match self.most.an_address {
            Some(most) => (mine == 0, self.counted(now, address) < most),
            None => (self.waiting.is_empty(), true),
        };
        if comes_first && has_room && self.seats.len() < self.most.seats {
            return Asked::Seated(self.sit(now, address));
        }
        // An address fills no more of the queue than of the seats, or it would keep others out by waiting.
        if self.waiting.len() >= self.most.waiting || self.most.an_address.is_some_and(|most| mine >= most) {
            return Asked::Full;
        }
        let id = WaitId(self.number());
        self.waiting.push_back(Waiter { id, address, wake });
        Asked::Waits(id)
    }

    /// Seats the first in the queue for whom there is a seat; to be asked until there is none.
    pub(super) fn next(&mut self, now: Instant) -> Option<(SeatId, W)> {
        if self.seats.len() >= self.most.seats {
            return None;
        }
        // Those that have waited are counted at once: all of them at a time would only be displaced again.
        let fits = |address| {
            let most = self.most.an_address;
            most.is_none_or(|most| self.of(address).count() < most)
        };
        let at = self.waiting.iter().position(|waiter| fits(waiter.address))?;
        let waiter = self.waiting.remove(at)?;
        Some((self.sit(now, waiter.address), waiter.wake))
    }

    /// Whether a seat that has been taken for [`SHOWS_AT_ONCE`] is kept: there are not too many older ones.
    pub(super) fn keeps(&self, id: SeatId) -> bool {
        let Some((address, _)) = self.seats.get(&id) else {
            return false;
        };
        let older = self.of(*address).filter(|(other, _)| **other < id).count();
        self.most.an_address.is_none_or(|most| older < most)
    }

    /// A seat is free.
    pub(super) fn leave(&mut self, id: SeatId) {
        self.seats.remove(&id);
    }

    /// Somebody does not wait any more; nothing where it was seated.
    pub(super) fn give_up(&mut self, id: WaitId) {
        self.waiting.retain(|waiter| waiter.id != id);
    }

    /// How many seats are taken.
    pub(super) fn taken(&self) -> usize {
        self.seats.len()
    }

    fn of(&self, address: IpAddr) -> impl Iterator<Item = (&SeatId, &Instant)> {
        let seats = self.seats.iter();
        seats.filter_map(move |(id, (other, taken))| (*other == address).then_some((id, taken)))
    }

    /// What counts against an address.
    fn counted(&self, now: Instant, address: IpAddr) -> usize {
        let old = |taken: &Instant| now.saturating_duration_since(*taken) >= SHOWS_AT_ONCE;
        self.of(address).filter(|(_, taken)| old(taken)).count()
    }

    fn sit(&mut self, now: Instant, address: IpAddr) -> SeatId {
        let id = SeatId(self.number());
        self.seats.insert(id, (address, now));
        id
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

#[cfg(test)]
mod tests;
