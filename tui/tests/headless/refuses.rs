//! Exit codes, and what is said.

use super::program::{end, run, signal, start};
use super::standin::{StandIn, call, nobody};

#[tokio::test]
async fn a_command_line_that_cannot_be_meant_is_exit_2() {
    for args in [
        &["listen", "CA1", "--output", "-", "--format", "raw"][..],
        &["listen", "CA1", "--format", "wav"],
        &["listen", "CA1", "--output", "-", "--read-only"],
        &["listen", "C A", "--output", "-"],
        &["--relay", "nosuchname", "calls"],
        &["--token-file", "/nonexistent", "calls"],
        &["monitor"],
        &["calls", "--rate", "12"],
        &["demo", "--relay", "http://127.0.0.1:9"],
        &["calls", "--theme", "pink"],
    ] {
        let ended = run("http://127.0.0.1:9", args).await;
        assert_eq!(
            (ended.code, ended.stdout.len()),
            (Some(2), 0),
            "{args:?} {}",
            ended.stderr
        );
        assert!(!ended.stderr.is_empty(), "{args:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_one_clear_error() {
    let (_held, url) = nobody();
    for args in [
        &["calls"][..],
        &["listen", "CA1", "--output", "-"],
        &["transcript", "CA1"],
    ] {
        let ended = run(&url, args).await;
        assert_eq!(
            (ended.code, ended.stderr.lines().count()),
            (Some(1), 1),
            "{args:?} {}",
            ended.stderr
        );
        assert!(ended.stderr.contains(&url), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_refusal_before_the_upgrade_says_what_it_means() {
    let standin = StandIn::start().await;
    for (status, code, says) in [
        (401, 3, "--token-file"),
        (403, 3, "--token-file"),
        (404, 1, "no Partyline relay"),
    ] {
        standin.refuse(status, "");
        let ended = run(&standin.url, &["listen", "CA1", "--output", "-"]).await;
        assert_eq!(ended.code, Some(code), "{status}");
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
    standin.answer(
        "/api/v1/calls/CA1",
        401,
        r#"{"error":{"code":"x","message":"who\u001b are you"}}"#,
    );
    let ended = run(&standin.url, &["transcript", "CA1"]).await;
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(3), "partyline: not authorised: who are you\n")
    );
    let ended = run(&standin.url, &["calls"]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("no Partyline relay"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_busy_relay_is_asked_again() {
    let mut standin = StandIn::start().await;
    standin.refuse(503, "retry-after: 0\r\n");
    standin.refuse(429, "");
    let child = start(&standin.url, &["transcript", "CA1", "--follow"]);
    let mut peer = standin.peer().await;
    peer.greet(&call("CA1", false)).await;
    peer.subscribe().await;
    peer.close(4001).await;
    let ended = end(child).await;
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert_eq!(
        ended.stderr.matches("takes nobody now").count(),
        2,
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn an_unknown_call_is_exit_4_and_leaves_no_file() {
    let mut standin = StandIn::start().await;
    let path = super::program::Temp::new("none.wav");
    let child = start(&standin.url, &["listen", "CA1", "--output", path.text()]);
    let mut peer = standin.peer().await;
    peer.greet("").await;
    peer.subscribe().await;
    peer.say(r#"{"type":"error","code":"no_such_call","message":"no","re":"CA1"}"#)
        .await;
    let ended = end(child).await;
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(!path.exists());
    standin.answer(
        "/api/v1/calls/CA1",
        404,
        r#"{"error":{"code":"no_such_call","message":"no"}}"#,
    );
    assert_eq!(run(&standin.url, &["transcript", "CA1"]).await.code, Some(4));
}

#[tokio::test]
async fn what_may_not_be_kept_is_exit_3() {
    let mut standin = StandIn::start().await;
    let child = start(&standin.url, &["listen", "CA1", "--output", "-"]);
    let mut peer = standin.peer().await;
    peer.greet(&call("CA1", false)).await;
    assert!(peer.subscribe().await.save);
    peer.say(r#"{"type":"error","code":"not_allowed","message":"save\u202e","re":"CA1"}"#)
        .await;
    let ended = end(child).await;
    assert_eq!((ended.code, ended.stdout.len()), (Some(3), 0));
    assert_eq!(ended.stderr, "partyline: not authorised: save\n");
}

#[tokio::test]
async fn following_waits_for_a_relay_that_is_not_there_yet() {
    let (_held, url) = nobody();
    let mut child = start(&url, &["calls", "--watch"]);
    let stderr = child.stderr.take().unwrap();
    let said = tokio::task::spawn_blocking(move || {
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stderr));
        [lines.next().unwrap().unwrap(), lines.next().unwrap().unwrap()]
    });
    let said = tokio::time::timeout(super::program::DEADLINE, said)
        .await
        .expect("two attempts")
        .unwrap();
    assert!(said.iter().all(|line| line.contains("again in")), "{said:?}");
    signal(child.id(), "KILL");
    child.wait().unwrap();
}
