//! A call into the system's sound library, in a thread of its own: one of a server that hangs never returns, and
//! whoever asked has other things to do. A thread that hangs is left to the end of the process; so there are no more
//! than [`MOST`] at once, however often somebody chooses, plays or looks beside a server that never answers.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Errands at once in the process: a few run where devices answer, and what hangs costs a thread and a socket each.
const MOST: usize = 64;

/// All errands.
static ALL: Running = Running(AtomicUsize::new(0));

/// How many run now.
struct Running(AtomicUsize);

impl Running {
    /// One more, until it is dropped; `None` where there are as many as may be.
    fn begin(&'static self, most: usize) -> Option<Runs> {
        let more = |now: usize| (now < most).then_some(now + 1);
        let before = self.0.fetch_update(Relaxed, Relaxed, more);
        before.ok().map(|_| Runs(self))
    }
}

/// One that runs.
struct Runs(&'static Running);

impl Drop for Runs {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

/// One call; what it gives is dropped in its thread where nobody waits for it any more.
pub(super) struct Errand<T>(Receiver<T>);

/// What came of waiting.
pub(super) enum Waited<T> {
    /// It is done.
    Done(T),
    /// It is not; it may be waited for again.
    NotYet(Errand<T>),
    /// It has failed inside, or was never started.
    Failed,
}

impl<T: Send + 'static> Errand<T> {
    /// Starts it. Where there is no thread for it, it has failed.
    pub(super) fn start(work: impl FnOnce() -> T + Send + 'static) -> Errand<T> {
        Errand::start_as(ALL.begin(MOST), work)
    }

    fn start_as(runs: Option<Runs>, work: impl FnOnce() -> T + Send + 'static) -> Errand<T> {
        let (done, doing) = sync_channel(1);
        let Some(runs) = runs else {
            // To drop what it holds may be the very thing that hangs.
            std::mem::forget(work);
            return Errand(doing);
        };
        let thread = std::thread::Builder::new().name("device call".to_owned());
        // Without a thread the other end is dropped, and waiting says so.
        let _ = thread.spawn(move || {
            let _runs = runs;
            done.send(work())
        });
        Errand(doing)
    }

    /// Waits for its end, at most so long.
    pub(super) fn wait(self, limit: Duration) -> Waited<T> {
        match self.0.recv_timeout(limit) {
            Ok(done) => Waited::Done(done),
            Err(RecvTimeoutError::Timeout) => Waited::NotYet(self),
            Err(RecvTimeoutError::Disconnected) => Waited::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(20);

    #[test]
    fn who_hangs_is_waited_for_again_and_what_comes_too_late_is_dropped_there() {
        struct Stream(std::sync::mpsc::SyncSender<()>);
        impl Drop for Stream {
            fn drop(&mut self) {
                let _ = self.0.send(());
            }
        }
        let (closed, closes) = sync_channel(2);
        let hanging = |answer: Receiver<()>| {
            let stream = Stream(closed.clone());
            Errand::start(move || {
                let _ = answer.recv();
                stream
            })
        };
        let (go_on, answer) = sync_channel(1);
        let Waited::NotYet(errand) = hanging(answer).wait(Duration::ZERO) else {
            panic!("it hangs");
        };
        go_on.send(()).unwrap();
        let Waited::Done(stream) = errand.wait(DEADLINE) else {
            panic!("it is done");
        };
        assert!(closes.try_recv().is_err());
        drop(stream);
        closes.recv_timeout(DEADLINE).unwrap();
        let (go_on, answer) = sync_channel(1);
        drop(hanging(answer));
        go_on.send(()).unwrap();
        closes.recv_timeout(DEADLINE).unwrap();
    }

    #[test]
    fn there_are_no_more_than_may_be_and_one_that_ends_makes_room() {
        static FEW: Running = Running(AtomicUsize::new(0));
        let (go_on, answer) = sync_channel::<()>(1);
        let hangs = Errand::start_as(FEW.begin(1), move || answer.recv().is_ok());
        let refused = Errand::start_as(FEW.begin(1), || true);
        assert!(matches!(refused.wait(DEADLINE), Waited::Failed));
        go_on.send(()).unwrap();
        assert!(matches!(hangs.wait(DEADLINE), Waited::Done(true)));
        let begun = std::time::Instant::now();
        while FEW.0.load(Relaxed) > 0 {
            assert!(begun.elapsed() < DEADLINE, "it makes room");
            std::thread::yield_now();
        }
        let next = Errand::start_as(FEW.begin(1), || true);
        assert!(matches!(next.wait(DEADLINE), Waited::Done(true)));
        let fails = Errand::start_as(FEW.begin(2), || assert_eq!(1, 2, "a library gives up"));
        assert!(matches!(fails.wait(DEADLINE), Waited::Failed));
    }

    #[test]
    fn who_fails_inside_is_told() {
        let errand = Errand::start(|| assert_eq!(1, 2, "a library gives up"));
        assert!(matches!(errand.wait(DEADLINE), Waited::Failed));
    }
}
