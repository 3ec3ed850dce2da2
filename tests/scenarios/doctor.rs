//! `partyline-relay doctor` at a relay that runs: all well, and each thing that is not, with its mend.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use harness::certificates::{Authority, Pair};
use harness::impostor::http;
use harness::signed::TOKEN;
use harness::twilio::{ACCOUNT, now};
use harness::wait::SOON;
use harness::{Finished, Impostor, Network, Program, Scratch, binaries};
use partyline_shared::time::UtcTime;
use serde_json::{Value, json};

/// A relay behind a name, by a certificate of an authority that the doctor trusts, and Twilio's API.
struct Ward {
    folder: Scratch,
    authority: Authority,
    /// The public URL is this wire's end.
    wire: Network,
    api: Impostor,
    relay: Option<(Program, SocketAddr)>,
}

impl Ward {
    async fn new() -> Ward {
        let folder = Scratch::new();
        let authority = Authority::new();
        authority.certify(&["127.0.0.1"]).put(&folder);
        folder.write("tokens", "");
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        let ward = Ward {
            wire: Network::to(nowhere, 1).await,
            api: Impostor::start().await,
            relay: None,
            folder,
            authority,
        };
        let add = [
            "token",
            "add",
            "--tokens",
            &ward.path("tokens"),
            "--name",
            "root",
            "--role",
            "admin",
        ];
        ward.run(&add).await.expect_code(0);
        ward.tells_time(now());
        ward.has(&json!({}));
        ward
    }

    fn path(&self, name: &str) -> String {
        self.folder.file(name).display().to_string()
    }

    fn url(&self) -> String {
        format!("https://{}", self.wire.addr())
    }

    /// Twilio's API says that it is this late.
    fn tells_time(&self, at: UtcTime) {
        let date = format!("date: {}\r\n", at.to_rfc2822().replace("+0000", "GMT"));
        self.api.answer_whole("/", http("404 Not Found", &date, ""));
    }

    /// The account has one number, whole but for these changes; it stands on a page of its own behind the first.
    fn has(&self, changes: &Value) {
        let mut number = json!({
            "sid": "PN1", "phone_number": "+12125550111", "voice_url": format!("{}/twilio/voice", self.url()),
            "voice_method": "POST", "voice_application_sid": "", "voice_fallback_url": "https://fallback.example.com/",
            "status_callback": format!("{}/twilio/status", self.url()),
        });
        for (name, value) in changes.as_object().expect("changes") {
            number[name] = value.clone();
        }
        let at = |what: &str| format!("/2010-04-01/Accounts/{ACCOUNT}/{what}.json");
        let second = at("IncomingPhoneNumbers/2");
        let first = json!({ "incoming_phone_numbers": [], "next_page_uri": second });
        self.api.answer(&at("IncomingPhoneNumbers"), "200 OK", &first);
        let last = json!({ "incoming_phone_numbers": [number], "next_page_uri": null });
        self.api.answer(&second, "200 OK", &last);
        self.api
            .answer(&at("Applications"), "200 OK", &json!({ "applications": [] }));
    }

    /// What the relay is told.
    fn file(&self) -> String {
        let [cert, key] = Pair::paths(&self.folder).map(|path| path.display().to_string());
        let text = format!(
            "public_url = {:?}\ntokens = {:?}\naudit = {:?}\ntls_cert = {cert:?}\ntls_key = {key:?}\n\
             twilio_api = {:?}\nmax_calls = 50\nmax_listeners = 50\n\
             [[routes]]\nto = \"+12125550111\"\ndial = \"client:alice\"\n",
            self.url(),
            self.path("tokens"),
            self.path("audit.jsonl"),
            self.api.url(),
        );
        self.folder.write("relay.toml", text).display().to_string()
    }

    /// Starts a relay at the wire's other end.
    async fn start(&mut self) {
        let args = ["serve", "--listen", "127.0.0.1:0", "--config", &self.file()];
        let (relay, at) = self.serve(&args).await;
        self.wire.aim(at);
        self.relay = Some((relay, at));
    }

    async fn serve(&self, args: &[&str]) -> (Program, SocketAddr) {
        let relay = Program::start(&binaries::path(binaries::RELAY), args, &self.env());
        let ready = "listening on https://";
        let line = relay.line(SOON, ready, |line| line.starts_with(ready)).await;
        (relay, line.trim_start_matches(ready).parse().expect("an address"))
    }

    fn env(&self) -> [(&'static str, &'static str); 3] {
        [
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_ACCOUNT_SID", ACCOUNT),
            ("LC_ALL", "C.UTF-8"),
        ]
    }

    async fn run(&self, args: &[&str]) -> Finished {
        let authority = self.authority.file(&self.folder);
        let env = [&self.env()[..], &[("SSL_CERT_FILE", authority.as_str())]].concat();
        Program::start(&binaries::path(binaries::RELAY), args, &env)
            .finish(SOON)
            .await
    }

    /// What the doctor says of the relay that runs.
    async fn examined(&self, more: &[&str]) -> Finished {
        let at = self
            .relay
            .as_ref()
            .map_or("127.0.0.1:1".to_owned(), |(_, at)| at.to_string());
        let file = self.file();
        let args = ["doctor", "--config", &file, "--listen", &at];
        self.run(&[&args[..], more].concat()).await
    }
}

/// Whether one of the lines begins so and has that in it.
#[track_caller]
fn expect(done: &Finished, mark: &str, begins: &str, has: &str) {
    let text = done.text();
    let begins = format!("{mark} {begins}: ");
    let found = text
        .lines()
        .any(|line| line.starts_with(&begins) && line.contains(has));
    assert!(found, "{begins}…{has} is not in\n{text}\n{}", done.stderr);
}

#[tokio::test]
async fn a_relay_that_is_well_is_told_so_line_by_line() {
    let mut ward = Ward::new().await;
    ward.start().await;
    let done = ward.examined(&[]).await.expect_code(0);
    let text = done.text();
    assert!(text.lines().all(|line| line.starts_with("✓ ")), "{text}");
    for (begins, has) in [
        ("configuration", "the relay would start"),
        ("tokens", "1 of an admin"),
        ("file limit", "files may be open"),
        ("audit", "its chain is whole"),
        ("clock", "within 30 s of Twilio's"),
        ("certificate", "its key belong together"),
        ("certificate", "the public URL shows one that is trusted"),
        ("public URL", "answers from here"),
        ("webhook", "and takes what is signed"),
        ("WebSocket", "/cable opens"),
        ("Twilio account", "is taken"),
        ("number", "+12125550111 leads here"),
        ("cost", "$0.0314 a minute"),
    ] {
        expect(&done, "✓", begins, has);
    }
    assert!(
        !text.contains(TOKEN) && !done.stderr.contains(TOKEN),
        "{text}{}",
        done.stderr
    );
    // It left nothing behind: no call, and nobody on record.
    let (relay, _) = ward.relay.take().expect("it runs");
    relay.signal("TERM");
    let relay = relay.finish(SOON).await.expect_code(0);
    assert!(
        relay.stderr.contains("name=\"calls_started\" total=0"),
        "{}",
        relay.stderr
    );
}

#[tokio::test]
async fn whatever_is_wrong_outside_is_told_with_its_mend_and_all_else_is_looked_at() {
    let mut ward = Ward::new().await;
    ward.start().await;
    ward.tells_time(now().plus_ms(120_000));
    ward.has(&json!({ "voice_url": "https://demo.example.com/", "status_callback": "" }));
    let done = ward.examined(&[]).await.expect_code(1);
    expect(&done, "!", "clock", "s behind of Twilio's; set it");
    let mend = "does not lead to";
    expect(&done, "✗", "number", mend);
    expect(
        &done,
        "✗",
        "number",
        "; partyline-relay twilio configure --number +12125550111 --config /",
    );
    expect(&done, "✓", "WebSocket", "opens");

    ward.has(&json!({ "voice_method": "GET", "voice_fallback_url": null }));
    let done = ward.examined(&[]).await.expect_code(1);
    expect(&done, "✗", "number", "leads here by GET");
    expect(&done, "!", "number", "has no fallback");

    let refused = json!({ "code": 20003, "message": "Authenticate", "status": 401 });
    let numbers = format!("/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json");
    ward.api.answer(&numbers, "401 Unauthorized", &refused);
    let done = ward.examined(&[]).await.expect_code(1);
    expect(
        &done,
        "✗",
        "Twilio account",
        "copy Account SID and auth token from Twilio's console",
    );

    // Another relay stands behind the name.
    let other = ward.folder.write(
        "relay2.toml",
        std::fs::read_to_string(ward.file()).expect("a file"),
    );
    let other = other.display().to_string();
    let audit = ward.path("other.jsonl");
    let args = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--config",
        &other,
        "--audit",
        &audit,
    ];
    let (second, at) = ward.serve(&args).await;
    ward.wire.aim(at);
    let done = ward.examined(&[]).await.expect_code(1);
    expect(&done, "✗", "webhook", "another relay than the one at");
    drop(second);

    ward.wire.down(true);
    let done = ward.examined(&[]).await.expect_code(1);
    expect(&done, "✗", "public URL", "; ");
    expect(&done, "✓", "cost", "a minute");
}

#[tokio::test]
async fn whatever_is_wrong_here_is_told_with_its_mend() {
    let mut ward = Ward::new().await;
    // Not started: nobody is there.
    let done = ward.examined(&[]).await.expect_code(1);
    expect(&done, "✗", "public URL", "start the relay");
    ward.start().await;
    let tokens = ward.path("no-tokens");
    ward.folder.write("no-tokens", "");
    let gone = ward.path("gone/state");
    let more = [
        "--tokens",
        &tokens,
        "--state",
        &gone,
        "--max-calls",
        "1000000000",
        "--coalesce",
        "1h",
        "--redis",
        "redis://127.0.0.1:1",
    ];
    let done = ward.examined(&more).await.expect_code(1);
    expect(&done, "✗", "configuration", "--coalesce: `1h` is too long");
    expect(&done, "✗", "tokens", "nobody can listen");
    expect(&done, "✗", "state", "cannot be written");
    expect(&done, "!", "file limit", "LimitNOFILE=1000000562 in the unit");
    expect(&done, "✗", "Redis", "127.0.0.1:1: it cannot be reached (");
    expect(&done, "✓", "webhook", "takes what is signed");

    // Secrets that are not kept.
    let key = Pair::paths(&ward.folder)[1].clone();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("a mode can be set");
    let done = ward.examined(&[]).await.expect_code(0);
    expect(&done, "!", "secrets", "(mode 0644); chmod o= /");

    // The certificate of another name, and one that ended.
    ward.authority.certify(&["calls.example.com"]).put(&ward.folder);
    let done = ward.examined(&[]).await.expect_code(1);
    expect(
        &done,
        "✗",
        "certificate",
        "is for calls.example.com, and not for 127.0.0.1; have one made",
    );
    ward.authority
        .certify_until(&["127.0.0.1"], 2021)
        .put(&ward.folder);
    let done = ward.examined(&[]).await.expect_code(1);
    expect(&done, "✗", "certificate", "it ended at 2021-01-01");

    // A record that somebody changed.
    let path = ward.folder.file("audit.jsonl");
    let text = std::fs::read_to_string(&path).expect("there is an audit");
    std::fs::write(&path, text.replacen("\"started\"", "\"refused\"", 1)).expect("it can be written");
    let done = ward.examined(&[]).await.expect_code(1);
    expect(&done, "✗", "audit", "partyline-relay audit verify");
}

#[tokio::test]
async fn without_letters_for_signs_it_uses_words() {
    let ward = Ward::new().await;
    let file = ward.file();
    let args = ["doctor", "--config", &file, "--public-url", "https://127.0.0.1:1"];
    let env = [("LC_ALL", "C"), ("SSL_CERT_FILE", "/nowhere")];
    let relay = Program::start(&binaries::path(binaries::RELAY), args, &env);
    let done = relay.finish(SOON).await.expect_code(1);
    let text = done.text();
    let word = |line: &str| {
        ["ok   ", "warn ", "fail "]
            .iter()
            .any(|word| line.starts_with(word))
    };
    assert!(text.lines().all(word), "{text}");
    expect(&done, "fail", "configuration", "a Twilio auth token is missing");
}
