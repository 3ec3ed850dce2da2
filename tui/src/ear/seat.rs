//! The paired monitor, at the desk: what it says goes to the player, and what the player says goes back. Frames are put
//! into inlets as a relay's connection would put them; nothing here touches a sample.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::link::{Cut, Reader, Writer};
use super::wire::{ToDesk, ToMonitor};
use super::{BEAT, SILENCE};
use crate::audio::desk::Wanted;
use crate::audio::player::{Heard, Inlet, Player, Stats};
use crate::event::{Column, Device, DeviceInfo};

/// How often it is looked what has become of what is heard: the player writes it down as often.
const LOOK: Duration = Duration::from_millis(100);

/// Answers that wait to be sent; a monitor that asks more before one is sent gets no more.
const ANSWERS: usize = 16;

/// Cards that are listed, at most: all that a piece has room for, and more than anybody chooses from.
const DEVICES: usize = 128;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The monitor has ended.
    Left,
    /// The link is no more, and may come back.
    Cut(Cut),
}

/// What the player says of its device, for who comes to hear it.
#[derive(Default)]
pub(super) struct Spoken {
    device: Mutex<Device>,
    /// The cards that there are, where somebody has asked.
    devices: Mutex<Option<Vec<DeviceInfo>>>,
    is_new: Notify,
}

impl Spoken {
    /// Called by the player.
    pub(super) fn device(&self, device: &Device) {
        *self.device.lock().unwrap_or_else(PoisonError::into_inner) = device.clone();
        self.is_new.notify_one();
    }

    /// Called by the player.
    pub(super) fn devices(&self, mut devices: Vec<DeviceInfo>) {
        devices.truncate(DEVICES);
        *self.devices.lock().unwrap_or_else(PoisonError::into_inner) = Some(devices);
        self.is_new.notify_one();
    }

    fn asked(&self) -> Option<Vec<DeviceInfo>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn now(&self) -> Device {
        self.device.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The sound of this desk.
#[derive(Clone)]
pub(super) struct Sound {
    player: Arc<Mutex<Player>>,
    pub(super) spoken: Arc<Spoken>,
    /// The newest generation before this monitor: it counts from 1, and nothing of who was here before may be its.
    pub(super) before: u64,
    /// The card that the desk was given, and what this monitor has chosen instead.
    own: Option<String>,
    chosen: Arc<Mutex<Option<Option<String>>>>,
}

/// Serves the monitor until the link, the monitor or the desk ends. `thanks` is called when it has its key.
pub(super) async fn serve<R, W>(
    sound: Sound,
    mut reader: Reader<R>,
    mut writer: Writer<W>,
    stop: CancellationToken,
    thanks: impl Fn() + Send + Sync,
) -> End
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (answer, answers) = mpsc::channel(ANSWERS);
    let end = tokio::select! {
        end = listen(&sound, &mut reader, &answer, thanks) => end,
        cut = speak(&sound, &mut writer, answers) => End::Cut(cut),
        () = stop.cancelled() => End::Left,
    };
    if stop.is_cancelled() {
        writer.add(|out| ToMonitor::Bye.put(out));
        let _ = writer.flush().await;
    }
    writer.close().await;
    end
}

/// What the monitor says, done.
async fn listen<R: AsyncRead + Unpin>(
    sound: &Sound,
    reader: &mut Reader<R>,
    answer: &mpsc::Sender<ToMonitor>,
    thanks: impl Fn() + Send + Sync,
) -> End {
    let mut inlets: Vec<Inlet> = Vec::new();
    loop {
        let message = match reader.next().await {
            Ok(message) => message,
            Err(cut) => return End::Cut(cut),
        };
        match ToDesk::read(message, Instant::now()) {
            Ok(Some(ToDesk::Heard(generation, heard))) => {
                put(sound, &mut inlets, sound.before.wrapping_add(generation), heard);
            }
            Ok(Some(ToDesk::Wanted(wanted))) => {
                sound.want(*wanted);
                let wanted = sound.player().wanted();
                inlets.retain(|inlet| wanted.seat(inlet.generation()).is_some());
            }
            Ok(Some(ToDesk::Ping(id))) => drop(answer.try_send(ToMonitor::Pong(id))),
            Ok(Some(ToDesk::ListDevices)) => sound.player().list_devices(),
            Ok(Some(ToDesk::UseDevice(device))) => sound.use_device(device),
            Ok(Some(ToDesk::Thanks)) => thanks(),
            Ok(Some(ToDesk::Bye)) => return End::Left,
            Ok(Some(ToDesk::Hello) | None) => {}
            Err(_) => return End::Cut(Cut::Broken),
        }
    }
}

/// Puts what is heard where it belongs; what belongs nowhere was on its way when its call was left.
fn put(sound: &Sound, inlets: &mut Vec<Inlet>, generation: u64, heard: Heard) {
    if !inlets.iter().any(|inlet| inlet.generation() == generation) {
        inlets.extend(sound.player().inlet(generation));
    }
    if let Some(inlet) = inlets.iter_mut().find(|inlet| inlet.generation() == generation) {
        inlet.put(heard);
    }
}

impl Sound {
    pub(super) fn new(player: Player, spoken: Arc<Spoken>, own: Option<String>) -> Sound {
        Sound {
            player: Arc::new(Mutex::new(player)),
            spoken,
            before: 0,
            own,
            chosen: Arc::default(),
        }
    }

    /// Another monitor begins: nothing of the last one's is left.
    pub(super) fn begin(&mut self) {
        let player = self.player();
        player.stop();
        let before = player.wanted().newest;
        drop(player);
        self.before = before;
        if self.lock_chosen().take().is_some() {
            self.player().use_device(self.own.clone());
        }
    }

    /// The monitor has chosen a card. One that it has already is not opened anew: it says so again when it comes back.
    fn use_device(&self, device: Option<String>) {
        let before = self.lock_chosen().replace(device.clone());
        if before.as_ref() == Some(&device) {
            self.spoken.is_new.notify_one();
        } else {
            self.player().use_device(device);
        }
    }

    fn lock_chosen(&self) -> MutexGuard<'_, Option<Option<String>>> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The player; none of its methods waits, so neither does who comes next.
    pub(super) fn player(&self) -> MutexGuard<'_, Player> {
        self.player.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes it as the monitor wants it. What is over, the inlets know: that came in its order with the frames.
    fn want(&self, mut new: Wanted) {
        let here = |generation: u64| self.before.wrapping_add(generation);
        for seat in new.seats.iter_mut().flatten() {
            seat.generation = here(seat.generation);
        }
        new.front = here(new.front);
        new.newest = here(new.newest);
        self.player().want(|wanted| {
            for seat in new.seats.iter_mut().flatten() {
                seat.over = wanted.seat(seat.generation).is_some_and(|old| old.over);
            }
            *wanted = new;
        });
    }
}

/// What there is to say, said; until it cannot be.
async fn speak<W: AsyncWrite + Unpin>(
    sound: &Sound,
    writer: &mut Writer<W>,
    mut answers: mpsc::Receiver<ToMonitor>,
) -> Cut {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut told, mut said) = (None, Instant::now());
    let mut state = Told::default();
    loop {
        let mut messages = tokio::select! {
            Some(answer) = answers.recv() => vec![answer],
            () = sound.spoken.is_new.notified() => Vec::new(),
            _ = look.tick() => state.look(&sound.player()),
        };
        messages.extend(sound.spoken.asked().map(ToMonitor::Devices));
        let device = sound.spoken.now();
        if told.as_ref() != Some(&device) {
            messages.push(ToMonitor::Device(device.clone()));
            told = Some(device);
        }
        if messages.is_empty() && said.elapsed() >= BEAT {
            messages.push(ToMonitor::Beat);
        }
        if messages.is_empty() {
            continue;
        }
        said = Instant::now();
        for message in &messages {
            if !writer.add(|out| message.put(out)) {
                if let Err(cut) = writer.flush().await {
                    return cut;
                }
                writer.add(|out| message.put(out));
            }
        }
        if let Err(cut) = writer.flush().await {
            return cut;
        }
    }
}

/// What was said of what is heard.
#[derive(Default)]
struct Told {
    stats: Option<Stats>,
    customer: Vec<Column>,
    agent: Vec<Column>,
}

impl Told {
    /// What is new.
    fn look(&mut self, player: &Player) -> Vec<ToMonitor> {
        let mut new = Vec::new();
        let stats = player.stats();
        if self.stats != Some(stats) {
            self.stats = Some(stats);
            new.push(ToMonitor::Stats(Box::new(stats)));
        }
        player.columns(&mut self.customer, &mut self.agent);
        if !self.customer.is_empty() {
            let both = self.customer.drain(..).zip(self.agent.drain(..));
            new.push(ToMonitor::Columns(both.collect()));
        }
        new
    }
}

const _: () = assert!(BEAT.as_millis() * 4 < SILENCE.as_millis());
