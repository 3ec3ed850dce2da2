//! One task for each relay: it keeps the connection, does what is wished of it, and turns what the relay says
//! into events. Audio takes its own road, straight to the player.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;

use super::Target;
use super::clips::Shelf;
use super::sink::sink;
use super::translate::{gives_up, said};
use super::wishes::{Ask, Wishes};
use crate::client::api;
use crate::client::backoff::Backoff;
use crate::client::connection::{Connection, Signal};
use crate::client::relay::Relay;
use crate::client::session::{Session, Update, Want};
use crate::clip::Clip;
use crate::event::{CallKey, Event, FromRelay, RelayId};
use crate::failure::Failure;

/// How often it is looked whether another token is there, where that is what is missing. Soon enough for who
/// has just run `partyline login` elsewhere.
const LOOK: Duration = Duration::from_secs(2);

/// The task of one relay. It ends with `wishes`.
pub(super) struct Keeper {
    pub(super) id: RelayId,
    pub(super) target: Target,
    pub(super) backoff: Backoff,
    /// Where clips go.
    pub(super) shelf: Shelf,
    pub(super) wishes: watch::Receiver<Wishes>,
    /// Where events go. A loop that is slow is waited for, and the relay then waits for us: see
    /// [`Connection::next`]. It takes all there is before it draws, and never waits for a terminal.
    pub(super) events: mpsc::Sender<Event>,
}

/// The loop has ended.
struct Gone;

impl Keeper {
    pub(super) async fn run(mut self) {
        let Ok(relay) = self.find_relay().await else {
            return;
        };
        let mut connection = Connection::keep(relay.clone(), Session::new(), self.backoff.clone());
        let mut errands = JoinSet::new();
        // `Err` is a loop that has ended: it waits for no more than the goodbye.
        let _ = self.keep(&mut connection, relay, &mut errands).await;
        connection.close().await;
        // What was asked for before the last key is done all the same.
        while errands.join_next().await.is_some() {}
    }

    /// The relay's address and token; a token that is not there yet is waited for.
    async fn find_relay(&mut self) -> Result<Relay, Gone> {
        loop {
            let failure = match (self.target.relay)() {
                Ok(relay) => return Ok(relay),
                Err(failure) => failure,
            };
            let why = failure.to_string();
            self.tell(FromRelay::Refused { why, retry_ms: None }).await?;
            let retries = self.wishes.borrow().retries;
            while self.wishes.borrow().retries == retries {
                tokio::select! {
                    changed = self.wishes.changed() => changed.map_err(|_| Gone)?,
                    () = tokio::time::sleep(LOOK) => if (self.target.relay)().is_ok() { break },
                }
            }
        }
    }

    async fn keep(
        &mut self,
        connection: &mut Connection,
        mut relay: Relay,
        errands: &mut JoinSet<Event>,
    ) -> Result<(), Gone> {
        let mut done = Wishes::default();
        done.retries = self.wishes.borrow().retries;
        self.wishes.mark_changed();
        // What waits for the relay's word.
        let mut clips = BTreeMap::new();
        // When another token is looked for; never, where none is missing.
        let mut look: Option<Instant> = None;
        loop {
            tokio::select! {
                changed = self.wishes.changed() => {
                    changed.map_err(|_| Gone)?;
                    let wanted = self.wishes.borrow_and_update().clone();
                    for ask in done.become_as(&wanted) {
                        if matches!(ask, Ask::Retry) {
                            relay = (self.target.relay)().unwrap_or(relay);
                        }
                        match ask {
                            // Over a connection of its own: the answer is not waited for here.
                            Ask::Hold(call, on) => {
                                errands.spawn(hold(self.id, relay.clone(), call, on));
                            }
                            Ask::Mark(call, at) => {
                                errands.spawn(mark(self.id, relay.clone(), call, at));
                            }
                            Ask::Keep(call, saved, clip) => {
                                clips.insert(call.clone(), clip);
                                connection.keep_heard(call, saved).await;
                            }
                            ask => carry_out(connection, ask, &relay).await,
                        }
                    }
                }
                signal = connection.next() => {
                    // It was opened to be kept, so it ends only with us.
                    let signal = signal.ok_or(Gone)?;
                    look = match &signal {
                        Signal::Refused { failure: Failure::NotAuthorised(_), .. } => Some(Instant::now() + LOOK),
                        _ => None,
                    };
                    if let Signal::Update(update) = &signal && let Some(call) = gives_up(update) {
                        done.lose(call);
                    }
                    if let Signal::Update(Update::Keeps { call, why_not }) = &signal {
                        let clip = clips.remove(call).and_then(|clip| clip.take());
                        errands.spawn(put(self.key(call), self.shelf.clone(), clip, why_not.clone()));
                    }
                    if let Some(said) = said(signal) {
                        self.tell(said).await?;
                    }
                }
                Some(done) = errands.join_next() => {
                    // A task that panicked has been told of.
                    if let Ok(done) = done {
                        self.events.send(done).await.map_err(|_| Gone)?;
                    }
                }
                () = sleep_until(look.unwrap_or_else(Instant::now)), if look.is_some() => {
                    look = Some(Instant::now() + LOOK);
                    if let Ok(found) = (self.target.relay)() && !found.is_same_bearer(&relay) {
                        relay = found;
                        look = None;
                        connection.retry(Some(relay.clone())).await;
                    }
                }
            }
        }
    }

    fn key(&self, call: &CallSid) -> CallKey {
        CallKey {
            relay: self.id,
            call: call.clone(),
        }
    }

    async fn tell(&mut self, said: FromRelay) -> Result<(), Gone> {
        let event = Event::Relay(self.id, said);
        self.events.send(event).await.map_err(|_| Gone)
    }
}

async fn hold(id: RelayId, relay: Relay, call: CallSid, on: bool) -> Event {
    let done = api::hold(&relay, &call, on).await;
    let why_not = done.err().map(|failure| failure.to_string());
    Event::Relay(id, FromRelay::Held { call, on, why_not })
}

async fn mark(id: RelayId, relay: Relay, call: CallSid, at: Option<UtcTime>) -> Event {
    let done = api::mark(&relay, &call, at).await;
    let why_not = done.err().map(|failure| failure.to_string());
    Event::Relay(id, FromRelay::Marked { call, why_not })
}

/// The relay has answered: a clip is written, or let go of.
async fn put(call: CallKey, shelf: Shelf, clip: Option<Clip>, why_not: Option<String>) -> Event {
    let kept = match (clip, why_not) {
        (_, Some(why)) => Err(why),
        (Some(clip), None) => shelf.put(clip).await,
        (None, None) => Err("it was let go of".to_owned()),
    };
    Event::Kept(call, kept)
}

async fn carry_out(connection: &Connection, ask: Ask, relay: &Relay) {
    let audio = |audio| Want {
        audio,
        ..Want::default()
    };
    match ask {
        Ask::Follow(call) => connection.subscribe(call, audio(false)).await,
        Ask::Hear(call, slot) => match slot.take() {
            Some(ear) => connection.hear(call, audio(true), sink(ear)).await,
            None => connection.subscribe(call, audio(false)).await,
        },
        Ask::Leave(call) => connection.unsubscribe(call).await,
        // Not over this connection, or with more than it.
        Ask::Hold(..) | Ask::Mark(..) | Ask::Keep(..) => {}
        Ask::Watch(hz) => connection.watch(f64::from(hz), None).await,
        Ask::Retry => connection.retry(Some(relay.clone())).await,
    }
}
