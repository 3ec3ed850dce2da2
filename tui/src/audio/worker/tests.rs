//! Turns of the worker, without its thread.

use std::sync::atomic::AtomicU64;
use std::sync::mpsc::sync_channel;

use partyline_shared::track::{Track, roles};

use super::*;
use crate::audio::desk::Seat;

/// Whoever changes the desk says so by a message. One that is taken behind another may be of a change that was made
/// after the look, so the worker may not sleep until somebody else comes.
#[test]
fn a_word_behind_another_is_looked_for_before_it_sleeps() {
    let shared = Arc::new(Shared {
        desk: Desk::new(),
        shelf: Arc::default(),
        scope: Arc::new(Scope::new()),
        dropped_ms: AtomicU64::new(0),
        stats: Mutex::default(),
    });
    let (put, queue) = sync_channel(4);
    let mut worker = Worker::new(shared.clone(), queue, Instant::now(), Arc::new(|_| {}), None);
    shared.desk.want(|wanted| {
        (wanted.newest, wanted.front) = (1, 1);
        let mut seat = Seat::new(1, roles(Track::Outbound));
        seat.over = true;
        wanted.seats[0] = Some(seat);
    });
    for behind in [Message::Heard(1, Heard::Over), Message::Look] {
        put.send(behind).unwrap();
        let next = worker.turn(Ok(Message::Look), None);
        assert!(
            matches!(next, ControlFlow::Continue(Some(at)) if at <= Instant::now()),
            "it sleeps: {next:?}"
        );
        let then = worker.turn(Err(RecvTimeoutError::Timeout), None);
        assert_eq!(then, ControlFlow::Continue(None), "there is nothing more to do");
    }
}
