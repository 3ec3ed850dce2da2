//! What is not Twilio's is refused, counted, and told with what to look at, but never with what was in it.

use ::http::Method;
use harness::signed::{ORIGIN, SECOND, SECOND_TOKEN, SignedRelay, TOKEN};
use harness::twilio::{ACCOUNT, new_sid};
use harness::wait::{SOON, within};
use harness::{MediaSocket, Program, TwilioCall, binaries, http};
use partyline_relay::limits::dials;
use partyline_relay::twilio::signature;
use partyline_shared::call::CallStatus;
use partyline_shared::twilio::form::Form;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const HOOKS: [&str; 5] = [
    "/twilio/voice",
    "/twilio/notice",
    "/twilio/status",
    "/twilio/stream",
    "/twilio/transcription",
];

fn form(account: &str) -> Form {
    Form::from_pairs([
        ("AccountSid", account),
        ("CallSid", "CA55555555555555555555555555555555"),
        ("From", "client:agent"),
        ("To", "+15550100002"),
        ("Direction", "inbound"),
        ("CallStatus", "ringing"),
    ])
}

async fn post(relay: &SignedRelay, path: &str, headers: &[(&str, &str)], form: &Form) -> http::Answer {
    let headers: Vec<_> = [FORM].iter().chain(headers).copied().collect();
    http::send(relay.addr(), Method::POST, path, &headers, form.encode()).await
}

#[tokio::test]
async fn no_webhook_takes_what_its_account_did_not_sign() {
    let relay = SignedRelay::start().await;
    let at = relay.addr().to_string();
    for path in HOOKS {
        let url = format!("{ORIGIN}{path}");
        let ours = form(ACCOUNT);
        let signed = signature::sign(TOKEN, &url, &ours);
        for (why, signature, form) in [
            ("none", None, &ours),
            ("no base64", Some("?".to_owned()), &ours),
            ("empty", Some(String::new()), &ours),
            (
                "another token",
                Some(signature::sign("another", &url, &ours)),
                &ours,
            ),
            (
                "the token of our other account",
                Some(signature::sign(SECOND_TOKEN, &url, &ours)),
                &ours,
            ),
            (
                "an account that is not ours",
                Some(signature::sign(TOKEN, &url, &form("AC0"))),
                &form("AC0"),
            ),
            (
                "over the Host",
                Some(signature::sign(TOKEN, &format!("http://{at}{path}"), &ours)),
                &ours,
            ),
            ("over other fields", Some(signed.clone()), &form(SECOND)),
        ] {
            let header = signature.iter().map(|s| (signature::HEADER, s.as_str()));
            let more = [
                ("x-forwarded-host", "evil.example"),
                ("x-forwarded-proto", "http"),
            ];
            let headers: Vec<_> = header.chain(more).collect();
            let answer = post(&relay, path, &headers, form).await;
            assert_eq!(answer.status, 403, "{path}: {why}");
        }
        // Another query than the one that was asked for with.
        let headers = [(signature::HEADER, signed.as_str())];
        post(&relay, &format!("{path}?customer_id=1"), &headers, &ours)
            .await
            .expect(403);
    }
    assert_eq!(relay.calls(), 0, "nothing was done");
    let refused = [
        "signatures_missing",
        "signatures_wrong",
        "signatures_without_token",
    ];
    assert_eq!(refused.map(|name| relay.counted(name)), [5, 35, 5]);
    assert_eq!(relay.counted("requests_refused"), 45);
}

#[tokio::test]
async fn without_a_signature_it_does_not_wait_for_the_body() {
    let relay = SignedRelay::start().await;
    for header in ["", "x-twilio-signature: short\r\n"] {
        let mut socket = TcpStream::connect(relay.addr()).await.unwrap();
        let head = format!(
            "POST /twilio/voice HTTP/1.1\r\nhost: calls.example.com\r\n{header}content-length: 60000\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        within(SOON, "the answer", socket.read_exact(&mut answer))
            .await
            .unwrap();
        assert_eq!(&answer, b"HTTP/1.1 403");
    }
}

#[tokio::test]
async fn one_account_says_nothing_of_anothers_call() {
    let relay = SignedRelay::start().await;
    let mut call = TwilioCall::signed(&relay);
    call.webhook(&[]).await.expect(200);
    let before = (relay.call(call.sid()), relay.journal(call.sid()));
    call.signs = Some((SECOND_TOKEN, ORIGIN));
    let other = [("AccountSid", SECOND)];
    call.webhook(&other).await.expect(403);
    call.status("completed", &other).await.expect(403);
    call.leg_status(&new_sid("CA"), "in-progress", &other)
        .await
        .expect(403);
    call.stream_callback("MZ1", "stream-error", &other)
        .await
        .expect(403);
    call.transcription("transcription-started", &other)
        .await
        .expect(403);
    assert_eq!((relay.call(call.sid()), relay.journal(call.sid())), before);
}

#[tokio::test]
async fn a_handshake_is_signed_as_wss_or_it_is_none() {
    let relay = SignedRelay::start().await;
    let sign = |token: &str, url: &str| signature::sign(token, url, &Form::default());
    for header in [
        None,
        Some(sign("another", "wss://calls.example.com/cable")),
        Some(sign(TOKEN, "https://calls.example.com/cable")),
        Some(sign(TOKEN, &format!("wss://{}/cable", relay.addr()))),
        Some(String::new()),
    ] {
        let headers: Vec<_> = header.iter().map(|s| (signature::HEADER, s.as_str())).collect();
        let refused = MediaSocket::try_open(relay.addr(), "CA1", &headers).await;
        let error = refused.err().expect("it is refused").to_string();
        assert!(error.contains("403"), "{error}");
    }
    for url in ["wss://calls.example.com/cable", "wss://calls.example.com/cable/"] {
        let header = sign(SECOND_TOKEN, url);
        let headers = [(signature::HEADER, header.as_str())];
        let opened = MediaSocket::try_open(relay.addr(), "CA1", &headers).await;
        opened.unwrap_or_else(|e| panic!("{url}: {e}")).close().await;
    }
}

#[tokio::test]
async fn who_has_us_dial_all_night_gets_the_apology() {
    let relay = SignedRelay::start().await;
    let ring = async || TwilioCall::signed(&relay).webhook(&[]).await.expect(200);
    let mut rung = 0;
    while ring().await.text().contains("<Dial") {
        rung += 1;
        assert!(rung < 2 * dials::CALLER_AT_ONCE, "it never ends");
    }
    assert!(rung >= dials::CALLER_AT_ONCE);
    assert_eq!(relay.counted("dials_refused_caller"), 1);
    let mut other = TwilioCall::signed(&relay);
    other.from = "client:bob".to_owned();
    assert!(other.webhook(&[]).await.text().contains("<Dial"));
}

#[tokio::test]
async fn the_log_says_what_to_look_at_and_nothing_of_what_was_sent() {
    let args = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--insecure",
        "--public-url",
        "https://tcare.pro",
        "--log-level",
        "trace",
    ];
    let env = [
        ("TWILIO_AUTH_TOKEN", "canary-of-the-token"),
        ("TWILIO_ACCOUNT_SID", ACCOUNT),
    ];
    let program = Program::start(&binaries::path(binaries::RELAY), args, &env);
    let line = program.line(SOON, "where it listens", |_| true).await;
    let addr = line
        .trim_start_matches("listening on http://")
        .parse()
        .expect("an address");
    let mut fields = form(ACCOUNT);
    fields.push("canary-of-a-field", "canary-of-a-value");
    let wrong = signature::sign("another", "https://tcare.pro/twilio/voice", &fields);
    let headers = [FORM, (signature::HEADER, wrong.as_str())];
    for _ in 0..10 {
        let path = "/twilio/voice?canary-of-the-query=1";
        http::send(addr, Method::POST, path, &headers, fields.encode())
            .await
            .expect(403);
    }
    let headers = [(signature::HEADER, wrong.as_str())];
    assert!(MediaSocket::try_open(addr, "CA1", &headers).await.is_err());
    // Shown by a stream that is let in: what it shows is nobody's business either.
    let mut stream = MediaSocket::open(addr, new_sid("CA").as_str()).await;
    stream.connected().await;
    stream.start(&[("partyline_pass", "canary-of-a-pass")]).await;
    assert_eq!(stream.closed().await, Some(1008));
    program.signal("TERM");
    let log = program.finish(SOON).await.stderr;
    let told =
        "signature does not match; computed over https://tcare.pro/twilio/voice: is that what Twilio calls?";
    assert_eq!(log.matches(told).count(), 1, "a flood is told in a line:\n{log}");
    for canary in ["canary", "5550100002", wrong.as_str()] {
        assert!(!log.contains(canary), "{canary} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn json_is_taken_where_the_url_holds_its_hash() {
    let relay = SignedRelay::start().await;
    let call = TwilioCall::signed(&relay);
    call.webhook(&[]).await.expect(200);
    let json = serde_json::json!({
        "AccountSid": ACCOUNT, "CallSid": call.sid().as_str(), "CallStatus": "in-progress",
    });
    let post = async |body: &str, hash: &str| {
        let path = format!("/twilio/status?bodySHA256={hash}");
        let signed = signature::sign(TOKEN, &format!("{ORIGIN}{path}"), &Form::default());
        let headers = [
            ("content-type", "application/json"),
            (signature::HEADER, signed.as_str()),
        ];
        http::send(relay.addr(), Method::POST, &path, &headers, body.to_owned())
            .await
            .status
    };
    let (body, hash) = (json.to_string(), signature::hash(json.to_string().as_bytes()));
    assert_eq!(post(&body.replace("in-progress", "completed"), &hash).await, 403);
    assert_eq!(post(&body, &"0".repeat(64)).await, 403);
    assert_eq!(relay.call(call.sid()).unwrap().status, CallStatus::Ringing);
    assert_eq!(post(&body, &hash).await, 204);
    assert_eq!(relay.call(call.sid()).unwrap().status, CallStatus::InProgress);
    // Without a hash nothing says whose body it is.
    let signed = signature::sign(TOKEN, &format!("{ORIGIN}/twilio/status"), &Form::default());
    let headers = [
        ("content-type", "application/json"),
        (signature::HEADER, signed.as_str()),
    ];
    http::send(relay.addr(), Method::POST, "/twilio/status", &headers, body)
        .await
        .expect(415);
}
