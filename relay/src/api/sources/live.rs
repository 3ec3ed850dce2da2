//! One source's call: takes what is posted, and a task of its own plays it into the call, as a Twilio stream would be
//! read. What is played when is `stream`'s to say.

use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use http::StatusCode;
use partyline_shared::audio::SILENCE;
use partyline_shared::call::CallStatus;
use partyline_shared::track::Track;
use partyline_shared::twilio::callback::Parties;
use tokio::sync::Notify;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::{info, warn};

use super::stream::{Stream, Turn};
use crate::calls::call::{Accepted, Call, Held, StatusNote, StreamKey};
use crate::calls::fanout::{Batch, Item};
use crate::clock::Now;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::respond::Refusal;
use crate::stop::Stop;

/// Turns after which it is looked whether the call was ended by somebody else: a second.
const LOOK: u32 = 50;

const LEAVES: &str = "the relay leaves";
const SILENT: &str = "the source has sent nothing for 30 s";

/// What the sources of one relay run in.
pub(super) struct Ground {
    pub(super) metrics: Arc<Metrics>,
    pub(super) stop: Stop,
    /// Every task.
    pub(super) tasks: TaskTracker,
    /// Live streams: a relay that drains waits for these.
    pub(super) streams: TaskTracker,
    /// Called when no stream may go on.
    pub(super) leaving: CancellationToken,
    /// A source that says nothing for so long is gone.
    pub(super) gone: Duration,
}

/// A call and who made it.
pub(super) struct Source {
    /// Kept by who keeps calls, and while its stream is live: what nobody may read any more is not in memory.
    call: Weak<Call>,
    /// Whose it is, by their mark.
    pub(super) owner: String,
    state: Mutex<State>,
    /// Told when something is due sooner than it was.
    sooner: Notify,
}

#[derive(Default)]
struct State {
    /// `None` before it begins, and when it is over.
    stream: Option<Stream>,
    /// No more audio is taken.
    completed: bool,
}

impl Ground {
    /// Whether a stream may begin; what is held while it lives.
    ///
    /// # Errors
    /// A [`Refusal`] with 503.
    pub(super) fn token(&self) -> Result<TaskTrackerToken, Refusal> {
        // Before it is looked whether the relay drains: a stream that is let in is waited for.
        let token = self.streams.token();
        if !self.stop.is_draining() {
            return Ok(token);
        }
        self.metrics.draining_refused.add_one();
        let message = "the relay is leaving; come back later";
        Err(Refusal {
            retry_after: Some(super::LOOK_AGAIN),
            ..Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "draining", message)
        })
    }
}

impl Source {
    pub(super) fn new(call: &Arc<Call>, owner: String) -> Arc<Source> {
        Arc::new(Source {
            call: Arc::downgrade(call),
            owner,
            state: Mutex::default(),
            sooner: Notify::new(),
        })
    }

    /// The call, unless it is remembered no more.
    pub(super) fn call(&self) -> Option<Arc<Call>> {
        self.call.upgrade().filter(|call| !call.is_forgotten())
    }

    /// Its stream begins: the call is live.
    pub(super) fn begin(
        self: &Arc<Self>,
        call: Arc<Call>,
        now: Now,
        ground: &Arc<Ground>,
        token: TaskTrackerToken,
    ) {
        self.begin_in(&mut lock(&self.state), call, now, ground, token);
    }

    fn begin_in(
        self: &Arc<Self>,
        state: &mut State,
        call: Arc<Call>,
        now: Now,
        ground: &Arc<Ground>,
        token: TaskTrackerToken,
    ) {
        let key: StreamKey = rand::random();
        let accepted = Accepted {
            // No name of Twilio's.
            stream_sid: format!("SO{:032x}", rand::random::<u128>()),
            tracks: Track::BOTH.to_vec(),
            ..Accepted::default()
        };
        info!(call = %call.sid(), stream = %accepted.stream_sid, "a source's stream started");
        call.accept_stream(now, key, accepted);
        state.stream = Some(Stream::new(now.mono, key, ground.gone));
        let live = Live {
            source: self.clone(),
            call,
            ground: ground.clone(),
            key,
            over: false,
            _token: token,
        };
        ground.tasks.spawn(live.run());
    }

    /// Takes audio of a track, and begins anew where the stream was lost; answers how far ahead the track is.
    ///
    /// # Errors
    /// A [`Refusal`] with 400 when it was completed, 404 when it is remembered no more, 429 when the track is too far ahead, 503 when the relay leaves.
    pub(super) fn publish(
        self: &Arc<Self>,
        ground: &Arc<Ground>,
        track: Track,
        mulaw: &[u8],
    ) -> Result<Duration, Refusal> {
        let mut state = lock(&self.state);
        if state.completed {
            ground.metrics.audio_late.add_one();
            return Err(over());
        }
        if state.stream.is_none() {
            let token = ground.token()?;
            let call = self.call().ok_or_else(Refusal::not_found)?;
            self.begin_in(&mut state, call, Now::take(), ground, token);
        }
        let Some(stream) = &mut state.stream else {
            return Err(over());
        };
        let due = stream.due();
        // It is played later, and the call may have been let go by then: what is said meanwhile is not kept so long.
        let silence: Vec<u8>;
        let mulaw = if self.call().is_some_and(|call| call.is_paused()) {
            silence = vec![SILENCE; mulaw.len()];
            &silence
        } else {
            mulaw
        };
        let ahead = stream.push(Instant::now(), track, mulaw).map_err(|far| {
            ground.metrics.audio_ahead.add_one();
            Refusal {
                code: "too_far_ahead",
                ..Refusal::too_many(far.to_string(), far.retry_after())
            }
        })?;
        if stream.due() < due {
            self.sooner.notify_one();
        }
        ground.metrics.audio_posted.add_one();
        Ok(ahead)
    }

    /// No more comes: what waits is played, and then the call is over.
    pub(super) fn complete(&self) {
        let mut state = lock(&self.state);
        if std::mem::replace(&mut state.completed, true) {
            return;
        }
        match &mut state.stream {
            Some(stream) => {
                stream.end(Instant::now());
                self.sooner.notify_one();
            }
            // It was lost: nothing is left to be played, so that the call is over now.
            None => {
                let Some(call) = self.call() else { return };
                let over = StatusNote {
                    leg: call.sid().clone(),
                    parties: Parties::default(),
                    status: Some(CallStatus::Completed),
                    at: None,
                    duration_s: None,
                    sip_response_code: None,
                };
                call.status(Now::take(), over);
            }
        }
    }
}

/// The call takes no audio any more.
pub(super) fn over() -> Refusal {
    let message = "the call is over; make another one by POST /api/v1/call_streams";
    Refusal::new(StatusCode::BAD_REQUEST, "call_ended", message)
}

/// The call of this name was erased, and does not come back by it.
pub(super) fn erased() -> Refusal {
    let message = "the call of this external_id is over, and was erased; say another one";
    Refusal::new(StatusCode::BAD_REQUEST, "call_ended", message)
}

/// A stream that has begun, until it is over.
struct Live {
    source: Arc<Source>,
    call: Arc<Call>,
    ground: Arc<Ground>,
    key: StreamKey,
    over: bool,
    /// While it is held the relay does not leave, unless it has to; let go when the call has been told of the end.
    _token: TaskTrackerToken,
}

/// How a stream ends.
enum End {
    Stopped,
    Lost(&'static str),
}

impl Live {
    async fn run(mut self) {
        let (mut items, mut wire): (Vec<Item>, Vec<u8>) = (Vec::new(), Vec::new());
        let leaving = self.ground.leaving.clone();
        for turns in 1u32.. {
            let due = lock(&self.source.state).stream.as_ref().map(Stream::due);
            let Some(due) = due else {
                return self.end(End::Stopped);
            };
            tokio::select! {
                biased;
                () = leaving.cancelled() => return self.end(End::Lost(LEAVES)),
                () = self.source.sooner.notified() => continue,
                () = sleep_until(due.into()) => {}
            }
            if let Some(end) = self.turn(&mut items, &mut wire) {
                return self.end(end);
            }
            // Or another relay has it, by a later stream: what is posted goes there.
            let is_done = || self.call.is_over() || matches!(self.call.held(), Held::Theirs(_));
            if turns.is_multiple_of(LOOK) && is_done() {
                return self.end(End::Stopped);
            }
        }
    }

    /// Plays what is due; how it ends, where it does.
    fn turn(&self, items: &mut Vec<Item>, wire: &mut Vec<u8>) -> Option<End> {
        let now = Instant::now();
        let turn = {
            let mut state = lock(&self.source.state);
            let turn = state.stream.as_mut()?.turn(now, items);
            if !matches!(turn, Turn::Goes(_)) {
                state.stream = None;
            }
            turn
        };
        // Silence that stands for a source which says nothing is of the moment at which that began.
        let at = match turn {
            Turn::Goes(heard) => heard.min(now),
            Turn::Played | Turn::Gone => now,
        };
        if !items.is_empty() {
            self.call.media(at, self.key, &mut Batch::new(items, wire));
            items.clear();
        }
        match turn {
            Turn::Goes(_) => None,
            Turn::Played => Some(End::Stopped),
            Turn::Gone => Some(End::Lost(SILENT)),
        }
    }

    fn end(&mut self, end: End) {
        self.over = true;
        let (now, call) = (Now::take(), &self.call);
        let mine = |stream: &Stream| stream.audio_id() == self.key;
        lock(&self.source.state).stream.take_if(|stream| mine(stream));
        match end {
            End::Stopped => {
                info!(call = %call.sid(), "a source's stream stopped");
                call.stream_stopped(now, self.key);
            }
            End::Lost(why) => {
                warn!(call = %call.sid(), why, "a source's stream is lost");
                self.ground.metrics.sources_lost.add_one();
                call.stream_lost(now, self.key, why);
            }
        }
    }
}

/// Dropped without a word: the task was ended.
impl Drop for Live {
    fn drop(&mut self) {
        if !self.over {
            self.end(End::Lost("the relay ended it"));
        }
    }
}

#[cfg(test)]
mod tests;
