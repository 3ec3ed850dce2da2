//! An operator who takes the README at its word: from an empty folder to a relay that speaks TLS, is examined, is listened
//! to, has its certificate and its file replaced under a call, drains, and left a whole record. The commands and the
//! settings are the README's own; what stands there for a host, an account and the system's folders is filled in.

mod literal;
mod readme;

use std::net::SocketAddr;
use std::path::Path;

use harness::certificates::{Authority, Pair, replace};
use harness::network::quiet_port;
use harness::rest::{App, Number, Rest};
use harness::signed::TOKEN;
use harness::terminal::Setup;
use harness::twilio::{ACCOUNT, pass};
use harness::wait::{SOON, until};
use harness::{Finished, Program, Scratch, Terminal, Tunnel, TwilioCall, binaries, http};

use crate::monitor::{eyes, sized};

/// The number that the README has answered and called.
const NUMBER: &str = "+12125550111";
const APP: &str = "AP00000000000000000000000000000000";

/// Before the number that is configured.
const ELSEWHERE: &str = "https://demo.example.com/voice";

struct Operator {
    /// `/etc`, `/var/lib` and `/var/log` of Partyline, and where the operator is.
    folder: Scratch,
    authority: Authority,
    rest: Rest,
    /// Where the relay is to listen, which is its public name as well.
    at: SocketAddr,
}

impl Operator {
    async fn new() -> Operator {
        let (folder, rest) = (Scratch::new(), Rest::start().await);
        std::fs::create_dir(folder.file("tls")).expect("a folder");
        let leads = || [("voice_url".to_owned(), ELSEWHERE.to_owned())].into();
        rest.has_number(Number {
            sid: "PN11111111111111111111111111111111".to_owned(),
            number: NUMBER.to_owned(),
            fields: leads(),
        });
        rest.has_app(App {
            sid: APP.to_owned(),
            fields: leads(),
        });
        let operator = Operator {
            folder,
            authority: Authority::new(),
            rest,
            at: quiet_port(),
        };
        // As the package leaves it.
        operator.folder.write("tokens", "");
        operator
    }

    fn url(&self) -> String {
        format!("https://{}", self.at)
    }

    /// What the README says, as it is said here.
    fn filled(&self, text: &str) -> String {
        let (at, here) = (self.at.to_string(), self.folder.path().display().to_string());
        let account = format!("{ACCOUNT}={TOKEN}");
        [
            ("calls.example.com", at.as_str()),
            ("[::]:443", &at),
            ("AC00000000000000000000000000000000=TOKEN", &account),
            ("/etc/partyline", &here),
            ("/var/lib/partyline", &here),
            ("/var/log/partyline", &here),
        ]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// relay.toml of the package, with what steps 2 and 4 put into it.
    fn configure(&self) {
        let packaged = include_str!("../../assets/systemd/relay.toml");
        let instead = ["listen = ", "trusted_proxy = "];
        let mut text: Vec<&str> = packaged
            .lines()
            .filter(|line| !instead.iter().any(|key| line.starts_with(key)))
            .collect();
        assert_eq!(text.len() + 2, packaged.lines().count(), "both stand there");
        // The tests' machine opens few files, and its Twilio is here.
        let here = format!(
            "max_calls = 50\nmax_listeners = 50\ntwilio_api = {:?}",
            self.rest.url()
        );
        text.extend([
            here.as_str(),
            readme::settings("### 4. Give it a certificate"),
            readme::settings("### 2. Say who Twilio is, and who is rung"),
        ]);
        self.folder.write("relay.toml", self.filled(&text.join("\n")));
    }

    /// Puts these where step 4 says.
    fn certify(&self) -> Pair {
        let pair = self.authority.certify(&["127.0.0.1", "localhost"]);
        replace(&self.folder, &self.folder.file("tls/fullchain.pem"), &pair.cert);
        replace(&self.folder, &self.folder.file("tls/privkey.pem"), &pair.key);
        pair
    }

    fn trust(&self) -> String {
        self.authority.file(&self.folder)
    }

    /// Starts the README's command that begins so, as a shell would, with `more` behind it.
    fn start(&self, begins: &str, more: &str, env: &[(&str, &str)]) -> Program {
        let line = self.filled(&readme::command(begins));
        let here = self.folder.path().display();
        let programs = binaries::path(binaries::RELAY);
        let programs = programs.parent().expect("a folder").display();
        let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
        let trust = self.trust();
        let own = [
            ("PATH", path.as_str()),
            ("SSL_CERT_FILE", &trust),
            ("LC_ALL", "C.UTF-8"),
        ];
        let line = format!("cd '{here}' && exec {line} {more}");
        Program::start(Path::new("/bin/sh"), ["-c", &line], &[&own, env].concat())
    }

    async fn runs(&self, begins: &str) -> Finished {
        self.start(begins, "", &[]).finish(SOON).await.expect_code(0)
    }

    /// A shell of the operator's, or of a supervisor's.
    async fn shell(&self) -> Terminal {
        let mut setup: Setup<'_> = sized(120, 36);
        setup.env.push(("SSL_CERT_FILE", self.trust()));
        Terminal::shell(setup).await
    }

    /// Step 7: shows what it would change, asks, and does it.
    async fn points_twilio_here(&self, begins: &str) {
        let shell = self.shell().await;
        shell.keys(self.filled(&readme::command(begins)) + "\n");
        shell.wait_for("change it? [y/N]").await;
        let text = shell.text().replace('\n', "");
        assert!(text.contains(&format!("{ELSEWHERE} → {}", self.url())), "{text}");
        shell.keys("y\n");
        let is_done = |screen: &vt100::Screen| screen.contents().lines().any(|line| line == "done");
        shell.wait_until("that it is done", is_done).await;
    }

    /// Step 6 on a supervisor's machine: logs in, and opens the monitor.
    async fn supervises(&self, token: &str) -> Terminal {
        let shell = self.shell().await;
        shell.keys(self.filled(&readme::command("partyline login https")) + "\n");
        shell.wait_for("Token for").await;
        shell.keys(format!("{token}\n"));
        shell.wait_for("logged in to").await;
        shell.keys("partyline\n");
        eyes::until(&shell, "the relay", |seen| seen.has("online since")).await;
        shell
    }
}

#[tokio::test]
async fn the_readme_followed_to_the_letter_makes_a_relay_that_serves_and_leaves() {
    let operator = Operator::new().await;
    let folder = &operator.folder;

    // 2 to 4: who is rung, tokens, certificate.
    operator.configure();
    for name in ["root", "alice"] {
        let add = format!("partyline-relay token add --tokens /etc/partyline/tokens --name {name}");
        operator.runs(&add).await;
    }
    let alice = std::fs::read_to_string(folder.file("alice.token")).expect("step 3 writes it");
    let first = operator.certify();

    // 5: it would start, and does.
    let check = operator.runs("partyline-relay config check --config").await;
    assert!(
        check.text().ends_with("ok: the relay would start\n"),
        "{}",
        check.text()
    );
    assert_eq!(check.stderr, "", "and nothing is to be warned of");
    let relay = operator.start("partyline-relay serve --config /etc", "", &[]);
    let ready = format!("listening on {}", operator.url());
    relay.line(SOON, &ready, |line| line == ready).await;
    assert!(first.is(&operator.authority.seen(operator.at).await));

    // 7: Twilio is pointed here, and the doctor is content.
    operator
        .points_twilio_here("partyline-relay twilio configure --config /etc/partyline/relay.toml --number")
        .await;
    operator
        .points_twilio_here("partyline-relay twilio configure --config /etc/partyline/relay.toml --app")
        .await;
    let voice = format!("{}/twilio/voice", operator.url());
    assert_eq!(operator.rest.number(NUMBER)["voice_url"], voice);
    let doctor = operator.runs("partyline-relay doctor --config").await.text();
    assert!(
        doctor.lines().count() > 10 && doctor.lines().all(|line| line.starts_with("✓ ")),
        "{doctor}"
    );

    // 6: a signed call, checked as it is heard, and seen over wss.
    let monitor = operator.supervises(alice.trim()).await;
    let account = [("TWILIO_ACCOUNT_SID", ACCOUNT), ("TWILIO_AUTH_TOKEN", TOKEN)];
    let twilio = operator.start("partyline-relay simulate --relay https:", "--loop", &account);
    twilio
        .line(SOON, "a call that started", |line| line.ends_with(" started"))
        .await;
    eyes::until(&monitor, "the call and its words", |seen| {
        seen.listed("● live").is_some_and(|row| row.contains("777")) && seen.pane_has("Transcript", "Hello?")
    })
    .await;

    // Meanwhile its certificate is renewed, and its file is changed.
    let renewed = operator.certify();
    until(SOON, "the new certificate", async || {
        let seen = operator.authority.seen(operator.at).await;
        renewed.is(&seen).then_some(())
    })
    .await;
    let text = std::fs::read_to_string(folder.file("relay.toml")).expect("step 2 writes it");
    let changed = text.replace("This call is being monitored", "Somebody listens");
    assert_ne!(changed, text);
    folder.write("relay.toml", changed);
    relay.signal("HUP");
    relay.complains(SOON, "what was read is in force").await;
    let tunnel = Tunnel::to(operator.at, &operator.authority).await;
    let mut call = TwilioCall::at(tunnel.addr());
    call.signs = Some((TOKEN, operator.url().leak()));
    let twiml = call.webhook(&[("customer_id", "777")]).await.expect(200);
    assert!(twiml.text().contains("Somebody listens"), "{}", twiml.text());
    let mut stream = call.open_stream().await;
    stream.connected().await;
    stream.start(&[("partyline_pass", &pass(&twiml))]).await;
    let live = |seen: &eyes::Seen| seen.rows.iter().filter(|row| row.contains("● live")).count();
    eyes::until(&monitor, "both calls", |seen| live(seen) == 2).await;
    twilio.signal("INT");
    // Nothing of it was lost, by whichever certificate it came.
    twilio.finish(SOON).await.expect_code(0);

    // It drains: who is there stays until the last call is over.
    relay.signal("TERM");
    relay.complains(SOON, "draining: live streams go on").await;
    http::get(tunnel.addr(), "/readyz").await.expect(503);
    eyes::until(&monitor, "the other call goes on", |seen| {
        live(seen) == 1 && seen.has("online since")
    })
    .await;
    stream.hang_up().await;
    let relay = relay.finish(SOON).await.expect_code(0);
    assert!(!relay.stderr.contains(TOKEN), "{}", relay.stderr);
    eyes::until(&monitor, "that it is gone", |seen| seen.has("away since")).await;

    // Who heard what is on record, whole.
    operator.runs("partyline-relay audit verify /var/log").await;
    let audit = std::fs::read_to_string(folder.file("audit.jsonl")).expect("an audit");
    let begins = audit
        .lines()
        .filter(|line| line.contains("\"listen_begin\"") && line.contains("\"alice\""));
    assert_eq!(begins.count(), 1, "{audit}");
}
