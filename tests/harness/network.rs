//! A wire between two programs: a TCP proxy on a port of its own that can be cut, stalled, and led to
//! another relay. What it does is on command or drawn from a seed, never by chance.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Bytes carried at once: small, so that a cut falls inside messages and a stall soon holds the sender.
const CARRIED: usize = 2048;

/// A port that is free, and under those that the system gives to others meanwhile: for a program that cannot say
/// which one it got, or that comes back where it was.
pub fn quiet_port() -> SocketAddr {
    loop {
        let port = rand::random_range(15_000..30_000);
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if std::net::TcpListener::bind(addr).is_ok() {
            return addr;
        }
    }
}

/// What the wire does now.
#[derive(Debug, Clone)]
struct Orders {
    /// Where new connections lead.
    to: SocketAddr,
    /// Connections that began before this generation are cut.
    generation: u64,
    /// New connections are closed at once.
    down: bool,
    /// Nothing is read from the relay's side.
    stalled: bool,
    /// Each connection is cut after so many bytes from the relay, drawn between the two.
    cut_after: Option<(u64, u64)>,
}

/// The wire; all its connections end with it.
pub struct Network {
    addr: SocketAddr,
    orders: watch::Sender<Orders>,
    counts: Arc<Counts>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    opened: AtomicUsize,
    cut: AtomicUsize,
    from_relay: AtomicU64,
}

impl Network {
    /// Lays a wire to `to`. `seed` decides where [`Network::cut_after`] cuts.
    pub async fn to(to: SocketAddr, seed: u64) -> Network {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound port");
        let orders = Orders {
            to,
            generation: 0,
            down: false,
            stalled: false,
            cut_after: None,
        };
        let (orders, follow) = watch::channel(orders);
        let counts = Arc::new(Counts::default());
        let accepting = tokio::spawn(accept(
            listener,
            follow,
            counts.clone(),
            SmallRng::seed_from_u64(seed),
        ));
        Network {
            addr,
            orders,
            counts,
            accepting,
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Cuts all connections, with a reset and without a word; new ones are carried.
    pub fn cut(&self) {
        self.orders.send_modify(|orders| orders.generation += 1);
    }

    /// Each connection from now on is cut after between `least` and `most` bytes from the relay.
    pub fn cut_after(&self, least: u64, most: u64) {
        self.orders
            .send_modify(|orders| orders.cut_after = Some((least, most)));
    }

    /// New connections, and those that are open, are no longer cut by themselves.
    pub fn hold(&self) {
        self.orders.send_modify(|orders| orders.cut_after = None);
    }

    /// Stops reading what the relay sends, or goes on: a listener whose network is too slow.
    pub fn stall(&self, stalled: bool) {
        self.orders.send_modify(|orders| orders.stalled = stalled);
    }

    /// Cuts all and closes new connections at once, or carries them again.
    pub fn down(&self, down: bool) {
        self.orders.send_modify(|orders| {
            orders.down = down;
            orders.generation += u64::from(down);
        });
    }

    /// Leads new connections to another relay.
    pub fn aim(&self, to: SocketAddr) {
        self.orders.send_modify(|orders| orders.to = to);
    }

    /// Connections opened so far.
    pub fn opened(&self) -> usize {
        self.counts.opened.load(Ordering::Relaxed)
    }

    /// Connections cut so far.
    pub fn cuts(&self) -> usize {
        self.counts.cut.load(Ordering::Relaxed)
    }

    /// Bytes from the relay so far.
    pub fn bytes_from_relay(&self) -> u64 {
        self.counts.from_relay.load(Ordering::Relaxed)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    mut orders: watch::Receiver<Orders>,
    counts: Arc<Counts>,
    mut rng: SmallRng,
) {
    while let Ok((client, _)) = listener.accept().await {
        let now = orders.borrow_and_update().clone();
        let relay = if now.down {
            None
        } else {
            TcpStream::connect(now.to).await.ok()
        };
        let Some(relay) = relay else {
            let _ = client.set_zero_linger();
            continue;
        };
        counts.opened.fetch_add(1, Ordering::Relaxed);
        // Where this one is cut by itself, if it is; drawn always, so that a seed means the same.
        let share: f64 = rng.random();
        let limit = now
            .cut_after
            .map(|(least, most)| least + ((most - least) as f64 * share) as u64);
        let wire = Wire {
            generation: now.generation,
            limit,
            orders: orders.clone(),
            counts: counts.clone(),
        };
        tokio::spawn(wire.carry(client, relay));
    }
}

/// One connection.
struct Wire {
    generation: u64,
    limit: Option<u64>,
    orders: watch::Receiver<Orders>,
    counts: Arc<Counts>,
}

/// How one direction ended.
#[derive(PartialEq)]
enum End {
    /// A side closed it.
    Closed,
    /// The limit was reached.
    Cut,
}

impl Wire {
    /// Carries until both directions are closed, or until it is cut.
    async fn carry(self, client: TcpStream, relay: TcpStream) {
        let _ = (client.set_nodelay(true), relay.set_nodelay(true));
        let (from_client, mut to_client) = client.into_split();
        let (from_relay, mut to_relay) = relay.into_split();
        let mut orders = self.orders.clone();
        let carried = async {
            let up = upwards(from_client, &mut to_relay);
            let down = self.downwards(from_relay, &mut to_client);
            tokio::pin!(up, down);
            let end = tokio::select! {
                end = &mut down => end,
                () = &mut up => return down.await,
            };
            if end == End::Closed {
                up.await;
            }
            end
        };
        let end = tokio::select! {
            end = carried => end,
            // An error means that the wire itself is gone.
            _ = orders.wait_for(|orders| orders.generation > self.generation) => End::Cut,
        };
        if end == End::Cut {
            self.counts.cut.fetch_add(1, Ordering::Relaxed);
            for half in [to_client, to_relay] {
                // With this the close is a reset; without `forget` a polite end would come before it.
                let _ = half.as_ref().set_zero_linger();
                half.forget();
            }
        }
    }

    async fn downwards(&self, mut from: OwnedReadHalf, to: &mut OwnedWriteHalf) -> End {
        let mut orders = self.orders.clone();
        let mut bytes = [0; CARRIED];
        let mut total = 0;
        loop {
            if orders.wait_for(|orders| !orders.stalled).await.is_err() {
                return End::Cut;
            }
            let count = from.read(&mut bytes).await.unwrap_or(0);
            if count == 0 {
                let _ = to.shutdown().await;
                return End::Closed;
            }
            let held = orders.borrow().cut_after.is_none();
            let limit = if held {
                u64::MAX
            } else {
                self.limit.unwrap_or(u64::MAX)
            };
            let allowed = (count as u64).min(limit.saturating_sub(total)) as usize;
            let written = to.write_all(&bytes[..allowed]).await;
            total += allowed as u64;
            self.counts
                .from_relay
                .fetch_add(allowed as u64, Ordering::Relaxed);
            if allowed < count || total == limit {
                return End::Cut;
            }
            if written.is_err() {
                return End::Closed;
            }
        }
    }
}

async fn upwards(mut from: OwnedReadHalf, to: &mut OwnedWriteHalf) {
    let mut bytes = [0; CARRIED];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wait::{SOON, until, within};

    /// A server that says `word` over and over to everyone.
    async fn talker(word: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move { while stream.write_all(word).await.is_ok() {} });
            }
        });
        addr
    }

    /// A server that says back what it hears, and ends when it has heard all.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (from, mut to) = stream.into_split();
                tokio::spawn(async move { upwards(from, &mut to).await });
            }
        });
        addr
    }

    async fn all(stream: &mut TcpStream) -> (usize, std::io::Result<()>) {
        let mut seen = Vec::new();
        let end = within(SOON, "an end", stream.read_to_end(&mut seen)).await;
        (seen.len(), end.map(|_| ()))
    }

    #[tokio::test]
    async fn both_ways_are_carried_to_a_polite_end() {
        let wire = Network::to(echo().await, 1).await;
        let mut stream = TcpStream::connect(wire.addr()).await.unwrap();
        let sent = vec![b'x'; 100_000];
        let (mut from, mut to) = stream.split();
        let mut back = Vec::new();
        let say = async {
            to.write_all(&sent).await.unwrap();
            to.shutdown().await.unwrap();
        };
        let (_, heard) = within(SOON, "the echo", async {
            tokio::join!(say, from.read_to_end(&mut back))
        })
        .await;
        assert_eq!((heard.unwrap(), back == sent), (100_000, true));
        assert_eq!(
            (wire.opened(), wire.cuts(), wire.bytes_from_relay()),
            (1, 0, 100_000)
        );
    }

    #[tokio::test]
    async fn a_cut_is_a_reset_and_the_next_connection_is_carried() {
        let wire = Network::to(talker(b"a").await, 1).await;
        for _ in 0..2 {
            let mut stream = TcpStream::connect(wire.addr()).await.unwrap();
            within(SOON, "a byte", stream.read_u8()).await.unwrap();
            wire.cut();
            let (_, end) = all(&mut stream).await;
            assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
        }
        assert_eq!((wire.opened(), wire.cuts()), (2, 2));
    }

    #[tokio::test]
    async fn a_seed_decides_where_it_is_cut() {
        let mut runs = Vec::new();
        for seed in [5, 5, 6] {
            let wire = Network::to(talker(b"abc").await, seed).await;
            wire.cut_after(1_000, 50_000);
            let mut carried = Vec::new();
            for connection in 1..=3 {
                let mut stream = TcpStream::connect(wire.addr()).await.unwrap();
                let _ = all(&mut stream).await;
                until(SOON, "the cut", async || {
                    (wire.cuts() == connection).then_some(())
                })
                .await;
                carried.push(wire.bytes_from_relay());
            }
            runs.push(carried);
        }
        assert_eq!(runs[0], runs[1]);
        assert_ne!(runs[0], runs[2]);
        assert!((1_000..=50_000).contains(&runs[0][0]), "{runs:?}");
    }

    #[tokio::test]
    async fn a_stalled_wire_carries_nothing_and_a_wire_that_is_down_closes() {
        let wire = Network::to(talker(b"a").await, 1).await;
        wire.stall(true);
        let mut stream = TcpStream::connect(wire.addr()).await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(50), stream.read_u8()).await;
        assert!(early.is_err(), "something came over a stalled wire: {early:?}");
        wire.stall(false);
        within(SOON, "a byte", stream.read_u8()).await.unwrap();
        wire.down(true);
        let _ = all(&mut stream).await;
        let mut stream = TcpStream::connect(wire.addr()).await.unwrap();
        assert_eq!(all(&mut stream).await.0, 0);
        wire.aim(talker(b"b").await);
        wire.down(false);
        let mut stream = TcpStream::connect(wire.addr()).await.unwrap();
        assert_eq!(within(SOON, "a byte", stream.read_u8()).await.unwrap(), b'b');
    }
}
