//! A listener's socket while its rights end: on real connections.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Mutex;

use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use socket2::{Domain, Socket as Raw, Type};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::*;
use crate::access::login::{Answer as Known, Login};
use crate::access::{Access, Role, Source};
use crate::audit::Audit;
use crate::broker::commons::Commons;
use crate::calls::registry::Settings;
use crate::limits::Limits;
use crate::limits::sockets::Sockets;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::shards::Shards;

/// Calls enough that their list is more than a connection holds whose other side does not read.
const MORE_THAN_FITS: usize = 20_000;
/// And so many that it is not, but more than the other side's part of it.
const FITS: usize = 1_000;

/// Longer than any test, ms.
const LONG: i64 = 3_600_000;

/// A login elsewhere that knows one bearer, or none.
struct Desk(Mutex<Option<Grant>>);

impl Login for Desk {
    fn bearer<'a>(&'a self, _: &'a str, _: UtcTime) -> Known<'a> {
        Box::pin(async { lock(&self.0).clone() })
    }

    fn renewed(&self, _: &Grant, _: UtcTime) -> Option<Grant> {
        lock(&self.0).clone()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
}

/// A listener that has been let in, and does not read yet.
struct Let {
    desk: Arc<Desk>,
    presence: Arc<Presence>,
    client: TcpStream,
    tasks: TaskTracker,
}

/// Lets an admin in to a relay of so many calls, for `ms`; `known`: whether it still is.
async fn let_in(ms: i64, known: bool, calls: usize) -> Let {
    come_in(ms, known, calls, true).await
}

async fn come_in(ms: i64, known: bool, calls: usize, shows_token: bool) -> Let {
    let metrics = Arc::<Metrics>::default();
    let settings = Settings {
        retention: Duration::from_secs(60),
        history: Duration::from_secs(10),
        max_calls: 100_000,
    };
    let registry = Arc::new(Registry::new("n".into(), settings, metrics.clone()));
    for n in 0..calls {
        let sid = CallSid::parse(&format!("CA{n:032x}")).unwrap();
        registry
            .open(Now::take(), &sid)
            .unwrap()
            .webhook(Now::take(), Default::default(), None);
    }
    let grant = Grant::new("root", Role::Admin, Vec::new(), Vec::new());
    let ends = Now::take().wall.plus_ms(ms);
    let grant = grant.known_by(Source::Jwt, "root").until(Some(ends));
    let desk = Arc::new(Desk(Mutex::new(known.then(|| grant.clone()))));
    let access = Access::new(None, Some(desk.clone())).unwrap();
    let limits = Arc::new(Limits::new(
        false,
        crate::limits::Budget::of_this_process(10),
        metrics.clone(),
    ));
    let doorman = Doorman::new(
        access,
        Arc::new(Audit::off()),
        limits.clone(),
        metrics.clone(),
        Arc::new(Commons::alone()),
    );
    let shown = if shows_token {
        Ok((grant.clone(), Arc::<Sockets>::default().hold(&grant).unwrap()))
    } else {
        Err(limits.preauth.enter(Ipv4Addr::LOCALHOST.into()).await.unwrap())
    };
    let presence = Arc::<Presence>::default();
    let arrival = Arrival {
        presence: presence.clone(),
        shown,
        at: At {
            door: "listen",
            address: Ipv4Addr::LOCALHOST.into(),
        },
        doorman: Arc::new(doorman),
        registry,
        stop: Stop::default(),
        relays: None,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let raw = Raw::new(Domain::IPV4, Type::STREAM, None).unwrap();
    raw.set_recv_buffer_size(4 << 10).unwrap();
    raw.connect(&listener.local_addr().unwrap().into()).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let (shards, tasks) = (Shards::here().unwrap(), TaskTracker::new());
    let held = metrics.connections.try_hold(1).unwrap();
    shards.spawn(&tasks, held, move |place| async move {
        run(Socket::new(stream, &[], 1 << 10, place), arrival).await;
    });
    tasks.close();
    Let {
        desk,
        presence,
        client: raw.into(),
        tasks,
    }
}

impl Let {
    /// Nobody bears it any more.
    fn revoke(&self) {
        *lock(&self.desk.0) = None;
        self.presence.recheck();
    }

    /// What comes when the client reads at last, and how it ends.
    async fn read_late(mut self) -> (usize, Result<usize, ErrorKind>) {
        self.tasks.wait().await;
        let mut came = Vec::new();
        let ended = self.client.read_to_end(&mut came).map_err(|error| error.kind());
        (came.len(), ended)
    }
}

#[tokio::test]
async fn who_was_revoked_between_being_known_and_coming_in_is_told_nothing() {
    let listener = let_in(LONG, false, FITS).await;
    let mut came = Vec::new();
    let mut client = listener.client.try_clone().unwrap();
    let read = tokio::task::spawn_blocking(move || {
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let _ = client.read_to_end(&mut came);
        came
    });
    let came = read.await.unwrap();
    assert_eq!(came.first(), Some(&0x88), "a close and nothing else");
    assert_eq!(came.get(2..4), Some(&4001u16.to_be_bytes()[..]));
}

#[tokio::test]
async fn what_a_revoked_listener_has_not_taken_is_taken_back() {
    let listener = let_in(LONG, true, FITS).await;
    // All is said, and most of it lies in the kernel.
    let mut peeked = [0; 1];
    let client = listener.client.try_clone().unwrap();
    let peek = tokio::task::spawn_blocking(move || client.peek(&mut peeked));
    assert_eq!(peek.await.unwrap().unwrap(), 1);
    listener.revoke();
    let (came, ended) = listener.read_late().await;
    assert_eq!(ended, Err(ErrorKind::ConnectionReset), "after {came} bytes");
}

#[tokio::test]
async fn a_grant_that_ends_while_its_listener_does_not_read_is_cut_off() {
    let listener = let_in(300, true, MORE_THAN_FITS).await;
    let (came, ended) = listener.read_late().await;
    assert_eq!(ended, Err(ErrorKind::ConnectionReset), "after {came} bytes");
}

#[tokio::test]
async fn who_has_shown_no_token_may_not_go_on_with_pings_either() {
    let listener = come_in(LONG, true, 0, false).await;
    // Masked with zeros; a ping of nothing, 3,000 times, is over 16 KiB.
    let pings = [0x89, 0x80, 0, 0, 0, 0].repeat(3_000);
    let mut client = listener.client.try_clone().unwrap();
    let said = tokio::task::spawn_blocking(move || {
        let _ = client.write_all(&pings);
        let mut came = Vec::new();
        let _ = client.read_to_end(&mut came);
        came
    });
    let came = said.await.unwrap();
    let too_big = [0x03, 0xf1];
    assert!(
        came.windows(2).any(|code| code == too_big),
        "1009, of {} bytes",
        came.len()
    );
}
