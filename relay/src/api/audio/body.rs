//! A call as an answer's body: takes what its mailbox has, whenever the clock says that something is due, and gives it as
//! it is asked for. Waits for nobody else: what is not taken is the reader's loss. Decides nothing about rights.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep_until};
use tracing::{Instrument, error_span, info};

use super::Arrival;
use super::jitter::Jitter;
use super::record::Heard;
use super::watch::{Progress, Watch};
use crate::calls::call::{Ask, Begin, SeatGuard};
use crate::calls::fanout::{BACKLOG, Item, Mailbox, SubId};
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::limits::sockets;
use crate::metrics::Held;
use crate::presence::{Follows, Present, Way};
use crate::respond::Refusal;

/// The only call of its mailbox.
const SUB: SubId = 1;

/// One listener's answer.
#[derive(Debug)]
pub(super) struct Live {
    /// The file's header, until it is given.
    head: Option<Bytes>,
    jitter: Jitter,
    tick: Pin<Box<Sleep>>,
    mailbox: Arc<Mailbox>,
    taken: VecDeque<(SubId, Item)>,
    seat: Arc<SeatGuard>,
    /// The call is over, and all of it was given.
    over: bool,
    here: Arc<Present>,
    heard: Heard,
    progress: Arc<Progress>,
    registry: Arc<Registry>,
    _socket: sockets::Held,
    _held: Held,
    /// Tells the watch that this is gone.
    _gone: oneshot::Sender<()>,
}

impl Live {
    /// Takes a place in the call; the listener is on record. Needs a runtime, where the watch runs.
    ///
    /// # Errors
    /// 404 where the call is not the listener's any more.
    pub(super) fn begin(head: Bytes, arrival: Arrival, heard: Heard) -> Result<Live, Refusal> {
        let Arrival {
            grant,
            at,
            call,
            kept,
            socket,
            held,
            visit,
            doorman,
            registry,
            presence,
            stop,
        } = arrival;
        let now = Now::take();
        let mailbox = Arc::new(Mailbox::new(None));
        mailbox.set_subs(vec![SUB]);
        let access = doorman.access().clone();
        // Before the rights are looked at once more: whatever changes from here on is told.
        let changes = access.changes();
        let ask = Ask {
            mailbox: &mailbox,
            sub: SUB,
            audio: true,
            form: None,
            from: Begin::Now,
            replay_ms: 0,
        };
        let Some(made) = call.subscribe(now, &grant, ask) else {
            let _ = heard.why().set("the call was gone");
            return Err(Refusal::not_found());
        };
        let seat = Arc::new(made.seat);
        let way = Way {
            door: at.door,
            address: at.address,
            since: now.wall,
        };
        let here = Arc::new(presence.enter(way, &grant, mailbox.clone()));
        here.follows(Follows {
            call_sid: call.sid().clone(),
            audio: true,
            save: true,
            since: now.wall,
        });
        let span = error_span!(
            "player",
            id = here.id(),
            who = grant.name(),
            token_id = grant.token_id(),
            client = %at.address,
            call_sid = %call.sid()
        );
        registry.metrics().listeners_opened.add_one();
        span.in_scope(|| info!("a player has come in"));
        let progress = Arc::new(Progress::new(now.mono));
        let (gone, is_gone) = oneshot::channel();
        let watch = Watch {
            grant,
            access,
            changes,
            mailbox: mailbox.clone(),
            seat: seat.clone(),
            here: here.clone(),
            progress: progress.clone(),
            why: heard.why().clone(),
            visit,
            stop,
            metrics: registry.metrics().clone(),
        };
        tokio::spawn(watch.run(is_gone).instrument(span));
        let jitter = Jitter::new(now.mono, kept);
        Ok(Live {
            head: Some(head),
            tick: Box::pin(sleep_until(jitter.due().into())),
            jitter,
            mailbox,
            taken: VecDeque::new(),
            seat,
            over: false,
            here,
            heard,
            progress,
            registry,
            _socket: socket,
            _held: held,
            _gone: gone,
        })
    }

    /// Takes what has come. Answers whether the call was over before that, so that nothing more comes.
    fn take(&mut self, now: Instant) -> bool {
        // First: who ended the call has handed on all of it.
        let over = self.seat.is_muted();
        let signals = self.mailbox.take(&mut self.taken, 2 * BACKLOG);
        let metrics = self.registry.metrics();
        metrics.marks.mailbox.note(signals.most as u64);
        self.lose(signals.lost);
        let frames = self.taken.drain(..).filter_map(|(_, item)| match item {
            Item::Frame(frame) => Some(frame),
            // What is missing shows in the chunks of what comes, and another stream in its number.
            Item::Gap(_) | Item::Stream(_) => None,
        });
        if self.jitter.is_behind(now) {
            let late = frames.count();
            self.shed(late as u64);
            return over;
        }
        let mut count = 0;
        for frame in frames {
            count += 1;
            self.here.sent_frame();
            self.jitter.on_frame(now, &frame);
        }
        metrics.frames_out.add(count);
        over
    }

    /// So many frames had no room in the mailbox.
    fn lose(&self, frames: u64) {
        self.here.lost_frames(frames);
        self.registry.metrics().frames_lost.add(frames);
    }

    /// So many frames were here, and left out so that what is given is what is said now.
    fn shed(&self, frames: u64) {
        self.here.lost_frames(frames);
        self.registry.metrics().frames_shed.add(frames);
    }

    fn next(&mut self, now: Instant) -> Option<Bytes> {
        let over = self.take(now);
        let mut samples = Vec::new();
        if over {
            self.over = true;
            let _ = self.heard.why().set("the call ended");
            self.jitter.finish(&mut samples);
        } else {
            self.jitter.read(now, &mut samples);
        }
        let lost = self.jitter.take_lost();
        self.shed(lost);
        let bytes = samples.len() as u64;
        self.heard.sent(bytes);
        self.sent(bytes);
        (bytes > 0).then(|| samples.into())
    }

    fn sent(&self, bytes: u64) {
        self.here.sent_bytes(bytes);
        self.registry.metrics().listener_written_bytes.add(bytes);
    }
}

impl Body for Live {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        // It is asked for more when there is room for it: what went before is being read.
        this.progress.made(Instant::now());
        if let Some(head) = this.head.take() {
            this.sent(head.len() as u64);
            return Poll::Ready(Some(Ok(Frame::data(head))));
        }
        loop {
            let now = Instant::now();
            if this.seat.is_lost() {
                // The watch breaks it off; not a sample more until then.
                return Poll::Pending;
            }
            if this.over {
                return Poll::Ready(None);
            }
            if this.jitter.due() <= now {
                match this.next(now) {
                    Some(samples) => return Poll::Ready(Some(Ok(Frame::data(samples)))),
                    None => continue,
                }
            }
            this.tick.as_mut().reset(this.jitter.due().into());
            if this.tick.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.lose(self.mailbox.close());
        self.registry.metrics().listeners_closed.add_one();
    }
}
