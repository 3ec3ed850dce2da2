//! What a newcomer sees, without the screen.

use std::collections::HashSet;

use partyline_shared::call::Call;
use partyline_shared::line::Line;
use serde::Deserialize;

use super::*;
use crate::client::api;

#[derive(Deserialize)]
struct Calls {
    calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Lines {
    transcript: Vec<Line>,
}

/// Longer than it takes, also on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

async fn live(relay: &Relay) -> Vec<Call> {
    api::get::<Calls>(relay, "/api/v1/calls", None)
        .await
        .unwrap()
        .calls
}

#[tokio::test(flavor = "multi_thread")]
async fn three_different_calls_talk() {
    let demo = Demo::start().await.unwrap();
    let relay = demo.relay().unwrap();
    let mut said: HashSet<String> = HashSet::new();
    let all = async {
        loop {
            let calls = live(&relay).await;
            for call in &calls {
                let path = format!("/api/v1/calls/{}/transcript", call.call_sid);
                let lines: Lines = api::get(&relay, &path, Some("a call of the list")).await.unwrap();
                if lines.transcript.iter().any(|line| line.is_final) {
                    said.insert(call.call_sid.to_string());
                }
            }
            if calls.len() == 3 && calls.iter().all(|call| said.contains(call.call_sid.as_str())) {
                return calls;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let calls = tokio::time::timeout(DEADLINE, all)
        .await
        .expect("three calls with lines");
    let different = |of: fn(&Call) -> String| calls.iter().map(of).collect::<HashSet<_>>().len();
    assert_eq!(different(|call| format!("{:?}", call.customer_id)), 3);
    assert_eq!(
        different(|call| call.agent.as_ref().unwrap().as_str().to_owned()),
        3
    );
    // Agents ring up, and are rung up.
    assert_eq!(different(|call| format!("{:?}", call.roles)), 2);
    demo.end().await;
    assert!(api::status(&relay, "/healthz").await.is_err());
}

#[tokio::test]
async fn no_two_calls_are_equally_long() {
    let lengths: HashSet<usize> = lines().iter().map(|line| line.conversation.agent.len()).collect();
    assert_eq!(lengths.len(), 3);
}
