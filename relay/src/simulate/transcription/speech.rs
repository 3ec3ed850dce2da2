//! What is spoken in a call, as time goes by, until the call is over: then what is left of it.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::words::{Spoken, Words};

/// How many ms of audio there were, once the call is over.
type Ended<'a> = Pin<Box<dyn Future<Output = u64> + Send + 'a>>;

/// Words with a clock.
pub(crate) struct Speech<'a> {
    words: Words,
    zero: Instant,
    ended: Ended<'a>,
    end_ms: Option<u64>,
    cut: std::vec::IntoIter<Spoken>,
}

impl<'a> Speech<'a> {
    /// `zero` is the first sample; `ended` tells the call's end.
    pub(crate) fn new(
        words: Words,
        zero: Instant,
        ended: impl Future<Output = u64> + Send + 'a,
    ) -> Speech<'a> {
        Speech {
            words,
            zero,
            ended: Box::pin(ended),
            end_ms: None,
            cut: Vec::new().into_iter(),
        }
    }

    /// The next words, when they are spoken; `None` when the call is over and nothing is left to be told.
    pub(crate) async fn next(&mut self) -> Option<Spoken> {
        let end_ms = loop {
            if let Some(end_ms) = self.end_ms {
                break end_ms;
            }
            let Some(at_ms) = self.words.next_at() else {
                self.end_ms = Some((&mut self.ended).await);
                continue;
            };
            tokio::select! {
                end_ms = &mut self.ended => self.end_ms = Some(end_ms),
                () = sleep_until(self.zero + Duration::from_millis(at_ms)) => return self.words.take(),
            }
        };
        // Nobody guesses any more.
        while self.words.next_at().is_some_and(|at_ms| at_ms <= end_ms) {
            if let Some(spoken) = self.words.take().filter(|spoken| spoken.is_final) {
                return Some(spoken);
            }
        }
        self.cut.next().or_else(|| {
            self.cut = self.words.cut().into_iter();
            self.cut.next()
        })
    }
}
