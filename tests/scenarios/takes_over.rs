//! A call's streams come and go: lost, replaced, stopped, revived. Once it is over it stays over, but for a
//! new stream.

use std::time::Duration;

use harness::{Listener, Relay, TwilioCall, api};
use partyline_shared::call::{Call, CallStatus, StreamState};
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::server::ServerMessage;
use partyline_shared::track::Track;

const AT_ONCE: Duration = Duration::ZERO;

/// A relay, a listener, and a live call that it hears.
async fn heard_call(relay: &Relay) -> (TwilioCall, harness::MediaSocket, Listener) {
    let call = TwilioCall::new(relay);
    let stream = call.live_stream().await;
    let live = |call: &Call| call.stream == StreamState::Live;
    api::call_once(relay.addr(), call.sid(), "the stream to be live", live).await;
    let mut listener = Listener::connect(relay.addr()).await;
    listener.subscribe(call.sid()).await;
    (call, stream, listener)
}

fn has(listener: &Listener, sid: &CallSid, kind: EventKind) -> bool {
    listener.heard(sid).event(kind).is_some()
}

#[tokio::test]
async fn a_second_stream_takes_over() {
    let relay = Relay::start(&[]).await;
    let (call, mut first, mut listener) = heard_call(&relay).await;
    let sid = call.sid();
    first.play(&[1; 480], &[2; 480], AT_ONCE).await;
    listener
        .until_so("the first stream", |l| {
            l.heard(sid).audio(Track::Outbound).len() == 480
        })
        .await;
    let old = listener.heard(sid).subscribed[0].audio_id.expect("it is live");

    let mut second = call.live_stream().await;
    let again = |m: &ServerMessage| matches!(m, ServerMessage::Subscribed { call_sid, audio_id, .. } if call_sid == sid && *audio_id != Some(old));
    listener.until("subscribed again", again).await;
    second.play(&[3; 320], &[4; 320], AT_ONCE).await;
    // What the replaced one still says is not heard; its `stop` is an event and ends nothing.
    first.play(&[9; 160], &[9; 160], AT_ONCE).await;
    first.hang_up().await;
    listener
        .until_so("the old stream's stop", |l| has(l, sid, EventKind::StreamStopped))
        .await;
    second.play(&[5; 160], &[6; 160], AT_ONCE).await;
    listener
        .until_so("the second stream", |l| {
            l.heard(sid).audio(Track::Outbound).len() == 480 + 480
        })
        .await;

    let heard = listener.heard(sid);
    let new = heard.subscribed.last().unwrap().audio_id.unwrap();
    let chunks = |id| {
        let frames = heard.frames.inbound.iter().filter(|frame| frame.audio_id() == id);
        frames.map(|frame| frame.chunk()).collect::<Vec<_>>()
    };
    assert_eq!(
        (chunks(old), chunks(new)),
        (vec![1, 2, 3], vec![1, 2, 3]),
        "counted anew"
    );
    assert_eq!(
        heard.audio(Track::Inbound),
        [vec![1; 480], vec![3; 320], vec![5; 160]].concat()
    );
    assert!(
        listener.strays.is_empty(),
        "a frame came before its `subscribed`, or of the old stream after it"
    );
    let replaced = heard.event(EventKind::StreamReplaced).unwrap();
    assert_eq!(replaced.detail["by"], second.stream.as_str());
    let started = heard.events.iter().filter(|e| e.kind == EventKind::StreamStarted);
    assert_eq!(started.count(), 2);
    let now = api::call(relay.addr(), sid).await;
    assert_eq!(
        (now.status, now.stream, now.ended_at),
        (CallStatus::InProgress, StreamState::Live, None)
    );

    second.hang_up().await;
    let over = api::call_once(relay.addr(), sid, "the end", Call::is_ended).await;
    assert_eq!(
        (over.status, over.stream),
        (CallStatus::Completed, StreamState::Stopped)
    );
}

#[tokio::test]
async fn a_stream_that_goes_without_stop_is_lost_at_once_and_may_come_back() {
    let relay = Relay::start(&[]).await;
    for politely in [true, false] {
        let (call, mut stream, mut listener) = heard_call(&relay).await;
        let sid = call.sid();
        stream.play(&[1; 160], &[2; 160], AT_ONCE).await;
        listener
            .until_so("both frames", |l| {
                l.heard(sid).audio(Track::Outbound).len() == 160
            })
            .await;
        if politely {
            stream.close().await;
        } else {
            stream.drop_abruptly();
        }
        listener
            .until_so("the loss", |l| has(l, sid, EventKind::StreamLost))
            .await;
        let lost = api::call(relay.addr(), sid).await;
        assert_eq!(
            (lost.status, lost.stream, lost.ended_at),
            (CallStatus::InProgress, StreamState::Lost, None)
        );
        listener
            .until_so("the list to say so", |l| l.calls[sid].stream == StreamState::Lost)
            .await;

        let mut again = call.live_stream().await;
        again.play(&[7; 160], &[], AT_ONCE).await;
        assert_eq!(
            listener.next_frame("a frame of the new stream").await.mulaw(),
            [7; 160]
        );
        assert_eq!(
            api::call(relay.addr(), sid).await.stream,
            StreamState::Live,
            "it is back"
        );
        assert!(
            !has(&listener, sid, EventKind::StreamReplaced),
            "nothing was there to replace"
        );
        again.hang_up().await;
    }
}

#[tokio::test]
async fn a_final_status_after_stop_corrects_once_and_the_end_stays() {
    let relay = Relay::start(&[]).await;
    let mut call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    let stream = call.live_stream().await;
    stream.hang_up().await;
    let ended = api::call_once(relay.addr(), call.sid(), "the end", Call::is_ended).await;
    assert_eq!(ended.status, CallStatus::Completed);
    let told = [("Timestamp", "Sun, 22 Nov 2026 09:30:00 +0000")];
    for (said, stands) in [
        ("failed", CallStatus::Failed),
        ("busy", CallStatus::Failed),
        ("in-progress", CallStatus::Failed),
    ] {
        call.status(said, &told).await.expect(204);
        let now = api::call(relay.addr(), call.sid()).await;
        assert_eq!(
            (now.status, now.ended_at),
            (stands, ended.ended_at),
            "after {said}"
        );
    }
    // What was said last still joins.
    call.says(Track::Inbound, "Goodbye.", true).await.expect(204);
    let lines = api::lines(relay.addr(), call.sid()).await;
    assert_eq!(lines.last().map(|line| line.text.as_str()), Some("Goodbye."));
}

#[tokio::test]
async fn media_after_the_end_is_dropped_and_counted_and_a_new_stream_revives() {
    let relay = Relay::start(&[]).await;
    let (mut call, mut stream, mut listener) = heard_call(&relay).await;
    let sid = call.sid().clone();
    stream.play(&[1; 160], &[], AT_ONCE).await;
    listener.next_frame("the first frame").await;
    call.status("completed", &[]).await.expect(204);
    stream.play(&[9; 480], &[9; 480], AT_ONCE).await;
    stream.hang_up().await;
    listener
        .until_so("the stream's stop", |l| has(l, &sid, EventKind::StreamStopped))
        .await;
    assert_eq!(
        listener.heard(&sid).audio(Track::Inbound),
        [1; 160],
        "late media is not heard"
    );
    let over = api::call(relay.addr(), &sid).await;
    assert_eq!(
        (over.status, over.stream),
        (CallStatus::Completed, StreamState::Stopped)
    );

    let mut again = call.live_stream().await;
    again.play(&[3; 160], &[], AT_ONCE).await;
    assert_eq!(listener.next_frame("a frame after all").await.mulaw(), [3; 160]);
    let revived = api::call(relay.addr(), &sid).await;
    assert_eq!(
        (revived.status, revived.stream, revived.ended_at),
        (CallStatus::InProgress, StreamState::Live, None)
    );
    again.hang_up().await;
    api::call_once(relay.addr(), &sid, "the second end", Call::is_ended).await;
    let done = relay.stop().await.expect_code(0);
    let counted = done
        .stderr
        .lines()
        .any(|line| line.contains("frames_late") && line.contains("total=6"));
    assert!(
        counted,
        "6 late frames are not among the counters:\n{}",
        done.stderr
    );
}
