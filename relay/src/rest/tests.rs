//! What is asked of Twilio's API and what becomes of its answers, on real sockets.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::*;

const ACCOUNT: &str = "AC11111111111111111111111111111111";
const NUMBER: &str = "+15550100002";

/// Answers every request with these bytes; what was asked comes back.
async fn answering(answer: String) -> (Api, AbortOnDropHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let n = stream.read(&mut chunk).await.unwrap();
            asked.extend_from_slice(&chunk[..n]);
            let text = String::from_utf8_lossy(&asked).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .to_lowercase()
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
                if body.len() >= length.unwrap_or(0) {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    return text;
                }
            }
            assert!(n > 0, "the request broke off: {text}");
        }
    });
    (
        Api::new(&Origin::parse(&origin).unwrap()),
        AbortOnDropHandle::new(task),
    )
}

fn http(status: &str, more: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{more}\r\n{body}",
        body.len()
    )
}

fn token() -> Secret {
    Secret::new("0123456789abcdef0123456789abcdef")
}

#[tokio::test]
async fn a_form_is_posted_with_the_accounts_credentials_and_the_answer_read() {
    let (api, asked) = answering(http("201 Created", "", r#"{"sid":"MZ1","list":[1]}"#)).await;
    let path = path(ACCOUNT, "Calls/CA1/Streams.json");
    let form = [
        ("Url", "wss://calls.example.com/cable"),
        ("Parameter1.Name", "a&b"),
    ];
    let answer = api.post_form(ACCOUNT, &token(), &path, &form).await.unwrap();
    assert_eq!(answer.status, 201);
    assert_eq!(answer.text("sid"), Some("MZ1"));
    assert_eq!(answer.list("list"), [json!(1)]);
    assert!(answer.list("none").is_empty());
    let asked = asked.await.unwrap();
    let credentials = STANDARD.encode(format!("{ACCOUNT}:{}", token().expose()));
    assert!(asked.starts_with(&format!(
        "POST /2010-04-01/Accounts/{ACCOUNT}/Calls/CA1/Streams.json HTTP/1.1\r\n"
    )));
    assert!(
        asked.contains(&format!("authorization: Basic {credentials}\r\n")),
        "{asked}"
    );
    assert!(asked.contains("content-type: application/x-www-form-urlencoded\r\n"));
    assert!(asked.ends_with("\r\n\r\nUrl=wss%3A%2F%2Fcalls.example.com%2Fcable&Parameter1.Name=a%26b"));
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_shows_no_number() {
    let body = json!({"code": 21220, "message": format!("the call to {NUMBER} is over"), "status": 400});
    for (status, more, body, says) in [
        ("400 Bad Request", "", body.to_string(), "error 21220"),
        (
            "401 Unauthorized",
            "",
            r#"{"code":20003,"message":"Authenticate"}"#.into(),
            "auth token",
        ),
        ("401 Unauthorized", "", String::new(), "auth token"),
        ("404 Not Found", "", r#"{"code":20404}"#.into(), "no such thing"),
        (
            "429 Too Many Requests",
            "retry-after: 7\r\n",
            "busy".into(),
            "too much",
        ),
        ("503 Service Unavailable", "", "<html>".into(), "may pass"),
    ] {
        let (api, _asked) = answering(http(status, more, &body)).await;
        let error = api.get(ACCOUNT, &token(), "/x").await.unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(told.contains(says), "{told}");
        assert!(
            !told.contains(NUMBER) && !told.contains(token().expose()),
            "{told}"
        );
        let Failed::Refused(refused) = error else {
            panic!("{told}")
        };
        let wait = (!more.is_empty()).then(|| Duration::from_secs(7));
        assert_eq!(refused.retry_after, wait);
        assert_eq!(refused.is_too_many(), wait.is_some());
        assert_eq!(
            refused.message.contains(NUMBER),
            refused.code == Some(NOT_IN_PROGRESS)
        );
    }
}

#[tokio::test]
async fn what_is_not_twilio_is_told_as_that() {
    for answer in [
        http("200 OK", "", "<html>"),
        http("302 Found", "location: http://127.0.0.1:1/\r\n", ""),
        http("400 Bad Request", "", "<html>"),
        // By this alone no call is over: Twilio says it with a code.
        http("404 Not Found", "", "<html>"),
    ] {
        let (api, _asked) = answering(answer).await;
        let error = api.get(ACCOUNT, &token(), "/x").await.unwrap_err();
        assert!(matches!(error, Failed::NotTwilio(..)), "{error}");
    }
    let (api, _asked) = answering(http("200 OK", "", &"1".repeat(MAX_ANSWER + 1))).await;
    let error = api.get(ACCOUNT, &token(), "/x").await.unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
    let api = Api::new(&Origin::parse("http://127.0.0.1:9").unwrap());
    for path in ["", "@elsewhere/", "/a b"] {
        assert_eq!(api.get(ACCOUNT, &token(), path).await, Err(Failed::Request));
    }
    let error = api.get("AC1\r\nx", &token(), "/x").await.unwrap_err();
    assert!(!format!("{error}").contains(token().expose()));
}

#[tokio::test]
async fn nobody_is_waited_for_for_ever() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = |scheme| Origin::parse(&format!("{scheme}://{}", silent.local_addr().unwrap())).unwrap();
    let impatient = |origin, trust| Api {
        trust: OnceCell::new_with(trust),
        connect_time: Duration::from_millis(200),
        answer_time: Duration::from_millis(200),
        ..Api::new(origin)
    };
    let (plain, tls) = (at("http"), at("https"));
    let trust = fetch::trusting(tokio_rustls::rustls::RootCertStore::empty()).unwrap();
    for api in [impatient(&plain, None), impatient(&tls, Some(trust))] {
        let error = api.get(ACCOUNT, &token(), "/x").await.unwrap_err();
        assert!(matches!(error, Failed::TooSlow(_)), "{error}");
    }
}
