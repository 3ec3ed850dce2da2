//! The relay's word to leave, in two steps: first nobody new comes in, then everybody goes. Between the two listeners may
//! be asked to go where another relay shares the calls: each at a time of its own. A task that wakes for
//! every frame waits for the second at the cost of a look at a flag that all of them share and nobody writes.
//! Decides neither: when the one follows the other is for `serve` to say.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Listeners that are to find another relay leave over this long, so that it does not get all of them at once.
pub const LEAVE_OVER: Duration = Duration::from_secs(30);

/// Each step is called once, and heard by all.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    draining: CancellationToken,
    token: CancellationToken,
    listeners: CancellationToken,
    called: Arc<AtomicBool>,
}

impl Stop {
    /// A word of its own for what goes on until everybody has left; it drains with all others.
    pub fn of_the_last(&self) -> Stop {
        Stop {
            draining: self.draining.clone(),
            ..Stop::default()
        }
    }

    /// Nobody new is to come in; who is here stays for now.
    pub fn drain(&self) {
        self.draining.cancel();
    }

    /// Whether that was said, or that everybody is to leave.
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Ends when it is said.
    pub async fn draining(&self) {
        self.draining.cancelled().await;
    }

    /// Listeners are to leave over [`LEAVE_OVER`], while streams go on.
    pub fn leave_listeners(&self) {
        self.called.store(true, Relaxed);
        self.listeners.cancel();
    }

    /// Everybody is to leave.
    pub fn cancel(&self) {
        self.drain();
        self.called.store(true, Relaxed);
        self.token.cancel();
    }

    /// Whether that was said.
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Ends when it is said.
    pub async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// What `future` comes to, unless it is said before.
    pub async fn run_until_cancelled<F: Future>(&self, future: F) -> Option<F::Output> {
        self.token.run_until_cancelled(future).await
    }

    /// For one listener's task, which asks often.
    pub fn watch(&self) -> Watch {
        let (all, listeners) = (self.token.clone(), self.listeners.clone());
        let said = async move {
            let in_turn = async {
                listeners.cancelled().await;
                sleep(rand::random_range(Duration::ZERO..LEAVE_OVER)).await;
            };
            tokio::select! {
                () = all.cancelled() => {}
                () = in_turn => {}
            }
        };
        Watch {
            called: self.called.clone(),
            said: Box::pin(said),
            waker: None,
        }
    }
}

/// One task's ear for it.
pub struct Watch {
    called: Arc<AtomicBool>,
    said: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Whom `said` wakes.
    waker: Option<Waker>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    /// Ready once it has been said; until then the task is woken for it.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waits = self
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()));
        if waits && !self.called.load(Relaxed) {
            return Poll::Pending;
        }
        self.waker = Some(cx.waker().clone());
        self.said.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_new_comes_in_before_everybody_leaves() {
        let stop = Stop::default();
        assert!(!stop.is_draining());
        stop.drain();
        stop.draining().await;
        assert!(stop.is_draining() && !stop.is_cancelled());
        assert!(
            stop.watch()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        stop.cancel();
        assert!(stop.is_cancelled());
        let at_once = Stop::default();
        at_once.cancel();
        assert!(at_once.is_draining(), "who leaves takes nobody in");
    }

    #[tokio::test(start_paused = true)]
    async fn listeners_leave_one_after_the_other_and_at_once_when_all_do() {
        let stop = Stop::default();
        let leaving = (0..200).map(|_| {
            let mut watch = stop.watch();
            tokio::spawn(async move {
                std::future::poll_fn(|cx| watch.poll(cx)).await;
                tokio::time::Instant::now()
            })
        });
        let leaving: Vec<_> = leaving.collect();
        let mut kept = stop.watch();
        tokio::task::yield_now().await;
        let began = tokio::time::Instant::now();
        stop.leave_listeners();
        let mut left = Vec::new();
        for one in leaving {
            left.push(one.await.unwrap().duration_since(began));
        }
        left.sort_unstable();
        assert!(left[199] < LEAVE_OVER && left[20] < LEAVE_OVER / 2 && left[180] > LEAVE_OVER / 2);
        assert!(!stop.is_draining(), "that is another word");
        stop.cancel();
        std::future::poll_fn(|cx| kept.poll(cx)).await;
    }

    #[tokio::test]
    async fn a_task_that_asks_often_is_woken_once_it_is_said() {
        let stop = Stop::default();
        let mut watch = stop.watch();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(watch.poll(&mut cx).is_pending() && watch.poll(&mut cx).is_pending());
        let waits = tokio::spawn(async move { std::future::poll_fn(|cx| watch.poll(cx)).await });
        tokio::task::yield_now().await;
        stop.cancel();
        waits.await.unwrap();
        assert!(stop.is_cancelled());
        let mut late = stop.watch();
        assert!(late.poll(&mut cx).is_ready(), "also for who asks after it");
    }
}
