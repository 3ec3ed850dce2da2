//! Hoarders, an office that comes all at once, and those who wait.

use super::*;
use proptest::prelude::*;
use std::time::Duration;

const SEATS: usize = 20;
const SEATS_AN_ADDRESS: usize = 3;
const WAITING: usize = 12;

fn book<W>(by_address: bool) -> Book<W> {
    Book::new(Most {
        seats: SEATS,
        an_address: by_address.then_some(SEATS_AN_ADDRESS),
        waiting: WAITING,
    })
}

fn address(n: u32) -> IpAddr {
    IpAddr::V4((0x0a00_0000 + n).into())
}

fn seated(asked: Asked) -> SeatId {
    match asked {
        Asked::Seated(id) => id,
        other => panic!("not seated but {other:?}"),
    }
}

#[test]
fn an_office_that_shows_itself_at_once_is_not_counted() {
    let mut book = book::<()>(true);
    let now = Instant::now();
    let office: Vec<SeatId> = (0..SEATS - 1)
        .map(|_| seated(book.ask(now, address(1), ())))
        .collect();
    // The first have shown nothing after a quarter of a second: they stay, the others are too many.
    let kept = office.iter().filter(|id| book.keeps(**id)).count();
    assert_eq!(kept, SEATS_AN_ADDRESS);
    assert!(office[..SEATS_AN_ADDRESS].iter().all(|id| book.keeps(*id)));
    for id in &office[SEATS_AN_ADDRESS..] {
        book.leave(*id);
    }
    // Now three are counted, for this address alone.
    let later = now + SHOWS_AT_ONCE;
    assert!(matches!(book.ask(later, address(1), ()), Asked::Waits(_)));
    seated(book.ask(later, address(2), ()));
    assert!(book.next(later).is_none(), "nobody of the office has left");
    book.leave(office[0]);
    assert!(book.next(later).is_some());
}

#[test]
fn a_moment_before_they_are_counted_they_are_not() {
    let mut book = book::<()>(true);
    let now = Instant::now();
    for _ in 0..SEATS_AN_ADDRESS {
        seated(book.ask(now, address(1), ()));
    }
    seated(book.ask(now + SHOWS_AT_ONCE - Duration::from_millis(1), address(1), ()));
    assert!(matches!(
        book.ask(now + SHOWS_AT_ONCE, address(1), ()),
        Asked::Waits(_)
    ));
}

#[test]
fn further_ones_wait_in_the_order_of_coming_and_then_are_refused() {
    let mut book = book(false);
    let now = Instant::now();
    let seats: Vec<SeatId> = (0..SEATS).map(|_| seated(book.ask(now, address(1), 0))).collect();
    let waits: Vec<Asked> = (0..WAITING).map(|n| book.ask(now, address(1), n)).collect();
    assert!(waits.iter().all(|asked| matches!(asked, Asked::Waits(_))));
    assert_eq!(book.ask(now, address(2), 0), Asked::Full);
    assert!(book.next(now).is_none());
    book.leave(seats[7]);
    assert_eq!(book.next(now).map(|(_, n)| n), Some(0));
    let Asked::Waits(second) = waits[1] else {
        unreachable!()
    };
    book.give_up(second);
    book.leave(seats[8]);
    assert_eq!(book.next(now).map(|(_, n)| n), Some(2));
    assert!(book.next(now).is_none());
    book.leave(seats[9]);
    assert!(
        matches!(book.ask(now, address(1), 999), Asked::Waits(_)),
        "nobody overtakes"
    );
}

#[test]
fn one_address_keeps_nobody_else_out() {
    let mut book = book(true);
    let now = Instant::now();
    for _ in 0..SEATS {
        seated(book.ask(now, address(1), 1));
    }
    let waits = (0..100)
        .filter(|_| matches!(book.ask(now, address(1), 1), Asked::Waits(_)))
        .count();
    assert_eq!(waits, SEATS_AN_ADDRESS);
    assert!(matches!(book.ask(now, address(2), 2), Asked::Waits(_)));
    let displaced: Vec<SeatId> = book.seats.keys().copied().filter(|id| !book.keeps(*id)).collect();
    assert_eq!(displaced.len(), SEATS - SEATS_AN_ADDRESS);
    for id in displaced {
        book.leave(id);
    }
    assert_eq!(
        book.next(now).map(|(_, n)| n),
        Some(2),
        "the hoarder's others go on waiting"
    );
    assert!(book.next(now).is_none());
}

proptest! {
    /// Whatever comes and goes: bounds hold, and nobody waits for whom there is a seat.
    #[test]
    fn bounds_hold_and_nobody_is_forgotten(
        by_address: bool,
        steps in prop::collection::vec((0u8..8, 0u32..4, 0u64..100), 0..400),
    ) {
        let mut book = book(by_address);
        let mut now = Instant::now();
        let mut seats: Vec<SeatId> = Vec::new();
        for (what, who, ms) in steps {
            now += Duration::from_millis(ms / 10);
            match what {
                0 if !seats.is_empty() => {
                    let id = seats.swap_remove(ms as usize % seats.len());
                    book.leave(id);
                    while let Some((id, ())) = book.next(now) {
                        seats.push(id);
                    }
                }
                1 => seats.retain(|id| {
                    let kept = book.keeps(*id);
                    if !kept { book.leave(*id) }
                    kept
                }),
                _ => if let Asked::Seated(id) = book.ask(now, address(who), ()) { seats.push(id) },
            }
            prop_assert!(book.taken() <= SEATS && book.waiting.len() <= WAITING);
            prop_assert_eq!(book.taken(), seats.len());
            if !by_address && book.taken() < SEATS {
                prop_assert!(book.waiting.is_empty());
            }
        }
    }
}
