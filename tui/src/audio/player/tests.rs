//! The player in real time, with a card of the test's own or without any. Times are waited for, not judged.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::audio::g711;
use partyline_shared::track::{self, Track};

use super::super::desk::Seat;
use super::super::device::{Backend, Opened};
use super::super::output::{Frame, Output, pair};
use super::*;
use crate::event::{Ears, Playing, Side, Sides};

/// For what takes a second at most on a machine that may be busy.
const DEADLINE: Duration = Duration::from_secs(20);

/// Each side on one ear alone, to be compared.
const WIDE: Mix = Mix {
    volume_db: 0,
    muted: false,
    sides: Sides::Both,
    customer: AS_IT_IS,
    agent: AS_IT_IS,
    ears: Ears::Wide,
    auto_level: false,
};
const AS_IT_IS: Side = Side {
    gain_db: 0,
    muted: false,
};

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
    inlet: Inlet,
    chunk: u32,
    next: Instant,
}

impl Voice {
    fn new(inlet: Inlet) -> Voice {
        Voice {
            inlet,
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
                self.inlet.put(Heard::Frame {
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
    let mut voice = Voice::new(player.hear(track::roles(Track::Outbound), WIDE));
    until_state(&told, Playing::Waiting);
    voice.say(30);
    until_state(&told, Playing::Live);
    voice.inlet.put(Heard::Over);
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
    let mut voice = Voice::new(player.hear(track::roles(Track::Outbound), WIDE));
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
    voice.inlet.put(Heard::Over);
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
    let mut voice = Voice::new(player.hear(track::roles(Track::Outbound), WIDE));
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
    // Another call is heard instead: what the first one's inlet brings is nobody's any more.
    let mut other = Voice::new(player.hear(track::roles(Track::Inbound), WIDE));
    until_state(&told, Playing::Waiting);
    heard(&player);
    voice.say(10);
    assert!(heard(&player).0.is_empty());
    other.inlet.put(Heard::Over);
    until_state(&told, Playing::Over);
}

/// A worker that does not come along costs frames, which are counted, and never the word that it is over.
#[test]
fn what_there_is_no_room_for_is_dropped_and_counted() {
    let (queue, waiting) = sync_channel(1);
    let shared = Arc::new(Shared {
        desk: Desk::new(),
        shelf: Arc::default(),
        scope: Arc::new(Scope::new()),
        dropped_ms: AtomicU64::new(0),
        stats: Mutex::default(),
    });
    shared
        .desk
        .want(|wanted| wanted.seats[0] = Some(Seat::new(1, track::roles(Track::Outbound))));
    let inlet = inlet(shared.clone(), queue, 1, Kept::new());
    let mut voice = Voice::new(inlet);
    voice.say(2);
    voice.inlet.put(Heard::Over);
    assert_eq!(shared.dropped_ms.load(Relaxed), 60);
    assert!(shared.desk.wanted().seat(1).unwrap().over);
    drop(waiting);
}

/// Back, and a clip of what was said then; a second call in front, and the first one left.
#[test]
fn one_goes_back_keeps_what_was_said_and_hears_another_call_too() {
    let (tell, told) = told();
    let settings = Settings {
        silent: true,
        ..Settings::default()
    };
    let player = Player::start(settings, move |said| tell(said));
    assert_eq!(player.heard_at(), None);
    let mut voice = Voice::new(player.hear(track::roles(Track::Outbound), Mix::default()));
    let first = voice.inlet.generation();
    let zero_ms = 1_700_000_000_000;
    voice.inlet.put(Heard::Stream {
        zero_ms: Some(zero_ms),
    });
    voice.say(60);
    until_state(&told, Playing::Live);
    let all = player.clip(first, 60_000).unwrap();
    assert_eq!((all.from_ms, all.to_ms), (zero_ms + 20, zero_ms + 1_220));
    assert!(all.tracks.inbound.iter().all(|byte| *byte == g711::encode(8_000)));
    assert!(player.playback().delay_ms.is_some());
    player.seek(-1_000);
    until_state(&told, Playing::Behind);
    assert_eq!(player.playback().delay_ms, None, "it is not live");
    voice.say(10);
    let heard = player.heard_at().unwrap();
    assert!((zero_ms..zero_ms + 900).contains(&heard), "{heard}");
    let clip = player.clip(first, 60_000).unwrap();
    assert!((clip.to_ms - heard).abs() < 200, "{clip:?} up to {heard}");
    assert!(player.playback().behind_ms > 800);
    let (inlet, gone) = player.also(track::roles(Track::Outbound));
    assert_eq!(gone, None);
    let mut other = Voice::new(inlet);
    other.say(20);
    until_state(&told, Playing::Live);
    player.front(first);
    until_state(&told, Playing::Behind);
    player.leave(first);
    until_state(&told, Playing::Live);
    assert!(player.clip(first, 60_000).is_none(), "it is forgotten");
    voice.say(1);
    player.stop();
    until_state(&told, Playing::Idle);
    assert!(player.clip(other.inlet.generation(), 60_000).is_none());
}

#[test]
fn what_is_remembered_is_overwritten_at_the_end_whoever_still_holds_it() {
    let settings = Settings {
        silent: true,
        ..Settings::default()
    };
    let player = Player::start(settings, |_| {});
    let mut inlet = player.hear(track::roles(Track::Outbound), Mix::default());
    let kept = player.shared.shelf.get(inlet.generation()).unwrap();
    let mut say = |chunk: u32| {
        let frame = AudioFrame::new(Track::Inbound, 1, chunk, chunk * 20, &[7; 160]);
        let arrived = Instant::now();
        inlet.put(Heard::Frame { frame, arrived });
    };
    say(1);
    assert!(kept.lock().clip(1_000).is_some());
    drop(player);
    assert!(kept.lock().clip(1_000).is_none());
    say(2);
    assert!(kept.lock().clip(1_000).is_none(), "it takes nothing more");
}
