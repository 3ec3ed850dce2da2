//! Three relays and one call: its webhook at one, its stream at another, its transcription at the third, callbacks
//! wherever, and listeners at all. Every frame, line and event is there once and in order, under the same numbers, and
//! who comes back at another relay goes on where he was.

use ::http::Method;
use harness::cable::{Cable, media_of};
use harness::relays::stream_of;
use harness::twilio::pass;
use harness::{Listener, Relays};
use partyline_shared::call::{CallStatus, StreamState};
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;
use serde_json::{Value, json};

use super::{PACE, finals, from, in_order, posts, said, says};
use harness::wait::SOON;

/// Frames of each track: before and after one who listens changes to another relay.
const FRAMES: usize = 50;

/// The relay that hears of the call first, the one that has its stream, and the one that is told what is said.
const WEBHOOK: usize = 0;
const STREAM: usize = 1;
const TRANSCRIPTION: usize = 2;

/// Reads until all that was said is heard; every frame came, once and in order.
async fn hears(listener: &mut Listener, sid: &CallSid, inbound: &[u8], outbound: &[u8]) {
    let all = |l: &Listener| {
        let heard = l.heard(sid);
        heard.audio(Track::Inbound).len() >= inbound.len()
            && heard.audio(Track::Outbound).len() >= outbound.len()
    };
    listener.until_so("all that was said", all).await;
    let heard = listener.heard(sid);
    assert_eq!(heard.gaps, []);
    heard.assert_no_hole();
    assert!(heard.audio(Track::Inbound) == inbound && heard.audio(Track::Outbound) == outbound);
}

/// What Action Cable brought of a call: chunks by track, and texts.
async fn cable_hears(cable: &mut Cable, lines: usize) -> ([Vec<u64>; 2], Vec<String>) {
    let (mut chunks, mut texts) = ([Vec::new(), Vec::new()], Vec::new());
    while texts.len() < lines || chunks.iter().any(|chunks| chunks.len() < FRAMES) {
        let came = cable.next("a broadcast of the call").await;
        let message = &came["message"];
        match message["event"].as_str() {
            Some("media") => {
                let chunk = message["chunk"].as_str().and_then(|chunk| chunk.parse().ok());
                let track = usize::from(message["track"] != "inbound");
                chunks[track].push(chunk.expect("a number as a string"));
            }
            Some("transcript") => texts.push(message["text"].as_str().expect("a text").to_owned()),
            _ => assert!(!came.is_null() && !came.is_number(), "it closed: {came}"),
        }
    }
    (chunks, texts)
}

#[tokio::test]
async fn one_call_over_three_relays_is_one_call() {
    let relays = Relays::start(3, &["--attach", "never"]).await;
    let mut call = relays.call(WEBHOOK);
    let sid = call.sid().clone();
    let answer = call.webhook(&[("customer_id", "7")]).await.expect(200);
    relays
        .everywhere(&sid, "the call", |call| call.customer_id.as_deref() == Some("7"))
        .await;

    // Who listens is there before the stream, at each relay.
    let mut listeners = Vec::new();
    for nth in relays.up() {
        let mut listener = relays.listen(nth).await;
        listener
            .until_so("the call in the list", |l| l.calls.contains_key(&sid))
            .await;
        listener.subscribe(&sid).await;
        listeners.push(listener);
    }
    call.aim(relays.addr(STREAM));
    let mut stream = stream_of(&call, &pass(&answer)).await;
    relays
        .everywhere(&sid, "the live stream", |call| call.stream == StreamState::Live)
        .await;
    let bearer = format!("Bearer {}", relays.token());
    let headers = [("authorization", bearer.as_str())];
    let mut cable = Cable::welcome(relays.addr(TRANSCRIPTION), "", &headers).await;
    cable.subscribe(&media_of(&sid)).await;
    for listener in &mut listeners {
        let named = |l: &Listener| {
            l.heard(&sid)
                .subscribed
                .last()
                .is_some_and(|s| s.audio_id.is_some())
        };
        listener.until_so("the stream's number", named).await;
    }

    let (inbound, outbound) = (said(1, 2 * FRAMES), said(2, 2 * FRAMES));
    let half = inbound.len() / 2;
    let play = stream.play(&inbound[..half], &outbound[..half], PACE);
    let talk = async {
        call.aim(relays.addr(TRANSCRIPTION));
        for n in 0..4 {
            says(&mut call, &format!("told {n}")).await;
            posts(&relays, n % 3, &sid, &format!("posted {n}")).await;
        }
        call.aim(relays.addr(STREAM));
        call.status("in-progress", &[]).await.expect(204);
    };
    let (broadcast, (), ()) = tokio::join!(cable_hears(&mut cable, 8), play, talk);
    let (chunks, texts) = broadcast;
    for chunks in chunks {
        assert!(chunks.windows(2).all(|two| two[0] + 1 == two[1]), "{chunks:?}");
    }
    for listener in &mut listeners {
        hears(listener, &sid, &inbound[..half], &outbound[..half]).await;
        finals(listener, &sid, 8).await;
        assert_eq!(listener.heard(&sid).finals(), texts);
    }

    // One leaves the relay where he was and goes on at another one.
    let first = listeners.remove(WEBHOOK);
    let after = first.heard(&sid).after();
    first.close().await;
    let mut back = relays.listen(TRANSCRIPTION).await;
    let resumed = back.subscribe_with(from(&sid, after.clone())).await;
    assert!(resumed.resumed, "{resumed:?}");
    assert_eq!(Some(&resumed.journal), after.journal.as_ref());
    stream.play(&inbound[half..], &outbound[half..], PACE).await;
    says(&mut call, "told last").await;
    hears(&mut back, &sid, &inbound[half..], &outbound[half..]).await;
    finals(&mut back, &sid, 1).await;
    assert_eq!(back.heard(&sid).finals(), ["told last"]);
    assert!(
        back.heard(&sid)
            .lines
            .iter()
            .all(|line| line.seq > after.transcript)
    );
    assert!(
        back.heard(&sid)
            .events
            .iter()
            .all(|event| event.seq > after.event)
    );

    // It ends at one relay by its stream, at another by its status.
    stream.hang_up().await;
    call.aim(relays.addr(WEBHOOK));
    call.status("completed", &[]).await.expect(204);
    relays
        .everywhere(&sid, "the end", |call| {
            call.status == CallStatus::Completed && call.stream == StreamState::Stopped
        })
        .await;
    let [shown, transcript, events] = relays.agree(&sid).await;
    assert_eq!(shown["customer_id"], "7");
    for listener in &mut listeners {
        super::to_the_end(listener, &sid, SOON).await;
        finals(listener, &sid, 9).await;
        hears(listener, &sid, &inbound, &outbound).await;
        in_order(listener, &sid);
        let heard = listener.heard(&sid);
        assert!(
            heard
                .subscribed
                .iter()
                .all(|s| transcript["journal"] == s.journal.as_str())
        );
        assert_eq!(transcript["transcript"], json!(heard.lines));
        let known = |kind| heard.events.iter().filter(|event| event.kind == kind).count();
        assert_eq!(
            (
                known(EventKind::StreamStarted),
                known(EventKind::StreamStopped),
                known(EventKind::StreamReplaced)
            ),
            (1, 1, 0)
        );
    }
    let numbers = |events: &Value| {
        let all = events["events"].as_array().expect("a list").iter();
        all.map(|event| event["seq"].as_u64().expect("a number"))
            .collect::<Vec<_>>()
    };
    assert!(numbers(&events).windows(2).all(|two| two[0] < two[1]));
    // One and the same list, whoever is asked.
    for nth in relays.up() {
        let listed = relays.ask(nth, Method::GET, "/api/v1/calls?status=all").await;
        let listed = listed.expect(200).json();
        assert_eq!(listed["calls"].as_array().map(Vec::len), Some(1), "{listed}");
    }
}
