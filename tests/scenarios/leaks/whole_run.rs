//! A relay that logs all it can is told of calls, streams, listeners and requests, good ones and bad ones. Of what
//! they carry nothing is in the log, in the answers that refuse, or, but for whose call it is, in the audit.

mod calls;
mod listens;
mod scripts;

use harness::signed::ORIGIN;
use harness::twilio::ACCOUNT;
use harness::wait::{SOON, until};
use harness::{Record, Relay, TwilioCall};

use super::{Canaries, JWT_SECRET, expect_events};

/// The account's auth token, which the relay is told in its environment.
const TWILIO: &str = "ca9a41e5ca9a41e5ca9a41e5ca9a41e5";

/// Most of stderr that is kept; a log that is longer would have lost its beginning.
const KEPT: usize = 256 << 10;

/// What the run is made of.
struct Run {
    relay: Relay,
    record: Record,
    canaries: Canaries,
    /// An admin's token.
    token: String,
    customer: String,
    agent: String,
    route: String,
}

impl Run {
    async fn start(format: &str) -> Run {
        let (canaries, record) = (Canaries::default(), Record::new());
        canaries.plant("an auth token", TWILIO);
        canaries.plant("a login's secret", JWT_SECRET);
        let token = canaries.plant("a token", record.add("alice", &["--role", "admin"]).await);
        let customer = canaries.plant("a customer that looks like a number", "49290007773456");
        let route = canaries.number("our number", "+12125557701");
        let agent = canaries.number("who is rung", "+12125557702");
        let secret = record.folder().write("jwt-secret", JWT_SECRET);
        let config = record.folder().write(
            "relay.toml",
            format!(
                "caller_id = \"{}\"\ndial_allow = [\"+1\"]\n[[routes]]\nto = \"{route}\"\ndial = \"{agent}\"\n\
                 customer_id = \"{customer}\"\n",
                canaries.number("the number that is shown", "+12125557703")
            ),
        );
        let (tokens, audit) = (record.tokens(), record.audit());
        let text = |path: &std::path::Path| path.to_str().expect("a path in UTF-8").to_owned();
        let flags = [
            ("--listen", "127.0.0.1:0"),
            ("--public-url", ORIGIN),
            ("--config", &text(&config)),
            ("--tokens", &tokens),
            ("--audit", &text(&audit)),
            ("--jwt-secret-file", &text(&secret)),
            ("--trusted-proxy", "127.0.0.1"),
            ("--log-level", "trace"),
            ("--log-format", format),
        ];
        let flags: Vec<&str> = flags.iter().flat_map(|(flag, value)| [*flag, *value]).collect();
        let env = [("TWILIO_AUTH_TOKEN", TWILIO), ("TWILIO_ACCOUNT_SID", ACCOUNT)];
        let relay = Relay::serve(&flags, &env).await;
        Run {
            relay,
            record,
            canaries,
            token,
            customer,
            agent,
            route,
        }
    }

    /// A call from outside that a route takes, signed.
    fn call(&self) -> TwilioCall {
        let mut call = TwilioCall::at(self.relay.addr());
        call.signs = Some((TWILIO, ORIGIN));
        call.from = self.canaries.number("who calls", "+13105557704");
        call.to.clone_from(&self.route);
        call
    }

    /// A tokens file that cannot be used, told by looking and by SIGHUP.
    async fn spoil_tokens(&self) {
        let secret = self
            .canaries
            .plant("a token in a wrong place", "pl_canarycanarycanary1");
        let good = std::fs::read_to_string(self.record.tokens()).expect("there are tokens");
        let (path, relay) = (self.record.tokens(), self.relay.program());
        for bad in [
            format!("{good}\n[[token]]\nname = \"x\"\nsha256 = \"{secret}\"\n"),
            format!("{good}\ntoken = \"{secret}\"\n"),
            format!("{good}\n{secret}\n"),
        ] {
            let told = relay.stderr().matches("the tokens stay as they were").count();
            std::fs::write(&path, bad).expect("it can be written");
            relay.signal("HUP");
            until(SOON, "the relay to complain of its tokens", async || {
                (relay.stderr().matches("the tokens stay as they were").count() > told).then_some(())
            })
            .await;
        }
        std::fs::write(&path, good).expect("it can be written");
        relay.signal("HUP");
    }

    async fn expect_nothing_leaked(self, as_json: bool) {
        let Run {
            relay,
            record,
            canaries,
            customer,
            ..
        } = self;
        let ended = relay.stop().await.expect_code(0);
        assert!(ended.stderr.len() < KEPT, "its beginning is lost");
        let events = expect_events(&ended.stderr, as_json);
        assert!(events > 50, "it says a lot at trace:\n{}", ended.stderr);
        canaries.expect_none(&ended.stderr);
        assert_eq!(canaries.found_in(&ended.text()), []);
        let audit = std::fs::read_to_string(record.audit()).expect("there is an audit");
        let found = canaries.found_in(&audit);
        assert!(found.iter().all(|(_, canary)| *canary == customer), "{found:?}");
        assert!(
            audit.contains("listen_begin") && audit.contains("refused"),
            "{audit}"
        );
    }
}

async fn whole(format: &str) {
    let run = Run::start(format).await;
    calls::play(&run).await;
    listens::listen(&run).await;
    scripts::ask(&run).await;
    run.spoil_tokens().await;
    run.expect_nothing_leaked(format == "json").await;
}

#[tokio::test]
async fn nothing_of_what_was_said_is_in_a_text_log() {
    whole("text").await;
}

#[tokio::test]
async fn nothing_of_what_was_said_is_in_a_json_log() {
    whole("json").await;
}
