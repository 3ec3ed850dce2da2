//! `partyline-relay serve` as it is run for people: Twilio signs, listeners have tokens, and who heard what is on
//! record. A process on a port of its own.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ::http::Method;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::ClientMessage;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::http::Answer;
use crate::listener::Listener;
use crate::media::MediaSocket;
use crate::program::{Finished, Program};
use crate::relay::LEAVES_AT_ONCE;
use crate::scratch::Scratch;
use crate::signed::{ORIGIN, TOKEN};
use crate::twilio::{ACCOUNT, TwilioCall, pass};
use crate::wait::{SOON, until, within};
use crate::{binaries, http};

/// Between two frames of people who talk.
const REAL_TIME: Duration = Duration::from_millis(20);

const READY: &str = "listening on ";

const ANY_PORT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// It may ring any number in North America.
const RULES: &str = "dial_allow = [\"+1\"]\ncaller_id = \"+12125550100\"\n";

/// The relay, before or after its start: tokens can be added to its file at any time.
pub struct Guarded {
    folder: Scratch,
    scheme: String,
    relay: Option<(Program, SocketAddr)>,
}

impl Default for Guarded {
    fn default() -> Self {
        Self::new()
    }
}

impl Guarded {
    /// One that is not started yet, and whose tokens file is empty.
    pub fn new() -> Guarded {
        let folder = Scratch::in_memory();
        folder.write("relay.toml", RULES);
        private(&folder.write("tokens.toml", ""));
        let scheme = "http".to_owned();
        Guarded {
            folder,
            scheme,
            relay: None,
        }
    }

    /// Starts it; `extra` are more arguments of `serve`.
    pub async fn start(self, extra: &[&str]) -> Guarded {
        self.starts("true", ANY_PORT, extra).await
    }

    /// The same at this address: where one was before, or comes back to.
    pub async fn start_at(self, at: SocketAddr, extra: &[&str]) -> Guarded {
        self.starts("true", at, extra).await
    }

    /// Starts it in a shell that does `before` first: what that limits is limited for the relay.
    pub async fn start_after(self, before: &str, extra: &[&str]) -> Guarded {
        self.starts(before, ANY_PORT, extra).await
    }

    async fn starts(mut self, before: &str, at: SocketAddr, extra: &[&str]) -> Guarded {
        let at = at.to_string();
        let [config, tokens, audit] =
            ["relay.toml", "tokens.toml", "audit.jsonl"].map(|name| self.path(name));
        let shell = format!("{before} && exec \"$0\" \"$@\"");
        let program = binaries::path(binaries::RELAY).display().to_string();
        let mut args = vec!["-c", &shell, &program];
        args.extend([
            "serve",
            "--listen",
            &at,
            "--config",
            &config,
            "--public-url",
            ORIGIN,
        ]);
        args.extend(["--tokens", &tokens, "--audit", &audit]);
        args.extend(extra);
        let env = [
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_ACCOUNT_SID", ACCOUNT),
            LEAVES_AT_ONCE,
        ];
        let program = Program::start(Path::new("/bin/sh"), args, &env);
        let line = program.line(SOON, READY, |line| line.starts_with(READY)).await;
        let url = line.trim_start_matches(READY);
        let (scheme, addr) = url.split_once("://").expect("a scheme");
        self.scheme = scheme.to_owned();
        self.relay = Some((program, addr.parse().expect("an address")));
        self
    }

    /// Ends it as a power cut would; it can be started again, with the same files.
    pub async fn kill(mut self) -> Guarded {
        let (program, _) = self.relay.take().expect("it is started");
        program.kill().await;
        self
    }

    /// Waits for its end, which was asked for.
    pub async fn ended(mut self) -> Finished {
        let (program, _) = self.relay.take().expect("it is started");
        program.finish(SOON).await
    }

    /// Its process.
    pub fn program(&self) -> &Program {
        &self.relay.as_ref().expect("it is started").0
    }

    /// A file of its folder, as an argument.
    pub fn path(&self, name: &str) -> String {
        self.folder.file(name).display().to_string()
    }

    /// The tokens file.
    pub fn tokens(&self) -> PathBuf {
        self.folder.file("tokens.toml")
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.relay.as_ref().expect("it is started").1
    }

    /// `http://127.0.0.1:PORT`, or `https://`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.addr())
    }

    /// Its folder.
    pub fn folder(&self) -> &Scratch {
        &self.folder
    }

    /// `partyline-relay token add`; `args` are its own beside the name. Gives the token.
    pub async fn token(&self, name: &str, args: &[&str]) -> String {
        let made = self.token_command("add", name, args).await;
        made.trim().to_owned()
    }

    /// `partyline-relay token remove`.
    pub async fn forget(&self, name: &str) {
        self.token_command("remove", name, &[]).await;
    }

    async fn token_command(&self, what: &str, name: &str, args: &[&str]) -> String {
        let tokens = self.path("tokens.toml");
        let mut all = vec!["token", what, "--tokens", &tokens, "--name", name];
        all.extend(args);
        let program = Program::start(&binaries::path(binaries::RELAY), all, &[]);
        program.finish(SOON).await.expect_code(0).text()
    }

    /// A token in a file, for a client.
    pub fn token_file(&self, token: &str) -> String {
        // One of its own each time: another program may just read the last one.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("token-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let path = self.folder.write(&name, token);
        private(&path);
        path.display().to_string()
    }

    /// A call of this customer with a stream that the relay has accepted, as Twilio makes it.
    pub async fn live_call(&self, customer: &str) -> (TwilioCall, MediaSocket) {
        let mut call = TwilioCall::at(self.addr());
        call.signs = Some((TOKEN, ORIGIN));
        let answer = call.webhook(&[("customer_id", customer)]).await.expect(200);
        let mut stream = call.open_stream().await;
        stream.connected().await;
        stream.start(&[("partyline_pass", &pass(&answer))]).await;
        (call, stream)
    }

    /// A listener by this token, once it has the list.
    pub async fn listen(&self, token: &str) -> Listener {
        let bearer = format!("Bearer {token}");
        let opened = Listener::open_at(self.addr(), "/listen", &[("authorization", &bearer)], None).await;
        let mut listener = opened.unwrap_or_else(|e| panic!("/listen refused: {e}"));
        listener.greeted().await;
        listener
    }

    /// One that hears a call and does not read, though more is said by `stream` than the buffers between them hold.
    pub async fn deaf(&self, token: &str, call: &CallSid, stream: &mut MediaSocket) -> Listener {
        let bearer = format!("Bearer {token}");
        let narrow = Some(4 << 10);
        let opened = Listener::open_at(self.addr(), "/listen", &[("authorization", &bearer)], narrow).await;
        let mut deaf = opened.unwrap_or_else(|e| panic!("/listen refused: {e}"));
        deaf.greeted().await;
        deaf.subscribe(call).await;
        let speech = vec![0x55; 8_000 * 30];
        stream.play(&speech, &speech, Duration::ZERO).await;
        deaf
    }

    /// A listener that has shown nothing yet.
    pub async fn stranger(&self) -> Listener {
        let opened = Listener::open(self.addr(), None).await;
        opened.unwrap_or_else(|e| panic!("/listen refused: {e}"))
    }

    /// What a script with this token is answered.
    pub async fn ask(&self, method: Method, path: &str, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        http::send(self.addr(), method, path, &[("authorization", &bearer)], "").await
    }

    /// Waits until the relay knows this call's stream to be live, as whoever has this token sees it.
    pub async fn is_live(&self, sid: &CallSid, token: &str) {
        let path = format!("/api/v1/calls/{sid}");
        until(SOON, "the stream to be live", async || {
            let answer = self.ask(Method::GET, &path, token).await;
            (answer.status == 200 && answer.json()["stream"] == "live").then_some(())
        })
        .await;
    }

    /// Asks it to leave (SIGTERM) and waits for its end.
    pub async fn stop(mut self) -> Finished {
        self.leaves().await
    }

    /// The same; it can be started again, with the same files.
    pub async fn leaves(&mut self) -> Finished {
        let (program, _) = self.relay.take().expect("it is started");
        program.signal("TERM");
        program.finish(SOON).await
    }

    /// The lines of the audit so far.
    pub fn audit(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.folder.file("audit.jsonl")).unwrap_or_default();
        let lines = text.lines();
        lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

/// Nobody else may read a file of secrets.
fn private(path: &Path) {
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, mode).expect("a mode can be set");
}

/// Says who it is.
pub fn auth(token: &str) -> ClientMessage {
    ClientMessage::Auth {
        token: token.to_owned(),
    }
}

/// People who talk without end, one frame of each track every 20 ms.
pub struct Talk(JoinHandle<MediaSocket>, CancellationToken);

impl Talk {
    /// Begins to talk.
    pub fn begin(mut stream: MediaSocket) -> Talk {
        let stop = CancellationToken::new();
        let mine = stop.clone();
        let talking = tokio::spawn(async move {
            // What was due while this machine stood still comes at once, as from Twilio.
            let mut beat = tokio::time::interval(REAL_TIME);
            while !mine.is_cancelled() {
                beat.tick().await;
                stream.play(&[0x55; 160], &[0x66; 160], Duration::ZERO).await;
            }
            stream
        });
        Talk(talking, stop)
    }

    /// Falls silent.
    pub async fn end(self) -> MediaSocket {
        self.1.cancel();
        within(SOON, "the last frame", self.0).await.expect("they talk")
    }
}
