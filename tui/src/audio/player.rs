//! The handle on the sound of this machine. Everything behind it runs in threads of its own, so that neither
//! a slow terminal nor a slow network holds a sample up.

mod inlet;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use partyline_shared::audio::FRAME_MS;
use partyline_shared::track::{PerTrack, Role};
use serde::{Deserialize, Serialize};

use super::desk::{Desk, Wanted};
use super::device;
use super::memory::Clip;
use super::memory::shelf::Kept;
use super::scope::{Cursor, Scope};
use super::worker::{Message, Shared, Worker};
use crate::event::{Column, Device, FromSound, Mix, Playback};

pub use super::engine::delays::Spread;
pub use inlet::{Heard, Inlet};

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

/// How a heard call went, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// As the screen shows it.
    pub playback: Playback,
    /// From the socket's read to the callback that takes the sample, every frame that was played live.
    pub all: Spread,
    /// The same without the first 10 s, in which the delay finds its measure.
    pub settled: Spread,
    /// By how much the card's clock is slower than the network's, as far as learnt, ppm.
    pub drift_ppm: f64,
    /// The wall clock of what is heard of the call in front, Unix ms.
    pub heard_at_ms: Option<i64>,
}

/// Told of devices and states; must not wait.
pub(super) type Tell = Arc<dyn Fn(FromSound) + Send + Sync>;

/// The sound of this machine: one call in front, and others behind it. It ends when this is dropped.
pub struct Player {
    shared: Arc<Shared>,
    queue: SyncSender<Message>,
    cursor: Mutex<Cursor>,
    worker: Option<JoinHandle<()>>,
    device: Option<device::Owned>,
    tell: Tell,
    /// Whether the devices are being looked at.
    looking: Arc<AtomicBool>,
}

/// The way from an inlet to the worker.
fn inlet(shared: Arc<Shared>, queue: SyncSender<Message>, generation: u64, memory: Kept) -> Inlet {
    Inlet::new(generation, memory, move |heard| {
        // What the end depends on is written where no full queue can lose it.
        let over = match heard {
            Heard::Over => Some(true),
            Heard::Stream { .. } => Some(false),
            _ => None,
        };
        if let Some(over) = over {
            shared.desk.want(|wanted| {
                if let Some(seat) = wanted.seat_mut(generation) {
                    seat.over = over;
                }
            });
        }
        let put = queue.try_send(Message::Heard(generation, heard));
        // That a stream began or chunks are missing shows in what follows.
        if let Err(TrySendError::Full(Message::Heard(_, Heard::Frame { .. }))) = put {
            shared.dropped_ms.fetch_add(u64::from(FRAME_MS), Relaxed);
        }
    })
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
            shelf: Arc::default(),
            scope: Arc::new(Scope::new()),
            dropped_ms: AtomicU64::new(0),
            stats: Mutex::default(),
        });
        let (to_tell, desk, look) = (tell.clone(), shared.clone(), queue.clone());
        let to_answer = tell.clone();
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
            device,
            tell: to_answer,
            looking: Arc::default(),
        }
    }

    /// Hears a call from now on, instead of all that was heard.
    pub fn hear(&self, roles: PerTrack<Role>, mix: Mix) -> Inlet {
        self.shared.dropped_ms.store(0, Relaxed);
        let generation = self.want(|wanted| wanted.hear(roles, mix));
        self.inlet_of(generation)
    }

    /// Hears a call too, in front of those that are heard; and the generation of the one that had to go, where all
    /// [`super::desk::SEATS`] were taken.
    pub fn also(&self, roles: PerTrack<Role>) -> (Inlet, Option<u64>) {
        let (generation, gone) = self.want(|wanted| wanted.also(roles));
        (self.inlet_of(generation), gone)
    }

    /// A heard call comes to the front; the others are quieter behind it.
    pub fn front(&self, generation: u64) {
        self.want(|wanted| wanted.bring_to_front(generation));
    }

    /// A call is heard no more, and what is remembered of it is overwritten.
    pub fn leave(&self, generation: u64) {
        self.want(|wanted| wanted.leave(generation));
    }

    /// Hears nothing.
    pub fn stop(&self) {
        self.want(Wanted::clear);
    }

    /// Changes what is wanted in any way, for who holds it as a whole: an ear that plays for a monitor elsewhere.
    pub fn want<T>(&self, change: impl FnOnce(&mut Wanted) -> T) -> T {
        let (done, wanted) = self.shared.desk.want(|wanted| (change(wanted), *wanted));
        self.shared.shelf.follow(&wanted);
        // Wakes the worker; where its queue is full it is awake.
        let _ = self.queue.try_send(Message::Look);
        done
    }

    /// What is wanted.
    pub fn wanted(&self) -> Wanted {
        self.shared.desk.wanted()
    }

    /// Where a heard call's audio goes; nothing where it is not heard. Each call has one that is used: who makes
    /// another one puts into the same memory.
    pub fn inlet(&self, generation: u64) -> Option<Inlet> {
        let kept = self.shared.shelf.get(generation)?;
        Some(inlet(self.shared.clone(), self.queue.clone(), generation, kept))
    }

    /// The same for a call that was just wanted. Should another thread have left it meanwhile, it leads nowhere.
    fn inlet_of(&self, generation: u64) -> Inlet {
        let nowhere = || {
            inlet(
                self.shared.clone(),
                self.queue.clone(),
                generation,
                Kept::closed(),
            )
        };
        self.inlet(generation).unwrap_or_else(nowhere)
    }

    /// Holds the sound of the call in front while receiving goes on, or continues where it was held.
    pub fn pause(&self, held: bool) {
        self.want(|wanted| wanted.change_front(|seat| seat.held = held));
    }

    /// Leaves out what lies between what is heard of the call in front and what is said.
    pub fn live(&self) {
        self.want(Wanted::live);
    }

    /// The call in front goes so many ms forward; less is back.
    pub fn seek(&self, ms: i32) {
        self.want(|wanted| wanted.seek(ms));
    }

    /// The call in front goes to what was said then (Unix ms): to the nearest that is remembered.
    pub fn seek_to(&self, unix_ms: i64) {
        self.want(|wanted| wanted.seek_to(unix_ms));
    }

    /// What of the call in front lies behind live is played faster, its pitch kept, or not.
    pub fn fast(&self, fast: bool) {
        self.want(|wanted| wanted.change_front(|seat| seat.fast = fast));
    }

    /// Of what lies behind live of the call in front, silence is left out, or not.
    pub fn skip_silence(&self, skip: bool) {
        self.want(|wanted| wanted.change_front(|seat| seat.skip_silence = skip));
    }

    /// Who is on which track of a heard call.
    pub fn set_roles(&self, generation: u64, roles: PerTrack<Role>) {
        self.want(|wanted| {
            if let Some(seat) = wanted.seat_mut(generation) {
                seat.roles = roles;
            }
        });
    }

    /// How it is to sound; gains ramp.
    pub fn set_mix(&self, mix: Mix) {
        self.want(|wanted| wanted.mix = mix);
    }

    /// The last `ms` of a heard call up to what is heard, where that lies behind live; else up to what came last.
    /// Nothing where nothing came, or it is not heard.
    pub fn clip(&self, generation: u64, ms: u32) -> Option<Clip> {
        self.shared.shelf.get(generation)?.lock().clip(ms)
    }

    /// The wall clock of what is heard now of the call in front, Unix ms; nothing before the first sound.
    pub fn heard_at(&self) -> Option<i64> {
        self.shared.shelf.get(self.wanted().front)?.lock().heard_ms()
    }

    /// Plays on this device from now on, by name or id; on the system's default without. What plays goes on. A device
    /// that is not there is told as [`Device::Missing`], and waited for.
    pub fn use_device(&self, device: Option<String>) {
        if let Some(owned) = &self.device {
            owned.choose(device);
        }
    }

    /// Looks which devices there are, which may take seconds; the answer is told as [`FromSound::Devices`]. Who asks
    /// meanwhile gets the same answer.
    pub fn list_devices(&self) {
        if self.looking.swap(true, Relaxed) {
            return;
        }
        let (tell, looking) = (self.tell.clone(), self.looking.clone());
        let thread = std::thread::Builder::new().name("devices".to_owned());
        let started = thread.spawn(move || {
            let devices = device::devices();
            looking.store(false, Relaxed);
            tell(FromSound::Devices(devices));
        });
        if started.is_err() {
            self.looking.store(false, Relaxed);
            (self.tell)(FromSound::Devices(Vec::new()));
        }
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
}

impl Drop for Player {
    fn drop(&mut self) {
        self.shared.desk.quit();
        let _ = self.queue.try_send(Message::Look);
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
        // Inlets, and a device's thread that hangs, may hold the shelf for longer.
        self.shared.shelf.follow(&Wanted::default());
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
