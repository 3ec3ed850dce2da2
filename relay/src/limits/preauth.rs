//! Seats for sockets that have shown neither a signature nor a token. They are few, so that whoever hoards sockets
//! takes nothing from those who show something at once: these have seats of their own, or need none. A thin shell of
//! tasks that wait; who gets a seat is decided by `book`.

mod book;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::lock::lock;
use crate::metrics::{Held, Metrics};
use crate::respond::Refusal;
use book::{Asked, Book, Most, SeatId, WaitId};

/// Seats in all: as many sockets as a burst of calls opens, a twentieth of what may be open.
pub const SEATS: usize = 512;
/// Seats of one address that have been taken for [`SHOWS_AT_ONCE`]: an office whose links are slow.
pub const SEATS_AN_ADDRESS: usize = 32;
/// Who has shown itself within this is not counted for its address: what comes at once from an office that
/// connects anew, over any link.
pub const SHOWS_AT_ONCE: Duration = Duration::from_millis(250);
/// A seat is for so long, from 101 to a valid `start` or `auth`: both are the first thing that is said.
pub const SEAT_TIME: Duration = Duration::from_secs(5);
/// Bytes of messages until then: a `start` has 1 KB, a token 2 KB.
pub const SEAT_BYTES: usize = 16 << 10;
/// Sockets with a valid signature that have not said `start`: a budget of their own, more than any burst of calls
/// opens within the 5 s that each has.
pub const SIGNED: u64 = 2048;
/// Largest message of a socket with a valid signature or token, bytes; and all that a signed one may say before its
/// start.
pub const PROVEN_MESSAGE: usize = 64 << 10;
/// How long one waits for a seat: as long as a seat is taken at most, so that each meets all that get free.
pub const WAIT: Duration = SEAT_TIME;
/// How many wait: as many as could be seated when all seats get free.
pub const WAITING: usize = SEATS;

/// The seats of one relay.
#[derive(Debug)]
pub struct Preauth {
    book: Mutex<Book<oneshot::Sender<Seat>>>,
    metrics: Arc<Metrics>,
    wait: Duration,
}

/// A seat, taken until it is dropped.
#[derive(Debug)]
#[must_use = "it is taken only while this is held"]
pub struct Seat {
    room: Arc<Preauth>,
    id: SeatId,
    taken: Instant,
    bytes_left: usize,
}

/// The socket has said [`SEAT_BYTES`], or as a signed one [`PROVEN_MESSAGE`], and nothing that counts: close it with 1009.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than 16 KiB (64 KiB with a signature) came before anything that shows who speaks")]
pub struct TooMuch;

/// Counts a socket that has shown a valid signature, until it has said `start`.
///
/// # Errors
/// A [`Refusal`] with 429 where [`SIGNED`] have not said it yet.
pub fn signed(metrics: &Metrics) -> Result<Held, Refusal> {
    let message = "too many streams have not begun yet";
    let held = metrics.streams_waiting.try_hold(SIGNED);
    held.ok_or_else(|| Refusal::too_many(message, SEAT_TIME))
}

/// Takes a place in the queue back when its task is gone.
struct Waiting<'p> {
    room: &'p Preauth,
    id: WaitId,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.room.book).give_up(self.id);
    }
}

impl Preauth {
    /// No seat is taken. `by_address`: whether one address may have [`SEATS_AN_ADDRESS`] only; not under
    /// --insecure, where all come from this machine.
    pub fn new(by_address: bool, metrics: Arc<Metrics>) -> Arc<Preauth> {
        Preauth::patient(by_address, metrics, WAIT)
    }

    fn patient(by_address: bool, metrics: Arc<Metrics>, wait: Duration) -> Arc<Preauth> {
        Arc::new(Preauth {
            book: Mutex::new(Book::new(Most {
                seats: SEATS,
                an_address: by_address.then_some(SEATS_AN_ADDRESS),
                waiting: WAITING,
            })),
            metrics,
            wait,
        })
    }

    /// Takes a seat, to be called before the 101; waits where there is none, in the order of coming.
    ///
    /// # Errors
    /// A [`Refusal`] with 429 where too many wait already, or none got free in [`WAIT`].
    pub async fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Seat, Refusal> {
        let now = Instant::now();
        let (sender, seated) = oneshot::channel();
        let asked = lock(&self.book).ask(now, super::counted_as(address), sender);
        let waiting = match asked {
            Asked::Seated(id) => return Ok(self.seat(id, now)),
            Asked::Waits(id) => Waiting { room: self, id },
            Asked::Full => return Err(self.refuse()),
        };
        self.metrics.sockets_waited.add_one();
        let seat = timeout(self.wait, seated).await;
        drop(waiting);
        match seat {
            Ok(Ok(seat)) => Ok(seat),
            _ => Err(self.refuse()),
        }
    }

    /// How many seats are taken.
    pub fn taken(&self) -> usize {
        lock(&self.book).taken()
    }

    fn seat(self: &Arc<Self>, id: SeatId, taken: Instant) -> Seat {
        self.metrics.marks.preauth_seats.note(self.taken() as u64);
        Seat {
            room: self.clone(),
            id,
            taken,
            bytes_left: SEAT_BYTES,
        }
    }

    fn refuse(&self) -> Refusal {
        self.metrics.sockets_refused.add_one();
        let message =
            "too many connections have shown neither a signature nor a token; show one when connecting";
        Refusal::too_many(message, WAIT)
    }

    /// Seats who waits. A seat whose taker has gone meanwhile comes back by its own drop.
    fn fill(self: &Arc<Self>) {
        loop {
            let now = Instant::now();
            let Some((id, sender)) = lock(&self.book).next(now) else {
                return;
            };
            // Nobody is there any more.
            if sender.is_closed() {
                lock(&self.book).leave(id);
                continue;
            }
            // Without the lock, since a seat that is refused after all takes it to leave.
            let _ = sender.send(self.seat(id, now));
        }
    }
}

impl Seat {
    /// The socket has shown a valid signature, `start` or token: the seat is free for another.
    pub fn passed(self) {}

    /// Until when it has to.
    pub fn deadline(&self) -> Instant {
        self.taken + SEAT_TIME
    }

    /// Counts a message that was none of those that show who speaks.
    ///
    /// # Errors
    /// [`TooMuch`]: close with 1009.
    pub fn heard(&mut self, bytes: usize) -> Result<(), TooMuch> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(TooMuch)?;
        Ok(())
    }

    /// Comes to an end only where the address turned out to have too many of these seats: close with 4009. To be
    /// looked at after the socket was read: who has said something has not waited too long.
    pub fn displaced(&self) -> impl Future<Output = ()> + Send + use<> {
        let (room, id, at) = (self.room.clone(), self.id, self.taken + SHOWS_AT_ONCE);
        async move {
            tokio::time::sleep_until(at.into()).await;
            if lock(&room.book).keeps(id) {
                std::future::pending::<()>().await;
            }
            room.metrics.sockets_refused.add_one();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.room.book).leave(self.id);
        self.room.fill();
    }
}

#[cfg(test)]
mod tests;
