//! Twilio's own library signs what this relay takes, and judges as it does; where the two differ, why.

use ::http::Method;
use harness::signed::{ORIGIN, SignedRelay, TOKEN};
use harness::twilio::{ACCOUNT, new_sid};
use harness::{MediaSocket, http, sdk};
use partyline_relay::config::Secret;
use partyline_relay::twilio::signature;
use partyline_shared::id::CallSid;
use partyline_shared::twilio::form::Form;
use serde_json::Value;

/// Requests that both judge; some 9 of 20 are right.
const REQUESTS: usize = 20_000;

/// How a request was made for which the verdicts may differ, the library's verdict, and why ours is another.
const DIFFER: [(&str, bool, &str); 7] = [
    (
        "usual port",
        false,
        "the library adds 443 to https alone, 80 to wss, and none to a URL that has a port; the reference has \
         Twilio's signers add the scheme's own to any",
    ),
    (
        "port 80",
        false,
        "the same: it is the scheme's own of a URL with http and another port",
    ),
    (
        "port 80",
        true,
        "the library adds 80 to wss, where 443 is meant: no signer of Twilio's does",
    ),
    (
        "slash more",
        false,
        "Twilio's notes on Media Streams have a handshake signed with a slash at its end",
    ),
    (
        "as a browser writes it",
        true,
        "the library in Node alone also tries the URL as a browser would rewrite it; the relay takes what was \
         requested, as those in Python, Java, Go and Ruby do",
    ),
    (
        "query escaped anew",
        true,
        "the library in Node alone also tries the query as an old module of Node would have written it",
    ),
    (
        "sorted by UTF-16",
        true,
        "JavaScript sorts names by units of UTF-16, Python, Go and the reference by code points: they differ for \
         names past U+FFFF beside names of U+E000 to U+FFFF, which Twilio sends none of",
    ),
];

fn text<'a>(request: &'a Value, name: &str) -> &'a str {
    request[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {request}"))
}

/// What this relay thinks of a request.
fn verdict(request: &Value) -> bool {
    let token = Secret::new(text(request, "token"));
    let urls = signature::accepted_urls(text(request, "url"));
    let (body, header) = (text(request, "body").as_bytes(), text(request, "header"));
    if request["json"] == true {
        signature::verify_body(&[&token], &urls, body, header)
    } else {
        signature::verify(&[&token], &urls, &Form::parse(body), header)
    }
}

#[test]
fn on_20000_requests_it_agrees_with_twilios_own_library_or_says_why_not() {
    let seed = std::env::var("PROPTEST_RNG_SEED").unwrap_or_else(|_| "20260101".to_owned());
    let requests = sdk::ask(&["random", &seed, &REQUESTS.to_string()]);
    assert_eq!(requests.len(), REQUESTS);
    let (mut agreed, mut right) = (0, 0);
    for request in &requests {
        let theirs = request["verdict"] == true;
        if verdict(request) == theirs {
            agreed += 1;
            right += usize::from(theirs);
            continue;
        }
        let known = DIFFER
            .iter()
            .any(|(how, verdict, _)| *how == request["how"] && *verdict == theirs);
        assert!(known, "the library says {theirs} (seed {seed}): {request:#}");
    }
    assert!(
        right > REQUESTS / 3,
        "{right} of {agreed} are right: too few to say much"
    );
    assert!(agreed > REQUESTS * 9 / 10, "they agree on {agreed} only");
}

#[tokio::test]
async fn what_it_signs_is_taken_at_all_five_webhooks_and_for_the_stream() {
    let relay = SignedRelay::start().await;
    let sid = new_sid("CA");
    let requests = sdk::ask(&["call", ORIGIN, TOKEN, ACCOUNT, &sid]);
    let kind = ("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
    let mut pass = None;
    for request in &requests {
        let (path, header) = (text(request, "path"), text(request, "header"));
        if path == "/cable" {
            let headers = [(signature::HEADER, header)];
            let opened = MediaSocket::try_open(relay.addr(), &sid, &headers).await;
            let mut stream = opened.unwrap_or_else(|e| panic!("the stream was refused: {e}"));
            stream.connected().await;
            stream
                .start(&[("partyline_pass", pass.as_deref().unwrap())])
                .await;
            stream.hang_up().await;
            continue;
        }
        let headers = [kind, (signature::HEADER, header)];
        let body = text(request, "body").to_owned();
        let answer = http::send(relay.addr(), Method::POST, path, &headers, body).await;
        let twiml = path.starts_with("/twilio/voice") || path == "/twilio/notice";
        let answer = answer.expect(if twiml { 200 } else { 204 });
        if path.starts_with("/twilio/voice") {
            pass = Some(harness::twilio::pass(&answer));
        }
    }
    assert_eq!(requests.len(), 6);
    let call = relay
        .call(&CallSid::parse(&sid).unwrap())
        .expect("the call is known");
    assert_eq!(call.customer_id.as_deref(), Some("12345"));
    assert_eq!(
        (
            relay.counted("streams_started"),
            relay.counted("requests_refused")
        ),
        (1, 0)
    );
}
