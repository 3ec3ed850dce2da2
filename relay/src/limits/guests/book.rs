//! Who is a guest, and who goes when there are too many. Pure: time is handed in, and what wakes a guest is only
//! kept here (`W`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Instant;

use super::SHOWS_AT_ONCE;

/// One guest; a later one has a greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GuestId(u64);

#[derive(Debug)]
struct Guest<W> {
    address: IpAddr,
    since: Instant,
    wake: W,
}

/// A new guest, and who went for it.
#[derive(Debug)]
pub(super) struct Entered<W> {
    pub(super) id: GuestId,
    pub(super) displaced: Option<W>,
}

/// All guests; bounded.
#[derive(Debug)]
pub(super) struct Book<W> {
    most: usize,
    an_address: usize,
    next: u64,
    guests: BTreeMap<GuestId, Guest<W>>,
    by_address: HashMap<IpAddr, BTreeSet<GuestId>>,
}

impl<W> Book<W> {
    pub(super) fn new(most: usize, an_address: usize) -> Book<W> {
        Book {
            most,
            an_address,
            next: 0,
            guests: BTreeMap::new(),
            by_address: HashMap::new(),
        }
    }

    /// One more; one too many in all, or of its address where that is `limited`, takes the place of another, which
    /// is in no case one that could not have shown itself yet unless all places are taken.
    pub(super) fn enter(&mut self, now: Instant, address: IpAddr, limited: bool, wake: W) -> Entered<W> {
        let goes = if self.guests.len() >= self.most {
            self.oldest_of(self.greediest())
        } else if limited {
            self.oldest_of_too_many(now, address)
        } else {
            None
        };
        let displaced = goes.and_then(|id| self.leave(id));
        let id = GuestId(self.next);
        self.next += 1;
        let guest = Guest {
            address,
            since: now,
            wake,
        };
        self.guests.insert(id, guest);
        self.by_address.entry(address).or_default().insert(id);
        Entered { id, displaced }
    }

    /// Somebody is a guest no more.
    pub(super) fn leave(&mut self, id: GuestId) -> Option<W> {
        let guest = self.guests.remove(&id)?;
        if let Some(of_address) = self.by_address.get_mut(&guest.address) {
            of_address.remove(&id);
            if of_address.is_empty() {
                self.by_address.remove(&guest.address);
            }
        }
        Some(guest.wake)
    }

    /// Whoever has been there for longest, of the address that has most of them: who floods makes room itself.
    pub(super) fn oldest(&mut self) -> Option<W> {
        let oldest = self.oldest_of(self.greediest())?;
        self.leave(oldest)
    }

    pub(super) fn len(&self) -> usize {
        self.guests.len()
    }

    /// The address that has most guests; of several, that of the oldest among them.
    fn greediest(&self) -> Option<IpAddr> {
        let rank =
            |(_, ids): &(&IpAddr, &BTreeSet<GuestId>)| (ids.len(), std::cmp::Reverse(ids.first().copied()));
        self.by_address
            .iter()
            .max_by_key(rank)
            .map(|(address, _)| *address)
    }

    fn oldest_of(&self, address: Option<IpAddr>) -> Option<GuestId> {
        self.by_address.get(&address?)?.first().copied()
    }

    fn oldest_of_too_many(&self, now: Instant, address: IpAddr) -> Option<GuestId> {
        let ids = self.by_address.get(&address)?;
        let oldest = *ids.first()?;
        let since = self.guests.get(&oldest)?.since;
        let had_time = now.saturating_duration_since(since) >= SHOWS_AT_ONCE;
        (ids.len() >= self.an_address && had_time).then_some(oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{GUESTS, GUESTS_AN_ADDRESS};
    use super::*;
    use std::time::Duration;

    fn address(n: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, n])
    }

    #[test]
    fn one_address_displaces_its_own_oldest_and_no_others() {
        let (now, mut book) = (Instant::now(), Book::new(100, 3));
        let first = book.enter(now, address(1), true, "first").id;
        for name in ["second", "third"] {
            assert!(book.enter(now, address(1), true, name).displaced.is_none());
        }
        assert!(book.enter(now, address(2), true, "other").displaced.is_none());
        // Too many at once are taken: they may be about to show themselves.
        assert!(book.enter(now, address(1), true, "fourth").displaced.is_none());
        let later = now + SHOWS_AT_ONCE;
        assert_eq!(
            book.enter(later, address(1), true, "fifth").displaced,
            Some("first")
        );
        assert!(book.leave(first).is_none(), "it has gone");
        assert!(
            book.enter(later, address(1), false, "a proxy's")
                .displaced
                .is_none()
        );
        assert_eq!(book.len(), 6);
    }

    #[test]
    fn so_many_guests_and_so_many_of_an_address() {
        let (now, mut book) = (Instant::now(), Book::new(GUESTS, GUESTS_AN_ADDRESS));
        for n in 0..GUESTS_AN_ADDRESS {
            assert_eq!(book.enter(now, address(1), true, n).displaced, None);
        }
        let a_moment_before = now + SHOWS_AT_ONCE - Duration::from_millis(1);
        let more = book.enter(a_moment_before, address(1), true, GUESTS);
        assert_eq!(more.displaced, None, "they may be about to show themselves");
        book.leave(more.id);
        let later = now + SHOWS_AT_ONCE;
        assert_eq!(book.enter(later, address(1), true, GUESTS).displaced, Some(0));
        // Others fill the rest, none of them too many of one address.
        for n in GUESTS_AN_ADDRESS..GUESTS {
            let from = address(2 + (n / GUESTS_AN_ADDRESS) as u8);
            assert_eq!(book.enter(later, from, true, n).displaced, None, "{n}");
        }
        assert_eq!(book.len(), GUESTS);
        assert!(book.enter(later, address(100), true, 0).displaced.is_some());
        assert_eq!(book.len(), GUESTS);
    }

    #[test]
    fn where_all_places_are_taken_the_greediest_makes_room() {
        let (now, mut book) = (Instant::now(), Book::new(6, 3));
        book.enter(now, address(9), true, "alone");
        for name in ["one", "two", "three", "four", "five"] {
            book.enter(now, address(1), true, name);
        }
        let later = now + Duration::from_millis(1);
        assert_eq!(book.enter(later, address(2), true, "new").displaced, Some("one"));
        assert_eq!(book.enter(later, address(3), true, "new").displaced, Some("two"));
        assert_eq!(book.oldest(), Some("three"));
        assert_eq!(book.len(), 5);
        // All have as many: the oldest of all goes.
        let mut even = Book::new(3, 3);
        for (n, name) in [(1, "a"), (2, "b"), (3, "c")] {
            even.enter(now, address(n), true, name);
        }
        assert_eq!(even.enter(later, address(4), true, "d").displaced, Some("a"));
    }

    #[test]
    fn nothing_is_kept_of_who_is_gone() {
        let (now, mut book) = (Instant::now(), Book::new(8, 8));
        let ids: Vec<GuestId> = (0..8).map(|n| book.enter(now, address(n), true, n).id).collect();
        for id in ids {
            assert!(book.leave(id).is_some() && book.leave(id).is_none());
        }
        assert!(book.len() == 0 && book.by_address.is_empty() && book.oldest().is_none());
    }
}
