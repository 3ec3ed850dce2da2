//! The relay's word to leave, in two steps: first nobody new comes in, then everybody goes. A task that wakes for
//! every frame waits for the second at the cost of a look at a flag that all of them share and nobody writes.
//! Decides neither: when the one follows the other is for `serve` to say.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Each step is called once, and heard by all.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    draining: CancellationToken,
    token: CancellationToken,
    called: Arc<AtomicBool>,
}

impl Stop {
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

    /// For one task that asks often.
    pub fn watch(&self) -> Watch {
        Watch {
            called: self.called.clone(),
            said: Box::pin(self.token.clone().cancelled_owned()),
            waker: None,
        }
    }
}

/// One task's ear for it.
#[derive(Debug)]
pub struct Watch {
    called: Arc<AtomicBool>,
    said: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whom `said` wakes.
    waker: Option<Waker>,
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
