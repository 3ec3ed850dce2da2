//! Who has connected to the desk and not shown anything yet: anybody who reaches the port. They are few at a time, have
//! little time, and are told nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::door::Door;
use super::key::Key;
use super::link::{Reader, Writer, split};
use super::pair::{Kind, NotPaired, Opening, refuse};
use super::wire::ToDesk;

/// Guests at once: a monitor needs a moment to be none any more. The one that is longest here goes for a further one, so
/// that who only holds a place holds none.
pub(super) const GUESTS: usize = 8;

/// How long each step of the handshake may take, without the wait for one's turn.
const STEP: Duration = Duration::from_secs(2);

/// The longest that a turn is waited for: all the others' wrong codes.
const LONGEST_TURN: Duration = Duration::from_secs(GUESTS as u64);

/// A link to somebody who has proven the secret.
pub(super) struct Proven {
    pub(super) kind: Kind,
    /// What they knew.
    pub(super) secret: Key,
    pub(super) reader: Reader<ReadHalf<TcpStream>>,
    pub(super) writer: Writer<WriteHalf<TcpStream>>,
}

/// What becomes of a guest.
pub(super) enum Guest {
    /// It may come in, if there is a place.
    Proven(Box<Proven>),
    /// It did not know the code. Whether there is another code now.
    Wrong {
        /// Yes.
        renewed: bool,
    },
}

/// All of them; they go when this is dropped.
pub(super) struct Guests {
    door: Arc<Mutex<Door>>,
    tell: mpsc::Sender<Guest>,
    tasks: JoinSet<()>,
    here: Vec<AbortHandle>,
}

impl Guests {
    pub(super) fn new(door: Arc<Mutex<Door>>, tell: mpsc::Sender<Guest>) -> Guests {
        Guests {
            door,
            tell,
            tasks: JoinSet::new(),
            here: Vec::new(),
        }
    }

    /// Somebody has connected.
    pub(super) fn welcome(&mut self, stream: TcpStream) {
        while self.tasks.try_join_next().is_some() {}
        self.here.retain(|guest| !guest.is_finished());
        if self.here.len() >= GUESTS {
            self.here.remove(0).abort();
        }
        let (door, tell) = (self.door.clone(), self.tell.clone());
        self.here.push(self.tasks.spawn(async move {
            if let Ok(guest) = meet(stream, &door).await {
                // The desk ends.
                let _ = tell.send(guest).await;
            }
        }));
    }
}

/// What the door says. Held for a moment, never over a wait.
pub(super) fn at(door: &Mutex<Door>) -> MutexGuard<'_, Door> {
    door.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn meet(mut stream: TcpStream, door: &Mutex<Door>) -> Result<Guest, NotPaired> {
    let late = |_| NotPaired::Nobody;
    // A few bytes each time, and each at once.
    let _ = stream.set_nodelay(true);
    let opening = timeout(STEP, Opening::read(&mut stream)).await.map_err(late)??;
    let turn = at(door).turn(opening.kind, Instant::now(), LONGEST_TURN);
    sleep(turn.ok_or(NotPaired::Nobody)?).await;
    let secret = at(door).secret(opening.kind);
    let proven = secret
        .ok_or(NotPaired::Refused)
        .and_then(|secret| Ok((opening.prove(&secret)?, secret)));
    let (proven, secret) = match proven {
        Ok(proven) => proven,
        Err(_) => {
            let renewed = at(door).on_wrong(opening.kind);
            let _ = timeout(STEP, refuse(&mut stream)).await;
            return match opening.kind {
                Kind::Code => Ok(Guest::Wrong { renewed }),
                Kind::Key => Err(NotPaired::Refused),
            };
        }
    };
    let sealed = timeout(STEP, proven.answer(&mut stream)).await.map_err(late)??;
    let (mut reader, writer) = split(stream, sealed);
    // Who only said again what it had heard cannot say this.
    let hello = timeout(STEP, reader.next()).await.map_err(late)?;
    let hello = hello.map_err(|_| NotPaired::Nobody)?;
    match ToDesk::read(hello, Instant::now()) {
        Ok(Some(ToDesk::Hello)) => Ok(Guest::Proven(Box::new(Proven {
            kind: opening.kind,
            secret,
            reader,
            writer,
        }))),
        _ => Err(NotPaired::Nobody),
    }
}

#[cfg(test)]
mod tests;
