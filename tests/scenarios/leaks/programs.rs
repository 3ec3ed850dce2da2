//! The simulator speaks with Twilio's token and a listener's: neither is in what it says, however it ends.

use harness::signed::ORIGIN;
use harness::twilio::ACCOUNT;
use harness::wait::SOON;
use harness::{Program, Record, Relay, binaries};

const TWILIO: &str = "51a1a7edca9a4151a1a7edca9a4151a1";

#[tokio::test]
async fn the_simulator_shows_no_secret_however_it_ends() {
    let record = Record::new();
    let token = record.add("alice", &["--role", "admin"]).await;
    let right = record.folder().write("right", &token);
    let wrong = record.folder().write("wrong", "pl_canaryofatokenthatisnotknown");
    let (right, wrong) = (right.to_str().expect("UTF-8"), wrong.to_str().expect("UTF-8"));
    let config = record.folder().write(
        "relay.toml",
        "dial_allow = [\"+1\"]\ncaller_id = \"+12125550100\"\n",
    );
    let (config, tokens) = (config.to_str().expect("UTF-8").to_owned(), record.tokens());
    let flags = [
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        ORIGIN,
        "--config",
        &config,
        "--tokens",
        &tokens,
    ];
    let env = [("TWILIO_AUTH_TOKEN", TWILIO), ("TWILIO_ACCOUNT_SID", ACCOUNT)];
    let relay = Relay::serve(&[&flags[..], &["--log-level", "trace"]].concat(), &env).await;
    let url = relay.url();
    let secret = format!("{url}/?key=canary-of-a-query");
    let mut said = String::new();
    for (relay, token_file, signed, code) in [
        (url.as_str(), right, true, 0),
        (&url, wrong, true, 1),
        (&url, right, false, 1),
        ("http://127.0.0.1:1", right, true, 1),
        (&secret, right, true, 2),
        (&url, "/nowhere", true, 2),
    ] {
        let args = [
            "simulate",
            "--relay",
            relay,
            "--public-url",
            ORIGIN,
            "--check",
            "--duration",
            "1s",
        ];
        let args = [
            &args[..],
            &["--token-file", token_file, "--customer-id", "49290007773456"],
        ]
        .concat();
        let env = if signed { &env[..] } else { &env[1..] };
        let done = Program::start(&binaries::path(binaries::RELAY), args, env)
            .finish(SOON)
            .await;
        assert_eq!(done.code, Some(code), "{relay} {token_file}: {}", done.stderr);
        said += &format!("{}{}", done.text(), done.stderr);
    }
    said += &relay.stop().await.expect_code(0).stderr;
    for canary in [
        TWILIO,
        &token,
        "pl_canary",
        "canary-of-a-query",
        "49290007773456",
        "2125550123",
    ] {
        assert!(!said.contains(canary), "{canary}:\n{said}");
    }
}
