//! Who owns the sound card: a thread of its own, since opening, closing and asking a device may take long, or
//! for ever. It opens only while a call is heard, so that the sound server may sleep; looks after what is
//! open; and comes back when the card does. What exactly a device is it leaves to a `Backend`.
//!
//! Every failure means the same: no sound now, and another try, for ever. Each reason is told once. A device that
//! was chosen and is not there is waited for: nothing plays on another one, whose owner may not want to hear it.
//! Where none was chosen the system's default is followed.

// Without a card nobody starts the thread that looks after one.
#![cfg_attr(not(feature = "device"), allow(dead_code))]

#[cfg(feature = "device")]
mod card;
#[cfg(feature = "device")]
mod errand;
#[cfg(all(feature = "device", target_os = "linux"))]
mod hush;
mod retry;
mod wish;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::output::{Health, Line};
use crate::event::Device;
pub use crate::event::DeviceInfo;

#[cfg(feature = "device")]
pub(super) use card::Card;
#[cfg(feature = "device")]
pub use card::devices;
use retry::Retry;
use wish::Wanted;
pub(super) use wish::Wish;

/// How often an open device is looked after.
const POLL: Duration = Duration::from_millis(50);

/// Looks without a callback in between after which a device has died: 1.5 s. Counted in looks, since a
/// program that was stopped and continued has looked no more often than its device was asked.
const STILL: u32 = 30;

/// Looks for which a device stays open that nobody wants: 3 s, so that going from call to call costs nothing.
const LINGER: u32 = 60;

/// Looks between two at whether the system's default is another device by now: a second, since somebody has just
/// moved there and listens.
const DEFAULT_EVERY: u32 = 20;

/// How long quitting waits for the device to be closed: that takes 1 or 2 ms, unless the device hangs.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The devices that sound could go to; none in a program that was built without.
#[cfg(not(feature = "device"))]
pub fn devices() -> Vec<DeviceInfo> {
    Vec::new()
}

/// How devices are opened; it is used by one thread only.
pub(super) trait Backend: 'static {
    /// What plays as long as it lives.
    type Stream;
    /// Whether there is a device, without playing: its name, or why not.
    fn probe(&mut self) -> Result<String, String>;
    /// Opens it and plays, or says why not, for a person.
    fn open(&mut self, clock: Instant) -> Result<Opened<Self::Stream>, String>;
    /// From now on this device is meant, or the system's default; by name or id.
    fn choose(&mut self, _device: Option<String>) {}
    /// Whether the default is what is meant, and is another one now than the one that was opened.
    fn has_moved(&mut self) -> bool {
        false
    }
    /// Nothing is to be played: what is still being opened is let go.
    fn rest(&mut self) {}
}

/// What plays now.
pub(super) struct Opened<S> {
    pub(super) stream: S,
    pub(super) name: String,
    pub(super) line: Line,
}

/// Told of the device; must not wait.
pub(super) type Tell = Arc<dyn Fn(Device) + Send + Sync>;

/// Where the way to the device goes; `None` where there is none any more, or still none.
pub(super) type Deliver = Box<dyn Fn(Option<Line>) + Send>;

/// The thread, as its owner holds it.
pub(super) struct Owned {
    wish: Arc<Wish>,
    ended: mpsc::Receiver<()>,
}

impl Owned {
    /// Whether a device is wanted.
    pub(super) fn wish(&self) -> Arc<Wish> {
        self.wish.clone()
    }

    /// Plays on this device from now on, by name or id; on the system's default without.
    pub(super) fn choose(&self, device: Option<String>) {
        self.wish.choose(device);
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.wish.quit();
        // A device that hangs is left to the end of the process.
        let _ = self.ended.recv_timeout(LAST_WORDS);
    }
}

/// Starts the thread; `None` where the system has none for us.
pub(super) fn start<B: Backend>(
    make: impl FnOnce() -> B + Send + 'static,
    clock: Instant,
    tell: Tell,
    deliver: Deliver,
) -> Option<Owned> {
    let wish = Arc::new(Wish::default());
    let (end, ended) = mpsc::sync_channel(1);
    let keeper_wish = wish.clone();
    let thread = std::thread::Builder::new().name("device".to_owned());
    let started = thread.spawn(move || {
        let mut keeper = Keeper {
            // Made here: what it sets up may hold for its own thread only.
            backend: make(),
            clock,
            tell,
            deliver,
            told: Device::Unknown,
            open: None,
            retry: Retry::default(),
            next_try: None,
        };
        keeper.probe();
        while keeper.step(&keeper_wish) {}
        drop(keeper);
        let _ = end.send(());
    });
    started.ok().map(|_| Owned { wish, ended })
}

struct Keeper<B: Backend> {
    backend: B,
    clock: Instant,
    tell: Tell,
    deliver: Deliver,
    told: Device,
    open: Option<Open<B::Stream>>,
    retry: Retry,
    next_try: Option<Instant>,
}

struct Open<S> {
    /// What plays as long as it is held.
    _stream: S,
    name: String,
    health: Arc<Health>,
    calls: u64,
    /// Looks since the last callback.
    still: u32,
    /// Looks since it was last wanted.
    unwanted: u32,
    /// Looks since it was last seen to be the default.
    unseen: u32,
}

impl<B: Backend> Keeper<B> {
    fn probe(&mut self) {
        let told = match self.backend.probe() {
            Ok(name) => Device::Ready { name },
            Err(why) => Device::Missing { why },
        };
        self.tell(told);
    }

    /// Waits for a wish or a time, and acts; `false` at the end.
    fn step(&mut self, wish: &Wish) -> bool {
        let wait = if self.open.is_some() {
            Some(POLL)
        } else {
            self.next_try
                .map(|at| at.saturating_duration_since(Instant::now()))
        };
        let Some(Wanted { is_wanted, chosen }) = wish.wait(wait) else {
            return false;
        };
        if let Some(device) = chosen {
            self.change(device, is_wanted);
            return true;
        }
        match &mut self.open {
            Some(open) => match open.look(is_wanted) {
                Look::Fine => {}
                Look::Default if self.backend.has_moved() => self.reopen(),
                Look::Default => {}
                Look::Dead => self.lost(),
                Look::Unwanted => self.close(),
            },
            None if !is_wanted => {
                self.backend.rest();
                self.retry = Retry::default();
                self.next_try = None;
            }
            None => {
                if self.next_try.is_none_or(|at| at <= Instant::now()) {
                    self.try_open();
                }
            }
        }
        true
    }

    fn try_open(&mut self) {
        match self.backend.open(self.clock) {
            Ok(Opened { stream, name, line }) => {
                let (health, rate) = (line.health().clone(), line.rate);
                self.open = Some(Open {
                    _stream: stream,
                    name: name.clone(),
                    calls: health.calls.load(Relaxed),
                    health,
                    still: 0,
                    unwanted: 0,
                    unseen: 0,
                });
                self.retry = Retry::default();
                self.next_try = None;
                (self.deliver)(Some(line));
                self.tell(Device::Open { name, rate });
            }
            Err(why) => {
                (self.deliver)(None);
                self.tell(Device::Missing { why });
                self.wait();
            }
        }
    }

    /// The next try is in a while.
    fn wait(&mut self) {
        self.next_try = Some(Instant::now() + self.retry.next(rand::random()));
    }

    /// Somebody chose: the old one is closed and the new one opened, or looked at where nothing is to be played.
    fn change(&mut self, device: Option<String>, is_wanted: bool) {
        (self.deliver)(None);
        self.open = None;
        self.backend.rest();
        self.backend.choose(device);
        self.retry = Retry::default();
        self.next_try = None;
        // What comes of it is an answer, also where it is what was said before.
        self.told = Device::Unknown;
        if is_wanted {
            self.try_open();
        } else {
            self.probe();
        }
    }

    /// The system's default is another device: there, at once.
    fn reopen(&mut self) {
        (self.deliver)(None);
        self.open = None;
        self.try_open();
    }

    fn lost(&mut self) {
        // First the word, since dropping may wait for a write that never ends.
        (self.deliver)(None);
        if let Some(open) = self.open.take() {
            let why = format!("{} has gone", open.name);
            self.tell(Device::Missing { why });
        }
        self.wait();
    }

    fn close(&mut self) {
        (self.deliver)(None);
        if let Some(open) = self.open.take() {
            self.tell(Device::Ready { name: open.name });
        }
    }

    fn tell(&mut self, device: Device) {
        if device != self.told {
            self.told = device.clone();
            (self.tell)(device);
        }
    }
}

enum Look {
    Fine,
    /// It is time to look whether it is still the default.
    Default,
    Dead,
    Unwanted,
}

impl<S> Open<S> {
    fn look(&mut self, wanted: bool) -> Look {
        let calls = self.health.calls.load(Relaxed);
        self.still = if calls == self.calls { self.still + 1 } else { 0 };
        self.calls = calls;
        self.unwanted = if wanted { 0 } else { self.unwanted + 1 };
        self.unseen = (self.unseen + 1) % DEFAULT_EVERY;
        if self.health.dead.load(Relaxed) || self.still >= STILL {
            Look::Dead
        } else if self.unwanted >= LINGER {
            Look::Unwanted
        } else if self.unseen == 0 {
            Look::Default
        } else {
            Look::Fine
        }
    }
}

#[cfg(test)]
mod tests;
