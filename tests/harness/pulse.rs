//! A PulseAudio of a story's own, with a sink that plays into nothing: the sink can be pulled and plugged in again,
//! and the server killed and started. It has a folder and a socket of its own, and never meets the user's.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::program::Program;
use crate::scratch::Scratch;
use crate::wait::{SOON, until, within};

/// The sink that is there from the start.
pub const SINK: &str = "cap";

/// The module that makes one.
const MODULE: &str = "module-null-sink";

/// Without `norewinds` such a sink stalls for a second after the third callback.
const SHAPE: &str = "rate=48000 format=s16le channels=2 channel_map=front-left,front-right norewinds=1";

/// How long it is recorded for a look at what plays.
const HEARD: Duration = Duration::from_millis(400);

/// Quieter than this nobody speaks: 0.3 % of full scale.
const SPEECH: u16 = 100;

/// The server; it is killed when dropped.
pub struct Pulse {
    folder: Scratch,
    config: PathBuf,
    server: String,
    program: Option<Program>,
}

impl Pulse {
    /// Starts one, and waits until it answers.
    pub async fn start() -> Pulse {
        let folder = Scratch::new();
        let server = format!("unix:{}", folder.file("socket").display());
        let script = format!(
            ".fail\nload-module module-native-protocol-unix auth-anonymous=1 socket={}\n\
             load-module {MODULE} sink_name={SINK} {SHAPE}\nset-default-sink {SINK}\n",
            folder.file("socket").display()
        );
        folder.write("pulse.pa", script);
        let config = format!(
            "</usr/share/alsa/alsa.conf>\npcm.!default {{ type pulse server \"{server}\" \
             hint {{ show on description \"The tests' server\" }} }}\n"
        );
        let config = folder.write("asound.conf", config);
        let mut pulse = Pulse {
            folder,
            config,
            server,
            program: None,
        };
        pulse.serve().await;
        pulse
    }

    async fn serve(&mut self) {
        let script = self.folder.file("pulse.pa").display().to_string();
        let args = [
            "-n",
            "-F",
            &script,
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--disable-shm=true",
            "--use-pid-file=no",
        ];
        let folder = self.folder.path().display().to_string();
        let env = [("XDG_RUNTIME_DIR", folder.as_str())];
        self.program = Some(Program::start(Path::new("pulseaudio"), args, &env));
        until(SOON, "PulseAudio with its sink", async || {
            let sinks = self.try_ask(&["list", "short", "sinks"]).await?;
            sinks.contains(SINK).then_some(())
        })
        .await;
    }

    /// What a program that is to play here has in its environment.
    pub fn env(&self) -> (&'static str, &str) {
        let config = self.config.to_str().expect("a scratch path is text");
        ("ALSA_CONFIG_PATH", config)
    }

    /// Adds a sink of this name.
    pub async fn plug(&self, sink: &str) {
        let name = format!("sink_name={sink}");
        let mut asks = vec!["load-module", MODULE, &name];
        asks.extend(SHAPE.split(' '));
        self.ask(&asks).await;
    }

    /// Takes all sinks away: whatever plays is cut off.
    pub async fn unplug(&self) {
        self.ask(&["unload-module", MODULE]).await;
    }

    /// This sink is the default from now on.
    pub async fn set_default(&self, sink: &str) {
        self.ask(&["set-default-sink", sink]).await;
    }

    /// Ends the server as a power cut would.
    pub async fn kill(&mut self) {
        self.program.take().expect("it runs").kill().await;
    }

    /// Starts it again where it was.
    pub async fn restart(&mut self) {
        assert!(self.program.is_none(), "it runs");
        self.serve().await;
    }

    /// Stops the process where it is (SIGSTOP): whoever asks it anything waits.
    pub fn stop(&self) {
        self.program.as_ref().expect("it runs").signal("STOP");
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.program.as_ref().expect("it runs").signal("CONT");
    }

    /// The names of the sinks that something plays on.
    pub async fn played_on(&self) -> Vec<String> {
        let inputs = self.ask(&["list", "short", "sink-inputs"]).await;
        let sinks = self.ask(&["list", "short", "sinks"]).await;
        let name = |number: &str| {
            let mut rows = sinks.lines().map(|row| row.split('\t'));
            rows.find_map(|mut row| (row.next() == Some(number)).then(|| row.next())?)
        };
        let on = inputs.lines().filter_map(|row| name(row.split('\t').nth(1)?));
        on.map(str::to_owned).collect()
    }

    /// Waits until something plays on this sink.
    pub async fn plays_on(&self, sink: &str) {
        let what = format!("a stream on the sink {sink}");
        until(SOON, &what, async || {
            self.played_on().await.iter().any(|on| on == sink).then_some(())
        })
        .await;
    }

    /// Waits until somebody is heard speaking on this sink.
    pub async fn speaks_on(&self, sink: &str) {
        let source = format!("{sink}.monitor");
        let args = [
            "-s",
            &self.server,
            "-d",
            &source,
            "--raw",
            "--format=s16le",
            "--rate=48000",
            "--channels=2",
        ];
        let folder = self.folder.path().display().to_string();
        let env = [("XDG_RUNTIME_DIR", folder.as_str())];
        let ear = Program::start(Path::new("parec"), args, &env);
        let enough = HEARD.as_millis() as usize * 48 * 4;
        ear.wrote(SOON, enough).await;
        until(SOON, "speech", async || {
            let heard = ear.stdout();
            let mut samples = heard
                .as_chunks::<2>()
                .0
                .iter()
                .map(|bytes| i16::from_le_bytes(*bytes));
            samples.any(|sample| sample.unsigned_abs() > SPEECH).then_some(())
        })
        .await;
    }

    async fn ask(&self, asks: &[&str]) -> String {
        let answer = self.try_ask(asks).await;
        answer.unwrap_or_else(|| panic!("PulseAudio refuses {asks:?}"))
    }

    async fn try_ask(&self, asks: &[&str]) -> Option<String> {
        let mut pactl = Command::new("pactl");
        pactl
            .args(["-s", &self.server])
            .args(asks)
            .env("HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let answer = within(SOON, "pactl's end", pactl.output()).await;
        let answer = answer.expect("pactl can be run: it is in the package pulseaudio-utils");
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        answer.status.success().then_some(text)
    }
}
