//! The handle on the sound of this machine. Everything behind it runs in threads of its own, so that neither
//! a slow terminal nor a slow network holds a sample up.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use partyline_shared::audio::FRAME_MS;
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{PerTrack, Role, Track};

use super::device;
use super::scope::{Cursor, Scope};
use super::worker::{Desk, Message, Shared, Worker};
use crate::event::{Column, Device, FromSound, Mix, Playback};

pub use super::worker::Spread;

/// What waits for the worker: 10 s of two tracks out of the relay's memory, at once, and as much again. More
/// than that comes only while the worker stands, and then the newest is dropped.
const QUEUE: usize = 2_048;

/// Which device, and how.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The device's name or id; the system's default without.
    pub device: Option<String>,
    /// Samples a second; the device's own choice without.
    pub rate: Option<u32>,
    /// Do not open any device.
    pub silent: bool,
}

/// What a heard call's connection says.
#[derive(Debug, Clone)]
pub enum Heard {
    /// Another stream begins: its chunks count anew.
    Stream,
    /// A frame, in order of its track.
    Frame {
        /// The frame.
        frame: AudioFrame,
        /// When the socket was read.
        arrived: Instant,
    },
    /// Chunks that will not come.
    Missed {
        /// Of which track.
        track: Track,
        /// The first.
        from: u32,
        /// The last.
        to: u32,
    },
    /// Nothing more comes.
    Over,
}

/// How a heard call went, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// As the screen shows it.
    pub playback: Playback,
    /// From the socket's read to the callback that takes the sample, every frame that was played live.
    pub all: Spread,
    /// The same without the first 10 s, in which the delay finds its measure.
    pub settled: Spread,
    /// By how much the card's clock is slower than the network's, as far as learnt, ppm.
    pub drift_ppm: f64,
}

/// Told of devices and states; must not wait.
pub(super) type Tell = Arc<dyn Fn(FromSound) + Send + Sync>;

/// The sound of this machine; one call is heard at a time. It ends when this is dropped.
pub struct Player {
    shared: Arc<Shared>,
    queue: SyncSender<Message>,
    cursor: Mutex<Cursor>,
    worker: Option<JoinHandle<()>>,
    _device: Option<device::Owned>,
}

/// Where one heard call's audio goes. Putting never waits: what there is no room for is dropped and counted.
pub struct Ear {
    generation: u64,
    shared: Arc<Shared>,
    queue: SyncSender<Message>,
}

impl Ear {
    /// Takes one thing.
    pub fn put(&mut self, heard: Heard) {
        let generation = self.generation;
        // What the end depends on is written where no full queue can lose it.
        let over = match heard {
            Heard::Over => Some(Some(generation)),
            Heard::Stream => Some(None),
            _ => None,
        };
        if let Some(over) = over {
            self.shared.desk.want(|wanted| {
                if wanted.generation == generation {
                    wanted.over = over;
                }
            });
        }
        let put = self.queue.try_send(Message::Heard(generation, heard));
        // That a stream began or chunks are missing shows in what follows.
        if let Err(TrySendError::Full(Message::Heard(_, Heard::Frame { .. }))) = put {
            self.shared.dropped_ms.fetch_add(u64::from(FRAME_MS), Relaxed);
        }
    }
}

impl Player {
    /// Starts the threads; no device is opened before a call is heard. `tell` is called from them whenever the
    /// device or the state of the playback changes, and must not wait.
    pub fn start(settings: Settings, tell: impl Fn(FromSound) + Send + Sync + 'static) -> Player {
        Player::with(Arc::new(tell), |clock, tell, deliver| {
            open_device(settings, clock, tell, deliver)
        })
    }

    /// The same with whatever opens the device.
    fn with(
        tell: Tell,
        open: impl FnOnce(Instant, device::Tell, device::Deliver) -> Option<device::Owned>,
    ) -> Player {
        let clock = Instant::now();
        let (queue, waiting) = sync_channel(QUEUE);
        let shared = Arc::new(Shared {
            desk: Desk::new(),
            scope: Arc::new(Scope::new()),
            dropped_ms: AtomicU64::new(0),
            stats: Mutex::default(),
        });
        let (to_tell, desk, look) = (tell.clone(), shared.clone(), queue.clone());
        let device = open(
            clock,
            Arc::new(move |device| to_tell(FromSound::Device(device))),
            Box::new(move |line| {
                desk.desk.deliver(line);
                let _ = look.try_send(Message::Look);
            }),
        );
        if device.is_none() {
            tell(FromSound::Device(Device::Off));
        }
        let wish = device.as_ref().map(device::Owned::wish);
        let worker = Worker::new(shared.clone(), waiting, clock, tell, wish);
        let thread = std::thread::Builder::new().name("sound".to_owned());
        Player {
            shared,
            queue,
            cursor: Mutex::default(),
            // Without a thread there is no sound and no meter; the rest of the program goes on.
            worker: thread.spawn(move || worker.run()).ok(),
            _device: device,
        }
    }

    /// Hears a call from now on, instead of what was heard.
    pub fn hear(&self, roles: PerTrack<Role>, mix: Mix) -> Ear {
        self.shared.dropped_ms.store(0, Relaxed);
        let generation = self.shared.desk.want(|wanted| {
            wanted.generation += 1;
            wanted.heard = true;
            wanted.held = false;
            wanted.over = None;
            (wanted.roles, wanted.mix) = (roles, mix);
            wanted.generation
        });
        self.look();
        Ear {
            generation,
            shared: self.shared.clone(),
            queue: self.queue.clone(),
        }
    }

    /// Hears nothing.
    pub fn stop(&self) {
        self.shared.desk.want(|wanted| wanted.heard = false);
        self.look();
    }

    /// Holds the sound while receiving goes on, or continues where it was held.
    pub fn pause(&self, held: bool) {
        self.shared.desk.want(|wanted| wanted.held = held);
        self.look();
    }

    /// Leaves out what was held back.
    pub fn live(&self) {
        self.shared.desk.want(|wanted| {
            wanted.held = false;
            wanted.lives += 1;
        });
        self.look();
    }

    /// Who is on which track.
    pub fn set_roles(&self, roles: PerTrack<Role>) {
        self.shared.desk.want(|wanted| wanted.roles = roles);
        self.look();
    }

    /// How it is to sound; gains ramp.
    pub fn set_mix(&self, mix: Mix) {
        self.shared.desk.want(|wanted| wanted.mix = mix);
        self.look();
    }

    /// How it goes now.
    pub fn playback(&self) -> Playback {
        self.stats().playback
    }

    /// How the heard call goes, or the last one went, in numbers; as of a tenth of a second ago.
    pub fn stats(&self) -> Stats {
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was played since the last call of this, oldest first, as many columns for each side.
    pub fn columns(&self, customer: &mut Vec<Column>, agent: &mut Vec<Column>) {
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.scope.read(&mut cursor, customer, agent);
    }

    /// Wakes the worker; where its queue is full it is awake.
    fn look(&self) {
        let _ = self.queue.try_send(Message::Look);
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.shared.desk.want(|wanted| wanted.quit = true);
        self.look();
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

#[cfg(feature = "device")]
fn open_device(
    settings: Settings,
    clock: Instant,
    tell: device::Tell,
    deliver: device::Deliver,
) -> Option<device::Owned> {
    if settings.silent {
        return None;
    }
    device::start(move || device::Card::new(settings), clock, tell, deliver)
}

#[cfg(not(feature = "device"))]
fn open_device(_: Settings, _: Instant, _: device::Tell, _: device::Deliver) -> Option<device::Owned> {
    None
}

#[cfg(test)]
mod tests;
