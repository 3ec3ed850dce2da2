//! Loops that turn, that hang, and that are no more.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use mio::event::Source;
use tokio::time::timeout;

use super::*;
use crate::shards::media::{Job, Turn};
use crate::shards::{Seat, Shards, Window};

/// Longer than a beat, and no longer than a test may take.
const BEAT: Duration = Duration::from_millis(200);

fn shards() -> Shards {
    Shards::threads(2, &Arc::<Window>::default()).unwrap()
}

#[tokio::test]
async fn loops_that_turn_answer_and_loops_that_are_no_more_do_not() {
    let shards = shards();
    let mut pulse = shards.pulse();
    assert_eq!((pulse.connections.len(), pulse.media.len()), (2, 2));
    assert!(pulse.beat().await && pulse.beat().await);
    drop(shards);
    assert!(!pulse.beat().await);
}

#[tokio::test]
async fn a_loop_of_connections_that_hangs_is_felt() {
    let shards = shards();
    let mut pulse = shards.pulse();
    let (go_on, hangs) = sync_channel::<()>(0);
    let hanging = pulse.connections[1].spawn(async move { hangs.recv() });
    assert!(timeout(BEAT, pulse.beat()).await.is_err());
    drop(go_on);
    assert!(hanging.await.unwrap().is_err());
    assert!(pulse.beat().await);
}

/// Hangs in its first turn, until it is let go on.
struct Hangs {
    socket: mio::net::TcpStream,
    in_it: SyncSender<()>,
    until: Receiver<()>,
}

impl Job for Hangs {
    fn source(&mut self) -> &mut dyn Source {
        &mut self.socket
    }

    fn turn(&mut self, _woken: std::time::Instant, _closing: bool) -> Turn {
        self.in_it.send(()).unwrap();
        let _ = self.until.recv();
        Turn::Over
    }

    fn leave(&mut self) {}

    fn end(self: Box<Self>) {}
}

#[tokio::test]
async fn a_media_loop_that_hangs_is_felt() {
    let shards = shards();
    let mut pulse = shards.pulse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let (in_it, hangs) = sync_channel(0);
    let (go_on, until) = sync_channel(0);
    // Connected, it has room to write: that is its first turn.
    let job = Hangs {
        socket: mio::net::TcpStream::from_std(stream),
        in_it,
        until,
    };
    pulse.media[1].drive(Box::new(job), Seat(Arc::default()));
    hangs.recv().unwrap();
    assert!(timeout(BEAT, pulse.beat()).await.is_err());
    drop(go_on);
    assert!(pulse.beat().await);
}
