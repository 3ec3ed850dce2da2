//! What is asked of a relay's task once each, beside what it is wanted for as a whole: numbered, so that the task knows
//! what it has done already, and bounded, since it is taken within moments.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Kept of each kind: more than the app lets wait for an answer, so that none is lost that counts.
const KEPT: usize = 64;

/// Things to do, the newest of them.
#[derive(Clone)]
pub(super) struct Once<T> {
    /// How many there were.
    count: u64,
    newest: VecDeque<(u64, T)>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Once {
            count: 0,
            newest: VecDeque::new(),
        }
    }
}

impl<T: Clone> Once<T> {
    /// One more.
    pub(super) fn add(&mut self, what: T) {
        self.count += 1;
        if self.newest.len() >= KEPT {
            self.newest.pop_front();
        }
        self.newest.push_back((self.count, what));
    }

    /// Those that came since `done`.
    pub(super) fn after<'a>(&'a self, done: &'a Once<T>) -> impl Iterator<Item = T> + 'a {
        let new = self.newest.iter().filter(|(number, _)| *number > done.count);
        new.map(|(_, what)| what.clone())
    }
}

/// Something on its way to the relay's task; whoever takes it has it.
pub(super) struct Handed<T>(Arc<Mutex<Option<T>>>);

impl<T> Clone for Handed<T> {
    fn clone(&self) -> Self {
        Handed(self.0.clone())
    }
}

impl<T> Handed<T> {
    pub(super) fn new(what: T) -> Handed<T> {
        Handed(Arc::new(Mutex::new(Some(what))))
    }

    pub(super) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_done_once_and_in_order() {
        let (mut done, mut wanted) = (Once::default(), Once::default());
        let news = |wanted: &Once<u32>, done: &mut Once<u32>| {
            let news: Vec<u32> = wanted.after(done).collect();
            *done = wanted.clone();
            news
        };
        assert!(news(&wanted, &mut done).is_empty());
        wanted.add(7);
        wanted.add(8);
        assert_eq!(news(&wanted, &mut done), [7, 8]);
        wanted.add(9);
        assert_eq!(news(&wanted, &mut done), [9]);
        assert!(news(&wanted, &mut done).is_empty());
        (0..100).for_each(|n| wanted.add(n));
        assert_eq!(
            news(&wanted, &mut done),
            (36..100).collect::<Vec<_>>(),
            "the newest"
        );
    }

    #[test]
    fn what_is_handed_over_is_taken_once() {
        let handed = Handed::new(5);
        assert_eq!((handed.clone().take(), handed.take()), (Some(5), None));
    }
}
