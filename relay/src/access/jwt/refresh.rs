//! When keys are looked at again: on a schedule, sooner after a failure, and when a token names a key that is
//! not known, though then never more often than somebody who makes up names should cause. One look at a time,
//! by one task; who needs its result waits for it, a bounded number of them and a bounded time.

use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::fetch::FETCH_TIME;

/// How many may wait for a look at once; further ones are refused, and come again.
const WAITING: usize = 64;
/// How long one waits: a fetch, and a moment.
const PATIENCE: Duration = FETCH_TIME.saturating_add(Duration::from_secs(1));

/// How often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// After a look that went well.
    pub(super) every: Duration,
    /// After one that failed.
    pub(super) retry: Duration,
    /// The least between two that tokens ask for.
    pub(super) apart: Duration,
}

impl Pace {
    /// Files are read, a few KB, so often that a change acts within the contract's 5 s.
    pub(super) const FILE: Pace = Pace {
        every: Duration::from_secs(2),
        retry: Duration::from_secs(2),
        apart: Duration::from_secs(1),
    };
    /// A key taken back acts within a minute. A new one acts at once, since the first token that names it
    /// asks; names that are made up cost the provider six requests a minute at most.
    pub(super) const URL: Pace = Pace {
        every: Duration::from_secs(60),
        retry: Duration::from_secs(10),
        apart: Duration::from_secs(10),
    };
}

/// What a token that asks gets.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// A look begins.
    Begins,
    /// There is one under way.
    UnderWay,
    /// There was one just now.
    TooSoon,
}

/// How far the looks have come. Pure: the time is handed in.
#[derive(Debug, Default)]
struct Progress {
    /// Looks that are over.
    rounds: u64,
    busy: bool,
    began: Option<Instant>,
}

impl Progress {
    fn ask(&self, pace: &Pace, now: Instant) -> Asked {
        let soon = |began| now.saturating_duration_since(began) < pace.apart;
        match self.began {
            _ if self.busy => Asked::UnderWay,
            Some(began) if soon(began) => Asked::TooSoon,
            _ => Asked::Begins,
        }
    }

    fn begin(&mut self, now: Instant) {
        self.busy = true;
        self.began = Some(now);
    }

    fn end(&mut self) {
        self.busy = false;
        self.rounds += 1;
    }
}

/// What the task that looks and those who wait share.
#[derive(Debug)]
pub(super) struct Refresh {
    pace: Pace,
    progress: watch::Sender<Progress>,
    asked: Notify,
    seats: Semaphore,
}

impl Refresh {
    pub(super) fn new(pace: Pace) -> Refresh {
        Refresh {
            pace,
            progress: watch::Sender::new(Progress::default()),
            asked: Notify::new(),
            seats: Semaphore::new(WAITING),
        }
    }

    /// Asks for a look and waits until it is over. Whether there was one; if not, asking again now is of no
    /// use.
    pub(super) async fn ask(&self) -> bool {
        let Ok(_seat) = self.seats.try_acquire() else {
            return false;
        };
        let mut progress = self.progress.subscribe();
        let rounds = {
            let so_far = progress.borrow();
            match so_far.ask(&self.pace, Instant::now()) {
                Asked::Begins => self.asked.notify_one(),
                Asked::UnderWay => {}
                Asked::TooSoon => return false,
            }
            so_far.rounds
        };
        let over = progress.wait_for(|so_far| so_far.rounds > rounds);
        timeout(PATIENCE, over).await.is_ok_and(|over| over.is_ok())
    }

    /// One look, which says whether it went well, and then the wait until there should be another.
    pub(super) async fn round(&self, look: impl Future<Output = bool>) {
        let began = Instant::now();
        self.progress.send_modify(|so_far| so_far.begin(began));
        let went_well = look.await;
        self.progress.send_modify(Progress::end);
        let wait = if went_well {
            self.pace.every
        } else {
            self.pace.retry
        };
        self.wait(began + wait).await;
    }

    async fn wait(&self, due: Instant) {
        loop {
            tokio::select! {
                () = sleep_until(due) => return,
                () = self.asked.notified() => {
                    if self.progress.borrow().ask(&self.pace, Instant::now()) == Asked::Begins {
                        return;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use super::*;

    #[test]
    fn made_up_names_cause_no_more_looks_than_the_pace_allows() {
        let (start, mut progress) = (Instant::now(), Progress::default());
        for ms in 0..60_000 {
            let now = start + Duration::from_millis(ms);
            // A look takes a second.
            if progress.busy && ms % 1_000 == 999 {
                progress.end();
            }
            if progress.ask(&Pace::URL, now) == Asked::Begins {
                progress.begin(now);
            }
        }
        assert_eq!(progress.rounds, 6, "looks in a minute");
        let later = start + Duration::from_secs(60);
        assert_eq!(progress.ask(&Pace::URL, later), Asked::Begins);
    }

    #[tokio::test]
    async fn all_who_wait_share_one_look_and_too_many_are_sent_away() {
        let refresh = Arc::new(Refresh::new(Pace::URL));
        let (looks, held) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let (theirs, counted, freed) = (refresh.clone(), looks.clone(), held.clone());
        let task = tokio::spawn(async move {
            let slow = async {
                counted.fetch_add(1, SeqCst);
                freed.notified().await;
                true
            };
            theirs.round(slow).await;
        });
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..2 * WAITING {
            let refresh = refresh.clone();
            asking.spawn(async move { refresh.ask().await });
        }
        for _ in 0..WAITING {
            assert!(
                !asking.join_next().await.unwrap().unwrap(),
                "those come back at once"
            );
        }
        held.notify_one();
        assert_eq!(asking.join_all().await, [true; WAITING]);
        assert_eq!(looks.load(SeqCst), 1);
        assert!(!refresh.ask().await, "it is too soon for another");
        task.abort();
    }
}
