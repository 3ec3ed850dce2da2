//! What is published of a call, as Redis would get it, and what is on record of that.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::line::Line;
use partyline_shared::track::Track;
use serde_json::Value;

use super::demand::Wanted;
use super::*;
use crate::audit::tests_support::{Kept, kept};
use crate::audit::{Entry, Event};
use crate::calls::call::tests_support::{call, media};
use crate::calls::call::{Accepted, Call, Kind};
use crate::calls::fanout::Item;
use crate::calls::journal::NewLine;
use crate::metrics::Metrics;

const SID: &str = "CA22222222222222222222222222222222";

/// A call with a stream, and all that it takes to publish it.
struct Story {
    call: Arc<Call>,
    now: Now,
    prefix: Prefix,
    grant: Grant,
    metrics: Metrics,
    kept: Kept,
    audit: Arc<Audit>,
}

impl Story {
    fn new() -> Story {
        let now = Now::take();
        let (audit, kept) = kept();
        let call = Arc::new(call(now));
        call.accept_stream(now, 1, Accepted::default());
        Story {
            call,
            now,
            prefix: Prefix::new("app"),
            grant: Grant::passes_on(RAILS),
            metrics: Metrics::default(),
            kept,
            audit: Arc::new(audit),
        }
    }

    fn way(&self) -> Way<'_> {
        Way {
            prefix: &self.prefix,
            grant: &self.grant,
            metrics: &self.metrics,
        }
    }

    async fn post(&self, wanted: Wanted) -> Post {
        let record = OnRecord::begin(self.audit.clone(), self.call.sid().clone(), None, self.now.wall);
        let mut record = pin!(record);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(record.as_mut().poll(&mut cx).is_pending());
        self.kept.answer(1);
        let record = record.await.expect("it is on record");
        let cursor = self.call.read_to();
        let begun = Post::begin(
            self.now,
            &self.way(),
            self.call.clone(),
            cursor,
            0,
            wanted,
            record,
        );
        begun.expect("every call is covered")
    }

    fn say(&self, text: &str) {
        let line = NewLine {
            at: self.now.wall,
            start_ms: None,
            end_ms: None,
            track: Track::Inbound,
            text: text.into(),
            is_final: true,
            confidence: None,
            engine: "x".into(),
            sequence: None,
        };
        let _: Line = self.call.line(self.now, &Grant::insecure(), line).unwrap();
    }

    fn frames(&self, chunks: std::ops::RangeInclusive<u32>) {
        let frame = |chunk| {
            Item::Frame(AudioFrame::new(
                Track::Inbound,
                1,
                chunk,
                chunk * 20,
                &[0xff; 160],
            ))
        };
        let items: Vec<Item> = chunks.map(frame).collect();
        media(&self.call, self.now.mono, 1, &items);
    }
}

/// Channels and events, with a chunk or a text where there is one.
fn told(load: &Load) -> Vec<String> {
    let short = |(channel, payload): (String, String)| {
        let payload: Value = serde_json::from_str(&payload).unwrap();
        assert_eq!(payload["call_sid"], SID);
        let channel = channel.strip_prefix("app:call_").unwrap();
        let channel = channel.strip_suffix(&format!("_{SID}")).unwrap();
        let more = payload["chunk"].as_str().or(payload["text"].as_str());
        format!(
            "{channel} {} {}",
            payload["event"].as_str().unwrap(),
            more.unwrap_or("")
        )
    };
    load.told().into_iter().map(short).collect()
}

fn all(stream: u64, audio: u64, transcript: u64) -> Wanted {
    Wanted {
        stream,
        audio,
        transcript,
    }
}

#[tokio::test]
async fn a_call_goes_to_the_channels_that_are_wanted_and_no_others() {
    let story = Story::new();
    let mut post = story.post(all(1, 1, 1)).await;
    story.frames(1..=2);
    story.say("hello");
    let mut load = Load::default();
    assert_eq!(post.fetch(&story.way(), &mut load), Step::Rests);
    let first = [
        "stream start ",
        "transcript transcript hello",
        "stream media 1",
        "audio media 1",
        "stream media 2",
        "audio media 2",
    ];
    assert_eq!(told(&load), first);

    // Another server comes to one channel, and all leave the others.
    post.want(all(2, 0, 0));
    story.frames(3..=3);
    story.say("unheard");
    story.call.stream_stopped(story.now, 1);
    let mut load = Load::default();
    assert_eq!(post.fetch(&story.way(), &mut load), Step::Over("the call ended"));
    assert_eq!(told(&load), ["stream start ", "stream media 3", "stream stop "]);
    assert_eq!(load.len(), 3);

    post.want(all(0, 1, 0));
    let mut load = Load::default();
    assert_eq!(post.fetch(&story.way(), &mut load), Step::Over("the call ended"));
    assert_eq!(load.len(), 0);
}

#[tokio::test]
async fn it_is_on_record_and_no_listener() {
    let story = Story::new();
    let mut post = story.post(all(1, 1, 0)).await;
    story.frames(1..=3);
    assert_eq!(post.fetch(&story.way(), &mut Load::default()), Step::Rests);
    assert_eq!(
        (story.call.view().listeners, story.call.listeners().len()),
        (0, 0)
    );
    post.end("so it is");
    let (_, events) = story
        .call
        .remembered(&Grant::insecure(), Kind::Events, None)
        .unwrap();
    let of_seats = events.iter().filter(|event| event.json().contains("listener_"));
    assert_eq!(of_seats.count(), 0);

    let lines: Vec<Entry> = story.kept.take();
    let [end] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(
        (end.event, end.who.as_deref(), end.door),
        (Event::PublishedToRails, Some("rails"), Some("rails"))
    );
    assert_eq!((end.bytes, end.reason.as_deref()), (Some(480), Some("so it is")));
    assert!(end.from.is_some() && end.to.is_some());
    assert_eq!(end.call_sid.as_ref(), Some(story.call.sid()));
}

#[tokio::test]
async fn what_is_not_fetched_in_time_is_lost_and_counted() {
    let story = Story::new();
    let mut post = story.post(all(0, 1, 0)).await;
    story.frames(1..=300);
    let mut load = Load::default();
    while post.fetch(&story.way(), &mut load) == Step::More {}
    assert_eq!(load.len() as u64 + story.metrics.rails_lost.get(), 300);
    assert!(story.metrics.rails_lost.get() > 0);
    assert_eq!(
        told(&load).last().unwrap(),
        "audio media 300",
        "the oldest is lost"
    );
}

#[tokio::test]
async fn who_goes_while_the_disk_writes_is_on_record_as_gone() {
    let story = Story::new();
    let mut cx = Context::from_waker(Waker::noop());
    {
        let begin = OnRecord::begin(
            story.audit.clone(),
            story.call.sid().clone(),
            None,
            story.now.wall,
        );
        let mut begin = Box::pin(begin);
        assert!(begin.as_mut().poll(&mut cx).is_pending());
    }
    let lines = story.kept.take();
    let whys: Vec<_> = lines.iter().map(|entry| entry.reason.as_deref()).collect();
    assert_eq!(whys, [None, Some("the relay leaves")]);

    let mut begin = pin!(OnRecord::begin(
        story.audit.clone(),
        story.call.sid().clone(),
        None,
        story.now.wall
    ));
    assert!(begin.as_mut().poll(&mut cx).is_pending());
    story.kept.answer(0);
    assert!(begin.await.is_none(), "what is not on record is not published");
    assert_eq!(story.kept.take().len(), 0, "there is nothing to end");
}

#[tokio::test]
async fn an_erased_call_is_published_no_more() {
    let story = Story::new();
    let mut post = story.post(all(1, 1, 1)).await;
    story.frames(1..=2);
    story.call.forget();
    let mut load = Load::default();
    assert_eq!(
        post.fetch(&story.way(), &mut load),
        Step::Over("the call is no longer remembered")
    );
    assert_eq!(load.len(), 0);
}
