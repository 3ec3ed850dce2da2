//! Who may publish what: a source reaches its own calls, and another's look as if there were none.

use harness::Guarded;
use serde_json::json;

use super::{CALLS, COMPLETE, STREAM, audio, made, post};

#[tokio::test]
async fn a_source_reaches_its_own_calls_and_no_others() {
    let relay = Guarded::new();
    let boss = relay.token("boss", &["--role", "admin"]).await;
    let pbx = relay.token("pbx", &["--role", "source"]).await;
    let other = relay.token("other", &["--role", "source"]).await;
    let eight = relay
        .token("eight", &["--role", "source", "--customer", "8"])
        .await;
    let worker = relay.token("worker", &["--role", "transcriber"]).await;
    let seven = relay
        .token("seven", &["--role", "transcriber", "--customer", "7"])
        .await;
    let alice = relay.token("alice", &["--role", "user", "--customer", "7"]).await;
    let relay = relay.start(&["--max-calls", "4"]).await;
    let at = relay.addr();

    let named = |customer: &str| json!({ "customer_id": customer, "external_id": "x-1" });
    let first = post(at, CALLS, &pbx, &named("7")).await.expect(201).json();
    assert_eq!(post(at, CALLS, &pbx, &named("7")).await.expect(201).json(), first);
    let of_other = post(at, CALLS, &other, &named("7")).await.expect(201).json();
    let of_eight = post(at, CALLS, &pbx, &named("8")).await.expect(201).json();
    assert!(first != of_other && first != of_eight && of_other != of_eight);
    let sid = first["call_sid"].as_str().expect("a name").to_owned();

    // The role, whatever the call; then the call, which for a stranger is none.
    for token in [&worker, &alice] {
        for path in [CALLS, STREAM, COMPLETE] {
            post(at, path, token, &json!({ "call_sid": sid }))
                .await
                .expect(403);
        }
    }
    post(at, CALLS, "", &named("7")).await.expect(401);
    post(at, CALLS, &eight, &named("7")).await.expect(403);
    let nobody = post(at, STREAM, &pbx, &audio("CAnobody", "inbound", &[1]))
        .await
        .expect(404);
    for (path, body) in [
        (STREAM, audio(&sid, "inbound", &[1])),
        (COMPLETE, json!({ "call_sid": sid })),
    ] {
        for token in [&other, &eight] {
            let answer = post(at, path, token, &body).await.expect(404);
            assert_eq!(answer.text(), nobody.text());
        }
    }
    post(at, STREAM, &pbx, &audio(&sid, "inbound", &[1; 160]))
        .await
        .expect(202);
    post(at, STREAM, &boss, &audio(&sid, "outbound", &[2; 160]))
        .await
        .expect(202);

    let lines = |call: &serde_json::Value| {
        format!(
            "/api/v1/calls/{}/transcript",
            call["call_sid"].as_str().expect("a name")
        )
    };
    let line = json!({ "track": "inbound", "text": "Hi.", "final": true });
    for token in [&pbx, &alice] {
        post(at, &lines(&first), token, &line).await.expect(403);
    }
    post(at, &lines(&of_eight), &seven, &line).await.expect(404);
    for token in [&worker, &seven, &boss] {
        post(at, &lines(&first), token, &line).await.expect(201);
    }

    // Three calls go on, and a fourth fits; who is over leaves its place.
    made(at, &eight, "8").await;
    let full = post(at, CALLS, &eight, &json!({ "customer_id": "8" }))
        .await
        .expect(503);
    assert_eq!(full.json()["error"]["code"], "too_many_calls");
    assert_eq!(full.header("retry-after"), "5");
    assert_eq!(post(at, CALLS, &pbx, &named("7")).await.expect(201).json(), first);

    relay.forget("pbx").await;
    harness::wait::until(harness::wait::SOON, "the token to be no more", async || {
        let answer = post(at, COMPLETE, &pbx, &json!({ "call_sid": sid })).await;
        (answer.status == 401).then_some(())
    })
    .await;
    relay.stop().await.expect_code(0);
}
