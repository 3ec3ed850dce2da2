//! The desk: listens for a monitor, and plays what it hears. One at a time; whoever else comes is refused and told.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::door::{Door, Entry, KEPT};
use super::guests::{Guest, Guests, Proven, at};
use super::link::Cut;
use super::seat::{End, Sound, Spoken, serve};
use super::wire::ToMonitor;
use crate::audio::player::{Player, Settings};
use crate::event::{Device, FromSound};
use crate::failure::Failure;

/// Guests of whom something is to be told; they wait where the desk is busy.
const WAITING: usize = 4;

/// Where the system gives no socket, it is asked again so soon.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);

/// How long a word to who is not served may take.
const LAST_WORD: Duration = Duration::from_millis(500);

/// What happens at the desk, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// This code leads in, from now on.
    Code(String),
    /// A monitor is here.
    Paired,
    /// It is here again.
    Back,
    /// Its link is gone; it may come back.
    Lost(Cut),
    /// It did not, and its calls are closed.
    Closed,
    /// It has ended.
    Left,
    /// Another monitor was refused.
    Refused,
    /// A wrong code was tried.
    Wrong,
    /// So often in a row that there is another code.
    TooOften,
    /// Of the sound card.
    Device(Device),
}

/// The desk.
pub struct Desk {
    listener: TcpListener,
    door: Arc<Mutex<Door>>,
}

/// The monitor's place.
enum Place {
    /// Nobody's.
    Free,
    /// Somebody is served.
    Served(JoinHandle<End>),
    /// Its link is gone, and its calls are closed then.
    Kept(Instant),
    /// Its calls are closed.
    Closed,
}

impl Desk {
    /// Listens there.
    ///
    /// # Errors
    /// [`Failure::Failed`] where it cannot.
    pub async fn open(listen: &str) -> Result<Desk, Failure> {
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            Failure::Failed(format!(
                "cannot listen on {listen}: {error}; --listen takes another address"
            ))
        })?;
        Ok(Desk {
            listener,
            door: Arc::new(Mutex::new(Door::new())),
        })
    }

    /// Where.
    ///
    /// # Errors
    /// [`Failure::Failed`] where the system does not say.
    pub fn addr(&self) -> Result<std::net::SocketAddr, Failure> {
        let addr = self.listener.local_addr();
        addr.map_err(|error| Failure::Failed(format!("the system does not say where this listens: {error}")))
    }

    /// The code that leads in now.
    pub fn code(&self) -> String {
        at(&self.door).code().shown()
    }

    /// Plays what monitors hear, until `stop`. `tell` must not wait.
    pub async fn run(
        self,
        settings: Settings,
        stop: CancellationToken,
        tell: impl Fn(Told) + Send + Sync + 'static,
    ) {
        let tell: Arc<dyn Fn(Told) + Send + Sync> = Arc::new(tell);
        let spoken = Arc::new(Spoken::default());
        let (speak, to_tell) = (spoken.clone(), tell.clone());
        let own = settings.device.clone();
        let player = Player::start(settings, move |said| match said {
            FromSound::Device(device) => {
                speak.device(&device);
                to_tell(Told::Device(device));
            }
            FromSound::Devices(devices) => speak.devices(devices),
            // Those are fetched.
            FromSound::Playback(_) | FromSound::Columns { .. } => {}
        });
        let (tell_guest, mut guests_told) = mpsc::channel(WAITING);
        let mut guests = Guests::new(self.door.clone(), tell_guest);
        let mut room = Room {
            door: self.door,
            sound: Sound::new(player, spoken, own),
            place: Place::Free,
            tell,
            stop: stop.clone(),
        };
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => guests.welcome(stream),
                    Err(_) => sleep(ACCEPT_RETRY).await,
                },
                Some(guest) = guests_told.recv() => match guest {
                    Guest::Proven(proven) => room.enter(*proven).await,
                    Guest::Wrong { renewed } => room.wrong(renewed),
                },
                end = room.place.changes() => room.on_end(end),
            }
        }
        // It says goodbye by itself.
        if let Place::Served(service) = room.place {
            let _ = timeout(LAST_WORD, service).await;
        }
    }
}

impl Place {
    /// When something becomes of it by itself: how a service ended, or nothing where the time is over.
    async fn changes(&mut self) -> Option<End> {
        match self {
            Place::Served(task) => Some(task.await.unwrap_or(End::Cut(Cut::Broken))),
            Place::Kept(until) => {
                sleep_until((*until).into()).await;
                None
            }
            Place::Free | Place::Closed => pending().await,
        }
    }
}

struct Room {
    door: Arc<Mutex<Door>>,
    sound: Sound,
    place: Place,
    tell: Arc<dyn Fn(Told) + Send + Sync>,
    stop: CancellationToken,
}

impl Room {
    /// Somebody knew the secret.
    async fn enter(&mut self, mut guest: Proven) {
        let entry = at(&self.door).enter(guest.kind, &guest.secret, Instant::now());
        let (word, told) = match entry {
            Entry::Welcome(key) => (ToMonitor::Welcome(key), Told::Paired),
            Entry::Back => (ToMonitor::Back, Told::Back),
            Entry::Taken => {
                (self.tell)(Told::Refused);
                tokio::spawn(async move {
                    guest.writer.add(|out| ToMonitor::Taken.put(out));
                    let _ = timeout(LAST_WORD, guest.writer.flush()).await;
                    guest.writer.close().await;
                });
                return;
            }
        };
        // The same monitor: its old link is dead, and the system has not said so yet.
        if let Place::Served(old) = std::mem::replace(&mut self.place, Place::Free) {
            old.abort();
            let _ = old.await;
        }
        let is_back = told == Told::Back;
        if told == Told::Paired {
            self.sound.begin();
        }
        (self.tell)(told);
        let (door, tell) = (self.door.clone(), self.tell.clone());
        let thanks = move || {
            let mut door = at(&door);
            if door.on_thanks() {
                tell(Told::Code(door.code().shown()));
            }
        };
        if is_back {
            // Who comes by the key has it, whatever became of its thanks.
            thanks();
        }
        let (sound, stop) = (self.sound.clone(), self.stop.clone());
        self.place = Place::Served(tokio::spawn(async move {
            guest.writer.add(|out| word.put(out));
            drop(word);
            serve(sound, guest.reader, guest.writer, stop, thanks).await
        }));
    }

    fn wrong(&self, renewed: bool) {
        (self.tell)(Told::Wrong);
        if renewed {
            (self.tell)(Told::TooOften);
            (self.tell)(Told::Code(at(&self.door).code().shown()));
        }
    }

    fn on_end(&mut self, end: Option<End>) {
        let now = Instant::now();
        let (place, told) = match end {
            Some(End::Left) => {
                at(&self.door).on_left();
                self.sound.player().stop();
                (Place::Free, Told::Left)
            }
            Some(End::Cut(cut)) => {
                at(&self.door).on_away(now);
                (Place::Kept(now + KEPT), Told::Lost(cut))
            }
            None => {
                // What is remembered of the calls is overwritten.
                self.sound.player().stop();
                (Place::Closed, Told::Closed)
            }
        };
        self.place = place;
        (self.tell)(told);
    }
}
