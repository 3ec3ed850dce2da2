//! calls, transcript, events.

use std::io::{BufRead, BufReader};
use std::process::Child;

use super::program::{DEADLINE, end, run, signal, start};
use super::standin::{StandIn, call, line};

const EVENT: &str =
    r#"{"seq":1,"at":"2026-11-22T09:00:01.000Z","kind":"gap","detail":{"track":"in\u001bbound"}}"#;

#[tokio::test]
async fn calls_are_columns_or_objects_and_never_obeyed() {
    let standin = StandIn::start().await;
    let body = format!(r#"{{"calls":[{}]}}"#, call("CA1", true));
    standin.answer("/api/v1/calls?status=all&limit=200", 200, &body);
    let ended = run(&standin.url, &["calls", "--all"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(
        ended.lines(),
        [
            "completed   live    2026-11-22 09:00:00Z  0:01:00  agent client:a         customer 7        +1555[2J → client:a  CA1"
        ]
    );
    let json = run(&standin.url, &["calls", "--all", "--json"]).await.lines();
    assert!(json[0].contains(r#""from":"+1555\u001b[2J""#), "{json:?}");
}

#[tokio::test]
async fn many_calls_come_page_by_page_without_a_double() {
    let standin = StandIn::start().await;
    let page = |from: u32, n: u32| {
        let calls: Vec<String> = (from..from + n).map(|i| call(&format!("CA{i}"), false)).collect();
        format!(r#"{{"calls":[{}]}}"#, calls.join(","))
    };
    standin.answer("/api/v1/calls?status=live&limit=200", 200, &page(0, 200));
    standin.answer(
        "/api/v1/calls?status=live&limit=200&before=2026-11-22T09:00:00.001Z",
        200,
        &page(150, 60),
    );
    let ended = run(&standin.url, &["calls", "--json"]).await;
    assert_eq!(
        (ended.code, ended.lines().len()),
        (Some(0), 210),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn a_transcript_is_its_final_lines_by_role() {
    let standin = StandIn::start().await;
    standin.answer("/api/v1/calls/CA1", 200, &call("CA1", true));
    let lines = [line(1, "hel", false), line(2, "hello\\u202e \\u001b[2Jyou", true)].join(",");
    standin.answer(
        "/api/v1/calls/CA1/transcript",
        200,
        &format!(r#"{{"journal":"j","transcript":[{lines}]}}"#),
    );
    let ended = run(&standin.url, &["transcript", "CA1"]).await;
    assert_eq!(
        (ended.code, ended.lines()),
        (Some(0), vec!["09:00:05  customer  hello [2Jyou".to_owned()])
    );
    let json = run(&standin.url, &["transcript", "CA1", "--json"]).await.lines();
    assert_eq!(json.len(), 2);
    assert!(
        json[1].contains(r"hello\u202e \u001b[2Jyou"),
        "escaped, and nothing lost: {json:?}"
    );
}

#[tokio::test]
async fn events_of_one_call_and_of_all() {
    let standin = StandIn::start().await;
    standin.answer(
        "/api/v1/calls/CA1/events",
        200,
        &format!(r#"{{"journal":"j","events":[{EVENT}]}}"#),
    );
    standin.answer(
        "/api/v1/calls?status=live&limit=200",
        200,
        &format!(r#"{{"calls":[{}]}}"#, call("CA1", false)),
    );
    assert_eq!(
        run(&standin.url, &["events", "CA1"]).await.lines(),
        ["09:00:01  gap                   track=inbound"]
    );
    assert_eq!(
        run(&standin.url, &["events"]).await.lines(),
        ["CA1  09:00:01  gap                   track=inbound"]
    );
    let json = run(&standin.url, &["events", "--json"]).await.lines();
    assert!(json[0].starts_with(r#"{"call_sid":"CA1","seq":1,"#), "{json:?}");
}

#[tokio::test]
async fn following_prints_until_the_call_has_ended() {
    let mut standin = StandIn::start().await;
    let token = token();
    let child = start(
        &standin.url,
        &["transcript", "CA1", "--follow", "--token-file", token.text()],
    );
    let mut peer = standin.peer().await;
    peer.greet(&call("CA1", false)).await;
    assert!(!peer.subscribe().await.audio);
    peer.subscribed(7).await;
    for (seq, text, is_final) in [
        (1, "h", false),
        (2, "hi", true),
        (3, "b", false),
        (5, "bye", true),
    ] {
        peer.say(format!(
            r#"{{"type":"transcript","call_sid":"CA1","line":{}}}"#,
            line(seq, text, is_final)
        ))
        .await;
    }
    peer.end_call().await;
    let ended = end(child).await;
    assert_eq!(
        (ended.code, ended.lines()),
        (
            Some(0),
            vec![
                "09:00:05  customer  hi".to_owned(),
                "09:00:05  customer  bye".to_owned()
            ]
        )
    );
    let head = standin.say.lock().unwrap().heads[0].to_lowercase();
    assert!(
        head.contains("authorization: bearer s3cret\r\n")
            && head.contains("sec-websocket-protocol: partyline.v1\r\n"),
        "{head}"
    );
}

fn token() -> super::program::Temp {
    let path = super::program::Temp::new("token");
    std::fs::write(&*path, "s3cret\n").unwrap();
    path
}

async fn first_lines(child: &mut Child, n: usize) -> Vec<String> {
    let stdout = child.stdout.take().unwrap();
    let read = tokio::task::spawn_blocking(move || {
        BufReader::new(stdout)
            .lines()
            .take(n)
            .map(Result::unwrap)
            .collect()
    });
    tokio::time::timeout(DEADLINE, read)
        .await
        .expect("lines on stdout")
        .unwrap()
}

#[tokio::test]
async fn watching_survives_a_cut_and_tells_only_what_changed() {
    let mut standin = StandIn::start().await;
    let mut child = start(&standin.url, &["calls", "--watch", "--json"]);
    let mut peer = standin.peer().await;
    peer.greet(&[call("CA1", false), call("CA2", false)].join(","))
        .await;
    drop(peer);
    let mut peer = standin.peer().await;
    peer.greet(&call("CA2", false)).await;
    peer.say(format!(r#"{{"type":"call","call":{}}}"#, call("CA2", true)))
        .await;
    let lines = first_lines(&mut child, 4).await;
    let short: Vec<String> = lines
        .iter()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let call = &value["call"];
            let (sid, status) = (call["call_sid"].as_str(), call["status"].as_str().unwrap_or(""));
            format!(
                "{} {} {status}",
                value["type"].as_str().unwrap(),
                sid.or(value["call_sid"].as_str()).unwrap()
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            "call CA1 in-progress",
            "call CA2 in-progress",
            "call_removed CA1 ",
            "call CA2 completed"
        ]
    );
    signal(child.id(), "KILL");
    child.wait().unwrap();
}

#[tokio::test]
async fn a_reader_that_goes_ends_it_quietly() {
    let mut standin = StandIn::start().await;
    let mut child = start(&standin.url, &["events", "--follow"]);
    let mut peer = standin.peer().await;
    peer.greet(&call("CA1", false)).await;
    peer.subscribe().await;
    peer.subscribed(7).await;
    let event = |seq| {
        format!(
            r#"{{"type":"event","call_sid":"CA1","event":{}}}"#,
            EVENT.replace("\"seq\":1", &format!("\"seq\":{seq}"))
        )
    };
    peer.say(event(1)).await;
    assert_eq!(first_lines(&mut child, 1).await.len(), 1);
    peer.say(event(2)).await;
    let ended = end(child).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_relay_that_was_restarted_is_told_and_its_lines_are_all_new() {
    let mut standin = StandIn::start().await;
    let child = start(&standin.url, &["transcript", "CA1", "--follow"]);
    let said = |seq, text| {
        format!(
            r#"{{"type":"transcript","call_sid":"CA1","line":{}}}"#,
            line(seq, text, true)
        )
    };
    let subscribed = |journal: &str| {
        format!(
            r#"{{"type":"subscribed","call_sid":"CA1","audio_id":null,"journal":"{journal}","resumed":false,"zero_at":null}}"#
        )
    };
    for (journal, lines) in [
        ("j", [(1, "one"), (2, "two")]),
        ("j", [(2, "two"), (3, "three")]),
        ("k", [(1, "anew"), (2, "more")]),
    ] {
        let mut peer = standin.peer().await;
        peer.greet(&call("CA1", false)).await;
        peer.subscribe().await;
        peer.say(subscribed(journal)).await;
        // The same again, as when another stream takes over, is no news.
        peer.say(subscribed(journal)).await;
        for (seq, text) in lines {
            peer.say(said(seq, text)).await;
        }
        if journal == "k" {
            peer.end_call().await;
        } else {
            peer.close(1011).await;
        }
    }
    let ended = end(child).await;
    let words: Vec<String> = ended
        .lines()
        .iter()
        .map(|line| line.rsplit(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(words, ["one", "two", "three", "anew", "more"]);
    assert_eq!(
        ended.stderr.matches("may be forgotten").count(),
        1,
        "{}",
        ended.stderr
    );
    assert_eq!(
        ended.stderr.matches("numbers the lines of CA1 anew").count(),
        1,
        "{}",
        ended.stderr
    );
}
