//! What is answered at `/calls_monitoring`, without a browser: the page to who prefers it, the list to who may have it.

use ::http::Method;
use harness::guarded::Guarded;
use harness::http::{Answer, get, send};
use harness::wait::SOON;
use harness::wait::until;
use harness::{Relay, api};

const PAGE: &str = "/calls_monitoring";
const BROWSER: (&str, &str) = (
    "accept",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
);
const NOBODYS: &str = "/calls_monitoring/CA00000000000000000000000000000000";

/// One part of the policy, e.g. `connect-src`.
fn policy<'a>(answer: &'a Answer, part: &str) -> &'a str {
    let mut parts = answer.header("content-security-policy").split("; ");
    parts.find(|one| one.starts_with(part)).unwrap_or_default()
}

#[tokio::test]
async fn whoever_prefers_html_gets_the_page_and_it_tells_nothing() {
    let relay = Guarded::new();
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let relay = relay.start(&[]).await;
    let (call, _stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &alice).await;
    let page = send(relay.addr(), Method::GET, PAGE, &[BROWSER], "")
        .await
        .expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(
        policy(&page, "connect-src"),
        "connect-src 'self' wss://calls.example.com"
    );
    assert_eq!(policy(&page, "default-src"), "default-src 'none'");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("vary"), "accept");
    assert!(page.header("permissions-policy").contains("microphone=()"));
    assert!(page.headers.get("set-cookie").is_none());
    // The same for a call that there is and one that there is not, with a token or without.
    let bearer = format!("Bearer {alice}");
    for path in [NOBODYS, "/calls_monitoring/", &format!("{PAGE}/{}", call.sid())] {
        for headers in [vec![BROWSER], vec![BROWSER, ("authorization", &bearer)]] {
            let other = send(relay.addr(), Method::GET, path, &headers, "")
                .await
                .expect(200);
            assert!(other.body == page.body, "{path}");
        }
    }
    let head = send(relay.addr(), Method::HEAD, PAGE, &[BROWSER], "")
        .await
        .expect(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-length"), page.body.len().to_string());
    let post = send(relay.addr(), Method::POST, PAGE, &[BROWSER], "")
        .await
        .expect(405);
    assert_eq!(post.header("allow"), "GET, HEAD");
    for nothing in [
        "/calls_monitoringx",
        "/calls_monitoring/a/b",
        "/calls_monitoring/assets/",
        "/calls_monitoring/assets/../main.js",
    ] {
        send(relay.addr(), Method::GET, nothing, &[BROWSER], "")
            .await
            .expect(404);
    }
}

#[tokio::test]
async fn a_script_gets_what_the_api_says_and_is_refused_as_there() {
    let relay = Guarded::new();
    let admin = relay.token("root", &["--role", "admin"]).await;
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let relay = relay.start(&[]).await;
    let (hers, _stream) = relay.live_call("777").await;
    let (other, _other_stream) = relay.live_call("8").await;
    relay.is_live(hers.sid(), &admin).await;
    relay.is_live(other.sid(), &admin).await;
    let list = relay.ask(Method::GET, PAGE, &alice).await.expect(200);
    let calls = list.json()["calls"].as_array().expect("a list").clone();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0]["call_sid"], hers.sid().as_str());
    assert_eq!(
        (list.header("cache-control"), list.header("vary")),
        ("no-store", "accept")
    );
    let both = relay
        .ask(Method::GET, "/calls_monitoring?status=all&limit=2", &admin)
        .await
        .expect(200);
    assert_eq!(both.json()["calls"].as_array().map(Vec::len), Some(2));
    relay
        .ask(Method::GET, "/calls_monitoring?limit=0", &alice)
        .await
        .expect(400);
    let one = relay
        .ask(Method::GET, &format!("{PAGE}/{}", hers.sid()), &alice)
        .await
        .expect(200);
    assert_eq!(one.json()["customer_id"], "777");
    let not_hers = format!("{PAGE}/{}", other.sid());
    let refused = [&not_hers, NOBODYS, "/calls_monitoring/%00"];
    let mut answers = Vec::new();
    for path in refused {
        answers.push(relay.ask(Method::GET, path, &alice).await.expect(404).body);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let nobody = get(relay.addr(), PAGE).await.expect(401);
    assert_eq!(nobody.header("www-authenticate"), "Bearer");
    relay.ask(Method::GET, &not_hers, "nobody").await.expect(401);
    let refused = until(SOON, "the refusal on record", async || {
        relay.audit().into_iter().find(|line| line["event"] == "refused")
    })
    .await;
    assert_eq!(refused["door"], "page");
}

#[tokio::test]
async fn files_are_the_relays_own_and_asked_for_again_only_when_changed() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    assert_eq!(api::listed(at, "").await, []);
    let page = send(at, Method::GET, PAGE, &[BROWSER], "").await.expect(200);
    // Under --insecure a browser comes by whichever name of this machine.
    assert_eq!(
        policy(&page, "connect-src"),
        format!("connect-src 'self' ws://{at}")
    );
    let named = ("host", format!("localhost:{}", at.port()));
    let named = send(at, Method::GET, PAGE, &[BROWSER, (named.0, &named.1)], "")
        .await
        .expect(200);
    assert_eq!(
        policy(&named, "connect-src"),
        format!("connect-src 'self' ws://localhost:{}", at.port())
    );
    let mut files: Vec<&str> = page
        .text()
        .split('"')
        .filter(|part| part.starts_with("/calls_monitoring/assets/"))
        .collect();
    files.sort_unstable();
    files.dedup();
    assert!(files.len() >= 3, "{files:?}");
    for path in files {
        let file = send(at, Method::GET, path, &[], "").await.expect(200);
        assert_eq!(
            (
                file.header("cache-control"),
                file.header("x-content-type-options")
            ),
            ("no-cache", "nosniff")
        );
        let tag = file.header("etag");
        let again = send(at, Method::GET, path, &[("if-none-match", tag)], "")
            .await
            .expect(304);
        assert!(again.body.is_empty() && again.header("etag") == tag, "{path}");
        let head = send(at, Method::HEAD, path, &[], "").await.expect(200);
        assert_eq!(head.header("content-length"), file.body.len().to_string());
        send(at, Method::DELETE, path, &[], "").await.expect(405);
    }
}
