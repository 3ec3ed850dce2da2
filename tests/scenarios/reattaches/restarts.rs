//! The relay is killed in the middle of calls: Twilio loses its sockets, and the next relay asks for them.

use harness::guarded::Guarded;
use harness::rest::{Rest, RestCall};
use harness::twilio::{ACCOUNT, new_sid};
use harness::wait::{SOON, until};
use partyline_shared::call::{CallStatus, StreamState};
use partyline_shared::id::CallSid;
use tokio::net::TcpListener;

use super::{AT_ONCE, heard_call, relay};

/// Waits until the state file names these calls, with a stream.
pub(super) async fn written(relay: &Guarded, sids: &[&CallSid]) {
    let path = relay.path("calls.state");
    until(SOON, "the calls in the state file", async || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let heard = |sid: &&CallSid| {
            let line = text.lines().find(|line| line.contains(sid.as_str()));
            line.is_some_and(|line| line.contains(r#""stream":"live""#))
        };
        sids.iter().all(heard).then_some(())
    })
    .await;
}

#[tokio::test]
async fn after_a_kill_the_next_relay_knows_its_calls_and_hears_them_again() {
    let mut rest = Rest::start().await;
    let guarded = Guarded::new();
    let token = guarded.token("admin", &["--role", "admin"]).await;
    let (state, url) = (guarded.path("calls.state"), rest.url());
    let flags = ["--twilio-api", &url, "--state", &state];
    let guarded = guarded.start(&flags).await;
    rest.aim(Some(guarded.addr()));
    let (call, stream, mut listener) = heard_call(&guarded, &rest, &token).await;
    let (over, other, _hears) = heard_call(&guarded, &rest, &token).await;
    written(&guarded, &[call.sid(), over.sid()]).await;
    let before = listener.calls[call.sid()].clone();

    rest.aim(None);
    let guarded = guarded.kill().await;
    assert_eq!(listener.closed().await, None);
    drop((stream, other));
    rest.has(over.sid().as_str(), RestCall::is("completed"));
    let guarded = guarded.start(&flags).await;
    rest.aim(Some(guarded.addr()));
    let mut again = rest.stream().await;
    assert_eq!(again.parameters[0], ("customer_id".to_owned(), "7".to_owned()));
    guarded.is_live(call.sid(), &token).await;
    let mut listener = guarded.listen(&token).await;
    listener.subscribe(call.sid()).await;
    let now = &listener.calls[call.sid()];
    assert_eq!(
        (now.status, now.stream),
        (CallStatus::InProgress, StreamState::Live)
    );
    assert_eq!(
        (&now.from, &now.to, &now.customer_id, &now.dialed, now.roles),
        (
            &before.from,
            &before.to,
            &before.customer_id,
            &before.dialed,
            before.roles
        )
    );
    assert_eq!(
        (now.started_at, now.direction.as_deref()),
        (before.started_at, Some("inbound"))
    );
    again.stream.play(&[7; 160], &[], AT_ONCE).await;
    assert_eq!(listener.next_frame("a frame").await.mulaw(), [7; 160]);
    // The call that ended meanwhile is not shown as if it went on, and nothing was asked for it.
    assert!(!listener.calls.contains_key(over.sid()));
    assert!(rest.asked_for(over.sid().as_str()).is_empty());
    again.stream.hang_up().await;
    until(SOON, "an empty state file", async || {
        let text = std::fs::read_to_string(&state).unwrap_or_default();
        (!text.contains("CA")).then_some(())
    })
    .await;
}

/// Whoever looks after a failure of the network is not to wait for one time-out after the other.
#[tokio::test]
async fn where_twilio_is_silent_all_calls_are_listed_at_the_first_time_out() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let guarded = Guarded::new();
    let token = guarded.token("admin", &["--role", "admin"]).await;
    let state = guarded.path("calls.state");
    let mut text = "partyline state 1\n".to_owned();
    let sids: Vec<String> = (0..50).map(|_| new_sid("CA")).collect();
    for sid in &sids {
        let call = serde_json::json!({
            "call_sid": sid, "account_sid": ACCOUNT, "stream": "live",
            "roles": { "inbound": "customer", "outbound": "agent" },
        });
        text.push_str(&format!("{call}\n"));
    }
    std::fs::write(&state, text).unwrap();
    let guarded = guarded.start(&["--twilio-api", &url, "--state", &state]).await;
    let mut listener = guarded.listen(&token).await;
    let all = |l: &harness::Listener| l.calls.len() == sids.len();
    listener.until_so("every call", all).await;
}

#[tokio::test]
async fn every_call_of_the_account_is_asked_for_where_that_is_wanted() {
    let mut rest = Rest::start().await;
    // More than are on a page.
    let mut parents: Vec<String> = (0..3).map(|_| new_sid("CA")).collect();
    for sid in &parents {
        rest.has(sid, RestCall::default());
        let child = RestCall {
            parent: Some(sid.clone()),
            ..RestCall::default()
        };
        rest.has(&new_sid("CA"), child);
        rest.has(&new_sid("CA"), RestCall::is("completed"));
    }
    let (relay, token) = relay(&rest, &["--attach", "all"]).await;
    let mut streams = Vec::new();
    for _ in &parents {
        streams.push(rest.stream().await);
    }
    for sid in &parents {
        relay.is_live(&CallSid::parse(sid).unwrap(), &token).await;
    }
    let listener = relay.listen(&token).await;
    let mut listed: Vec<String> = listener.calls.keys().map(ToString::to_string).collect();
    parents.sort();
    listed.sort();
    assert_eq!(listed, parents);
    for call in listener.calls.values() {
        let from = call.from.as_ref().map(|from| from.as_str());
        assert_eq!((from, call.customer_id.as_deref()), (Some("+15550100001"), None));
    }
    assert_eq!(
        rest.asked().iter().filter(|a| a.resource == "Calls.json").count(),
        3
    );
}

#[tokio::test]
async fn a_file_that_is_no_state_stops_the_start_and_stays() {
    let guarded = Guarded::new();
    let token = guarded.tokens();
    let path = token.display().to_string();
    std::fs::write(&token, "# tokens\n").unwrap();
    let (config, audit) = (guarded.path("relay.toml"), guarded.path("audit.jsonl"));
    let args = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--config",
        &config,
        "--tokens",
        &path,
    ];
    let more = [
        "--audit",
        &audit,
        "--public-url",
        "https://calls.example.com",
        "--state",
        &path,
    ];
    let program = harness::Program::start(
        &harness::binaries::path(harness::binaries::RELAY),
        [&args[..], &more].concat(),
        &[("TWILIO_AUTH_TOKEN", "x")],
    );
    let done = program.finish(SOON).await.expect_code(2);
    assert!(
        done.stderr.contains("it is no state file of a relay"),
        "{}",
        done.stderr
    );
    assert_eq!(std::fs::read_to_string(&token).unwrap(), "# tokens\n");
}
