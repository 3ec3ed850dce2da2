//! Sockets for one session: connects, pumps, and comes back after a cut. It runs in a task of its own
//! and ends when its [`Connection`] is dropped.
//!
//! A call's audio may take a road of its own, past the signals: see [`Connection::hear`].

mod attempt;
mod pump;
mod sinks;

use std::time::Duration;

use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::Saved;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::backoff::Backoff;
use super::relay::Relay;
use super::session::{Session, Update, Want};
use crate::failure::Failure;

pub(super) use attempt::{FORBIDDEN, UNKNOWN, retry_after};
pub use sinks::{Audio, Sink};

/// Signals that wait for their reader: two seconds of a two-track call. A reader that takes longer is
/// waited for, and the socket is not read meanwhile, not even for a [`Sink`]: the network then holds back
/// the relay, which drops this listener's oldest audio (`gap`) or, where lines do not fit either, closes
/// with 4008. Who hears a call therefore keeps taking signals, whatever else it does.
const SIGNALS: usize = 200;

/// Requests that wait for the task; it takes them whatever else it waits for.
const REQUESTS: usize = 64;

/// How long a polite goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// How a connection behaves.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Whether a relay that cannot be reached at first is waited for. One that was there once always is.
    pub persist: bool,
    /// How long to stay away.
    pub backoff: Backoff,
}

/// Something to know of the connection.
#[derive(Debug)]
pub enum Signal {
    /// The session says.
    Update(Update),
    /// No socket now; another is tried by itself.
    Cut {
        /// Why, for a person, cleaned.
        why: String,
        /// When the next is tried.
        retry_in: Duration,
    },
    /// Only of a connection that was opened with [`Connection::keep`]: the relay refuses us, or what is there
    /// cannot be trusted or is no relay. What it wanted and what it has seen are kept.
    Refused {
        /// Why, and what to do; [`Failure::NotAuthorised`] where another token may help.
        failure: Failure,
        /// When it is tried all the same; [`Connection::retry`] does so at once, as with another token.
        retry_in: Duration,
    },
    /// The end: nothing follows.
    Failed(Failure),
}

enum Request {
    Subscribe(CallSid, Want),
    Hear(CallSid, Want, Sink),
    Unsubscribe(CallSid),
    Keep(CallSid, Saved),
    Watch(f64, Option<Vec<CallSid>>),
    Retry(Option<Relay>),
}

/// The handle of the task.
#[derive(Debug)]
pub struct Connection {
    signals: mpsc::Receiver<Signal>,
    requests: mpsc::Sender<Request>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Starts connecting. What `session` wants already is asked for at the first `hello`.
    pub fn open(relay: Relay, session: Session, policy: Policy) -> Self {
        Self::start(relay, session, policy, false)
    }

    /// The same, and nothing ends it: instead of [`Signal::Failed`] comes [`Signal::Refused`].
    pub fn keep(relay: Relay, session: Session, backoff: Backoff) -> Self {
        let persist = true;
        Self::start(relay, session, Policy { persist, backoff }, true)
    }

    fn start(relay: Relay, session: Session, policy: Policy, keep: bool) -> Self {
        let (signals_in, signals) = mpsc::channel(SIGNALS);
        let (requests, requests_out) = mpsc::channel(REQUESTS);
        let pump = pump::Pump::new(relay, session, policy, keep, signals_in, requests_out);
        let task = tokio::spawn(pump.run());
        Connection {
            signals,
            requests,
            task,
        }
    }

    /// The next signal; `None` after [`Signal::Failed`]. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<Signal> {
        self.signals.recv().await
    }

    /// As [`Session::subscribe`]. Without audio, a sink that the call had is dropped.
    pub async fn subscribe(&self, call: CallSid, want: Want) {
        self.request(Request::Subscribe(call, want)).await;
    }

    /// The same, and the call's audio goes to `sink` from now on, instead of being signalled. It begins with
    /// [`Audio::Stream`], and is dropped after [`Audio::Over`], or when the call is wanted otherwise.
    pub async fn hear(&self, call: CallSid, want: Want, sink: Sink) {
        self.request(Request::Hear(call, want, sink)).await;
    }

    /// As [`Session::unsubscribe`].
    pub async fn unsubscribe(&self, call: CallSid) {
        self.request(Request::Unsubscribe(call)).await;
    }

    /// As [`Session::keep`].
    pub async fn keep_heard(&self, call: CallSid, saved: Saved) {
        self.request(Request::Keep(call, saved)).await;
    }

    /// As [`Session::watch`].
    pub async fn watch(&self, levels_hz: f64, call_sids: Option<Vec<CallSid>>) {
        self.request(Request::Watch(levels_hz, call_sids)).await;
    }

    /// Connects now instead of later; to `relay`, if given, from now on: the same one, with another token.
    /// Changes nothing while a socket stands.
    pub async fn retry(&self, relay: Option<Relay>) {
        self.request(Request::Retry(relay)).await;
    }

    /// Says goodbye, and waits for it a moment.
    pub async fn close(self) {
        drop((self.signals, self.requests));
        let _ = tokio::time::timeout(GOODBYE * 2, self.task).await;
    }

    async fn request(&self, request: Request) {
        // A task that has ended has said why; who asks it something will read that next.
        let _ = self.requests.send(request).await;
    }
}
