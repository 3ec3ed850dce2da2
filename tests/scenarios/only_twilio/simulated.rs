//! The simulator plays a Twilio that signs: a relay that asks for signatures takes all of it.

use std::time::Duration;

use harness::signed::{ORIGIN, SignedRelay, TOKEN};
use harness::twilio::ACCOUNT;
use harness::{Program, binaries};

#[tokio::test]
async fn a_signed_simulation_is_taken_whole() {
    let relay = SignedRelay::start().await;
    let url = format!("http://{}", relay.addr());
    let simulate = |token: &'static str| {
        let args = [
            "simulate",
            "--relay",
            &url,
            "--public-url",
            ORIGIN,
            "--duration",
            "1s",
            "--customer-id",
            "777",
        ];
        let env = [("TWILIO_AUTH_TOKEN", token), ("TWILIO_ACCOUNT_SID", ACCOUNT)];
        Program::start(&binaries::path(binaries::RELAY), args, &env)
    };
    simulate(TOKEN)
        .finish(Duration::from_secs(60))
        .await
        .expect_code(0);
    assert_eq!(relay.calls(), 1);
    assert_eq!(
        (relay.counted("streams_started"), relay.counted("streams_ended")),
        (1, 1)
    );
    let refused = [
        "requests_refused",
        "streams_refused",
        "messages_bad",
        "webhooks_replayed",
    ];
    assert_eq!(refused.map(|name| relay.counted(name)), [0; 4]);

    simulate("another")
        .finish(Duration::from_secs(60))
        .await
        .expect_code(1);
    assert_eq!((relay.calls(), relay.counted("streams_started")), (1, 1));
}
