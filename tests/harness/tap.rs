//! A wire that keeps what is said on it: what somebody between two programs could know.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The wire; all its connections end with it.
pub struct Tap {
    addr: SocketAddr,
    kept: Arc<Mutex<[Vec<u8>; 2]>>,
    accepting: JoinHandle<()>,
}

impl Tap {
    /// Lays a wire to `to`.
    pub async fn to(to: SocketAddr) -> Tap {
        Tap::lay(Some(to), Vec::new()).await
    }

    /// A wire that leads nowhere: who connects is let in, kept, and told `answer`.
    pub async fn nowhere(answer: Vec<u8>) -> Tap {
        Tap::lay(None, answer).await
    }

    async fn lay(to: Option<SocketAddr>, answer: Vec<u8>) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound port");
        let kept = Arc::new(Mutex::new([Vec::new(), Vec::new()]));
        let keep = kept.clone();
        let accepting = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let (keep, answer) = (keep.clone(), answer.clone());
                open.spawn(async move {
                    let _ = near.set_nodelay(true);
                    match to {
                        Some(to) => carry(near, to, &keep).await,
                        None => listen(near, &answer, &keep).await,
                    }
                });
            }
        });
        Tap {
            addr,
            kept,
            accepting,
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What was said there so far, on all connections.
    pub fn said(&self) -> Vec<u8> {
        self.kept.lock().unwrap()[0].clone()
    }

    /// How many bytes came back so far.
    pub fn came_back(&self) -> usize {
        self.kept.lock().unwrap()[1].len()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(near: TcpStream, to: SocketAddr, kept: &Mutex<[Vec<u8>; 2]>) {
    let Ok(far) = TcpStream::connect(to).await else {
        return;
    };
    let _ = far.set_nodelay(true);
    let (mut near_read, mut near_write) = near.into_split();
    let (mut far_read, mut far_write) = far.into_split();
    let way = async |from: &mut tokio::net::tcp::OwnedReadHalf,
                     to: &mut tokio::net::tcp::OwnedWriteHalf,
                     which: usize| {
        let mut bytes = vec![0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            kept.lock().unwrap()[which].extend_from_slice(&bytes[..count]);
            if to.write_all(&bytes[..count]).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(
        way(&mut near_read, &mut far_write, 0),
        way(&mut far_read, &mut near_write, 1)
    );
}

async fn listen(mut near: TcpStream, answer: &[u8], kept: &Mutex<[Vec<u8>; 2]>) {
    let _ = near.write_all(answer).await;
    let mut bytes = vec![0; 16 << 10];
    while let Ok(count @ 1..) = near.read(&mut bytes).await {
        kept.lock().unwrap()[0].extend_from_slice(&bytes[..count]);
    }
}
