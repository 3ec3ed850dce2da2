//! The threads that serve connections, one event loop each. A connection stays where it was put: what it has
//! to say wakes nobody on another core. Streams that have begun go to loops of their own, which do nothing but
//! read frames and write them to whoever listens: they have no timers to look at, wait behind no list of calls,
//! and under load may nap. Knows no relay: it is handed futures.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::metrics::Held;

/// How long a thread may take to let go of what it still has.
const END_TIME: Duration = Duration::from_secs(1);

/// Streams that fill a media loop before the next one is begun: a quarter of a core with one listener each. What
/// one loop touched a moment ago is still near, and two that are idle sleep and wake for each frame.
const FULL: usize = 128;

/// How long a loop naps before it waits for its sockets: what arrived meanwhile is read together and leaves
/// together, with one call of the kernel where there were several. Zero where each frame leaves at once.
#[derive(Debug, Default)]
pub struct Window(AtomicU32);

impl Window {
    /// How long.
    pub fn get(&self) -> Duration {
        Duration::from_micros(u64::from(self.0.load(Relaxed)))
    }

    /// From the next nap on.
    pub fn set(&self, window: Duration) {
        let micros = u32::try_from(window.as_micros()).unwrap_or(u32::MAX);
        self.0.store(micros, Relaxed);
    }

    fn nap(&self) {
        let window = self.get();
        if !window.is_zero() {
            // Ends early where somebody unparks the thread, which nobody needs to.
            thread::park_timeout(window);
        }
    }
}

/// One event loop.
#[derive(Debug)]
struct Shard {
    handle: Handle,
    /// Connections, or streams, that it has now.
    load: AtomicUsize,
}

impl Shard {
    fn new(handle: Handle) -> Arc<Shard> {
        Arc::new(Shard {
            handle,
            load: AtomicUsize::new(0),
        })
    }

    /// A seat in the first that has less than `full`, or in the one that has fewest.
    fn seat(shards: &[Arc<Shard>], full: usize) -> Option<Seat> {
        let load = |shard: &&Arc<Shard>| shard.load.load(Relaxed);
        let room = shards.iter().find(|shard| load(shard) < full);
        let shard = room.or_else(|| shards.iter().min_by_key(load))?;
        shard.load.fetch_add(1, Relaxed);
        Some(Seat(shard.clone()))
    }
}

/// One of those that a loop has; left when it is dropped.
#[derive(Debug)]
struct Seat(Arc<Shard>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.load.fetch_sub(1, Relaxed);
    }
}

/// All of them.
#[derive(Debug)]
pub struct Shards {
    shards: Vec<Arc<Shard>>,
    media: Arc<[Arc<Shard>]>,
    threads: Vec<thread::JoinHandle<()>>,
    stop: CancellationToken,
}

/// A connection's place: among the open ones, and in its loop. Left when it is dropped.
#[derive(Debug)]
pub struct Place {
    media: Arc<[Arc<Shard>]>,
    _seat: Seat,
    _held: Held,
}

impl Place {
    /// Runs a stream in a media loop that has room, or else fewest, and gives what it comes to; `None` where it came to
    /// nothing, because it panicked or the loops have ended. No timer may be used in it.
    pub async fn in_media_loop<F>(&self, stream: F) -> Option<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let seat = Shard::seat(&self.media, FULL)?;
        let handle = seat.0.handle.clone();
        let run = async move {
            let done = stream.await;
            drop(seat);
            done
        };
        handle.spawn(run).await.ok()
    }
}

impl Shards {
    /// The runtime that this is called in, for all. For a relay inside another program, whose naps are its own.
    pub fn here() -> Shards {
        Shards {
            shards: vec![Shard::new(Handle::current())],
            media: Arc::new([Shard::new(Handle::current())]),
            threads: Vec::new(),
            stop: CancellationToken::new(),
        }
    }

    /// `count` threads of their own for connections, and as many for streams, which nap as `window` says.
    ///
    /// # Errors
    /// When the system has no more threads or files.
    pub fn threads(count: usize, window: &Arc<Window>) -> io::Result<Shards> {
        let mut shards = Shards {
            shards: Vec::new(),
            media: Arc::new([]),
            threads: Vec::new(),
            stop: CancellationToken::new(),
        };
        let mut media = Vec::new();
        for n in 0..count.max(1) {
            let all = Builder::new_current_thread().enable_all().build()?;
            shards.shards.push(Shard::new(all.handle().clone()));
            shards.start(format!("connections-{n}"), all)?;
            let window = window.clone();
            let only_sockets = Builder::new_current_thread()
                .enable_io()
                .on_thread_park(move || window.nap())
                .build()?;
            media.push(Shard::new(only_sockets.handle().clone()));
            shards.start(format!("media-{n}"), only_sockets)?;
        }
        shards.media = media.into();
        Ok(shards)
    }

    fn start(&mut self, name: String, runtime: Runtime) -> io::Result<()> {
        let stop = self.stop.clone();
        let run = move || {
            runtime.block_on(stop.cancelled());
            runtime.shutdown_timeout(END_TIME);
        };
        self.threads.push(thread::Builder::new().name(name).spawn(run)?);
        Ok(())
    }

    /// Gives a connection a place in the loop that has fewest, and runs what `serve` makes of it there.
    pub fn spawn<F>(&self, tasks: &TaskTracker, held: Held, serve: impl FnOnce(Arc<Place>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(seat) = Shard::seat(&self.shards, 0) else {
            return;
        };
        let handle = seat.0.handle.clone();
        let place = Place {
            media: self.media.clone(),
            _seat: seat,
            _held: held,
        };
        tasks.spawn_on(serve(Arc::new(place)), &handle);
    }
}

/// Ends the loops; what still runs in them is dropped.
impl Drop for Shards {
    fn drop(&mut self) {
        self.stop.cancel();
        for thread in self.threads.drain(..) {
            // A panic there was told by its own thread.
            let _ = thread.join();
        }
    }
}
