//! The player in real time, with a card of the test's own or without any. Times are waited for, not judged.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use partyline_shared::audio::g711;
use partyline_shared::track;

use super::super::device::{Backend, Opened};
use super::super::output::{Frame, Output, pair};
use super::*;
use crate::event::Playing;

/// For what takes a second at most on a machine that may be busy.
const DEADLINE: Duration = Duration::from_secs(20);

/// A frame.
const FRAME: Duration = Duration::from_millis(20);

/// A card that plays in real time into a list, as long as it is plugged in.
#[derive(Clone, Default)]
struct Card {
    heard: Arc<Mutex<Vec<Frame>>>,
    unplugged: Arc<Mutex<bool>>,
}

struct Stream {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.stop = None;
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Card {
    fn play(self, mut output: Output, stop: &Receiver<()>) {
        let begun = Instant::now();
        let mut out = [0.0f32; 2 * 960];
        for period in 1.. {
            output.fill(&mut out, 2);
            self.heard.lock().unwrap().extend(out.as_chunks::<2>().0);
            if *self.unplugged.lock().unwrap() {
                output.health().dead.store(true, Relaxed);
                return;
            }
            let due = (begun + FRAME * period).saturating_duration_since(Instant::now());
            if stop.recv_timeout(due) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }
}

impl Backend for Card {
    type Stream = Stream;

    fn probe(&mut self) -> Result<String, String> {
        Ok("Fake".to_owned())
    }

    fn open(&mut self, clock: Instant) -> Result<Opened<Stream>, String> {
        if *self.unplugged.lock().unwrap() {
            return Err("no sound device".to_owned());
        }
        let (output, line) = pair(48_000, 960, clock);
        let (stop, stopped) = sync_channel(1);
        let card = self.clone();
        let thread = std::thread::spawn(move || card.play(output, &stopped));
        let stream = Stream {
            stop: Some(stop),
            thread: Some(thread),
        };
        Ok(Opened {
            stream,
            name: "Fake".to_owned(),
            line,
        })
    }
}

fn told() -> (Tell, Receiver<FromSound>) {
    let (tell, told) = sync_channel(1000);
    (Arc::new(move |said| tell.send(said).unwrap()), told)
}

#[track_caller]
fn until(told: &Receiver<FromSound>, wanted: impl Fn(&FromSound) -> bool) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if wanted(&told.recv_timeout(left).expect("it is told")) {
            return;
        }
    }
}

#[track_caller]
fn until_state(told: &Receiver<FromSound>, state: Playing) {
    until(
        told,
        |said| matches!(said, FromSound::Playback(playback) if playback.state == state),
    );
}

#[track_caller]
fn until_device(told: &Receiver<FromSound>, device: &Device) {
    until(
        told,
        |said| matches!(said, FromSound::Device(said) if said == device),
    );
}

/// Says so many frames on both tracks in real time: the inbound one at a constant level, which is heard
/// as one where nothing is lost, the outbound one silent.
struct Voice {
    ear: Ear,
    chunk: u32,
    next: Instant,
}

impl Voice {
    fn new(ear: Ear) -> Voice {
        Voice {
            ear,
            chunk: 0,
            next: Instant::now(),
        }
    }

    fn say(&mut self, frames: u32) {
        let (_never, waits) = sync_channel::<()>(1);
        // Nothing was said since, and is not made up for.
        self.next = self.next.max(Instant::now());
        for _ in 0..frames {
            let due = self.next.saturating_duration_since(Instant::now());
            self.next += FRAME;
            assert_eq!(waits.recv_timeout(due), Err(RecvTimeoutError::Timeout));
            self.chunk += 1;
            let at = self.chunk * 20;
            for (track, sample) in [(Track::Inbound, 8_000), (Track::Outbound, 0)] {
                let frame = AudioFrame::new(track, 7, self.chunk, at, &[g711::encode(sample); 160]);
                self.ear.put(Heard::Frame {
                    frame,
                    arrived: Instant::now(),
                });
            }
        }
    }
}

fn heard(player: &Player) -> (Vec<Column>, Vec<Column>) {
    let (mut customer, mut agent) = (Vec::new(), Vec::new());
    player.columns(&mut customer, &mut agent);
    (customer, agent)
}

/// No card: everything but the sound.
#[test]
fn without_a_device_meters_and_states_go_on() {
    let (tell, told) = told();
    let settings = Settings {
        silent: true,
        ..Settings::default()
    };
    let player = Player::start(settings, move |said| tell(said));
    until_device(&told, &Device::Off);
    let mut voice = Voice::new(player.hear(track::roles(Track::Outbound), Mix::default()));
    until_state(&told, Playing::Waiting);
    voice.say(30);
    until_state(&told, Playing::Live);
    voice.ear.put(Heard::Over);
    until_state(&told, Playing::Over);
    let (customer, agent) = heard(&player);
    let loud = customer.iter().filter(|column| column.high > 25).count();
    assert!((20..=40).contains(&loud), "{loud} of 30 columns");
    assert_eq!(agent.len(), customer.len());
    assert!(agent.iter().all(|column| column.high == 0));
    assert!(player.stats().all.frames > 30);
    player.stop();
    until_state(&told, Playing::Idle);
}

/// Unplugged in the middle of a word, and plugged in again.
#[test]
fn a_card_that_goes_and_comes_back_is_used_again() {
    let card = Card::default();
    let (tell, told) = told();
    let fake = card.clone();
    let player = Player::with(tell, move |clock, tell, deliver| {
        device::start(move || fake, clock, tell, deliver)
    });
    let open = Device::Open {
        name: "Fake".to_owned(),
        rate: 48_000,
    };
    let mut voice = Voice::new(player.hear(track::roles(Track::Outbound), Mix::default()));
    until_device(&told, &open);
    voice.say(30);
    until_state(&told, Playing::Live);
    *card.unplugged.lock().unwrap() = true;
    let gone = |why: &str| Device::Missing { why: why.to_owned() };
    until_device(&told, &gone("Fake has gone"));
    until_device(&told, &gone("no sound device"));
    let before = card.heard.lock().unwrap().len();
    // Meters go on meanwhile.
    heard(&player);
    voice.say(20);
    assert!(heard(&player).0.iter().any(|column| column.high > 25));
    *card.unplugged.lock().unwrap() = false;
    until_device(&told, &open);
    voice.say(40);
    voice.ear.put(Heard::Over);
    until_state(&told, Playing::Over);
    drop(player);
    let heard = card.heard.lock().unwrap();
    for part in [&heard[..before], &heard[before..]] {
        let loud = part
            .iter()
            .filter(|frame| frame[0] > 0.2 && frame[1] == 0.0)
            .count();
        assert!(loud > 4_800, "{loud} samples of the customer, on the left alone");
        let steps = part.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs());
        assert!(steps.fold(0.0, f32::max) < 0.1, "a click");
    }
}

#[test]
fn it_is_held_and_goes_on_or_goes_to_what_is_said_now() {
    let (tell, told) = told();
    let settings = Settings {
        silent: true,
        ..Settings::default()
    };
    let player = Player::start(settings, move |said| tell(said));
    let mut voice = Voice::new(player.hear(track::roles(Track::Outbound), Mix::default()));
    voice.say(20);
    until_state(&told, Playing::Live);
    player.pause(true);
    until_state(&told, Playing::Paused);
    voice.say(40);
    player.pause(false);
    until_state(&told, Playing::Behind);
    player.live();
    until_state(&told, Playing::Live);
    assert!(player.playback().dropped_ms < 2_000);
    // Another call is heard instead: what the first one's ear brings is nobody's any more.
    let mut other = Voice::new(player.hear(track::roles(Track::Inbound), Mix::default()));
    until_state(&told, Playing::Waiting);
    heard(&player);
    voice.say(10);
    assert!(heard(&player).0.is_empty());
    other.ear.put(Heard::Over);
    until_state(&told, Playing::Over);
}

/// A worker that does not come along costs frames, which are counted, and never the word that it is over.
#[test]
fn what_there_is_no_room_for_is_dropped_and_counted() {
    let (queue, waiting) = sync_channel(1);
    let shared = Arc::new(Shared {
        desk: Desk::new(),
        scope: Arc::new(Scope::new()),
        dropped_ms: AtomicU64::new(0),
        stats: Mutex::default(),
    });
    let ear = Ear {
        generation: 0,
        shared: shared.clone(),
        queue,
    };
    let mut voice = Voice::new(ear);
    voice.say(2);
    voice.ear.put(Heard::Over);
    assert_eq!(shared.dropped_ms.load(Relaxed), 60);
    assert_eq!(shared.desk.want(|wanted| wanted.over), Some(0));
    drop(waiting);
}
