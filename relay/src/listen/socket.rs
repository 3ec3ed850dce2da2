//! One listener's socket, from its coming in to its end: who it is, then its session, which `pump` serves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use partyline_shared::protocol::close;
use partyline_shared::protocol::server::Relays;
use tokio::sync::watch;
use tracing::{Instrument, error_span, info};

use super::entrance::wait_for_auth;
use super::session::{Answer, Asked, Host, Session, Token, Transmit};
use crate::access::Grant;
use crate::calls::fanout::Mailbox;
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::doorman::{At, Doorman};
use crate::hearing::record;
use crate::limits::Seat;
use crate::limits::sockets::{Held, TooMany};
use crate::lock::lock;
use crate::presence::Presence;
use crate::pump::{self, Doing, End, Fault, Parting, pump};
use crate::stop::Stop;
use crate::ws::socket::Socket;

/// How a listener comes in.
pub struct Arrival {
    /// Who it is, where it has shown that; else it has a seat, and says so first.
    pub shown: Result<(Grant, Held), Seat>,
    /// From where, and by which door.
    pub at: At,
    /// Who knows bearers.
    pub doorman: Arc<Doorman>,
    /// Every call.
    pub registry: Arc<Registry>,
    /// Who is connected.
    pub presence: Arc<Presence>,
    /// The relay's word to leave.
    pub stop: Stop,
    /// How the relay stands with others, where it shares its calls.
    pub relays: Option<watch::Receiver<Relays>>,
}

/// Nobody comes back from that by itself.
const TOO_MANY: &str = "this token has too many connections";

/// Serves one listener until it leaves, is ended, or the relay stops.
pub async fn run(mut socket: Socket, arrival: Arrival) {
    let end = serve(&mut socket, arrival).await;
    match end {
        End::Close(code @ (close::NOT_AUTHORISED | close::POLICY), why) => socket.dismiss(code, why).await,
        End::Close(code, why) => socket.close(code, why).await,
        End::Closed(code) => socket.answer_close(code).await,
        End::Cut => socket.cut(),
        End::Gone => {}
    }
}

async fn serve(socket: &mut Socket, arrival: Arrival) -> End {
    let Arrival {
        shown,
        at,
        doorman,
        registry,
        presence,
        stop,
        relays,
    } = arrival;
    let (grant, held) = match shown {
        Ok(shown) => shown,
        Err(seat) => {
            let grant = match wait_for_auth(socket, seat, &doorman, at, &stop).await {
                Ok(grant) => grant,
                Err(end) => return end,
            };
            match doorman.socket(&grant) {
                Ok(held) => (grant, held),
                Err(TooMany) => return End::Close(close::TOO_MANY, TOO_MANY),
            }
        }
    };
    let host = Host {
        registry,
        access: doorman.access().clone(),
        audit: doorman.audit().clone(),
        presence,
        address: at.address,
        door: at.door,
        relays,
    };
    let outlet = socket.writer().clone();
    let mut session = Session::new(Now::take(), host, grant, Some(outlet));
    // From here on it hears of changes; one since the bearer was known has gone by.
    session.recheck(Now::take());
    let span = error_span!(
        "listener",
        id = session.id(),
        who = session.grant().name(),
        token_id = session.grant().token_id(),
        client = %at.address
    );
    let pumped = async {
        let held = Arc::new(Mutex::new(held));
        info!("a listener has come in");
        let end = pump(socket, &mut session, stop, |asked| {
            begin(asked, &doorman, at, &held)
        })
        .await;
        info!(%end, "a listener is gone");
        end
    };
    pumped.instrument(span).await
}

/// Does what a session asked for.
fn begin(asked: Asked, doorman: &Arc<Doorman>, at: At, held: &Arc<Mutex<Held>>) -> Doing<Answer> {
    let (doorman, held) = (doorman.clone(), held.clone());
    match asked {
        Asked::Record(entries) => Box::pin(async move {
            let recorded = record(doorman.audit(), entries).await;
            Answer::Recorded(recorded)
        }),
        Asked::Bearer(Token(token)) => Box::pin(async move {
            let grant = doorman.bearer(at, &token).await.ok();
            let no_place = |grant| doorman.hand_over(&mut lock(&held), grant) == Err(TooMany);
            if grant.as_ref().is_some_and(no_place) {
                return Answer::TooMany(TOO_MANY);
            }
            Answer::Bearer(grant)
        }),
    }
}

impl pump::Session for Session {
    type Asked = Asked;
    type Answer = Answer;

    fn mailbox(&self) -> &Arc<Mailbox> {
        self.mailbox()
    }

    fn deadline(&self) -> std::time::Instant {
        self.deadline()
    }

    fn look_again_at(&self) -> Option<std::time::Instant> {
        self.look_again_at()
    }

    fn owes_much(&self) -> bool {
        self.owes_much()
    }

    fn asks_much(&self) -> bool {
        self.asks_much()
    }

    fn on_text(&mut self, now: Now, text: &str) {
        self.on_text(now, text);
    }

    fn on_sign(&mut self, now: std::time::Instant) {
        self.on_sign(now);
    }

    fn on_deadline(&mut self, now: Now) {
        self.on_deadline(now);
    }

    fn next_asked(&mut self) -> Option<Asked> {
        self.next_asked()
    }

    fn on_answer(&mut self, now: Now, answer: Answer) {
        self.on_answer(now, answer);
    }

    fn poll_transmit(&mut self, now: Now) -> Option<Transmit> {
        self.poll_transmit(now)
    }

    fn wrote(&mut self, bytes: u64) {
        self.wrote(bytes);
    }

    fn recheck(&mut self, now: Now) {
        self.recheck(now);
    }

    fn has_lost_rights(&self) -> bool {
        self.has_lost_rights()
    }

    fn leave(&mut self, retry_after: Duration) {
        self.goodbye("draining", retry_after);
    }

    fn on_fault(&mut self, fault: Fault) -> Parting {
        let (code, why) = match fault {
            Fault::TooSlow => {
                self.too_slow();
                (close::TOO_SLOW, "too slow")
            }
            Fault::TooLoud => {
                self.too_loud();
                (close::POLICY, "too many messages")
            }
            Fault::Broken(code, why) => (code, why),
        };
        // The code says it all.
        (None, code, why)
    }
}

#[cfg(test)]
mod tests;
