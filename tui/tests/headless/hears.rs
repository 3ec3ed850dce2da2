//! Audio past the signals: the connection of the monitor, against a stand-in relay.

use std::time::Duration;

use partyline::client::backoff::Backoff;
use partyline::client::connection::{Audio, Connection, Signal};
use partyline::client::relay::{Relay, Token};
use partyline::client::session::{Session, Update, Want};
use partyline::failure::Failure;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::ClientMessage;
use partyline_shared::track::Track;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::program::DEADLINE;
use super::standin::{Peer, StandIn, call, frame, line};

fn connect(standin: &StandIn) -> Connection {
    let relay = Relay::parse(&standin.url).unwrap();
    Connection::keep(relay, Session::new(), Backoff::default())
}

fn call_sid() -> CallSid {
    CallSid::parse("CA1").unwrap()
}

fn heard() -> Want {
    Want {
        audio: true,
        ..Want::default()
    }
}

/// Hears the call into a queue.
async fn hear(connection: &Connection) -> mpsc::Receiver<String> {
    let (tell, told) = mpsc::channel(1000);
    let sink = Box::new(move |audio| {
        let text = match audio {
            Audio::Stream { .. } => "stream".to_owned(),
            Audio::Frame { frame, .. } => format!("frame {}", frame.chunk()),
            Audio::Missed { from, to, .. } => format!("missed {from}-{to}"),
            Audio::Over => "over".to_owned(),
        };
        tell.try_send(text).unwrap();
    });
    connection.hear(call_sid(), heard(), sink).await;
    told
}

async fn next(told: &mut mpsc::Receiver<String>) -> String {
    timeout(DEADLINE, told.recv())
        .await
        .expect("something for the sink")
        .unwrap_or_else(|| "dropped".to_owned())
}

/// The next signal of that sort; what comes before it is not of interest.
async fn signal<T>(connection: &mut Connection, mut want: impl FnMut(Signal) -> Option<T>) -> T {
    loop {
        let signal = timeout(DEADLINE, connection.next()).await.expect("a signal");
        if let Some(found) = want(signal.expect("the connection should go on")) {
            return found;
        }
    }
}

async fn line_comes(connection: &mut Connection, text: &str) {
    signal(connection, |signal| match signal {
        Signal::Update(Update::Frame { .. }) => panic!("a frame among the signals"),
        Signal::Update(Update::Line { line, .. }) if line.text == text => Some(()),
        _ => None,
    })
    .await;
}

async fn say_line(peer: &mut Peer, seq: u64, text: &str) {
    let line = line(seq, text, true);
    peer.say(format!(
        r#"{{"type":"transcript","call_sid":"CA1","line":{line}}}"#
    ))
    .await;
}

#[tokio::test]
async fn frames_go_to_the_sink_and_all_else_is_signalled() {
    let mut standin = StandIn::start().await;
    let mut connection = connect(&standin);
    let mut told = hear(&connection).await;
    let mut peer = standin.peer().await;
    peer.greet(&call("CA1", false)).await;
    assert!(peer.subscribe().await.audio);
    peer.subscribed(7).await;
    peer.frame(&frame(Track::Inbound, 5, 1)).await;
    peer.frame(&frame(Track::Inbound, 8, 1)).await;
    say_line(&mut peer, 1, "hello").await;
    line_comes(&mut connection, "hello").await;
    for expected in ["stream", "stream", "frame 5", "missed 6-7", "frame 8"] {
        assert_eq!(next(&mut told).await, expected);
    }
    tokio::spawn(peer.end_call());
    assert_eq!(next(&mut told).await, "over");
    assert_eq!(next(&mut told).await, "dropped");
}

#[tokio::test]
async fn frames_reach_the_sink_while_nobody_takes_signals() {
    let mut standin = StandIn::start().await;
    let connection = connect(&standin);
    let mut told = hear(&connection).await;
    let mut peer = standin.peer().await;
    peer.greet(&call("CA1", false)).await;
    peer.subscribe().await;
    peer.subscribed(7).await;
    for chunk in 1..=900 {
        peer.frame(&frame(Track::Inbound, chunk, 1)).await;
    }
    while next(&mut told).await != "frame 900" {}
}

#[tokio::test]
async fn who_hears_again_has_missed_nothing_in_between() {
    let mut standin = StandIn::start().await;
    let mut connection = connect(&standin);
    connection.subscribe(call_sid(), Want::default()).await;
    let mut peer = standin.peer().await;
    peer.greet(&call("CA1", false)).await;
    assert!(!peer.subscribe().await.audio);
    // It stood before the stream did.
    peer.say(r#"{"type":"subscribed","call_sid":"CA1","audio_id":null,"journal":"j","resumed":false,"zero_at":null}"#)
        .await;
    peer.subscribed(7).await;
    say_line(&mut peer, 1, "one").await;
    line_comes(&mut connection, "one").await;
    for (round, first) in [100, 200].into_iter().enumerate() {
        let mut told = hear(&connection).await;
        let asked = peer.subscribe().await;
        assert_eq!((asked.audio, asked.replay_ms), (true, 0));
        peer.subscribed(7).await;
        peer.frame(&frame(Track::Outbound, first, 1)).await;
        // The relay's word of it too, though it is the one that was there already.
        assert_eq!(next(&mut told).await, "stream");
        assert_eq!(next(&mut told).await, "stream");
        assert_eq!(next(&mut told).await, format!("frame {first}"));
        connection.subscribe(call_sid(), Want::default()).await;
        assert!(!peer.subscribe().await.audio);
        assert_eq!(next(&mut told).await, "dropped");
        // What was on its way is for nobody.
        peer.frame(&frame(Track::Outbound, first + 1, 1)).await;
        let seq = round as u64 + 2;
        say_line(&mut peer, seq, &format!("line {seq}")).await;
        line_comes(&mut connection, &format!("line {seq}")).await;
    }
}

#[tokio::test]
async fn a_refused_connection_waits_for_another_token_and_goes_on() {
    let mut standin = StandIn::start().await;
    let mut connection = connect(&standin);
    let mut told = hear(&connection).await;
    let mut peer = standin.peer().await;
    peer.greet(&call("CA1", false)).await;
    peer.subscribe().await;
    peer.subscribed(7).await;
    say_line(&mut peer, 1, "one").await;
    line_comes(&mut connection, "one").await;
    peer.close(4001).await;
    let (failure, retry_in) = signal(&mut connection, |signal| match signal {
        Signal::Refused { failure, retry_in } => Some((failure, retry_in)),
        _ => None,
    })
    .await;
    assert!(
        matches!(&failure, Failure::NotAuthorised(why) if why.contains("partyline login")),
        "{failure}"
    );
    assert!(retry_in >= Duration::from_secs(60), "{retry_in:?}");
    // Whatever is wanted meanwhile is no reason to try the same token again.
    connection.watch(5.0, None).await;
    let relay = Relay::parse(&standin.url)
        .unwrap()
        .with_token(Token::new("better"));
    connection.retry(Some(relay)).await;
    let mut peer = standin.peer().await;
    assert_eq!(standin.say.lock().unwrap().heads.len(), 2);
    assert!(standin.say.lock().unwrap().heads[1].contains("Bearer better"));
    peer.greet(&call("CA1", false)).await;
    assert!(matches!(peer.hear().await, ClientMessage::Watch { .. }));
    let asked = peer.subscribe().await;
    assert_eq!(asked.after.map(|after| after.transcript), Some(1));
    peer.subscribed(7).await;
    peer.frame(&frame(Track::Inbound, 3, 1)).await;
    for expected in ["stream", "stream", "frame 3"] {
        assert_eq!(next(&mut told).await, expected);
    }
}

#[tokio::test]
async fn what_is_no_relay_is_asked_again_by_who_keeps_on() {
    let mut standin = StandIn::start().await;
    standin.refuse(404, "");
    standin.refuse(403, "");
    let mut connection = connect(&standin);
    let refused = |signal| match signal {
        Signal::Refused { failure, retry_in } => Some((failure, retry_in)),
        _ => None,
    };
    let (failure, retry_in) = signal(&mut connection, refused).await;
    assert!(
        matches!(&failure, Failure::Failed(why) if why.contains("no Partyline relay")),
        "{failure}"
    );
    assert!(retry_in <= Duration::from_secs(30), "{retry_in:?}");
    let (failure, retry_in) = signal(&mut connection, refused).await;
    assert!(
        matches!(&failure, Failure::NotAuthorised(why) if why.contains("403")),
        "{failure}"
    );
    assert!(retry_in >= Duration::from_secs(60), "{retry_in:?}");
    connection.retry(None).await;
    standin.peer().await.greet("").await;
    signal(&mut connection, |signal| {
        matches!(signal, Signal::Update(Update::Snapshot(_))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn where_no_tls_is_spoken_it_says_so() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = silent.accept().await {
            use tokio::io::AsyncWriteExt;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let mut connection = Connection::keep(Relay::parse(&url).unwrap(), Session::new(), Backoff::default());
    let failure = signal(&mut connection, |signal| match signal {
        Signal::Refused { failure, .. } => Some(failure),
        _ => None,
    })
    .await;
    assert!(failure.to_string().contains("http://"), "{failure}");
}
