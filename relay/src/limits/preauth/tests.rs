//! Tasks that wait for seats.

use super::*;
use std::net::Ipv4Addr;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn all_taken(room: &Arc<Preauth>) -> Vec<Seat> {
    let mut seats = Vec::new();
    for _ in 0..SEATS {
        seats.push(room.enter(HERE).await.unwrap());
    }
    seats
}

#[tokio::test]
async fn a_seat_that_gets_free_goes_to_who_came_first() {
    let metrics = Arc::<Metrics>::default();
    let room = Preauth::new(false, metrics.clone());
    let mut seats = all_taken(&room).await;
    let mut first = Box::pin(room.enter(HERE));
    let mut second = Box::pin(room.enter(HERE));
    assert!(futures_util::poll!(&mut first).is_pending() && futures_util::poll!(&mut second).is_pending());
    seats.pop().unwrap().passed();
    let seat = first.await.unwrap();
    assert!(futures_util::poll!(&mut second).is_pending());
    drop(seat);
    let seat = second.await.unwrap();
    assert_eq!((room.taken(), metrics.sockets_waited.get()), (SEATS, 2));
    drop((seat, seats));
    assert_eq!(room.taken(), 0);
}

#[tokio::test]
async fn who_has_waited_long_enough_is_told_to_come_back() {
    let metrics = Arc::<Metrics>::default();
    let room = Preauth::patient(false, metrics.clone(), Duration::ZERO);
    let seats = all_taken(&room).await;
    let refusal = room.enter(HERE).await.unwrap_err();
    assert_eq!(refusal.status, 429);
    assert_eq!(refusal.answer().headers()["retry-after"], "5");
    assert_eq!(metrics.sockets_refused.get(), 1);
    // It waits no more: what gets free stays free.
    drop(seats);
    assert_eq!(room.taken(), 0);
}

#[tokio::test]
async fn one_who_went_while_waiting_takes_nobodys_turn() {
    let room = Preauth::new(false, Arc::default());
    let mut seats = all_taken(&room).await;
    let mut gone = Box::pin(room.enter(HERE));
    let mut stays = Box::pin(room.enter(HERE));
    let mut seated_and_gone = Box::pin(room.enter(HERE));
    assert!(futures_util::poll!(&mut gone).is_pending());
    assert!(futures_util::poll!(&mut seated_and_gone).is_pending());
    assert!(futures_util::poll!(&mut stays).is_pending());
    drop(gone);
    drop(seats.pop());
    // Its seat was given and never taken out.
    drop(seated_and_gone);
    let _seat = stays.await.unwrap();
    assert_eq!(room.taken(), SEATS);
}

#[tokio::test]
async fn too_many_of_one_address_are_displaced_once_they_have_shown_nothing() {
    let room = Preauth::new(true, Arc::default());
    let mut seats = Vec::new();
    for _ in 0..SEATS_AN_ADDRESS + 1 {
        seats.push(room.enter(HERE).await.unwrap());
    }
    let last = seats.pop().unwrap();
    last.displaced().await;
    let first = timeout(2 * SHOWS_AT_ONCE, seats[0].displaced()).await;
    assert!(first.is_err(), "the older ones stay");
    drop(seats);
    let kept = timeout(2 * SHOWS_AT_ONCE, last.displaced()).await;
    assert!(kept.is_err(), "there is room by now");
}

#[tokio::test]
async fn a_seat_has_its_time_and_its_bytes() {
    let room = Preauth::new(true, Arc::default());
    let before = Instant::now();
    let mut seat = room.enter(HERE).await.unwrap();
    assert!(seat.deadline() >= before + SEAT_TIME);
    assert_eq!(seat.heard(SEAT_BYTES), Ok(()));
    assert_eq!(seat.heard(0), Ok(()));
    assert_eq!(seat.heard(1), Err(TooMuch));
    assert!(TooMuch.to_string().contains("16 KiB"));
}

#[test]
fn so_many_signed_streams_may_have_not_begun() {
    let metrics = Metrics::default();
    let mut held: Vec<Held> = (0..SIGNED).map(|_| signed(&metrics).unwrap()).collect();
    assert!(signed(&metrics).is_err());
    held.pop();
    assert!(signed(&metrics).is_ok(), "one has begun");
}
