//! Ends a player's answer while nobody asks for more of it: the body is not looked at where its reader does not read. A
//! listener that may not hear the call any more, one that an admin ends, one that takes too little, and all of them when
//! the relay leaves. What ends here is broken off.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use futures_util::future::poll_fn;
use tokio::sync::{oneshot, watch};
use tokio::time::sleep_until;
use tracing::info;

use super::record::{NEEDS_SAVE, Why};
use crate::access::{Access, Grant, Right};
use crate::calls::call::SeatGuard;
use crate::calls::fanout::Mailbox;
use crate::clock::Now;
use crate::limits::guests::Visit;
use crate::metrics::Metrics;
use crate::presence::Present;
use crate::stop::Stop;

/// A player that takes less than what is buffered for it (32 KiB, one to two seconds) in so long is ended. With the time
/// in which all buffers fill it is less than the kernel gives to what is not read, so that it is told.
const STALL: Duration = Duration::from_secs(5);

/// A grant that ends is looked at again after so long at the latest: the wall's clock may be set meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// When the reader was ready for more, last.
#[derive(Debug)]
pub(super) struct Progress {
    begun: Instant,
    at_ms: AtomicU64,
}

impl Progress {
    pub(super) fn new(now: Instant) -> Progress {
        Progress {
            begun: now,
            at_ms: AtomicU64::new(0),
        }
    }

    /// It is, now.
    pub(super) fn made(&self, now: Instant) {
        let ms = now.saturating_duration_since(self.begun).as_millis();
        self.at_ms.store(u64::try_from(ms).unwrap_or(u64::MAX), Relaxed);
    }

    fn stalls_at(&self) -> Instant {
        self.begun + Duration::from_millis(self.at_ms.load(Relaxed)) + STALL
    }
}

/// Who looks after one answer.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) grant: Grant,
    pub(super) access: Arc<Access>,
    pub(super) changes: watch::Receiver<u64>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) seat: Arc<SeatGuard>,
    pub(super) here: Arc<Present>,
    pub(super) progress: Arc<Progress>,
    pub(super) why: Why,
    pub(super) visit: Arc<Visit>,
    pub(super) stop: Stop,
    pub(super) metrics: Arc<Metrics>,
}

impl Watch {
    /// Looks until the answer is gone, or ends it.
    pub(super) async fn run(mut self, mut gone: oneshot::Receiver<()>) {
        let mut news = true;
        loop {
            if std::mem::take(&mut news)
                && let Some(why) = self.look()
            {
                // What is on its way may not arrive either.
                return self.end(why, true);
            }
            let (stalls, expires) = (self.progress.stalls_at(), self.expires());
            tokio::select! {
                biased;
                _ = &mut gone => {
                    let why = self.why.get().copied().unwrap_or_default();
                    return info!(why, "a player is gone");
                }
                () = self.stop.cancelled() => return self.end("the relay leaves", false),
                changed = self.changes.changed() => {
                    if changed.is_err() {
                        return self.end("nobody knows tokens any more", true);
                    }
                    news = true;
                }
                () = poll_fn(|cx| self.mailbox.poll_recheck(cx)) => {
                    self.mailbox.take_recheck();
                    news = true;
                }
                () = sleep_until(expires.into()) => news = true,
                () = sleep_until(stalls.into()) => {
                    if self.progress.stalls_at() <= Instant::now() {
                        self.metrics.listeners_too_slow.add_one();
                        return self.end("too slow", true);
                    }
                }
            }
        }
    }

    /// Why it is to end, after somebody's rights or the call changed.
    fn look(&mut self) -> Option<&'static str> {
        if self.here.is_dismissed() {
            return Some("ended by an admin");
        }
        let Some(grant) = self.access.renewed(&self.grant, Now::take().wall) else {
            return Some("the token counts no longer");
        };
        if grant != self.grant {
            self.seat.regrant(&grant);
            self.here.regrant(&grant);
            self.grant = grant;
        }
        if self.seat.is_lost() {
            return Some("no longer granted");
        }
        (!self.grant.has(Right::Save)).then_some(NEEDS_SAVE)
    }

    fn expires(&self) -> Instant {
        let now = Now::take();
        let left = |end: partyline_shared::time::UtcTime| {
            let ms = end.unix_ms().saturating_sub(now.wall.unix_ms()).max(0);
            Duration::from_millis(ms.unsigned_abs())
        };
        let left = self.grant.expires().map_or(LOOK_AGAIN, left);
        now.mono + left.min(LOOK_AGAIN)
    }

    fn end(&self, why: &'static str, abruptly: bool) {
        let _ = self.why.set(why);
        info!(why, "a player is ended");
        self.visit.hang_up(abruptly);
    }
}
