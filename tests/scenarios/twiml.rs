//! What Twilio is told: the answers to its voice webhook, element by element, and to requests that are none.

use std::net::SocketAddr;

use ::http::Method;
use bytes::Bytes;
use harness::http::{self, Answer};
use harness::{Relay, Scratch, TwilioCall, api};

use partyline_shared::call::Call;
use partyline_shared::twilio::form::Form;
use roxmltree::{Document, Node};

const NOTICE: &str = "This call is being monitored and transcribed for quality assurance purposes.";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A document, a line for each element: its depth, name, attributes in order, and text.
fn outline(answer: &Answer) -> Vec<String> {
    fn walk(node: Node<'_, '_>, depth: usize, out: &mut Vec<String>) {
        let attributes: String = node
            .attributes()
            .map(|attribute| format!(" {}={}", attribute.name(), attribute.value()))
            .collect();
        let text = node.text().map(|text| format!(" | {text}")).unwrap_or_default();
        out.push(format!(
            "{:depth$}{}{attributes}{text}",
            "",
            node.tag_name().name()
        ));
        for child in node.children().filter(Node::is_element) {
            walk(child, depth + 1, out);
        }
    }
    assert_eq!(answer.status, 200);
    assert!(
        answer.header("content-type").starts_with("text/xml"),
        "{}",
        answer.header("content-type")
    );
    let document = Document::parse(answer.text()).expect("the answer is XML");
    let mut lines = Vec::new();
    walk(document.root_element(), 0, &mut lines);
    // Another each time, and only where an account is named: what it opens is told by `only_twilio`.
    lines.retain(|line| !line.starts_with("   Parameter name=partyline_pass value="));
    lines
}

fn say() -> String {
    format!(" Say language=en-US | {NOTICE}")
}

/// What comes before the `<Dial>` of a call that is followed.
fn followed(relay: SocketAddr, customer: Option<&str>) -> Vec<String> {
    let mut lines = vec![
        "Response".to_owned(),
        say(),
        " Start".to_owned(),
        format!(
            "  Stream url=wss://{relay}/cable track=both_tracks statusCallback=http://{relay}/twilio/stream statusCallbackMethod=POST"
        ),
    ];
    lines.extend(customer.map(|id| format!("   Parameter name=customer_id value={id}")));
    lines.push(" Start".to_owned());
    lines.push(format!(
        "  Transcription track=both_tracks partialResults=true languageCode=en-US statusCallbackUrl=http://{relay}/twilio/transcription statusCallbackMethod=POST"
    ));
    lines
}

/// The `<Dial>`'s noun; the dialled party hears the notice where `notice`.
fn noun(relay: SocketAddr, noun: &str, address: &str, notice: bool) -> String {
    let url = if notice {
        format!(" url=http://{relay}/twilio/notice")
    } else {
        String::new()
    };
    format!(
        "  {noun} statusCallback=http://{relay}/twilio/status statusCallbackEvent=initiated ringing answered completed statusCallbackMethod=POST{url} | {address}"
    )
}

fn dialled(mut before: Vec<String>, dial: &str, noun: String) -> Vec<String> {
    before.extend([dial.to_owned(), noun]);
    before
}

const APOLOGY: [&str; 3] = [
    "Response",
    " Say language=en-US | We are sorry, this call cannot be connected. Goodbye.",
    " Hangup",
];

async fn relay_with(toml: &str) -> Relay {
    let folder = Scratch::new();
    let config = folder.write("relay.toml", toml);
    Relay::start(&["--config", config.to_str().unwrap()]).await
}

#[tokio::test]
async fn the_contracts_document_to_the_letter() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    let expected = dialled(
        followed(at, Some("1")),
        " Dial",
        noun(at, "Number", "+1234567890", true),
    );
    // `curl -d To=+1…` sends a space where the plus was.
    for body in [
        "CallSid=TEST123&customer_id=1&To=%2B1234567890",
        "CallSid=TEST123&customer_id=1&To=+1234567890",
    ] {
        let answer = http::send(at, Method::POST, "/twilio/voice", &[FORM], body).await;
        assert_eq!(outline(&answer), expected, "{body}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(api::listed(at, "").await.len(), 1);

    // The notice for the dialled party, and what a callback is answered.
    let notice = http::post_form(at, "/twilio/notice", &Form::default()).await;
    assert_eq!(outline(&notice), ["Response".to_owned(), say()]);
    let form = Form::from_pairs([("CallSid", "TEST123"), ("CallStatus", "completed")]);
    let status = http::post_form(at, "/twilio/status", &form).await;
    assert_eq!(status.expect(204).text(), "");
}

#[tokio::test]
async fn who_is_rung_is_a_softphones_choice_or_the_operators() {
    let plain = Relay::start(&[]).await;
    let mut call = TwilioCall::new(&plain);
    let answer = outline(&call.webhook(&[]).await);
    assert_eq!(
        answer.last().unwrap(),
        &noun(plain.addr(), "Number", "+15550100002", true)
    );
    // From outside, `To` is our own number: to dial it would ring ourselves.
    for from in ["+12125550199", "anonymous", ""] {
        call.from = from.to_owned();
        assert_eq!(outline(&call.webhook(&[]).await), APOLOGY, "from {from:?}");
    }

    let relay = relay_with(concat!(
        "default_dial = \"client:alice\"\ncaller_id = \"+12125550100\"\nnotice_to = \"caller\"\n",
        "[[routes]]\nto = \"+15550100003\"\ndial = \"sip:desk@example.com\"\ncustomer_id = \"777\"\n",
    ))
    .await;
    let at = relay.addr();
    let mut call = TwilioCall::new(&relay);
    call.from = "+12125550199".to_owned();
    let default = dialled(
        followed(at, Some("5")),
        " Dial callerId=+12125550100",
        noun(at, "Client", "alice", false),
    );
    assert_eq!(outline(&call.webhook(&[("customer_id", "5")]).await), default);
    let routed = dialled(
        followed(at, Some("777")),
        " Dial callerId=+12125550100",
        noun(at, "Sip", "sip:desk@example.com", false),
    );
    let changes = [("To", "+15550100003"), ("customer_id", "5")];
    assert_eq!(outline(&call.webhook(&changes).await), routed);
    let call = api::call(at, call.sid()).await;
    assert_eq!(
        call.dialed.as_ref().map(|to| to.as_str()),
        Some("sip:desk@example.com")
    );
}

#[tokio::test]
async fn past_the_limit_calls_are_connected_and_not_followed() {
    let relay = Relay::start(&["--max-calls", "1"]).await;
    let at = relay.addr();
    let mut first = TwilioCall::new(&relay);
    assert!(first.webhook(&[]).await.expect(200).text().contains("<Start>"));
    http::get(at, "/readyz").await.expect(503);
    let second = TwilioCall::new(&relay);
    let unheard = vec![
        "Response".to_owned(),
        say(),
        " Dial".to_owned(),
        noun(at, "Number", "+15550100002", true),
    ];
    assert_eq!(outline(&second.webhook(&[]).await), unheard);
    http::get(at, &format!("/api/v1/calls/{}", second.sid()))
        .await
        .expect(404);
    // A known call is followed on, and an ended one gives its place.
    assert!(first.webhook(&[]).await.expect(200).text().contains("<Start>"));
    first.status("completed", &[]).await.expect(204);
    api::call_once(at, first.sid(), "the first call's end", Call::is_ended).await;
    http::get(at, "/readyz").await.expect(200);
    assert!(second.webhook(&[]).await.expect(200).text().contains("<Start>"));
}

#[tokio::test]
async fn whatever_a_request_carries_stays_text() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    let evil = "1\"/><Hangup/>\u{202e}<&'";
    let call = TwilioCall::new(&relay);
    let answer = call.webhook(&[("customer_id", evil)]).await;
    let expected = dialled(
        followed(at, Some("1\"/><Hangup/><&'")),
        " Dial",
        noun(at, "Number", "+15550100002", true),
    );
    assert_eq!(outline(&answer), expected);
    // What cannot be dialled is not written either, and without a CallSid a call is connected all the same.
    for to in ["<Hangup/>", "+1;drop", "", "client:"] {
        let answer = call.webhook(&[("To", to), ("Called", to)]).await;
        assert_eq!(outline(&answer), APOLOGY, "{to:?}");
    }
    for sid in ["", "CA<1>", &"C".repeat(500)] {
        let answer = outline(&call.webhook(&[("CallSid", sid)]).await);
        assert_eq!(
            (answer[2].as_str(), answer.len()),
            (" Dial", 4),
            "{sid:?}: {answer:?}"
        );
    }
    for body in [&b"%%%&&&===%zz\xff\xfe"[..], b"", b"To", &[0; 300]] {
        let answer = http::send(
            at,
            Method::POST,
            "/twilio/voice",
            &[FORM],
            Bytes::copy_from_slice(body),
        )
        .await;
        assert_eq!(outline(&answer), APOLOGY, "{body:?}");
        for path in ["/twilio/status", "/twilio/stream", "/twilio/transcription"] {
            let answer = http::send(at, Method::POST, path, &[FORM], Bytes::copy_from_slice(body));
            answer.await.expect(204);
        }
    }
    assert_eq!(
        api::listed(at, "?status=all").await.len(),
        1,
        "none of that began a call"
    );
}

#[tokio::test]
async fn what_is_no_webhook_gets_an_error_of_the_one_shape() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    let refused = |answer: Answer, status: u16, code: &str| {
        let answer = answer.expect(status);
        let error = answer.json()["error"].take();
        assert_eq!(error["code"], code);
        let message = error["message"].as_str().expect("an error has a message");
        assert!(!message.is_empty());
        assert_eq!(answer.header("cache-control"), "no-store");
        answer
    };
    for path in [
        "/twilio/voice",
        "/twilio/notice",
        "/twilio/status",
        "/twilio/stream",
        "/twilio/transcription",
    ] {
        let answer = refused(http::get(at, path).await, 405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "POST");
        let json = http::post_json(at, path, &serde_json::json!({ "CallSid": "CA1" })).await;
        refused(json, 415, "unsupported_media_type");
        let large = vec![b'a'; 65 << 10];
        let large = http::send(at, Method::POST, path, &[FORM], large).await;
        refused(large, 413, "too_large");
    }
    for path in [
        "/",
        "/twilio",
        "/twilio/",
        "/twilio/voice/",
        "/twilio/other",
        "/api/v1",
        "/cables",
    ] {
        refused(http::get(at, path).await, 404, "not_found");
    }
    let delete = http::send(at, Method::DELETE, "/api/v1/calls", &[], "").await;
    assert_eq!(
        refused(delete, 405, "method_not_allowed").header("allow"),
        "GET, HEAD"
    );
}
