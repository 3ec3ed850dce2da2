//! The threads that serve connections, one event loop each. A connection stays where it was put: what it has
//! to say wakes nobody on another core. Streams that have begun go to loops of their own, which do nothing but
//! read frames and write them to whoever listens: they have no timers to look at, wait behind no list of calls,
//! and under load may nap. Knows no relay: it is handed futures, and jobs.
//!
//! | file | what |
//! | --- | --- |
//! | [`media`] | a loop that reads streams, without a runtime |
//! | [`pulse`] | whether all of them still turn |
//! | [`window`] | for how long such a loop may nap |

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::metrics::Held;

pub mod media;
pub mod pulse;
pub mod window;

use media::{Job, MediaLoop};
pub use pulse::Pulse;
pub use window::Window;

/// How long a thread may take to let go of what it still has.
const END_TIME: Duration = Duration::from_secs(1);

/// Streams that fill a media loop before the next one is begun: a quarter of a core with one listener each. What
/// one loop touched a moment ago is still near, and two that are idle sleep and wake for each frame.
const FULL: usize = 128;

/// One loop of connections.
#[derive(Debug)]
struct Shard {
    handle: Handle,
    load: Arc<AtomicUsize>,
}

/// One of those that a loop has; left when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat(Arc<AtomicUsize>);

impl Seat {
    /// In the first loop that has less than `full`, or else in the one that has fewest.
    fn take<T>(loops: &[T], load: impl Fn(&T) -> &Arc<AtomicUsize>, full: usize) -> Option<(&T, Seat)> {
        let count = |one: &&T| load(one).load(Relaxed);
        let room = loops.iter().find(|one| count(one) < full);
        let chosen = room.or_else(|| loops.iter().min_by_key(count))?;
        load(chosen).fetch_add(1, Relaxed);
        Some((chosen, Seat(load(chosen).clone())))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// All of them.
#[derive(Debug)]
pub struct Shards {
    shards: Vec<Shard>,
    media: Arc<[Arc<MediaLoop>]>,
    threads: Vec<thread::JoinHandle<()>>,
    stop: CancellationToken,
}

/// Those that the media loops drive.
#[derive(Debug, Clone)]
pub struct Streams(Arc<[Arc<MediaLoop>]>);

impl Streams {
    /// Every stream is to leave, also those to come.
    pub fn leave(&self) {
        self.0.iter().for_each(|media| media.leave());
    }
}

/// A connection's place: among the open ones, and in its loop. Left when it is dropped.
#[derive(Debug)]
pub struct Place {
    media: Arc<[Arc<MediaLoop>]>,
    _seat: Seat,
    _held: Held,
}

impl Place {
    /// Has a stream driven by a media loop that has room, or else fewest. It is let go where the loops have
    /// ended.
    pub fn in_media_loop(&self, job: Box<dyn Job>) {
        if let Some((media, seat)) = Seat::take(&self.media, |one| &one.load, FULL) {
            media.drive(job, seat);
        }
    }
}

impl Shards {
    /// Connections in the runtime that this is called in, and one thread for streams, which never naps: for a
    /// relay inside another program.
    ///
    /// # Errors
    /// When the system has no more threads or files.
    pub fn here() -> io::Result<Shards> {
        let mut shards = Shards::none();
        shards.shards.push(Shard {
            handle: Handle::current(),
            load: Arc::default(),
        });
        shards.start_media(1, None)?;
        Ok(shards)
    }

    /// `count` threads of their own for connections, and as many for streams, which nap as `window` says.
    ///
    /// # Errors
    /// When the system has no more threads or files.
    pub fn threads(count: usize, window: &Arc<Window>) -> io::Result<Shards> {
        let mut shards = Shards::none();
        for n in 0..count.max(1) {
            let all = Builder::new_current_thread().enable_all().build()?;
            shards.shards.push(Shard {
                handle: all.handle().clone(),
                load: Arc::default(),
            });
            shards.start(format!("connections-{n}"), all)?;
        }
        shards.start_media(count.max(1), Some(window))?;
        Ok(shards)
    }

    fn none() -> Shards {
        Shards {
            shards: Vec::new(),
            media: Arc::new([]),
            threads: Vec::new(),
            stop: CancellationToken::new(),
        }
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

    fn start_media(&mut self, count: usize, window: Option<&Arc<Window>>) -> io::Result<()> {
        let mut media = Vec::new();
        for n in 0..count {
            let (one, thread) = MediaLoop::start(format!("media-{n}"), window.cloned())?;
            media.push(one);
            self.threads.push(thread);
        }
        self.media = media.into();
        Ok(())
    }

    /// Gives a connection a place in the loop that has fewest, and runs what `serve` makes of it there.
    pub fn spawn<F>(&self, tasks: &TaskTracker, held: Held, serve: impl FnOnce(Arc<Place>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some((shard, seat)) = Seat::take(&self.shards, |shard| &shard.load, 0) else {
            return;
        };
        let place = Place {
            media: self.media.clone(),
            _seat: seat,
            _held: held,
        };
        tasks.spawn_on(serve(Arc::new(place)), &shard.handle);
    }

    /// A connection's place, for tests of what holds one.
    #[cfg(test)]
    pub(crate) async fn place(&self) -> Arc<Place> {
        let metrics = crate::metrics::Metrics::default();
        let held = metrics.connections.try_hold(1).unwrap();
        let (tell, told) = tokio::sync::oneshot::channel();
        self.spawn(&TaskTracker::new(), held, |place| async move {
            drop(tell.send(place));
        });
        told.await.unwrap()
    }

    /// For who wants to know whether the loops still turn.
    pub fn pulse(&self) -> Pulse {
        let connections = self.shards.iter().map(|shard| shard.handle.clone());
        Pulse::new(connections.collect(), self.media.clone())
    }

    /// For who ends them.
    pub fn streams(&self) -> Streams {
        Streams(self.media.clone())
    }
}

/// Ends the loops; what still runs in them is dropped.
impl Drop for Shards {
    fn drop(&mut self) {
        self.stop.cancel();
        self.media.iter().for_each(|media| media.end());
        for thread in self.threads.drain(..) {
            // A panic there was told by its own thread.
            let _ = thread.join();
        }
    }
}
