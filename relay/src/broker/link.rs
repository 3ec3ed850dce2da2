//! The one state of all connections: up or down, since when, and how often it came back.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;

use super::open::Lines;
use crate::metrics::{Held, Metrics};

/// How the link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Whether Redis answers and every channel is subscribed.
    pub up: bool,
    /// Since when.
    pub since: Instant,
    /// How often it came up: another number means that something may have been missed.
    pub generation: u64,
    /// Why it is down, for people; empty while it is up.
    pub why: &'static str,
}

/// Held by the broker, written by its runner alone.
#[derive(Debug)]
pub(super) struct State {
    lines: ArcSwapOption<Lines>,
    link: watch::Sender<Link>,
}

/// Before the first connection.
const NOT_YET: &str = "not connected yet";

impl State {
    pub(super) fn new() -> State {
        let link = Link {
            up: false,
            since: Instant::now(),
            generation: 0,
            why: NOT_YET,
        };
        State {
            lines: ArcSwapOption::empty(),
            link: watch::Sender::new(link),
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<Link> {
        self.link.subscribe()
    }

    pub(super) fn is_up(&self) -> bool {
        self.lines.load().is_some()
    }

    /// What to ask by, while the link is up.
    pub(super) fn lines(&self) -> Option<Arc<Lines>> {
        self.lines.load_full()
    }

    /// It is up, until the guard is dropped.
    pub(super) fn up<'s>(&'s self, lines: Arc<Lines>, metrics: &Metrics) -> Up<'s> {
        let gauge = metrics.redis_up.try_hold(1);
        self.lines.store(Some(lines));
        self.link.send_modify(|link| {
            link.up = true;
            link.since = Instant::now();
            link.generation += 1;
            link.why = "";
        });
        Up {
            state: self,
            why: "the relay leaves",
            _gauge: gauge,
        }
    }

    /// It is still down, for another reason.
    pub(super) fn still_down(&self, why: &'static str) {
        self.link.send_if_modified(|link| {
            let other = link.why != why;
            link.why = why;
            other
        });
    }
}

/// The link is up while this is held.
pub(super) struct Up<'s> {
    state: &'s State,
    /// What is told once it is not.
    pub(super) why: &'static str,
    _gauge: Option<Held>,
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        // Whoever sees that it is down can ask nothing any more.
        self.state.lines.store(None);
        self.state.link.send_modify(|link| {
            link.up = false;
            link.since = Instant::now();
            link.why = self.why;
        });
    }
}
