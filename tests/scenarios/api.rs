//! A script's view: the list by pages, one call, its lines and events after what is known, until retention
//! is over.

use std::collections::BTreeSet;

use harness::http;
use harness::wait::{SOON, until};
use harness::{Listener, Relay, TwilioCall, api};
use partyline_shared::call::Call;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::server::ServerMessage;
use partyline_shared::track::Track;

/// A time as it stands in a query: its plus, where it has one, would be a space.
fn before(call: &Call) -> String {
    call.started_at.expect("it began").to_string().replace('+', "%2B")
}

#[tokio::test]
async fn the_list_comes_by_state_and_by_page() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    assert_eq!(api::listed(at, "?status=all").await, []);
    let mut calls = Vec::new();
    for number in 0..5 {
        let mut call = TwilioCall::new(&relay);
        call.webhook(&[]).await.expect(200);
        if number % 2 == 0 {
            call.status("completed", &[]).await.expect(204);
        }
        let view = api::call_once(at, call.sid(), "the call", |_| true).await;
        // Pages are cut by the millisecond in which calls began.
        until(SOON, "another millisecond", async || {
            (harness::twilio::now() > view.started_at.unwrap()).then_some(())
        })
        .await;
        calls.push(view);
    }
    let sid = |number: usize| calls[number].call_sid.clone();
    assert_eq!(api::listed(at, "").await, [sid(3), sid(1)]);
    assert_eq!(api::listed(at, "?status=live").await, [sid(3), sid(1)]);
    assert_eq!(api::listed(at, "?status=ended").await, [sid(4), sid(2), sid(0)]);
    assert_eq!(api::listed(at, "?status=all&limit=2").await, [sid(4), sid(3)]);
    let next = format!("?status=all&limit=2&before={}", before(&calls[3]));
    assert_eq!(api::listed(at, &next).await, [sid(2), sid(1)]);
    let last = format!("?status=all&limit=2&before={}", before(&calls[1]));
    assert_eq!(api::listed(at, &last).await, [sid(0)]);
    for wrong in [
        "status=some",
        "limit=0",
        "limit=201",
        "limit=x",
        "before=yesterday",
    ] {
        let answer = http::get(at, &format!("/api/v1/calls?{wrong}")).await.expect(400);
        assert_eq!(answer.json()["error"]["code"], "bad_request", "{wrong}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn lines_and_events_come_whole_or_after_what_is_known() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    let mut call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    call.status("in-progress", &[]).await.expect(204);
    for text in ["One.", "Two.", "Three."] {
        call.says(Track::Inbound, text, true).await.expect(204);
    }
    call.says(Track::Outbound, "and", false).await.expect(204);
    let read = async |what: &str, query: &str| {
        let path = format!("/api/v1/calls/{}/{what}{query}", call.sid());
        let answer = http::get(at, &path).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let mut body = answer.json();
        let journal = body["journal"].as_str().expect("a journal has a name").to_owned();
        let items = body[what].as_array_mut().expect("a list").split_off(0);
        let seqs: Vec<u64> = items.iter().map(|item| item["seq"].as_u64().unwrap()).collect();
        (journal, seqs)
    };
    let (journal, all) = read("transcript", "").await;
    assert_eq!(all, [1, 2, 3, 4]);
    assert_eq!(read("transcript", "?after=2").await.1, [3, 4]);
    assert_eq!(
        read("transcript", &format!("?after=2&journal={journal}")).await.1,
        [3, 4]
    );
    assert_eq!(read("transcript", "?after=2&journal=other").await.1, all);
    assert_eq!(
        read("transcript", "?after=9").await.1,
        [0; 0],
        "taken at its word"
    );
    assert_eq!(read("events", "").await, (journal.clone(), vec![1]));
    assert_eq!(
        read("events", &format!("?after=1&journal={journal}")).await.1,
        [0; 0]
    );
    let wrong = format!("/api/v1/calls/{}/events?after=x", call.sid());
    http::get(at, &wrong).await.expect(400);

    let path = format!("/api/v1/calls/{}", call.sid());
    let json = http::get(at, &path).await.expect(200).json();
    assert_eq!(
        (
            json["from"].as_str(),
            json["customer_id"].is_null(),
            json["ended_at"].is_null()
        ),
        (Some("client:agent"), true, true)
    );
    assert_eq!(
        json["transcription"]["outbound"]["state"], "running",
        "{}",
        json["transcription"]
    );
}

#[tokio::test]
async fn what_is_not_there_looks_the_same_however_it_is_asked_for() {
    let relay = Relay::start(&[]).await;
    let mut answers = BTreeSet::new();
    for call in [
        "CA00000000000000000000000000000000",
        "nobody",
        "%00",
        "a%20b",
        &"x".repeat(300),
    ] {
        for rest in ["", "/transcript", "/events", "/events?after=1", "/other"] {
            let path = format!("/api/v1/calls/{call}{rest}");
            let answer = http::get(relay.addr(), &path).await.expect(404);
            answers.insert(answer.text().to_owned());
        }
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn an_ended_call_is_gone_when_its_retention_is_over() {
    let relay = Relay::start(&["--retention", "1s"]).await;
    let mut call = TwilioCall::new(&relay);
    let mut other = TwilioCall::new(&relay);
    other.webhook(&[]).await.expect(200);
    call.webhook(&[]).await.expect(200);
    let mut listener = Listener::connect(relay.addr()).await;
    listener.subscribe(call.sid()).await;
    call.status("completed", &[]).await.expect(204);
    let removed =
        |m: &ServerMessage| matches!(m, ServerMessage::CallRemoved { call_sid } if call_sid == call.sid());
    listener.until("its removal", removed).await;
    http::get(relay.addr(), &format!("/api/v1/calls/{}", call.sid()))
        .await
        .expect(404);
    assert_eq!(
        api::listed(relay.addr(), "?status=all").await,
        [other.sid().clone()]
    );
    assert_eq!(
        listener.removed,
        [CallSid::parse(call.sid().as_str()).unwrap()],
        "once, and nothing else"
    );
    // The same name is another call now.
    call.status("in-progress", &[]).await.expect(204);
    let again =
        |m: &ServerMessage| matches!(m, ServerMessage::Call { call: new } if &new.call_sid == call.sid());
    listener.until("the call anew", again).await;
    other.status("completed", &[]).await.expect(204);
}
