//! Connections that have shown neither a signature nor a token, and are no socket yet: whoever reaches the port has
//! one. They have little time, few requests and few places, and where there are too many the oldest goes, not the
//! newest: Twilio and a listener show at once who they are. A thin shell; who goes is decided by `book`.

mod book;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::header::CONNECTION;
use http::{Extensions, HeaderValue, StatusCode};
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep_until;

use crate::lock::lock;
use crate::metrics::Metrics;
use crate::respond::Answer;
use book::{Book, GuestId};

/// Guests in all: twice what all the seats of unknown sockets are, since each of those is a guest before.
pub const GUESTS: usize = 1024;
/// Guests of one address that have been there for [`SHOWS_AT_ONCE`]: an office that connects anew over slow links.
pub const GUESTS_AN_ADDRESS: usize = 128;
/// Who has shown itself within this is not counted for its address.
pub const SHOWS_AT_ONCE: Duration = super::preauth::SHOWS_AT_ONCE;
/// Requests that a guest may make: a browser's first page with what it needs, and a load balancer's questions for a
/// while. The answer to the last says that the connection ends.
pub const GUEST_REQUESTS: u32 = 16;
/// How long one may stay, over all its requests …
pub const GUEST_TIME: Duration = Duration::from_secs(8);
/// … and how much longer an answer may take that it has asked for by then.
pub const LAST_ANSWER: Duration = Duration::from_millis(1500);

/// The guests of one relay.
#[derive(Debug)]
pub struct Guests {
    book: Mutex<Book<oneshot::Sender<()>>>,
    metrics: Arc<Metrics>,
    time: Duration,
}

/// One connection, from its acceptance on: a guest until it has shown who it is.
#[derive(Debug)]
pub struct Visit {
    room: Arc<Guests>,
    id: GuestId,
    began: Instant,
    passed: AtomicBool,
    cut: AtomicBool,
    requests: AtomicU32,
    hung_up: Notify,
    abruptly: AtomicBool,
}

/// Hears that a guest's time is over.
#[derive(Debug)]
pub struct Displaced(oneshot::Receiver<()>);

/// Why a guest has to go.
#[derive(Debug)]
pub enum Over {
    /// [`GUEST_TIME`] is over: what it has asked for may still be answered, for [`LAST_ANSWER`], until it is displaced.
    Late(Displaced),
    /// Its place is another's: at once.
    Displaced,
}

impl Guests {
    /// Nobody is there.
    pub fn new(metrics: Arc<Metrics>) -> Arc<Guests> {
        Guests::patient(metrics, GUEST_TIME)
    }

    fn patient(metrics: Arc<Metrics>, time: Duration) -> Arc<Guests> {
        Arc::new(Guests {
            book: Mutex::new(Book::new(GUESTS, GUESTS_AN_ADDRESS)),
            metrics,
            time,
        })
    }

    /// A connection from `address`; `limited`: whether that address may have [`GUESTS_AN_ADDRESS`] only, which a
    /// proxy and this machine may not be held to.
    pub fn enter(
        self: &Arc<Guests>,
        now: Instant,
        address: IpAddr,
        limited: bool,
    ) -> (Arc<Visit>, Displaced) {
        let (wake, displaced) = oneshot::channel();
        let entered = lock(&self.book).enter(now, super::counted_as(address), limited, wake);
        if let Some(displaced) = entered.displaced {
            self.displace(displaced);
        }
        let visit = Visit {
            room: self.clone(),
            id: entered.id,
            began: now,
            passed: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            requests: AtomicU32::new(0),
            hung_up: Notify::new(),
            abruptly: AtomicBool::new(false),
        };
        (Arc::new(visit), Displaced(displaced))
    }

    /// Whoever has been a guest for longest goes, so that its file is another's; whether there was one.
    pub fn make_room(&self) -> bool {
        let Some(displaced) = lock(&self.book).oldest() else {
            return false;
        };
        self.displace(displaced);
        true
    }

    /// How many there are.
    pub fn present(&self) -> usize {
        lock(&self.book).len()
    }

    fn displace(&self, wake: oneshot::Sender<()>) {
        self.metrics.connections_displaced.add_one();
        // It may be leaving already.
        let _ = wake.send(());
    }
}

impl Displaced {
    /// Comes to an end when a guest's place is another's; never for who has passed.
    pub async fn gone(self) {
        if self.0.await.is_err() {
            std::future::pending().await
        }
    }
}

impl Visit {
    /// It has shown a valid signature or token, or is a socket, which has limits of its own: a guest no more.
    pub fn passed(&self) {
        if !self.passed.swap(true, Relaxed) {
            lock(&self.room.book).leave(self.id);
        }
    }

    /// It had to go. What a guest has not read by now is not kept for it.
    pub fn cut(&self) {
        self.cut.store(true, Relaxed);
    }

    /// Ends the connection in the middle of an answer, also where that is not read; `abruptly`: what is on its way does
    /// not arrive.
    pub fn hang_up(&self, abruptly: bool) {
        self.abruptly.store(abruptly, Relaxed);
        self.hung_up.notify_one();
    }

    /// Comes to an end when that was said. For one that waits for it.
    pub async fn hung_up(&self) {
        self.hung_up.notified().await;
    }

    /// Whether what it has not read is to be dropped with it: it is a guest, and was cut or does not read (`blocked`), or
    /// somebody said so.
    pub fn ends_abruptly(&self, blocked: bool) -> bool {
        let guest = !self.passed.load(Relaxed);
        self.abruptly.load(Relaxed) || (guest && (blocked || self.cut.load(Relaxed)))
    }

    /// Looks at an answer on its way out: the last one that a guest gets says so.
    pub fn answered(&self, answer: &mut Answer) {
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return self.passed();
        }
        let before = self.requests.fetch_add(1, Relaxed);
        if !self.passed.load(Relaxed) && before.saturating_add(1) >= GUEST_REQUESTS {
            last(answer);
        }
    }

    /// Comes to an end when a guest has to go; never for who has passed.
    pub async fn over(&self, mut displaced: Displaced) -> Over {
        let late = sleep_until((self.began + self.room.time).into());
        tokio::select! {
            word = &mut displaced.0 => if word.is_ok() {
                return Over::Displaced;
            },
            () = late => if !self.passed.load(Relaxed) {
                self.room.metrics.connections_late.add_one();
                return Over::Late(displaced);
            },
        }
        std::future::pending().await
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if !self.passed.load(Relaxed) {
            lock(&self.room.book).leave(self.id);
        }
    }
}

/// The connection ends with this answer.
pub fn last(answer: &mut Answer) {
    let close = HeaderValue::from_static("close");
    answer.headers_mut().insert(CONNECTION, close);
}

/// The connection that a request came by has shown who it is.
pub fn passed(extensions: &Extensions) {
    if let Some(visit) = visit(extensions) {
        visit.passed();
    }
}

/// The connection that a request came by.
pub fn visit(extensions: &Extensions) -> Option<Arc<Visit>> {
    extensions.get().cloned()
}

#[cfg(test)]
mod tests;
