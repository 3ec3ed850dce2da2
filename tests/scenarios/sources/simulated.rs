//! `partyline-relay simulate --via api`, the real program: its check passes when all arrived, and says what its token
//! cannot do.

use harness::wait::SOON;
use harness::{Guarded, Program, Relay, api, binaries, http, simulate};
use partyline_shared::id::CallSid;

#[tokio::test]
async fn calls_by_the_api_arrive_whole_with_their_words() {
    let relay = Relay::start(&[]).await;
    let args = [
        "--via",
        "api",
        "--check",
        "--calls",
        "3",
        "--duration",
        "4s",
        "--from",
        "client:emily",
    ];
    let done = simulate::start(&relay, &args).finish(SOON).await.expect_code(0);
    assert_eq!(done.text().matches(" ended\n").count(), 3, "{}", done.text());
    assert_eq!(done.stderr, "");
    let ended = http::get(relay.addr(), "/api/v1/calls?status=ended")
        .await
        .expect(200)
        .json();
    for call in ended["calls"].as_array().expect("calls") {
        assert_eq!(
            (
                &call["customer_id"],
                &call["status"],
                &call["lost_chunks"],
                &call["from"]
            ),
            (
                &"simulated".into(),
                &"completed".into(),
                &0.into(),
                &"client:emily".into()
            )
        );
        let sid = CallSid::parse(call["call_sid"].as_str().expect("a name")).expect("an id");
        let lines = api::lines(relay.addr(), &sid).await;
        assert!(
            lines.iter().any(|line| line.is_final && line.text == "Hello?"),
            "{lines:?}"
        );
    }
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn a_source_s_token_publishes_and_says_what_it_may_not() {
    let relay = Guarded::new();
    let pbx = relay.token("pbx", &["--role", "source", "--customer", "7"]).await;
    let boss = relay.token("boss", &["--role", "admin"]).await;
    let relay = relay.start(&[]).await;
    let play = async |token: &str, more: &[&str]| {
        let (url, token) = (relay.url(), relay.token_file(token));
        let args = [
            "simulate",
            "--via",
            "api",
            "--relay",
            &url,
            "--token-file",
            &token,
            "--duration",
            "1s",
        ];
        let args = [&args, more].concat();
        Program::start(&binaries::path(binaries::RELAY), args, &[])
            .finish(SOON)
            .await
    };
    let (alone, checked, of_nobody, by_boss) = tokio::join!(
        play(&pbx, &["--customer-id", "7"]),
        play(&pbx, &["--customer-id", "7", "--check"]),
        play(&pbx, &[]),
        play(&boss, &["--check"]),
    );
    let alone = alone.expect_code(0);
    assert!(alone.stderr.contains("no words are written"), "{}", alone.stderr);
    let checked = checked.expect_code(1);
    assert!(
        checked.stderr.contains("publishes and hears nothing"),
        "{}",
        checked.stderr
    );
    let of_nobody = of_nobody.expect_code(1);
    assert!(
        of_nobody.stderr.contains("publishes for other customers"),
        "{}",
        of_nobody.stderr
    );
    assert_eq!(by_boss.expect_code(0).stderr, "");
    relay.stop().await.expect_code(0);
}
