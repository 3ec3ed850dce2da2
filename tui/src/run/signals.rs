//! What the system tells the program, from before the terminal is entered until the end of the process.

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// To end: SIGTERM, SIGINT, or SIGHUP, whose terminal is gone.
    End,
    /// To stop, as Ctrl-Z does it where we do not read it ourselves.
    Stop,
    /// To go on.
    Continue,
    /// That the terminal has another size.
    Resize,
}

pub(super) struct Signals {
    ends: [Signal; 3],
    stop: Signal,
    go_on: Signal,
    resize: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Signals> {
        let raw = |number: Number| signal(SignalKind::from_raw(number.as_raw()));
        Ok(Signals {
            ends: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::interrupt())?,
                signal(SignalKind::hangup())?,
            ],
            stop: raw(Number::TSTP)?,
            go_on: raw(Number::CONT)?,
            resize: signal(SignalKind::window_change())?,
        })
    }

    /// The next one. Cancelling it loses nothing.
    pub(super) async fn next(&mut self) -> Told {
        let [term, int, hup] = &mut self.ends;
        tokio::select! {
            biased;
            _ = term.recv() => Told::End,
            _ = int.recv() => Told::End,
            _ = hup.recv() => Told::End,
            _ = self.stop.recv() => Told::Stop,
            _ = self.go_on.recv() => Told::Continue,
            _ = self.resize.recv() => Told::Resize,
        }
    }
}
