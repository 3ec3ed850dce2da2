//! A wire on which everything from the relay is late by another while each time, drawn from a seed, and nothing
//! overtakes what went before: what a busy network does to audio.

use std::net::SocketAddr;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Pieces on their way: seconds of a call. A receiver that stops reading holds up the rest, as it should.
const ON_THE_WAY: usize = 1024;

/// Bytes carried at once: a few messages.
const CARRIED: usize = 2048;

/// The wire; it ends when dropped.
pub struct Uneven {
    addr: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Uneven {
    /// Lays one to `to`: whatever comes from there is late by up to `most`.
    pub async fn to(to: SocketAddr, most: Duration, seed: u64) -> Uneven {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound port");
        let mut rng = SmallRng::seed_from_u64(seed);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let rng = SmallRng::seed_from_u64(rng.random());
                if let Ok(relay) = TcpStream::connect(to).await {
                    tokio::spawn(carry(client, relay, most, rng));
                }
            }
        });
        Uneven { addr, accepting }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

impl Drop for Uneven {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(client: TcpStream, relay: TcpStream, most: Duration, mut rng: SmallRng) {
    let _ = (client.set_nodelay(true), relay.set_nodelay(true));
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_relay, mut to_relay) = relay.into_split();
    let (put, mut take) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let up = async {
        let _ = copy(&mut from_client, &mut to_relay).await;
        let _ = to_relay.shutdown().await;
    };
    let read = async {
        let mut bytes = [0; CARRIED];
        let mut last = Instant::now();
        while let Ok(count @ 1..) = from_relay.read(&mut bytes).await {
            last = last.max(Instant::now() + most.mul_f64(rng.random()));
            if put.send((last, bytes[..count].to_vec())).await.is_err() {
                break;
            }
        }
        drop(put);
    };
    let write = async {
        while let Some((due, bytes)) = take.recv().await {
            sleep_until(due).await;
            if to_client.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to_client.shutdown().await;
    };
    tokio::join!(up, read, write);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::{SOON, within};

    #[tokio::test]
    async fn all_arrives_in_order_and_late() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for byte in 0..100u8 {
                stream.write_u8(byte).await.unwrap();
                stream.flush().await.unwrap();
            }
        });
        let wire = Uneven::to(addr, Duration::from_millis(50), 3).await;
        let begun = Instant::now();
        let mut stream = TcpStream::connect(wire.addr).await.unwrap();
        let mut all = Vec::new();
        within(SOON, "the end", stream.read_to_end(&mut all))
            .await
            .unwrap();
        assert_eq!(all, (0..100).collect::<Vec<u8>>());
        assert!(begun.elapsed() > Duration::from_millis(1));
    }
}
