//! A call's streams: accepting one, its media, its end.

use std::time::Instant;

use partyline_shared::call::StreamState;
use partyline_shared::event::EventKind;
use partyline_shared::track::Track;
use serde_json::json;

use super::state::{Bad, Ear, State};
use super::{Call, Tell};
use crate::calls::fanout::{Batch, Gap, Item, StreamInfo};
use crate::clock::Now;
use crate::lock::lock;
use crate::metrics::Metrics;

/// Names one accepted stream to its call: the audio_id, which no other stream of the call has.
pub type StreamKey = u32;

/// Frames that the relay's counters have not been told of: told a few at a time, since all cores write those.
#[derive(Debug, Default)]
pub(super) struct Tally {
    frames_in: u64,
    frames_out: u64,
    bytes_out: u64,
}

/// Frames in that make a tally worth telling: half a second of two tracks.
const TALLY: u64 = 50;

impl Tally {
    /// Hands a batch to those of one form, after the gaps that they have to be told first.
    fn post(&mut self, ears: &[Ear], owed: &[Gap], batch: &mut Batch<'_>) {
        for ear in ears {
            for gap in owed {
                ear.mailbox.send(ear.sub, Item::Gap(*gap));
            }
            let passed = ear.mailbox.post(ear.sub, batch);
            self.frames_out += passed.frames;
            self.bytes_out += passed.bytes;
        }
    }

    /// Hands a batch of another relay's frames to those of one form: gaps are among them.
    pub(super) fn pass(&mut self, ears: &[Ear], batch: &mut Batch<'_>) {
        self.post(ears, &[], batch);
    }

    /// Tells what is worth telling.
    pub(super) fn tell_some(&mut self, metrics: &Metrics) {
        if self.frames_in.max(self.frames_out) >= TALLY {
            self.tell(metrics);
        }
    }

    pub(super) fn tell(&mut self, metrics: &Metrics) {
        metrics.frames_in.add(std::mem::take(&mut self.frames_in));
        metrics.frames_out.add(std::mem::take(&mut self.frames_out));
        metrics
            .listener_written_bytes
            .add(std::mem::take(&mut self.bytes_out));
    }
}

/// The stream a call hears, or heard last.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) key: StreamKey,
    pub(super) info: StreamInfo,
    pub(super) sid: String,
    pub(super) over: bool,
}

/// What a stream says of itself when it starts.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    /// Twilio's name of the stream.
    pub stream_sid: String,
    /// The account.
    pub account_sid: Option<String>,
    /// `customer_id` out of its parameters.
    pub customer_id: Option<String>,
    /// The tracks that it carries.
    pub tracks: Vec<Track>,
}

impl Call {
    /// Accepts a stream; one that is live is replaced, an ended call lives again.
    pub fn accept_stream(&self, now: Now, key: StreamKey, accepted: Accepted) {
        self.shared.metrics.streams_started.add_one();
        let _turn = lock(&self.turn);
        self.change(now, |state| {
            if state.forgotten {
                // Erased since it was found: nobody would ever end it.
                return (Tell::Nothing, ());
            }
            state.begin_taking(now, &accepted);
            if let Some(old) = state.stream.as_mut().filter(|old| !old.over) {
                let detail = json!({ "stream_sid": old.sid, "by": accepted.stream_sid });
                old.over = true;
                state.event(now.wall, EventKind::StreamReplaced, detail);
            }
            state.flush_events(now);
            state.life.stream_accepted(now);
            state.known.start(accepted.account_sid, accepted.customer_id);
            state.meter.settle(&mut state.replay);
            state.meter.restart();
            state.replay.clear();
            state.pause.stream_begins();
            let info = StreamInfo {
                audio_id: key,
                zero_at: now.wall,
            };
            let tracks: Vec<&str> = accepted.tracks.iter().map(|t| t.as_str()).collect();
            let detail = json!({ "stream_sid": accepted.stream_sid, "audio_id": key, "tracks": tracks });
            state.tracks = accepted.tracks;
            state.stream = Some(Stream {
                key,
                info,
                sid: accepted.stream_sid,
                over: false,
            });
            for ear in state.ears() {
                ear.mailbox.send(ear.sub, Item::Stream(info));
            }
            state.event(now.wall, EventKind::StreamStarted, detail);
            (Tell::Now, ())
        });
    }

    /// Media that came together, in order: to everyone who listens. Once every 20 ms and track; under the lock
    /// a frame is remembered, to be measured with others, and handed to each listener after it. Of a paused call
    /// nothing is.
    pub fn media(&self, now: Instant, key: StreamKey, batch: &mut Batch<'_>) {
        let metrics = &self.shared.metrics;
        let mut turn = lock(&self.turn);
        let (audience, formed, owed) = {
            let mut locked = lock(&self.state);
            let state = &mut *locked;
            let current = state
                .stream
                .as_ref()
                .is_some_and(|stream| stream.key == key && !stream.over);
            if !current || !state.life.media(now) {
                metrics.frames_late.add(batch.items().len() as u64);
                return;
            }
            if state.pause.is_on() {
                turn.frames_in += state.hold(batch.items(), metrics);
                return;
            }
            let owed = state.pause.owed_before(batch.items());
            for item in batch.items() {
                match item {
                    Item::Frame(frame) => {
                        turn.frames_in += 1;
                        state.meter.hear(frame, &mut state.replay);
                    }
                    Item::Gap(gap) => {
                        metrics.frames_missing.add(gap.chunks());
                        state.missing(*gap);
                    }
                    Item::Stream(_) => {}
                }
            }
            state.set_minor();
            (state.audience.clone(), state.formed.clone(), owed)
        };
        turn.post(&audience, &owed, batch);
        for formed in formed.iter().flat_map(|formed| formed.iter()) {
            turn.post(&formed.ears, &owed, &mut batch.formed(&*formed.form));
        }
        if turn.frames_in >= TALLY {
            turn.tell(metrics);
        }
    }

    /// A message that was none, on this call's stream.
    pub fn bad_message(&self, now: Now, why: &str) {
        self.change(now, |state| {
            state.bad.push(Bad::one(why), Bad::add);
            (Tell::Nothing, ())
        });
    }

    /// A stream of this call was not accepted.
    pub fn stream_refused(&self, now: Now, stream_sid: Option<&str>, why: &str) {
        self.change(now, |state| {
            state.life.heard_of(now);
            state.event(
                now.wall,
                EventKind::StreamRefused,
                json!({ "stream_sid": stream_sid, "reason": why }),
            );
            (Tell::Now, ())
        });
    }

    /// A digit or mark of a two-way stream; of a paused call nobody hears of it.
    pub fn mark(&self, now: Now, detail: serde_json::Value) {
        self.change(now, |state| {
            if state.pause.is_on() {
                // A card's number may be typed as well as said.
                self.shared.metrics.marks_paused.add_one();
            } else {
                state.note(now, EventKind::Mark, detail);
            }
            (Tell::Nothing, ())
        });
    }

    /// Twilio said `stop`: the call is over, unless another stream has taken over meanwhile.
    pub fn stream_stopped(&self, now: Now, key: StreamKey) {
        self.stream_over(now, key, EventKind::StreamStopped, None);
    }

    /// The socket went without `stop`; `why` for a person.
    pub fn stream_lost(&self, now: Now, key: StreamKey, why: &str) {
        self.stream_over(now, key, EventKind::StreamLost, Some(why));
    }

    fn stream_over(&self, now: Now, key: StreamKey, kind: EventKind, why: Option<&str>) {
        self.shared.metrics.streams_ended.add_one();
        lock(&self.turn).tell(&self.shared.metrics);
        self.change(now, |state| {
            let stopped = kind == EventKind::StreamStopped;
            let current = state.stream.as_mut().filter(|stream| stream.key == key && !stream.over);
            let sid = current.map(|stream| {
                stream.over = true;
                stream.sid.clone()
            });
            let detail = json!({ "stream_sid": sid, "audio_id": key, "reason": why, "replaced": sid.is_none().then_some(true) });
            if sid.is_none() {
                // The stop of a stream that was replaced is an event only; its loss is none.
                if stopped {
                    state.event(now.wall, kind, detail);
                }
                return (Tell::Nothing, ());
            }
            state.flush_events(now);
            state.event(now.wall, kind, detail);
            if stopped {
                state.life.stream_stopped(now);
                state.taken_over(StreamState::Stopped);
            } else {
                state.taken_over(StreamState::Lost);
                state.life.stream_lost(now);
                lock(&self.shared.lost).insert(self.sid.clone());
                self.shared.loss.notify_one();
            }
            (Tell::Now, ())
        });
    }
}

impl State {
    pub(super) fn missing(&mut self, gap: Gap) {
        self.lost_chunks = self.lost_chunks.saturating_add(gap.chunks());
        self.gaps
            .get_mut(gap.track)
            .push((gap, gap.chunks()), |(sum, missing), (more, chunks)| {
                sum.to_chunk = more.to_chunk;
                *missing += chunks;
            });
    }
}
