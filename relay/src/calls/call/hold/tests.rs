//! A call that is held back, as its writers and listeners meet it, and one that is erased.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;
use serde_json::{Value, json};

use crate::access::{Grant, Right, Role};
use crate::calls::call::tests_support::media;
use crate::calls::call::{Accepted, Ask, Begin, Call, Kind, Shared, Subscription};
use crate::calls::fanout::{Gap, Item, Mailbox};
use crate::calls::journal::{NewLine, Sequence};
use crate::calls::transcription::Heard;
use crate::clock::Now;

struct Story {
    call: Arc<Call>,
    now: Now,
    admin: Grant,
}

impl Story {
    fn begin() -> Story {
        let now = Now::take();
        let shared = Arc::new(Shared::new("n".into(), Arc::default()));
        let sid = CallSid::parse("CA1").unwrap();
        let history = Duration::from_secs(10);
        let call = Arc::new(Call::new(sid, now, shared, "j".into(), history));
        let story = Story {
            call,
            now,
            admin: Grant::new("carol", Role::Admin, Vec::new(), Vec::new()),
        };
        story.stream(1);
        story
    }

    fn stream(&self, key: u32) {
        let accepted = Accepted {
            tracks: Track::BOTH.to_vec(),
            ..Accepted::default()
        };
        self.call.accept_stream(self.now, key, accepted);
    }

    /// Loud frames of the inbound track.
    fn frames(&self, key: u32, chunks: std::ops::RangeInclusive<u32>) {
        let frame = |n| Item::Frame(AudioFrame::new(Track::Inbound, key, n, n * 20, &[0x90; 160]));
        media(
            &self.call,
            self.now.mono,
            key,
            &chunks.map(frame).collect::<Vec<_>>(),
        );
    }

    fn listen(&self, replay_ms: u64) -> (Arc<Mailbox>, Subscription) {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.set_subs(vec![1]);
        let ask = Ask {
            mailbox: &mailbox,
            sub: 1,
            audio: true,
            form: None,
            from: Begin::Remembered,
            replay_ms,
        };
        let subscription = self.call.subscribe(self.now, &self.admin, ask).unwrap();
        (mailbox, subscription)
    }

    fn says(&self, after: Duration, text: &str, is_final: bool, number: Option<u64>) {
        let now = self.now.plus(after);
        let line = NewLine {
            start_ms: None,
            end_ms: None,
            at: now.wall,
            track: Track::Inbound,
            text: text.to_owned(),
            is_final,
            confidence: None,
            engine: "twilio".to_owned(),
            sequence: number.map(|number| Sequence {
                source: "GT1".into(),
                number,
            }),
        };
        let heard = (now.wall, Heard::Line(line));
        self.call.transcribed(now, None, "GT1", number, heard);
    }

    fn told(&self, kind: Kind) -> Vec<Value> {
        let (_, told) = self.call.remembered(&Grant::insecure(), kind, None).unwrap();
        told.iter()
            .map(|told| serde_json::from_str(told.json()).unwrap())
            .collect()
    }

    fn lines(&self) -> Vec<(String, bool)> {
        let line = |line: &Value| {
            (
                line["text"].as_str().unwrap().to_owned(),
                line["final"].as_bool().unwrap(),
            )
        };
        self.told(Kind::Lines).iter().map(line).collect()
    }
}

/// Frames as their chunks, a gap with its reason.
fn shown<'i>(items: impl IntoIterator<Item = &'i Item>) -> Vec<String> {
    let show = |item: &Item| match item {
        Item::Frame(frame) => frame.chunk().to_string(),
        Item::Gap(Gap {
            from_chunk,
            to_chunk,
            reason,
            ..
        }) => format!("{from_chunk}-{to_chunk} {}", reason.as_str()),
        Item::Stream(stream) => format!("stream {}", stream.audio_id),
    };
    items.into_iter().map(show).collect()
}

fn heard(mailbox: &Mailbox) -> Vec<String> {
    let mut out = VecDeque::new();
    mailbox.take(&mut out, usize::MAX);
    shown(out.iter().map(|(_, item)| item))
}

#[test]
fn what_is_said_meanwhile_is_neither_heard_nor_remembered_nor_measured() {
    let story = Story::begin();
    let (mailbox, _seat) = story.listen(0);
    story.frames(1, 1..=3);
    let view = story.call.pause(story.now, &story.admin).unwrap();
    assert!(view.paused && story.call.view().paused);
    let (energy, talk) = (story.call.energy(), story.call.view().talk);
    story.frames(1, 4..=200);
    assert_eq!(heard(&mailbox), ["1", "2", "3"], "said before, and on its way");
    assert_eq!(
        (story.call.energy(), story.call.view().talk),
        (energy, talk),
        "neither how loud nor who"
    );
    let (late, joined) = story.listen(10_000);
    assert_eq!(shown(&joined.replay), ["1", "2", "3"]);
    assert!(!story.call.resume(story.now, &story.admin).unwrap().paused);
    story.frames(1, 201..=202);
    assert_eq!(heard(&mailbox), ["4-200 paused", "201", "202"]);
    assert_eq!(heard(&late), ["4-200 paused", "201", "202"]);
    let (_, after) = story.listen(10_000);
    let all = ["1", "2", "3", "4-200 paused", "201", "202"];
    assert_eq!(shown(&after.replay), all);
    assert_eq!(story.call.shared.metrics.frames_paused.get(), 197);
    assert_eq!(story.call.view().lost_chunks, 0, "none of it was lost");
}

#[test]
fn who_did_it_is_told_once_and_nothing_is_said_twice() {
    let story = Story::begin();
    for _ in 0..2 {
        story.call.pause(story.now, &story.admin).unwrap();
    }
    for _ in 0..2 {
        story.call.resume(story.now, &story.admin).unwrap();
    }
    let events = story.told(Kind::Events);
    let told: Vec<(&Value, &Value)> = events[1..].iter().map(|e| (&e["kind"], &e["detail"])).collect();
    let who = json!({ "name": "carol" });
    assert_eq!(told, [(&json!("paused"), &who), (&json!("resumed"), &who)]);
}

#[test]
fn only_who_has_the_right_and_is_granted_the_call_holds_it_back() {
    let story = Story::begin();
    let user = |customers: &[&str], allow| {
        let customers = customers.iter().map(|c| (*c).to_owned()).collect();
        Grant::new("bob", Role::User, customers, allow)
    };
    assert!(
        story
            .call
            .pause(story.now, &user(&["7"], vec![Right::Pause]))
            .is_none()
    );
    let customer = Accepted {
        customer_id: Some("7".into()),
        ..Accepted::default()
    };
    story.call.accept_stream(story.now, 2, customer);
    assert!(
        story
            .call
            .pause(story.now, &user(&["7"], vec![Right::Save]))
            .is_none()
    );
    assert!(
        story
            .call
            .pause(story.now, &user(&["8"], vec![Right::Pause]))
            .is_none()
    );
    assert!(!story.call.is_paused());
    assert!(
        story
            .call
            .pause(story.now, &user(&["7"], vec![Right::Pause]))
            .is_some()
    );
}

#[test]
fn another_stream_of_a_paused_call_is_held_back_as_well() {
    let story = Story::begin();
    let (mailbox, _seat) = story.listen(0);
    story.call.pause(story.now, &story.admin).unwrap();
    story.frames(1, 1..=5);
    story.call.stream_lost(story.now, 1, "gone");
    story.stream(2);
    story.frames(2, 1..=5);
    assert_eq!(heard(&mailbox), ["stream 2"]);
    story.call.resume(story.now, &story.admin).unwrap();
    story.frames(2, 6..=6);
    assert_eq!(heard(&mailbox), ["1-5 paused", "6"]);
    // Over, and back again.
    story.call.pause(story.now, &story.admin).unwrap();
    story.call.stream_stopped(story.now, 2);
    assert!(story.call.ended().is_some() && story.call.is_paused());
    story.stream(3);
    story.frames(3, 1..=1);
    assert!(story.call.is_paused() && shown(&story.listen(10_000).1.replay).is_empty());
}

#[test]
fn what_was_said_before_stays_and_what_comes_meanwhile_is_dropped() {
    let story = Story::begin();
    let ms = Duration::from_millis;
    story.says(ms(0), "hello", true, Some(1));
    story.says(ms(100), "my card", false, Some(2));
    // Waits for number 3.
    story.says(ms(200), "my card is", false, Some(4));
    story.call.pause(story.now.plus(ms(300)), &story.admin).unwrap();
    let before = [("hello".to_owned(), true), ("my card is".to_owned(), true)];
    assert_eq!(story.lines(), before, "as far as it was known");
    story.says(ms(400), "my card is four", false, Some(5));
    story.says(ms(2_000), "my card is four two", true, Some(6));
    story.says(ms(3_000), "four two", false, Some(7));
    story.call.mark(story.now, json!({ "digit": "4" }));
    story
        .call
        .resume(story.now.plus(ms(5_000)), &story.admin)
        .unwrap();
    // That utterance goes on, and is of the pause to its end.
    story.says(ms(6_000), "four two done", false, Some(8));
    story.says(ms(9_000), "four two done", true, Some(9));
    assert_eq!(story.lines(), before);
    story.says(ms(9_500), "thank", false, Some(10));
    story.says(ms(9_900), "thank you", true, Some(11));
    assert_eq!(story.lines()[2..], [("thank you".to_owned(), true)]);
    assert_eq!(story.call.shared.metrics.lines_paused.get(), 5);
    assert_eq!(story.call.shared.metrics.marks_paused.get(), 1);
    let kinds = story.told(Kind::Events);
    assert!(kinds.iter().all(|event| event["kind"] != "mark"), "{kinds:?}");
}

#[test]
fn times_say_which_line_is_of_the_pause() {
    let story = Story::begin();
    let posted = |start_ms: u64, end_ms: u64| {
        let now = story.now.plus(Duration::from_secs(60));
        let line = NewLine {
            at: now.wall,
            start_ms: Some(start_ms),
            end_ms: Some(end_ms),
            track: Track::Inbound,
            text: format!("from {start_ms}"),
            is_final: true,
            confidence: None,
            engine: "worker".to_owned(),
            sequence: None,
        };
        let told = story.call.line(now, &story.admin, line);
        told.ok().map(|line| line.text)
    };
    story.frames(1, 1..=49);
    story.call.pause(story.now, &story.admin).unwrap();
    story.frames(1, 50..=99);
    assert_eq!(posted(100, 200), None, "while it is paused none is taken");
    let resumed = story.now.plus(Duration::from_secs(59));
    story.call.resume(resumed, &story.admin).unwrap();
    story.frames(1, 100..=150);
    assert_eq!(posted(100, 900), Some("from 100".into()), "said before");
    assert_eq!(posted(900, 1_100), None, "partly before");
    assert_eq!(posted(1_500, 1_600), None);
    assert_eq!(posted(1_900, 2_500), None, "partly after");
    assert_eq!(posted(2_000, 2_500), Some("from 2000".into()));
    assert_eq!(story.call.shared.metrics.lines_paused.get(), 4);
}

#[test]
fn a_line_that_waited_for_another_does_not_come_out_after_the_pause() {
    let story = Story::begin();
    let ms = Duration::from_millis;
    story.call.pause(story.now, &story.admin).unwrap();
    story.says(ms(100), "four", true, Some(2));
    story.call.resume(story.now.plus(ms(200)), &story.admin).unwrap();
    story.call.on_deadline(story.now.plus(ms(1_000)), false);
    assert_eq!(story.lines(), []);
    assert_eq!(story.call.shared.metrics.lines_paused.get(), 1);
}

#[test]
fn of_an_erased_call_nothing_is_left_for_anybody() {
    let story = Story::begin();
    let (mailbox, subscription) = story.listen(10_000);
    story.frames(1, 1..=3);
    story.says(Duration::ZERO, "hello", true, None);
    story.call.erase(story.now);
    assert!(
        heard(&mailbox).is_empty() && mailbox.wants_recheck(),
        "not even what waits"
    );
    let mut cursor = subscription.cursor;
    assert_eq!(subscription.seat.read(&mut cursor, 10), Ok(Vec::new()));
    assert!(subscription.seat.is_lost());
    story.frames(1, 4..=5);
    story.call.stream_stopped(story.now, 1);
    story.stream(2);
    story.frames(2, 1..=1);
    assert!(heard(&mailbox).is_empty() && story.lines().is_empty());
    assert!(shown(&story.listen(10_000).1.replay).is_empty());
    assert!(
        story.call.shared.lobby.all().is_empty(),
        "and nobody lists it again"
    );
    assert_eq!(story.call.view().from, None);
    let live = &story.call.shared.live;
    assert_eq!(
        live.load(std::sync::atomic::Ordering::Relaxed),
        0,
        "it takes no place"
    );
}
