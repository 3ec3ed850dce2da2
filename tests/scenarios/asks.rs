//! What a listener asks for is what it gets: levels, lines without audio, replay, ended calls; and an error
//! where it asks for nothing that there is.

use std::time::Duration;

use harness::{Listener, Relay, api, speech};
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::call::Call;
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{ClientMessage, Subscribe};
use partyline_shared::protocol::server::{ErrorCode, ServerMessage};
use partyline_shared::track::Track;

const AT_ONCE: Duration = Duration::ZERO;
const REAL_TIME: Duration = Duration::from_millis(20);

fn plain(sid: &CallSid) -> Subscribe {
    Subscribe {
        call_sid: sid.clone(),
        audio: true,
        after: None,
        replay_ms: 0,
        save: false,
        saved: None,
    }
}

/// Waits until the relay has answered all that was asked before.
async fn caught_up(listener: &mut Listener, id: u64) {
    listener.say(&ClientMessage::Ping { id }).await;
    let mine = |m: &ServerMessage| matches!(m, ServerMessage::Pong { id: answered, .. } if *answered == id);
    listener.until("a pong", mine).await;
}

#[tokio::test]
async fn levels_follow_the_speech_until_they_are_told_to_stop() {
    let relay = Relay::start(&[]).await;
    let loud = speech::piece(speech::LONG[0], 1000, 3000);
    let (call, mut stream) = api::live_call(&relay).await;
    let (_other, mut silent) = api::live_call(&relay).await;
    let mut listener = Listener::connect(relay.addr()).await;
    let watch = ClientMessage::Watch {
        levels_hz: 10.0,
        call_sids: Some(vec![call.sid().clone()]),
    };
    listener.say(&watch).await;
    let playing = tokio::spawn(async move {
        let quiet = vec![0xff; loud.len()];
        // One track speaks, the other has nothing but silence; the other call is not asked for.
        silent.play(&loud[..800], &[], AT_ONCE).await;
        stream.play(&loud, &quiet, REAL_TIME).await;
        (stream, silent)
    });
    listener
        .until_so("levels of a voice over silence", |l| {
            let voice = |level: f64| (-60.0..0.0).contains(&level);
            l.levels
                .iter()
                .flatten()
                .any(|level| level.inbound.is_some_and(voice) && level.outbound == Some(-90.0))
        })
        .await;
    let (mut stream, silent) = playing.await.unwrap();
    listener
        .until_so("null when no media comes", |l| {
            l.levels
                .last()
                .is_some_and(|last| last[0].inbound.is_none() && last[0].outbound.is_none())
        })
        .await;
    assert!(
        listener
            .levels
            .iter()
            .flatten()
            .all(|level| &level.call_sid == call.sid())
    );

    let end = ClientMessage::Watch {
        levels_hz: 0.0,
        call_sids: None,
    };
    listener.say(&end).await;
    caught_up(&mut listener, 1).await;
    let told = listener.levels.len();
    listener.subscribe(call.sid()).await;
    stream.play(&[0x20; 4000], &[], REAL_TIME).await;
    listener
        .until_so("half a second of noise", |l| {
            l.heard(call.sid()).audio(Track::Inbound).len() == 4000
        })
        .await;
    assert_eq!(
        listener.levels.len(),
        told,
        "levels went on after they were ended"
    );
    stream.hang_up().await;
    silent.hang_up().await;
}

#[tokio::test]
async fn a_second_subscribe_changes_the_first_and_unsubscribe_ends_it() {
    let relay = Relay::start(&[]).await;
    let (mut call, mut stream) = api::live_call(&relay).await;
    let sid = call.sid().clone();
    let mut listener = Listener::connect(relay.addr()).await;
    listener.subscribe(&sid).await;
    stream.play(&[1; 320], &[], AT_ONCE).await;
    let hears = |bytes: usize| {
        let sid = sid.clone();
        move |l: &Listener| l.heard(&sid).audio(Track::Inbound).len() == bytes
    };
    listener.until_so("two frames", hears(320)).await;
    let listeners = async || api::call(relay.addr(), &sid).await.listeners;
    assert_eq!(listeners().await, 1);

    // To read only: no audio any more, lines as before, and from where it stands.
    let reading = Subscribe {
        audio: false,
        after: Some(listener.heard(&sid).after()),
        ..plain(&sid)
    };
    assert!(listener.subscribe_with(reading).await.resumed);
    assert_eq!(listeners().await, 0, "who reads does not listen");
    stream.play(&[2; 320], &[], AT_ONCE).await;
    // The relay is known to have these frames, which are replayed below, when it complains of what came behind them.
    stream.raw_text("").await.expect("the socket takes a text");
    api::event_once(relay.addr(), &sid, EventKind::BadMessage, |_| true).await;
    call.says(Track::Inbound, "Read me.", true).await.expect(204);
    listener
        .until_so("the line", |l| l.heard(&sid).finals() == ["Read me."])
        .await;
    assert_eq!(listener.heard(&sid).audio(Track::Inbound), [1; 320]);

    // To hear again, with what was said meanwhile: no line twice.
    let hearing = Subscribe {
        after: Some(listener.heard(&sid).after()),
        replay_ms: 40,
        ..plain(&sid)
    };
    assert!(listener.subscribe_with(hearing).await.resumed);
    stream.play(&[3; 160], &[], AT_ONCE).await;
    listener
        .until_so("replayed and live", hears(320 + 320 + 160))
        .await;
    let heard = listener.heard(&sid);
    let replayed: Vec<bool> = heard.frames.inbound.iter().map(AudioFrame::is_replayed).collect();
    assert_eq!(replayed, [false, false, true, true, false]);
    heard.assert_no_hole();
    assert_eq!(heard.finals(), ["Read me."]);

    listener
        .say(&ClientMessage::Unsubscribe {
            call_sid: sid.clone(),
        })
        .await;
    let ended = |m: &ServerMessage| matches!(m, ServerMessage::Unsubscribed { call_sid } if *call_sid == sid);
    listener.until("unsubscribed", ended).await;
    stream.play(&[4; 320], &[4; 320], AT_ONCE).await;
    call.says(Track::Inbound, "To nobody.", true).await.expect(204);
    assert_eq!(listeners().await, 0);
    stream.hang_up().await;
    api::call_once(relay.addr(), &sid, "the end", Call::is_ended).await;
    caught_up(&mut listener, 2).await;
    assert_eq!(listener.heard(&sid).audio(Track::Inbound).len(), 800);
    assert_eq!(
        (listener.heard(&sid).finals().len(), listener.strays.len()),
        (1, 0)
    );
}

#[tokio::test]
async fn what_cannot_be_is_an_error_and_the_socket_goes_on() {
    let relay = Relay::start(&[]).await;
    let mut listener = Listener::connect(relay.addr()).await;
    let nobody = CallSid::parse("CA00000000000000000000000000000000").unwrap();
    listener.say(&ClientMessage::Subscribe(plain(&nobody))).await;
    let ServerMessage::Error { code, re, .. } = listener.next_text("an error").await else {
        panic!("no error")
    };
    assert_eq!(
        (code, re.as_deref()),
        (ErrorCode::NoSuchCall, Some(nobody.as_str()))
    );
    for bad in [
        "{",
        "[]",
        "{}",
        "\u{0}",
        r#"{"type":"subscribe"}"#,
        r#"{"type":"subscribe","call_sid":7}"#,
    ] {
        listener.say_text(bad).await;
        let answer = listener.next_text("an error").await;
        assert!(
            matches!(
                answer,
                ServerMessage::Error {
                    code: ErrorCode::BadMessage,
                    ..
                }
            ),
            "{bad:?} was answered {answer:?}"
        );
    }
    // What a later version may say is ignored.
    listener.say_text(r#"{"type":"hologram","call_sid":7}"#).await;
    listener.say_text(r#"{"type":"ping","id":8,"new":true}"#).await;
    let answer = listener.next_text("a pong").await;
    assert!(matches!(answer, ServerMessage::Pong { id: 8, .. }), "{answer:?}");
}

#[tokio::test]
async fn an_ended_call_can_be_read() {
    let relay = Relay::start(&[]).await;
    let (mut call, mut stream) = api::live_call(&relay).await;
    stream.play(&[1; 1600], &[], AT_ONCE).await;
    for (text, stays) in [("One.", true), ("Tw", false), ("Two.", true), ("Thr", false)] {
        call.says(Track::Outbound, text, stays).await.expect(204);
    }
    stream.hang_up().await;
    api::call_once(relay.addr(), call.sid(), "the end", Call::is_ended).await;
    let mut listener = Listener::connect(relay.addr()).await;
    let subscribed = listener.subscribe(call.sid()).await;
    assert!(!subscribed.resumed);
    caught_up(&mut listener, 3).await;
    let last = api::events(relay.addr(), call.sid()).await;
    let last = last.last().expect("there are events").seq;
    listener
        .until_so("every event", |l| {
            l.heard(call.sid()).events.iter().any(|e| e.seq == last)
        })
        .await;
    let heard = listener.heard(call.sid());
    assert_eq!(heard.finals(), ["One.", "Two."]);
    assert_eq!(
        heard.lines.last().map(|l| l.text.as_str()),
        Some("Thr"),
        "the open partial too"
    );
    assert!(heard.frames.inbound.is_empty());
}
