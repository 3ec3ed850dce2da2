//! What nobody should send is refused in one shape, on every path of the document.

use super::*;

/// Methods of HTTP, and one that is none.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "SUMMON",
];

/// The path with a name in it, which need not be known.
fn filled(path: &str) -> String {
    path.replace("{call_sid}", "CA0")
        .replace("{listener_id}", "0123456789abcdef")
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["error"]["code"], code, "{answer:?}");
    assert!(
        body["error"]["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert_eq!(body.as_object().map(Map::len), Some(1), "{body}");
    assert_eq!(body["error"].as_object().map(Map::len), Some(2), "{body}");
    assert_eq!(answer.header("content-type"), JSON);
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn each_path_takes_its_methods_and_says_which() {
    let stage = Stage::set().await;
    let at = stage.relay.addr();
    for (path, item) in stage.paths() {
        let mut takes: Vec<String> = METHODS.map(str::to_owned).into();
        takes.retain(|method| item.contains_key(&method.to_lowercase()));
        if takes.contains(&"GET".to_owned()) {
            takes.push("HEAD".to_owned());
        }
        takes.sort_unstable();
        for method in METHODS
            .iter()
            .filter(|method| !takes.contains(&(**method).to_owned()))
        {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            // Whoever asks.
            let answer = http::send(at, method.clone(), &filled(path), &[], "").await;
            // Answers to HEAD have no body, refusals neither.
            match answer.body.is_empty() {
                true => assert_eq!((answer.status.as_u16(), &method), (405, &Method::HEAD)),
                false => refused(&answer, 405, "method_not_allowed"),
            }
            let mut allowed: Vec<&str> = answer.header("allow").split(", ").collect();
            allowed.sort_unstable();
            assert_eq!(allowed, takes, "{path}");
        }
        // A person may end the page's address by a slash.
        if !path.starts_with("/api/") {
            continue;
        }
        for none in [
            format!("{path}/"),
            format!("{path}/other/one"),
            format!("/{path}"),
        ] {
            let answer = stage.relay.ask(Method::GET, &filled(&none), &stage.admin).await;
            refused(&answer, 404, "not_found");
        }
    }
}

#[tokio::test]
async fn what_is_read_is_read_by_head_and_with_a_body_too() {
    let stage = Stage::set().await;
    let (call, talk) = stage.call().await;
    let stream = talk.end().await;
    for (path, item) in stage.paths().filter(|(path, _)| !path.ends_with("audio.wav")) {
        if !item.contains_key("get") {
            continue;
        }
        let path = path.replace("{call_sid}", call.sid().as_str());
        let got = stage
            .relay
            .ask(Method::GET, &path, &stage.admin)
            .await
            .expect(200);
        let head = stage
            .relay
            .ask(Method::HEAD, &path, &stage.admin)
            .await
            .expect(200);
        assert!(head.body.is_empty() && !got.body.is_empty());
        for name in ["content-type", "content-length", "cache-control"] {
            assert_eq!(head.header(name), got.header(name), "{path}: {name}");
        }
        let body = json!({ "limit": 0 }).to_string();
        let with_body = stage
            .ask(Method::GET, &path, &stage.admin, JSON, body)
            .await
            .expect(200);
        assert_eq!(with_body.header("content-type"), got.header("content-type"));
        // What is not known is ignored; so is how much of it there is.
        let query = format!("{path}?other={}", "x".repeat(20_000));
        stage
            .relay
            .ask(Method::GET, &query, &stage.admin)
            .await
            .expect(200);
        // A name in another spelling is another name.
        let spelt = format!("/{}{path}", "%2e");
        refused(
            &stage.relay.ask(Method::GET, &spelt, &stage.admin).await,
            404,
            "not_found",
        );
    }
    stream.hang_up().await;
}

#[tokio::test]
async fn a_body_of_another_kind_is_said_to_be_one() {
    let stage = Stage::set().await;
    let (call, talk) = stage.call().await;
    let takers = stage
        .paths()
        .filter(|(_, item)| item.get("post").is_some_and(|op| op.get("requestBody").is_some()));
    for (path, item) in takers {
        let path = path.replace("{call_sid}", call.sid().as_str());
        let mut good = item["post"]["requestBody"]["content"][JSON]["example"].clone();
        if good.get("call_sid").is_some() {
            good["call_sid"] = json!(stage.source().await);
        }
        let good = good.to_string();
        // Where nothing is needed, nothing can be missing.
        let needs = item["post"]["requestBody"]["required"] == true;
        let ask = async |kind: &str, body: &str| {
            let answer = stage
                .ask(Method::POST, &path, &stage.admin, kind, body.to_owned())
                .await;
            (answer.status.as_u16(), answer)
        };
        for kind in [
            "",
            "text/plain",
            "application/xml",
            "multipart/form-data",
            "application",
            "application/json, text/plain",
        ] {
            let (_, answer) = ask(kind, &good).await;
            refused(&answer, 415, "unsupported_media_type");
        }
        let lacking = ["{\"call_sid\":{}}", "{\"track\":\"inbound\"}"];
        let lacking = lacking.iter().filter(|_| needs).copied();
        for body in ["", "{", "[]", "null", "\"x\"", "\u{0}"]
            .into_iter()
            .chain(lacking)
        {
            let (_, answer) = ask(JSON, body).await;
            refused(&answer, 400, "bad_request");
        }
        for body in ["", "a=b", "%", "track=sideways"].iter().filter(|_| needs) {
            let (_, answer) = ask(FORM, body).await;
            refused(&answer, 400, "bad_request");
        }
        let huge = format!("{{\"x\":\"{}\"}}", "x".repeat(1 << 20));
        let (_, answer) = ask(JSON, &huge).await;
        refused(&answer, 413, "too_large");
        // How a kind is spelt is its sender's business.
        let (status, answer) = ask("Application/JSON; charset=utf-8", &good).await;
        assert!((200..300).contains(&status), "{path}: {answer:?}");
    }
    talk.end().await.hang_up().await;
}
