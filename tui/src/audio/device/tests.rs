//! A device that comes, goes and is not there, played by the test itself: no card is needed, and none is used.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::super::output::{Output, pair};
use super::*;

/// For what takes milliseconds, or a second and a half of silence, on a machine that may be busy.
const DEADLINE: Duration = Duration::from_secs(20);

/// What a machine has: its device comes and goes as the test says, and has another name where another is chosen.
type There = Arc<Mutex<Result<(), String>>>;

struct Fake {
    there: There,
    chosen: Option<String>,
    /// The default is another one than was opened.
    moved: Arc<Mutex<bool>>,
    outputs: SyncSender<Output>,
}

impl Fake {
    fn name(&self) -> String {
        self.chosen.clone().unwrap_or("Fake".to_owned())
    }
}

impl Backend for Fake {
    type Stream = ();

    fn probe(&mut self) -> Result<String, String> {
        self.there.lock().unwrap().clone().map(|()| self.name())
    }

    fn open(&mut self, clock: Instant) -> Result<Opened<()>, String> {
        self.there.lock().unwrap().clone()?;
        let (output, line) = pair(48_000, 960, clock);
        self.outputs.send(output).unwrap();
        Ok(Opened {
            stream: (),
            name: self.name(),
            line,
        })
    }

    fn choose(&mut self, device: Option<String>) {
        self.chosen = device;
    }

    fn has_moved(&mut self) -> bool {
        std::mem::take(&mut *self.moved.lock().unwrap())
    }
}

struct World {
    there: There,
    moved: Arc<Mutex<bool>>,
    outputs: Receiver<Output>,
    told: Receiver<Device>,
    lines: Receiver<Option<Line>>,
    device: Owned,
}

fn world(there: Result<(), &str>) -> World {
    let there = Arc::new(Mutex::new(there.map_err(str::to_owned)));
    let (outputs_in, outputs) = sync_channel(8);
    let (told_in, told) = sync_channel(64);
    let (lines_in, lines) = sync_channel(64);
    let fake = Fake {
        there: there.clone(),
        chosen: None,
        moved: Arc::default(),
        outputs: outputs_in,
    };
    let moved = fake.moved.clone();
    let tell: Tell = Arc::new(move |device| told_in.send(device).unwrap());
    let deliver = Box::new(move |line| lines_in.send(line).unwrap());
    let device = start(move || fake, Instant::now(), tell, deliver).unwrap();
    World {
        there,
        moved,
        outputs,
        told,
        lines,
        device,
    }
}

impl World {
    fn told(&self) -> Device {
        self.told
            .recv_timeout(DEADLINE)
            .expect("the device says something")
    }

    fn set(&self, there: Result<(), &str>) {
        *self.there.lock().unwrap() = there.map_err(str::to_owned);
    }
}

fn ready_on(name: &str) -> Device {
    Device::Ready {
        name: name.to_owned(),
    }
}

fn ready() -> Device {
    ready_on("Fake")
}

fn playing_on(name: &str) -> Device {
    Device::Open {
        name: name.to_owned(),
        rate: 48_000,
    }
}

fn playing() -> Device {
    playing_on("Fake")
}

fn missing(why: &str) -> Device {
    Device::Missing { why: why.to_owned() }
}

/// Plays like a device until told to stop, as fast as it can.
fn play(mut output: Output, stop: &Receiver<()>) {
    let mut buffer = [0i16; 2 * 960];
    while stop.recv_timeout(Duration::from_millis(5)).is_err() {
        output.fill(&mut buffer, 2);
    }
}

#[test]
fn it_is_opened_when_wanted_and_closed_when_no_longer() {
    let world = world(Ok(()));
    assert_eq!(world.told(), ready());
    assert!(world.outputs.try_recv().is_err(), "nobody wanted it yet");
    world.device.wish().want(true);
    assert_eq!(world.told(), playing());
    let line = world.lines.recv_timeout(DEADLINE).unwrap();
    assert!(line.is_some());
    let output = world.outputs.recv_timeout(DEADLINE).unwrap();
    let (stop, stopped) = sync_channel(1);
    let card = std::thread::spawn(move || play(output, &stopped));
    world.device.wish().want(false);
    assert_eq!(world.told(), ready());
    assert!(world.lines.recv_timeout(DEADLINE).unwrap().is_none());
    stop.send(()).unwrap();
    card.join().unwrap();
}

/// Unplugged: told, tried again, told once for each reason, and there again without anybody's help.
#[test]
fn a_device_that_goes_is_told_and_comes_back_by_itself() {
    let world = world(Ok(()));
    world.device.wish().want(true);
    assert_eq!((world.told(), world.told()), (ready(), playing()));
    world.set(Err("no sound device"));
    let output = world.outputs.recv_timeout(DEADLINE).unwrap();
    output.health().dead.store(true, Relaxed);
    assert_eq!(world.told(), missing("Fake has gone"));
    assert_eq!(world.told(), missing("no sound device"));
    // A second try fails for the same reason, which is not told again.
    let failures = || world.lines.recv_timeout(DEADLINE).unwrap();
    assert!(failures().is_some());
    for _ in 0..3 {
        assert!(failures().is_none());
    }
    world.set(Err("the device is in use by another program"));
    assert_eq!(world.told(), missing("the device is in use by another program"));
    world.set(Ok(()));
    assert_eq!(world.told(), playing());
}

/// The system says nothing, and nothing is played: what servers do that were killed.
#[test]
fn a_device_that_stands_still_is_given_up() {
    let world = world(Ok(()));
    world.device.wish().want(true);
    assert_eq!((world.told(), world.told()), (ready(), playing()));
    world.set(Err("no sound device"));
    assert_eq!(world.told(), missing("Fake has gone"));
}

#[test]
fn without_a_device_nothing_is_delivered_but_the_reason() {
    let world = world(Err("no sound device"));
    assert_eq!(world.told(), missing("no sound device"));
    world.device.wish().want(true);
    assert!(world.lines.recv_timeout(DEADLINE).unwrap().is_none());
    world.set(Ok(()));
    assert_eq!(world.told(), playing());
}

/// The next line that is a way to a device, past those that say that there is none.
fn way(lines: &Receiver<Option<Line>>) -> Line {
    let mut lines = std::iter::from_fn(|| lines.recv_timeout(DEADLINE).ok());
    lines.find_map(|line| line).expect("a way to a device")
}

#[test]
fn another_device_plays_at_once_and_one_that_is_not_there_is_waited_for() {
    let world = world(Ok(()));
    world.device.choose(Some("USB".to_owned()));
    assert_eq!((world.told(), world.told()), (ready(), ready_on("USB")));
    world.device.wish().want(true);
    assert_eq!(world.told(), playing_on("USB"));
    let before = way(&world.lines);
    let card = world.outputs.recv_timeout(DEADLINE).unwrap();
    world.device.choose(None);
    assert_eq!(world.told(), playing());
    assert!(
        world.lines.recv_timeout(DEADLINE).unwrap().is_none(),
        "first the old one goes"
    );
    let after = way(&world.lines);
    assert!(!Arc::ptr_eq(before.health(), after.health()));
    drop((before, card));
    world.set(Err("no device called radio"));
    world.device.choose(Some("radio".to_owned()));
    assert_eq!(world.told(), missing("no device called radio"));
    world.device.choose(Some("radio".to_owned()));
    assert_eq!(
        world.told(),
        missing("no device called radio"),
        "every choice is answered"
    );
    world.set(Ok(()));
    assert_eq!(world.told(), playing_on("radio"), "and on no other meanwhile");
}

/// Played like a real one, so that nothing but the move is a reason.
#[test]
fn the_default_is_followed_where_it_goes() {
    let world = world(Ok(()));
    world.device.wish().want(true);
    assert_eq!((world.told(), world.told()), (ready(), playing()));
    let first = way(&world.lines);
    let output = world.outputs.recv_timeout(DEADLINE).unwrap();
    let (stop, stopped) = sync_channel(1);
    let card = std::thread::spawn(move || play(output, &stopped));
    *world.moved.lock().unwrap() = true;
    let second = way(&world.lines);
    assert!(!Arc::ptr_eq(first.health(), second.health()));
    assert!(world.told.try_recv().is_err(), "it has the same name");
    stop.send(()).unwrap();
    card.join().unwrap();
}

/// What opens and never returns holds up nobody: a FIFO that no one reads, a server that hangs.
#[test]
fn a_device_that_hangs_does_not_hold_up_the_end() {
    struct Hanging(Receiver<()>);
    impl Backend for Hanging {
        type Stream = ();
        fn probe(&mut self) -> Result<String, String> {
            let _ = self.0.recv();
            Err("too late".to_owned())
        }
        fn open(&mut self, _: Instant) -> Result<Opened<()>, String> {
            Err("too late".to_owned())
        }
    }
    let (_never, waits) = sync_channel(1);
    let tell: Tell = Arc::new(|_| {});
    let device = start(move || Hanging(waits), Instant::now(), tell, Box::new(|_| {})).unwrap();
    device.wish().want(true);
    drop(device);
}
