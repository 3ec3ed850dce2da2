//! One client's socket, from its coming in to its end: its session, which `pump` serves, or the word that it may not.

use std::sync::Arc;

use partyline_shared::protocol::close;
use tracing::{Instrument, error_span, info};

use super::message::Disconnect;
use super::session::{Asked, Session};
use crate::access::Grant;
use crate::audit::Audit;
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::doorman::{At, Doorman};
use crate::hearing::{Host, record};
use crate::limits::{Seat, sockets};
use crate::presence::Presence;
use crate::pump::{Doing, End, pump};
use crate::stop::Stop;
use crate::ws::socket::Socket;

/// How a client comes in.
pub struct Arrival {
    /// Who it is.
    pub grant: Grant,
    /// Its place among the sockets of its token.
    pub held: sockets::Held,
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
}

/// Serves one client until it leaves, is ended, or the relay stops.
pub async fn run(mut socket: Socket, arrival: Arrival) {
    let (end, for_good) = serve(&mut socket, arrival).await;
    match end {
        // What it has not taken by then is not left to the kernel.
        End::Close(code, why) if for_good => socket.dismiss(code, why).await,
        End::Close(code, why) => socket.close(code, why).await,
        End::Closed(code) => socket.answer_close(code).await,
        End::Cut => socket.cut(),
        End::Gone => {}
    }
}

/// Tells a client that nobody knows it: an HTTP error would have it come back for ever. It has a seat of those that are
/// few meanwhile.
pub async fn turn_away(mut socket: Socket, _seat: Seat) {
    socket.text(&Disconnect::UNAUTHORIZED.text());
    socket.close(close::NORMAL, "").await;
}

async fn serve(socket: &mut Socket, arrival: Arrival) -> (End, bool) {
    let Arrival {
        grant,
        held: _held,
        at,
        doorman,
        registry,
        presence,
        stop,
    } = arrival;
    let host = Host {
        registry,
        access: doorman.access().clone(),
        audit: doorman.audit().clone(),
        presence,
        address: at.address,
        door: at.door,
        relays: None,
    };
    let audit = host.audit.clone();
    let outlet = socket.writer().clone();
    let mut session = Session::new(Now::take(), host, grant, Some(outlet));
    // From here on it hears of changes; one since the bearer was known has gone by.
    session.recheck(Now::take());
    let span = error_span!(
        "cable",
        id = session.id(),
        who = session.grant().name(),
        token_id = session.grant().token_id(),
        client = %at.address
    );
    let pumped = async {
        info!("an Action Cable client has come in");
        let end = pump(socket, &mut session, stop, |asked| begin(asked, &audit)).await;
        info!(%end, "an Action Cable client is gone");
        (end, session.must_go())
    };
    pumped.instrument(span).await
}

/// Does what a session asked for.
fn begin(Asked(entries): Asked, audit: &Arc<Audit>) -> Doing<bool> {
    let audit = audit.clone();
    Box::pin(async move { record(&audit, entries).await })
}
