//! A terminal with a program in it: what it shows, every byte that was written to it, and the keys that are
//! pressed. It answers what it is asked only as a story wants it to.

mod device;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{ChildKiller, CommandBuilder, ExitStatus, MasterPty, SlavePty, native_pty_system};
use tokio::sync::{oneshot, watch};

use crate::binaries;
use crate::scratch::Scratch;
use crate::wait::{SOON, within};
use device::{Seen, nonzero, read, size, stty};

/// What stands on the screen before the program starts.
pub const BEFORE: &str = "what stood here before";

/// What a program writes first that takes the whole screen.
const ENTERED: &[u8] = b"\x1b[?1049h";

/// Which questions the terminal answers, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// None: a terminal that knows no question, or is far away.
    Nothing,
    /// Only what sort of terminal it is.
    Attributes,
    /// Also that its background is of that colour, as xterm says it.
    Background(&'static str),
}

/// How a terminal is to be.
#[derive(Debug, Clone)]
pub struct Setup<'a> {
    /// Columns and rows.
    pub size: (u16, u16),
    /// What it answers.
    pub answers: Answers,
    /// Further environment.
    pub env: Vec<(&'a str, String)>,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Setup {
            size: (100, 30),
            answers: Answers::Background("1010/1010/1010"),
            env: Vec::new(),
        }
    }
}

/// The terminal; what runs in it is killed when this is dropped.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    /// Kept, so that the device stays as the program has left it.
    _slave: Box<dyn SlavePty + Send>,
    tty: PathBuf,
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    pid: u32,
    killer: Box<dyn ChildKiller + Send + Sync>,
    ended: watch::Receiver<Option<ExitStatus>>,
    seen: Arc<Mutex<Seen>>,
    changed: watch::Receiver<u64>,
    modes: String,
    home: Scratch,
}

impl Terminal {
    /// `partyline` with these arguments.
    pub async fn partyline(args: &[&str], setup: Setup<'_>) -> Terminal {
        let program = binaries::path(binaries::LISTENER);
        let mut all = vec![program.to_str().expect("a path that is text")];
        all.extend(args);
        Self::start(&all, setup).await
    }

    /// `partyline-relay` with these arguments.
    pub async fn relay(args: &[&str], setup: Setup<'_>) -> Terminal {
        let program = binaries::path(binaries::RELAY);
        let mut all = vec![program.to_str().expect("a path that is text")];
        all.extend(args);
        Self::start(&all, setup).await
    }

    /// A shell with job control, in which `partyline` can be called by that name.
    pub async fn shell(mut setup: Setup<'_>) -> Terminal {
        let program = binaries::path(binaries::LISTENER);
        let folder = program.parent().and_then(|path| path.to_str()).expect("a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        setup.env.push(("PATH", format!("{folder}:{path}")));
        setup.env.push(("PS1", "ready> ".to_owned()));
        let terminal = Self::start(&["bash", "--norc", "--noprofile", "-i"], setup).await;
        terminal.wait_for("ready>").await;
        terminal
    }

    async fn start(command: &[&str], setup: Setup<'_>) -> Terminal {
        let (cols, rows) = setup.size;
        let pair = native_pty_system()
            .openpty(size(cols, rows))
            .unwrap_or_else(|e| panic!("no terminal: {e}"));
        let home = Scratch::new();
        // It speaks first, so that there is something to be found again.
        let mut builder = CommandBuilder::new("sh");
        builder.args(["-c", &format!("echo '{BEFORE}'; exec \"$0\" \"$@\"")]);
        builder.args(command);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let is_ours = ["PARTYLINE_", "TWILIO_", "XDG_"]
                .iter()
                .any(|start| text.starts_with(start));
            if is_ours || ["NO_COLOR", "COLORFGBG", "TMUX", "LC_ALL"].contains(&&*text) {
                builder.env_remove(&name);
            }
        }
        builder.env("HOME", home.path());
        builder.env("TERM", "xterm-256color");
        builder.env("LANG", "C.UTF-8");
        // It would scroll away what is looked for.
        builder.env("RUST_BACKTRACE", "0");
        for (name, value) in &setup.env {
            builder.env(name, value);
        }
        let tty = pair.master.tty_name().expect("a terminal has a name");
        let modes = stty(&tty);
        let mut child = pair
            .slave
            .spawn_command(builder)
            .unwrap_or_else(|e| panic!("{command:?} cannot be started: {e}"));
        let pid = child.process_id().expect("a process has a number");
        let killer = child.clone_killer();
        let (end, ended) = watch::channel(None);
        std::thread::spawn(move || end.send_replace(child.wait().ok()));
        let reader = pair.master.try_clone_reader().expect("a terminal can be read");
        let writer = pair.master.take_writer().expect("a terminal can be written to");
        let writer = Arc::new(Mutex::new(writer));
        let seen = Arc::new(Mutex::new(Seen::new(cols, rows)));
        let (tell, changed) = watch::channel(0);
        let (into, answer_to) = (seen.clone(), writer.clone());
        std::thread::spawn(move || read(reader, &into, &answer_to, setup.answers, &tell));
        let terminal = Terminal {
            master: pair.master,
            _slave: pair.slave,
            tty,
            writer,
            pid,
            killer,
            ended,
            seen,
            changed,
            modes,
            home,
        };
        // A story may end it at once, and look for that.
        terminal.wait_for_bytes(BEFORE.as_bytes()).await;
        terminal
    }

    /// Types these bytes.
    pub fn keys(&self, bytes: impl AsRef<[u8]>) {
        let mut writer = self.writer.lock().unwrap();
        writer.write_all(bytes.as_ref()).expect("the terminal takes keys");
        writer.flush().expect("the terminal takes keys");
    }

    /// Sends a signal to the program, by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.pid.to_string()])
            .status();
        assert!(sent.is_ok_and(|sent| sent.success()), "no signal {name}");
    }

    /// Makes it another size.
    pub fn resize(&self, cols: u16, rows: u16) {
        let mut seen = self.seen.lock().unwrap();
        seen.screen.screen_mut().set_size(nonzero(rows), nonzero(cols));
        self.master.resize(size(cols, rows)).expect("another size");
    }

    /// What it shows, a line each.
    pub fn text(&self) -> String {
        self.seen.lock().unwrap().screen.screen().contents()
    }

    /// Looks at the screen.
    pub fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.seen.lock().unwrap().screen.screen())
    }

    /// Every byte that was written to it.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.lock().unwrap().raw.clone()
    }

    /// Every piece of it: when it was read, and where in [`Terminal::raw`] it ends.
    pub fn arrivals(&self) -> Vec<(Instant, usize)> {
        self.seen.lock().unwrap().arrivals.clone()
    }

    /// Waits for a text on the screen.
    pub async fn wait_for(&self, text: &str) {
        let what = format!("{text:?} on the screen");
        self.wait_until(&what, |screen| screen.contents().contains(text))
            .await;
    }

    /// Waits until the screen is so.
    pub async fn wait_until(&self, what: &str, mut is_so: impl FnMut(&vt100::Screen) -> bool) {
        let mut changed = self.changed.clone();
        let wait = async {
            loop {
                changed.borrow_and_update();
                if self.look(&mut is_so) {
                    return true;
                }
                if changed.changed().await.is_err() {
                    return self.look(&mut is_so);
                }
            }
        };
        if tokio::time::timeout(SOON, wait).await != Ok(true) {
            panic!(
                "{what}: did not come within {SOON:?}; the screen is:\n{}",
                self.text()
            );
        }
    }

    /// Waits until these bytes were written.
    pub async fn wait_for_bytes(&self, bytes: &[u8]) {
        let mut changed = self.changed.clone();
        within(
            SOON,
            &format!("the bytes {:?}", String::from_utf8_lossy(bytes)),
            async {
                while !self.raw().windows(bytes.len()).any(|some| some == bytes) {
                    if changed.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            },
        )
        .await;
    }

    /// Waits until what was written so far is so.
    pub async fn wait_until_written(&self, what: &str, mut is_so: impl FnMut(&[u8]) -> bool) {
        let mut changed = self.changed.clone();
        within(SOON, what, async {
            loop {
                changed.borrow_and_update();
                if is_so(&self.seen.lock().unwrap().raw) {
                    return;
                }
                if changed.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        })
        .await;
    }

    /// Waits for the program's end, and until all that it wrote is on the screen.
    pub async fn ended(&self) -> ExitStatus {
        let mut ended = self.ended.clone();
        let what = format!("the program's end; the screen is:\n{}", self.text());
        let status = within(SOON, &what, ended.wait_for(Option::is_some)).await;
        let status = status.ok().and_then(|status| status.clone());
        let status = status.expect("an exit status");
        // What a terminal says now comes after all that was said before.
        let mark = format!("\u{1b}]0;{}\u{7}", self.pid);
        let out = Command::new("sh")
            .args(["-c", "printf '%s' \"$1\" > \"$2\"", "sh", &mark])
            .arg(&self.tty)
            .status();
        assert!(out.is_ok_and(|out| out.success()), "the terminal is there still");
        self.wait_for_bytes(mark.as_bytes()).await;
        status
    }

    /// Fails unless the terminal is as it was: modes, screen, cursor. `said` stands below what was there.
    #[track_caller]
    pub fn expect_as_before(&self) {
        assert_eq!(stty(&self.tty), self.modes, "the terminal's modes (stty -g)");
        self.look(|screen| {
            assert!(!screen.alternate_screen(), "the alternate screen is left");
            assert!(!screen.hide_cursor(), "the cursor is seen");
            assert!(!screen.bracketed_paste(), "pasted text is ordinary");
            assert!(
                screen.contents().starts_with(BEFORE),
                "what stood there stands there:\n{}",
                screen.contents()
            );
        });
    }

    /// The modes now, as `stty -g` writes them.
    pub fn modes(&self) -> String {
        stty(&self.tty)
    }

    /// The modes before the program was started.
    pub fn modes_before(&self) -> &str {
        &self.modes
    }

    /// The program's number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The home of the program.
    pub fn home(&self) -> &Scratch {
        &self.home
    }

    /// `partyline` in a terminal that takes nothing any more and then is gone; how it ended.
    pub async fn gone(args: &[&str]) -> ExitStatus {
        let pair = native_pty_system().openpty(size(100, 30)).expect("a terminal");
        let mut builder = CommandBuilder::new(binaries::path(binaries::LISTENER));
        let home = Scratch::new();
        builder.args(args);
        builder.env("HOME", home.path());
        builder.env("TERM", "xterm-256color");
        let mut child = pair.slave.spawn_command(builder).expect("a program");
        // Before it has taken the terminal it ends as any program does.
        let mut reader = pair.master.try_clone_reader().expect("a terminal can be read");
        let (tell, entered) = oneshot::channel();
        std::thread::spawn(move || {
            let (mut said, mut byte) = (Vec::new(), [0]);
            while !said.ends_with(ENTERED) && reader.read_exact(&mut byte).is_ok() {
                said.extend(byte);
            }
            // It would be a terminal still.
            drop(reader);
            let _ = tell.send(said.ends_with(ENTERED));
        });
        let entered = within(SOON, "the alternate screen", entered).await;
        assert_eq!(entered, Ok(true), "the alternate screen");
        // Nobody reads any more: what there is room for is full with the first pictures.
        a_moment(500).await;
        drop(pair);
        let (end, mut ended) = watch::channel(None);
        std::thread::spawn(move || end.send_replace(child.wait().ok()));
        let status = within(
            SOON,
            "the end of a program without a terminal",
            ended.wait_for(Option::is_some),
        )
        .await;
        let status = status.ok().and_then(|status| status.clone());
        status.expect("an exit status")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.killer.kill();
    }
}

/// A moment of a story's choice: for what may come at any time.
pub async fn a_moment(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
