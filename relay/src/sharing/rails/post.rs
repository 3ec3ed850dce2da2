//! One call as it goes to Rails: it listens as any listener does, and what it hears becomes messages of the channels that
//! somebody wants. Waits for nobody: what is not fetched in time it loses, the oldest first.

use std::collections::VecDeque;
use std::sync::Arc;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::call::StreamState;

use super::channels::{Kind, Prefix};
use super::demand::Wanted;
use super::load::Load;
use super::record::OnRecord;
use crate::access::Grant;
use crate::broadcast::{self, Media};
use crate::calls::call::{Ask, Begin, Call, SeatGuard};
use crate::calls::fanout::{Item, Mailbox, SubId};
use crate::calls::journal::{Cursor, Entry, Forgotten};
use crate::clock::Now;
use crate::metrics::Metrics;

/// Each has a mailbox of its own, with one subscription.
const SUB: SubId = 1;

/// Items of a mailbox, and entries of a journal, taken at a time.
const BATCH: usize = 64;

/// How a call goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// All that there was has been fetched.
    Rests,
    /// There is more.
    More,
    /// Nothing more is to be published of it; for the record.
    Over(&'static str),
}

/// A call that is published.
#[derive(Debug)]
pub(super) struct Post {
    call: Arc<Call>,
    pub(super) mailbox: Arc<Mailbox>,
    seat: SeatGuard,
    cursor: Cursor,
    channels: Channels,
    media: Media,
    pub(super) wanted: Wanted,
    /// There is something to fetch, though nobody has said so.
    due: bool,
    /// A `start` is to be told, though no stream has begun.
    start_due: bool,
    /// What was remembered when it began.
    items: VecDeque<(SubId, Item)>,
    record: OnRecord,
}

#[derive(Debug)]
struct Channels {
    stream: String,
    audio: String,
    transcript: String,
}

/// What a call is published by.
pub(super) struct Way<'a> {
    pub(super) prefix: &'a Prefix,
    pub(super) grant: &'a Grant,
    pub(super) metrics: &'a Metrics,
}

impl Post {
    /// Sits down in a call, which is on record: its lines are told after `cursor`, and its audio of the last
    /// `replay_ms`. `None` where it is not granted.
    pub(super) fn begin(
        now: Now,
        way: &Way<'_>,
        call: Arc<Call>,
        cursor: Cursor,
        replay_ms: u64,
        wanted: Wanted,
        record: OnRecord,
    ) -> Option<Post> {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.set_subs(vec![SUB]);
        let ask = Ask {
            mailbox: &mailbox,
            sub: SUB,
            audio: true,
            // It is put into messages here, not by who reads the call's audio.
            form: None,
            from: Begin::Now,
            replay_ms,
        };
        let made = call.subscribe(now, way.grant, ask)?;
        let channel = |kind| way.prefix.channel(kind, call.sid());
        Some(Post {
            channels: Channels {
                stream: channel(Kind::Stream),
                audio: channel(Kind::Audio),
                transcript: channel(Kind::Transcript),
            },
            media: Media::new("", call.sid()),
            // What was said before it began, also where nothing more is said.
            due: true,
            start_due: made.stream.is_some() && !made.seat.is_muted(),
            items: made.replay.into_iter().map(|item| (SUB, item)).collect(),
            seat: made.seat,
            call,
            mailbox,
            cursor,
            wanted,
            record,
        })
    }

    /// Others want it now. A server that has just come has browsers which were told of no start.
    pub(super) fn want(&mut self, wanted: Wanted) {
        self.start_due |= wanted.stream > self.wanted.stream && self.has_stream();
        self.wanted = wanted;
        self.due |= self.start_due || !self.call.is_ours();
    }

    fn has_stream(&self) -> bool {
        matches!(self.call.standing().1, StreamState::Live | StreamState::Lost)
    }

    /// Whether there is something to fetch at once.
    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// Fetches what there is, as messages.
    pub(super) fn fetch(&mut self, way: &Way<'_>, load: &mut Load) -> Step {
        self.due = false;
        if self.call.is_forgotten() {
            return Step::Over("the call is no longer remembered");
        }
        if !self.call.is_ours() {
            return Step::Over("another relay has the call");
        }
        if std::mem::take(&mut self.start_due) {
            self.tell_start(way.grant, load);
        }
        let Ok(lines_left) = self.fetch_lines(load) else {
            // They are numbered anew, or were not fetched in time: the next look begins with what is said then.
            way.metrics.rails_lost.add_one();
            self.cursor = self.call.read_to();
            return Step::Over("its lines are numbered anew");
        };
        let signals = self.mailbox.take(&mut self.items, BATCH);
        way.metrics.rails_lost.add(signals.lost);
        while let Some((_, item)) = self.items.pop_front() {
            match item {
                Item::Frame(frame) => self.tell_frame(&frame, load),
                Item::Stream(_) => self.tell_start(way.grant, load),
                // Rails has no word for what is missing; chunks tell it.
                Item::Gap(_) => {}
            }
        }
        if lines_left || signals.left > 0 {
            return Step::More;
        }
        // It is muted first, and nothing comes after that.
        if self.seat.is_muted() && !self.mailbox.waits(SUB) {
            self.tell_stop(way.grant, load);
            return Step::Over("the call ended");
        }
        Step::Rests
    }

    /// Lines of the journal; answers whether there may be more.
    fn fetch_lines(&mut self, load: &mut Load) -> Result<bool, Forgotten> {
        let entries = self.seat.read(&mut self.cursor, BATCH)?;
        for entry in &entries {
            if let Entry::Line(line) = entry
                && self.wanted.transcript > 0
                && let Some(payload) = broadcast::transcript(self.call.sid(), line.json())
            {
                load.put(&self.channels.transcript, payload.as_bytes());
            }
        }
        Ok(entries.len() == BATCH)
    }

    fn tell_frame(&mut self, frame: &AudioFrame, load: &mut Load) {
        let channels = [
            (self.wanted.stream, &self.channels.stream),
            (self.wanted.audio, &self.channels.audio),
        ];
        let mut wanted = channels.iter().filter(|(servers, _)| *servers > 0).peekable();
        if wanted.peek().is_none() {
            return;
        }
        let told = self.media.of(frame);
        let mut payload = Vec::with_capacity(told.len());
        told.put(&mut payload);
        for (_, channel) in wanted {
            load.put(channel, &payload);
        }
        self.record.add(frame.mulaw().len());
    }

    fn tell_start(&self, grant: &Grant, load: &mut Load) {
        if self.wanted.stream == 0 {
            return;
        }
        if let Some(view) = self.call.shown_to(grant) {
            let start = broadcast::start(&view.call_sid, view.customer_id.as_deref(), view.started_at);
            load.put(&self.channels.stream, start.as_bytes());
        }
    }

    fn tell_stop(&self, grant: &Grant, load: &mut Load) {
        if self.wanted.stream == 0 {
            return;
        }
        let ended = self.call.shown_to(grant).and_then(|view| view.ended_at);
        if let Some(at) = ended {
            let stop = broadcast::stop(self.call.sid(), at);
            load.put(&self.channels.stream, stop.as_bytes());
        }
    }

    /// Frames that wait, and will not be fetched.
    pub(super) fn left(&self) -> u64 {
        self.mailbox.close()
    }

    /// Gets up, and has the record say why. Answers up to where its lines were told.
    pub(super) fn end(self, why: &'static str) -> Cursor {
        self.record.end(why);
        self.cursor
    }
}
