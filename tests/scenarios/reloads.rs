//! SIGHUP while people talk and listen: all that changed acts, or nothing of it; no socket notices.

use std::time::Duration;

use ::http::Method;
use harness::guarded::Talk;
use harness::http;
use harness::signed::{ORIGIN, SECOND_TOKEN, TOKEN};
use harness::twilio::{ACCOUNT, pass};
use harness::wait::{SOON, until, within};
use harness::{Listener, Record, Relay, TwilioCall};

/// What a reload says at its end.
const DONE: &str = "what was read is in force";
const REFUSED: &str = "nothing was changed, all stays as it was";

/// A change of rights acts within this.
const ACTS: Duration = Duration::from_secs(5);

/// A relay that is told everything by its file.
struct Home {
    record: Record,
    admin: String,
}

impl Home {
    async fn new() -> Home {
        let record = Record::new();
        let admin = record.add("root", &["--role", "admin"]).await;
        Home { record, admin }
    }

    /// The file's text: an account's token and the rest.
    fn write(&self, token: &str, more: &str) -> String {
        let (tokens, audit) = (self.record.tokens(), self.record.audit());
        let text = format!(
            "listen = \"127.0.0.1:0\"\npublic_url = {ORIGIN:?}\ntokens = {tokens:?}\naudit = {audit:?}\n\
             twilio_account = [\"{ACCOUNT}={token}\"]\ncaller_id = \"+12125550100\"\n{more}"
        );
        let path = self.record.folder().write("relay.toml", text);
        path.display().to_string()
    }

    async fn start(&self) -> Relay {
        let file = self.write(TOKEN, "dial_allow = [\"+1\"]\n");
        Relay::serve(&["--config", &file], &[]).await
    }

    async fn listen(&self, relay: &Relay, token: &str) -> Result<Listener, String> {
        let bearer = format!("Bearer {token}");
        let opened = Listener::open_at(relay.addr(), "/listen", &[("authorization", &bearer)], None).await;
        let mut listener = opened.map_err(|error| error.to_string())?;
        listener.greeted().await;
        Ok(listener)
    }

    /// What a page of that origin is answered.
    async fn page(&self, relay: &Relay, origin: &str) -> u16 {
        let bearer = format!("Bearer {}", self.admin);
        let headers = [("authorization", bearer.as_str()), ("origin", origin)];
        http::send(relay.addr(), Method::GET, "/api/v1/calls", &headers, "")
            .await
            .status
            .as_u16()
    }
}

/// What a call's first webhook is answered, signed by this token.
async fn rings(relay: &Relay, token: &'static str, to: &str) -> (u16, String) {
    let mut call = TwilioCall::at(relay.addr());
    call.signs = Some((token, ORIGIN));
    let answer = call.webhook(&[("To", to)]).await;
    (answer.status.as_u16(), answer.text().to_owned())
}

#[tokio::test]
async fn a_reload_acts_as_a_whole_and_who_talks_and_listens_does_not_notice() {
    let home = Home::new().await;
    let relay = home.start().await;
    let mut call = TwilioCall::at(relay.addr());
    call.signs = Some((TOKEN, ORIGIN));
    let answer = call.webhook(&[]).await.expect(200);
    let mut stream = call.open_stream().await;
    stream.connected().await;
    stream.start(&[("partyline_pass", &pass(&answer))]).await;
    let mut listener = home
        .listen(&relay, &home.admin)
        .await
        .expect("an admin is let in");
    listener
        .until_so("the live call", |listener| {
            let call = listener.calls.get(call.sid());
            call.is_some_and(|call| call.stream == partyline_shared::call::StreamState::Live)
        })
        .await;
    listener.subscribe(call.sid()).await;
    let talk = Talk::begin(stream);
    listener.next_frame("a frame before").await;
    assert_eq!(home.page(&relay, "https://app.example").await, 403);

    home.write(
        SECOND_TOKEN,
        "dial_allow = [\"+44\"]\nallowed_origin = [\"https://app.example\"]\nmax_listeners = 1\n\
         log_level = \"debug\"\nretention = \"2h\"\nnotice = \"Another notice.\"\n",
    );
    relay.program().signal("HUP");
    relay.program().complains(SOON, DONE).await;

    assert_eq!(
        rings(&relay, TOKEN, "+441212345678").await.0,
        403,
        "the old token is gone"
    );
    let (status, twiml) = rings(&relay, SECOND_TOKEN, "+441212345678").await;
    assert!(
        status == 200 && twiml.contains("<Dial") && twiml.contains("Another notice."),
        "{twiml}"
    );
    let (_, twiml) = rings(&relay, SECOND_TOKEN, "+12125550177").await;
    assert!(!twiml.contains("<Dial"), "{twiml}");
    assert_eq!(home.page(&relay, "https://app.example").await, 200);
    assert!(
        home.listen(&relay, &home.admin).await.is_err(),
        "there is one listener already"
    );
    // The same request again, which is told at debug only.
    let mut again = TwilioCall::at(relay.addr());
    again.signs = Some((SECOND_TOKEN, ORIGIN));
    for _ in 0..2 {
        again.webhook(&[]).await.expect(200);
    }
    relay
        .program()
        .complains(SOON, "seen before: answered the same")
        .await;

    let so_far = listener.next_frame("a frame after").await.chunk();
    listener
        .until_so("a second of talk after the reload", |listener| {
            let frames = &listener.heard(call.sid()).frames.inbound;
            frames.last().is_some_and(|frame| frame.chunk() > so_far + 50)
        })
        .await;
    let heard = listener.heard(call.sid());
    assert_eq!(heard.gaps.len(), 0);
    for frames in [&heard.frames.inbound, &heard.frames.outbound] {
        let chunks: Vec<u32> = frames.iter().map(|frame| frame.chunk()).collect();
        assert!(chunks.windows(2).all(|pair| pair[1] == pair[0] + 1), "{chunks:?}");
    }
    talk.end().await.hang_up().await;
    listener.close().await;
    let done = relay.stop().await.expect_code(0);
    assert!(
        done.stderr.contains("name=\"config_reloads\" total=1"),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn a_file_that_is_wrong_is_refused_whole_and_says_why() {
    let home = Home::new().await;
    let relay = home.start().await;
    let good = std::fs::read_to_string(home.record.tokens()).expect("there are tokens");
    let broken = format!("{good}\n[[token]]\nnam = \"x\"\n");
    for (more, tokens, reason) in [
        (
            "dial_allow = [\"+44\"]\nmax_calls = 0\n",
            &good,
            "relay.toml line 8: `0` is no number of them",
        ),
        (
            "dial_allow = [\"+44\"]\nretension = \"1h\"\n",
            &good,
            "the nearest one is `retention`",
        ),
        (
            "dial_allow = [\"+44\"]\nlog_format = \"json\"\n",
            &good,
            "`log_format` has changed, which needs a restart",
        ),
        (
            "dial_allow = [\"+44\"]\nredis = \"redis://127.0.0.1:1\"\n",
            &good,
            "`redis` has changed, which needs a restart",
        ),
        ("dial_allow = [\"+44\"]\n", &broken, "tokens.toml line"),
        (
            "dial_allow = [\"+44\"]\njwks = \"http://127.0.0.1:1/\"\n",
            &good,
            "--jwks at",
        ),
        ("dial_allow = [\"+44\"\n", &good, "this is no TOML"),
    ] {
        home.write(SECOND_TOKEN, more);
        std::fs::write(home.record.tokens(), tokens).expect("it can be written");
        let refused = relay.program().stderr().matches(REFUSED).count();
        relay.program().signal("HUP");
        until(SOON, "the refusal", async || {
            (relay.program().stderr().matches(REFUSED).count() > refused).then_some(())
        })
        .await;
        let told = relay.program().stderr();
        assert!(told.contains(reason), "{reason} is not in\n{told}");
        let (status, twiml) = rings(&relay, TOKEN, "+12125550177").await;
        assert!(status == 200 && twiml.contains("<Dial"), "{reason}: {twiml}");
        assert_eq!(
            rings(&relay, SECOND_TOKEN, "+441212345678").await.0,
            403,
            "{reason}"
        );
        drop(home.listen(&relay, &home.admin).await.expect("the tokens stay"));
    }
    // Mended, it acts.
    home.write(TOKEN, "dial_allow = [\"+44\"]\n");
    std::fs::write(home.record.tokens(), &good).expect("it can be written");
    relay.program().signal("HUP");
    relay.program().complains(SOON, DONE).await;
    let (_, twiml) = rings(&relay, TOKEN, "+441212345678").await;
    assert!(twiml.contains("<Dial"), "{twiml}");
    let done = relay.stop().await.expect_code(0);
    assert!(
        done.stderr.contains("name=\"config_reloads_refused\" total=7"),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn who_has_no_token_in_the_file_that_is_named_now_is_out() {
    let home = Home::new().await;
    let relay = home.start().await;
    let mut listener = home
        .listen(&relay, &home.admin)
        .await
        .expect("an admin is let in");
    let others = Record::new();
    let bob = others.add("bob", &["--role", "admin"]).await;
    let text = std::fs::read_to_string(home.write(TOKEN, "")).expect("there is a file");
    let text = text.replace(&home.record.tokens(), &others.tokens());
    home.record.folder().write("relay.toml", text);
    relay.program().signal("HUP");
    let closed = within(ACTS, "the change to act", listener.closed()).await;
    assert_eq!(closed, Some(4001));
    assert!(home.listen(&relay, &home.admin).await.is_err());
    home.listen(&relay, &bob)
        .await
        .expect("bob is let in")
        .close()
        .await;
    relay.stop().await.expect_code(0);
    home.record.once("token_removed", "root", 1).await;
    home.record.once("token_added", "bob", 1).await;
}
