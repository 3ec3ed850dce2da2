//! The loop itself. Keys are looked at before anything else, all that is ready is taken in before a picture is
//! drawn, and where nothing happens nothing runs.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use partyline_shared::time::UtcTime;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::effects::{Hands, Heard, Left};
use super::fault;
use super::input::Input;
use super::output::Output;
use super::pace::{Pace, WAVE_MS};
use super::signals::{Signals, Told};
use super::sound::Said;
use super::view::View;
use super::wishes::Wishes;
use crate::app::effect::Effect;
use crate::app::state::{App, Dirty};
use crate::app::update::update;
use crate::ear::sound::Sound;
use crate::event::{Event, FromSound, Intent, Now, Playing};
use crate::failure::Failure;
use crate::keymap::{self, Mode};
use crate::terminal::keys::Typed;
use crate::terminal::probe::Background;
use crate::terminal::{Terminal, jobs};

/// Events taken in before keys are looked at again: a few ms of work.
const BATCH: usize = 128;

/// How often the player is asked how it goes, ms: for figures that change all the time.
const PLAYBACK_MS: u64 = 1_000;

/// How often it is looked whether the log has grown too long, ms, where anything happens at all.
const LOG_MS: u64 = 60_000;

/// Both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    pub(super) fn start() -> Clock {
        Clock {
            start: Instant::now(),
        }
    }

    pub(super) fn now(&self) -> Now {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            utc: UtcTime::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
            ms: u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Why the loop ends.
enum End {
    /// The user, or the system, wants it.
    Quit,
    /// Nobody is there any more.
    Gone,
}

impl From<io::Error> for End {
    /// All that is written or read here is the terminal.
    fn from(_: io::Error) -> Self {
        End::Gone
    }
}

/// The loop's parts.
pub(super) struct Loop {
    app: App,
    clock: Clock,
    terminal: Terminal,
    view: View,
    hands: Hands,
    said: Said,
    output: Output,
    pace: Pace,
    /// The terminal is somebody else's just now.
    is_away: bool,
    columns_at: u64,
    playback_at: u64,
    log_at: u64,
}

impl Loop {
    pub(super) fn new(
        app: App,
        clock: Clock,
        terminal: Terminal,
        view: View,
        player: Sound,
        said: Said,
        wishes: Vec<watch::Sender<Wishes>>,
    ) -> Loop {
        let mix = app.mix;
        Loop {
            app,
            clock,
            terminal,
            view,
            hands: Hands {
                player,
                wishes,
                mix,
                heard: Heard::default(),
            },
            said,
            output: Output::default(),
            pace: Pace::default(),
            is_away: false,
            columns_at: 0,
            playback_at: 0,
            log_at: 0,
        }
    }

    /// Until the user leaves, or the terminal does.
    pub(super) async fn run(
        &mut self,
        mut signals: Signals,
        mut input: Input,
        mut events: mpsc::Receiver<Event>,
        typed: Vec<Typed>,
    ) -> Result<(), Failure> {
        // `Err` is how it ends, and neither end is a failure: whom would it be told?
        let _: Result<(), End> = async {
            self.take(Event::Tick)?;
            self.type_in(&typed)?;
            let broken = self.terminal.broken();
            let fault = fault::wait();
            tokio::pin!(fault);
            let mut batch = Vec::with_capacity(BATCH);
            loop {
                let wake = self.catch_up()?.map(|ms| self.at(ms));
                tokio::select! {
                    biased;
                    told = signals.next() => self.heed(told)?,
                    () = broken.cancelled() => return Err(End::Quit),
                    typed = input.next(), if !self.is_away => {
                        let typed = typed.ok_or(End::Gone)?;
                        input.heed(&self.terminal, &typed);
                        self.type_in(&typed)?;
                    }
                    written = self.output.go_on(&self.terminal), if !self.output.is_done() => written?,
                    said = self.said.next() => for said in said {
                        self.take(Event::Sound(said))?;
                    },
                    _ = events.recv_many(&mut batch, BATCH) => for event in batch.drain(..) {
                        self.take(event)?;
                    },
                    () = &mut fault => {}
                    () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
                }
            }
        }
        .await;
        Ok(())
    }

    /// Does what is due by now, and says when something is due next.
    fn catch_up(&mut self) -> Result<Option<u64>, End> {
        let now = self.clock.now().ms;
        if self.app.deadline().is_some_and(|deadline| deadline <= now) {
            self.take(Event::Tick)?;
        }
        let playing = self.fetch(now)?;
        if now >= self.log_at.saturating_add(LOG_MS) {
            self.log_at = now;
            self.terminal.trim_log();
        }
        // While nobody sees it, or bytes wait, nothing is drawn; what has changed is remembered.
        let can_draw = !self.is_away && self.output.is_done();
        let due = self.pace.due(self.app.dirty).filter(|_| can_draw);
        let draws = due.is_some_and(|due| due <= now);
        if draws {
            self.draw()?;
        }
        let next = [self.app.deadline(), playing, due.filter(|_| !draws)];
        Ok(next.into_iter().flatten().min())
    }

    /// What the player has played and how it goes; when to look again.
    fn fetch(&mut self, now: u64) -> Result<Option<u64>, End> {
        if self.app.heard.is_none() {
            return Ok(None);
        }
        if now >= self.playback_at.saturating_add(PLAYBACK_MS) {
            self.playback_at = now;
            let playback = self.hands.player.playback();
            self.take(Event::Sound(FromSound::Playback(playback)))?;
        }
        let next = self.playback_at.saturating_add(PLAYBACK_MS);
        if !matches!(self.app.playback.state, Playing::Live | Playing::Behind) {
            return Ok(Some(next));
        }
        if now >= self.columns_at.saturating_add(WAVE_MS) {
            self.columns_at = now;
            let (mut customer, mut agent) = (Vec::new(), Vec::new());
            self.hands.player.columns(&mut customer, &mut agent);
            if !customer.is_empty() || !agent.is_empty() {
                self.take(Event::Sound(FromSound::Columns { customer, agent }))?;
            }
        }
        Ok(Some(next.min(self.columns_at.saturating_add(WAVE_MS))))
    }

    /// Takes in one thing that happened, and does what follows from it.
    fn take(&mut self, event: Event) -> Result<(), End> {
        let now = self.clock.now();
        for effect in update(&mut self.app, now, event) {
            if let Effect::Clip(call) = effect {
                if let Some(kept) = self.hands.keep(&self.app, call) {
                    self.take(kept)?;
                }
                continue;
            }
            match self.hands.carry_out(effect) {
                None => {}
                Some(Left::Write(bytes)) => {
                    // Where there is no room the terminal stands still, and so does its clipboard.
                    self.output.push(&self.terminal, &bytes)?;
                }
                Some(Left::Redraw) => self.begin_anew()?,
                Some(Left::Suspend) if jobs::can_stop() => self.stop(jobs::stop_job),
                Some(Left::Suspend) => {}
                Some(Left::Quit) => return Err(End::Quit),
            }
        }
        // What opens or moves may change how many rows a pane has.
        let sizes = self.view.sizes(&self.app);
        if sizes != self.app.sizes {
            update(&mut self.app, now, Event::Resized(sizes));
        }
        Ok(())
    }

    fn type_in(&mut self, typed: &[Typed]) -> Result<(), End> {
        for typed in typed {
            match typed {
                Typed::Key(key) => {
                    let mode = match &self.app {
                        app if app.help => Mode::Help,
                        app if app.picker.is_some() => Mode::Picker,
                        app if app.typing.is_some() => Mode::Typing,
                        _ => Mode::Normal,
                    };
                    if let Some(intent) = keymap::intent(mode, *key) {
                        self.take(Event::Intent(intent))?;
                    }
                }
                // Text that is pasted where none is typed is no series of keys.
                Typed::Paste(text) if self.app.typing.is_some() => {
                    // What stood on two lines stays two words.
                    let text = text.trim().replace(['\n', '\r', '\t'], " ");
                    for c in text.chars().filter(|c| !c.is_control()) {
                        self.take(Event::Intent(Intent::Type(c)))?;
                    }
                }
                Typed::Background(colour) => {
                    if self.view.set_background(Background::of(*colour)) {
                        self.app.dirty = Dirty::Now;
                    }
                }
                Typed::Paste(_) | Typed::Attributes => {}
            }
        }
        Ok(())
    }

    fn heed(&mut self, told: Told) -> Result<(), End> {
        match told {
            Told::End => Err(End::Quit),
            Told::Stop => {
                self.stop(jobs::stop_self);
                Ok(())
            }
            Told::Continue => {
                self.is_away = !jobs::is_ours(self.terminal.tty());
                if !self.is_away {
                    self.terminal.enter_again()?;
                    self.begin_anew()?;
                }
                Ok(())
            }
            Told::Resize => self.begin_anew(),
        }
    }

    /// Gives the terminal back and stops. What continues us says so by a signal.
    fn stop(&mut self, stop: impl FnOnce()) {
        self.output.forget();
        self.terminal.leave_for_now();
        self.is_away = true;
        stop();
    }

    fn begin_anew(&mut self) -> Result<(), End> {
        self.view.begin_anew(&self.terminal);
        self.app.dirty = Dirty::Now;
        let now = self.clock.now();
        let sizes = self.view.sizes(&self.app);
        update(&mut self.app, now, Event::Resized(sizes));
        Ok(())
    }

    fn draw(&mut self) -> Result<(), End> {
        let bytes = self.view.draw(&self.app);
        self.output.push(&self.terminal, &bytes)?;
        let dirty = std::mem::take(&mut self.app.dirty);
        self.pace.drew(self.clock.now(), dirty);
        Ok(())
    }

    fn at(&self, ms: u64) -> Instant {
        self.clock.start + Duration::from_millis(ms)
    }
}
