//! One loop that reads streams and does nothing else. It asks the kernel itself instead of a runtime: between
//! two frames everything has gone cold, and of a runtime's way from a socket to a task each step is felt. Knows
//! no stream: it drives [`Job`]s.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use mio::event::Source;
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;
use tokio::sync::oneshot;
use tracing::error;

use super::Seat;
use super::window::Window;
use crate::lock::lock;

/// Sockets that the kernel names at a time; who is not among them is among the next.
const EVENTS: usize = 256;
/// Streams of a loop that is no more: none goes there while there is another.
const GONE: usize = usize::MAX / 2;
/// Names the word that something is in the inbox.
const INBOX: Token = Token(usize::MAX);

/// What a job waits for after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Until its socket has more.
    Waits,
    /// For the others to have their turn.
    Again,
    /// Nothing: it is over.
    Over,
}

/// Something that reads a socket.
pub trait Job: Send {
    /// The socket.
    fn source(&mut self) -> &mut dyn Source;

    /// The socket has something, or room, as the loop knows since `woken`; where `closing`, its other side has
    /// ended and it is to be read to the end. Never waits.
    fn turn(&mut self, woken: Instant, closing: bool) -> Turn;

    /// The relay leaves: over by that.
    fn leave(&mut self);

    /// It is over, and no longer driven.
    fn end(self: Box<Self>);
}

/// What others have to say to a loop.
#[derive(Default)]
struct Inbox {
    jobs: Vec<(Box<dyn Job>, Seat)>,
    /// Who asks whether the loop turns: one at a time, see [`super::Pulse`].
    asked: Option<oneshot::Sender<()>>,
    leaving: bool,
    over: bool,
}

/// A loop as others see it.
pub(super) struct MediaLoop {
    inbox: Mutex<Inbox>,
    waker: Waker,
    pub(super) load: Arc<AtomicUsize>,
}

impl std::fmt::Debug for MediaLoop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MediaLoop({})", self.load.load(Relaxed))
    }
}

impl MediaLoop {
    /// Starts one.
    pub(super) fn start(
        name: String,
        window: Option<Arc<Window>>,
    ) -> io::Result<(Arc<MediaLoop>, thread::JoinHandle<()>)> {
        let poll = Poll::new()?;
        let here = Arc::new(MediaLoop {
            inbox: Mutex::default(),
            waker: Waker::new(poll.registry(), INBOX)?,
            load: Arc::default(),
        });
        let driver = Driver {
            poll,
            shared: here.clone(),
            jobs: Slab::new(),
            again: Vec::new(),
        };
        let thread = thread::Builder::new()
            .name(name)
            .spawn(move || driver.run(window.as_deref()))?;
        Ok((here, thread))
    }

    /// Hands a job over; it is let go where the loop is no more.
    pub(super) fn drive(&self, job: Box<dyn Job>, seat: Seat) {
        self.tell(|inbox| {
            if !inbox.over {
                inbox.jobs.push((job, seat));
            }
        });
    }

    /// Every job is to leave, also those to come.
    pub(super) fn leave(&self) {
        self.tell(|inbox| inbox.leaving = true);
    }

    /// Ends the loop; what it has is let go.
    pub(super) fn end(&self) {
        self.tell(|inbox| inbox.over = true);
    }

    /// Ends when the loop has come by its inbox; `false` where it is no more.
    pub(super) async fn answers(&self) -> bool {
        let (asks, answer) = oneshot::channel();
        self.tell(|inbox| inbox.asked = Some(asks).filter(|_| !inbox.over));
        answer.await.is_ok()
    }

    fn tell(&self, word: impl FnOnce(&mut Inbox)) {
        word(&mut lock(&self.inbox));
        if let Err(error) = self.waker.wake() {
            error!(%error, "a media loop could not be woken");
        }
    }
}

struct Driver {
    poll: Poll,
    shared: Arc<MediaLoop>,
    jobs: Slab<(Box<dyn Job>, Seat)>,
    /// Those that had more to say than a turn takes.
    again: Vec<usize>,
}

impl Driver {
    fn run(mut self, window: Option<&Window>) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let wait = if self.again.is_empty() {
                if let Some(window) = window {
                    nap(window.get());
                }
                None
            } else {
                Some(Duration::ZERO)
            };
            match self.poll.poll(&mut events, wait) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    error!(%error, "a media loop cannot wait for its sockets: its streams are lost");
                    let mut inbox = lock(&self.shared.inbox);
                    // Nobody opens it any more.
                    *inbox = Inbox {
                        over: true,
                        ..Inbox::default()
                    };
                    self.shared.load.fetch_add(GONE, Relaxed);
                    return;
                }
            }
            // Once for all that the kernel named: who waits for the others' turns has waited.
            let woken = Instant::now();
            for key in std::mem::take(&mut self.again) {
                self.turn(key, woken, false);
            }
            for event in &events {
                if event.token() != INBOX {
                    self.turn(event.token().0, woken, event.is_read_closed() || event.is_error());
                } else if !self.open_inbox() {
                    return;
                }
            }
        }
    }

    /// Answers whether the loop goes on.
    fn open_inbox(&mut self) -> bool {
        let (jobs, asked, leaving, over) = {
            let mut inbox = lock(&self.shared.inbox);
            let jobs = std::mem::take(&mut inbox.jobs);
            (jobs, inbox.asked.take(), inbox.leaving, inbox.over)
        };
        if let Some(asked) = asked {
            // Who asked may have given up.
            let _ = asked.send(());
        }
        for (mut job, seat) in jobs {
            let entry = self.jobs.vacant_entry();
            let token = Token(entry.key());
            let both = Interest::READABLE | Interest::WRITABLE;
            match self.poll.registry().register(job.source(), token, both) {
                // What has come before is told with the first event.
                Ok(()) => drop(entry.insert((job, seat))),
                Err(error) => error!(%error, "a stream could not be taken into a media loop"),
            }
        }
        if leaving {
            let keys: Vec<usize> = self.jobs.iter().map(|(key, _)| key).collect();
            for key in keys {
                if let Some((job, _)) = self.jobs.get_mut(key) {
                    // As in a turn.
                    let _ = catch_unwind(AssertUnwindSafe(|| job.leave()));
                }
                self.remove(key);
            }
        }
        !over
    }

    fn turn(&mut self, key: usize, woken: Instant, closing: bool) {
        let Some((job, _)) = self.jobs.get_mut(key) else {
            return;
        };
        // A panic was told by its hook; it ends this stream and no other.
        match catch_unwind(AssertUnwindSafe(|| job.turn(woken, closing))) {
            Ok(Turn::Waits) => {}
            Ok(Turn::Again) => self.again.push(key),
            Ok(Turn::Over) => self.remove(key),
            Err(_) => drop(self.jobs.try_remove(key)),
        }
    }

    fn remove(&mut self, key: usize) {
        let Some((mut job, _seat)) = self.jobs.try_remove(key) else {
            return;
        };
        if let Err(error) = self.poll.registry().deregister(job.source()) {
            error!(%error, "a stream could not be taken out of its media loop");
        }
        // As in a turn.
        let _ = catch_unwind(AssertUnwindSafe(|| job.end()));
    }
}

fn nap(window: Duration) {
    if !window.is_zero() {
        // Ends early where somebody unparks the thread, which nobody needs to.
        thread::park_timeout(window);
    }
}

#[cfg(test)]
mod tests;
