//! What is said during a pause: not heard, not read, not remembered, and silence in a file.

use std::time::Duration;

use ::http::Method;
use harness::record::verify;
use harness::wait::SOON;
use harness::{Listener, MediaSocket, Record, api, http, speech, supervisor};
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::Subscribe;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::Track;

/// Frames of each track that are said at a time: a second.
const FRAMES: usize = 50;

/// Says one byte for a second on both tracks.
async fn say(stream: &mut MediaSocket, byte: u8) {
    let said = vec![byte; 160 * FRAMES];
    stream.play(&said, &said, Duration::ZERO).await;
}

/// Waits until a listener has so many frames of each track.
async fn hears(listener: &mut Listener, call: &CallSid, frames: usize) {
    let all = |l: &Listener| {
        let heard = l.heard.get(call);
        heard.is_some_and(|heard| {
            Track::BOTH
                .iter()
                .all(|track| heard.frames.get(*track).len() >= frames)
        })
    };
    listener.until_so("all that was said", all).await;
}

#[tokio::test]
async fn what_is_said_during_a_pause_reaches_nobody_and_is_kept_nowhere() {
    let record = Record::new();
    let token = record.add("carol", &["--role", "admin"]).await;
    let relay = record.relay(&[]).await;
    let addr = relay.addr();
    let (mut call, mut stream) = api::live_call(&relay).await;
    let sid = call.sid().clone();
    let mut alice = Listener::connect_as(addr, &token).await;
    alice.subscribe(&sid).await;
    let file = record.folder().file("heard.wav");
    let path = file.display().to_string();
    let writes = supervisor::start(&relay.url(), &["listen", sid.as_str(), "--output", &path]);
    api::call_once(addr, &sid, "two listeners", |call| call.listeners == 2).await;
    let bearer = format!("Bearer {token}");
    let hold = async |what: &str| {
        let path = format!("/api/v1/calls/{sid}/{what}");
        let auth = [("authorization", bearer.as_str())];
        let answer = http::send(addr, Method::POST, &path, &auth, "").await.expect(200);
        answer.json()["paused"].as_bool().unwrap()
    };

    say(&mut stream, 0x11).await;
    hears(&mut alice, &sid, FRAMES).await;
    call.says(Track::Inbound, "my card", false).await.expect(204);
    assert!(hold("pause").await && hold("pause").await, "and once more");
    say(&mut stream, 0x33).await;
    call.says(Track::Inbound, "4111 1111", true).await.expect(204);
    call.says(Track::Outbound, "4111 1111?", false).await.expect(204);
    // Behind all that was said.
    stream.raw_text("no message").await.unwrap();
    api::event_once(addr, &sid, EventKind::BadMessage, |_| true).await;
    let joins = Subscribe {
        call_sid: sid.clone(),
        audio: true,
        after: None,
        replay_ms: 10_000,
        save: false,
        saved: None,
    };
    let mut during = Listener::connect_as(addr, &token).await;
    during.subscribe_with(joins.clone()).await;
    assert!(during.calls[&sid].paused);
    assert!(!hold("resume").await);
    call.says(Track::Outbound, "4111 1111? thanks", true)
        .await
        .expect(204);
    say(&mut stream, 0x44).await;
    let mut after = Listener::connect_as(addr, &token).await;
    after.subscribe_with(joins).await;

    for (listener, who) in [
        (&mut alice, "alice"),
        (&mut during, "during"),
        (&mut after, "after"),
    ] {
        hears(listener, &sid, 2 * FRAMES).await;
        let heard = listener.heard(&sid);
        for track in Track::BOTH {
            let said = [[0x11; 160 * FRAMES], [0x44; 160 * FRAMES]].concat();
            assert_eq!(heard.audio(track), said, "{who}, {track:?}");
            let gaps: Vec<_> = heard.gaps.iter().filter(|gap| gap.track == track).collect();
            assert_eq!(gaps.len(), 1, "{who}: {gaps:?}");
            let frames = FRAMES as u32;
            assert_eq!(
                (gaps[0].from_chunk, gaps[0].to_chunk, gaps[0].reason),
                (frames + 1, 2 * frames, GapReason::Paused)
            );
        }
        assert!(
            heard.lines.iter().all(|line| !line.text.contains("4111")),
            "{:?}",
            heard.lines
        );
    }
    let lines = api::lines(addr, &sid).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].text == "my card" && lines[0].is_final, "said before");
    let events = api::events(addr, &sid).await;
    let who = |kind| {
        let mut of = events.iter().filter(|event| event.kind == kind);
        (of.next().unwrap().detail["name"].clone(), of.count())
    };
    assert_eq!(who(EventKind::Paused), ("carol".into(), 0));
    assert_eq!(who(EventKind::Resumed), ("carol".into(), 0));

    stream.stop().await;
    writes.finish(SOON).await.expect_code(0);
    let wav = std::fs::read(&file).unwrap();
    let silence = vec![0; 160 * FRAMES];
    let said = |byte| speech::decoded(&[byte; 160 * FRAMES]);
    for channel in [1, 2] {
        assert_eq!(
            speech::channel(&wav, channel),
            [said(0x11), silence.clone(), said(0x44)].concat()
        );
    }
    for event in ["pause", "resume"] {
        let lines = record.once(event, "carol", 1).await;
        assert_eq!(lines.len(), 1, "what stands so already is not done again");
        assert_eq!(
            (&lines[0]["door"], &lines[0]["call_sid"], &lines[0]["role"]),
            (&"api".into(), &sid.as_str().into(), &"admin".into())
        );
    }
    relay.stop().await;
    verify(&[&record.audit()]).await.expect_code(0);
}
