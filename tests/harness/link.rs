//! A wire that can go silent without a word, as a firewall that forgets does: nothing is carried, nothing is closed,
//! and who connects is let in and hears nothing. What was held is carried when it goes on, as TCP would.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Bytes carried at once.
const CARRIED: usize = 64 << 10;

/// What is carried now, and of which connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Orders {
    /// From who connected.
    there: bool,
    /// To who connected.
    back: bool,
    /// Connections of an earlier one are cut.
    generation: u64,
}

/// The wire; all its connections end with it.
pub struct Link {
    addr: SocketAddr,
    orders: watch::Sender<Orders>,
    accepting: JoinHandle<()>,
}

impl Link {
    /// Lays a wire to `to`.
    pub async fn to(to: SocketAddr) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound port");
        let orders = Orders {
            there: true,
            back: true,
            generation: 0,
        };
        let (orders, follow) = watch::channel(orders);
        let accepting = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                open.spawn(carry(near, to, follow.clone()));
            }
        });
        Link {
            addr,
            orders,
            accepting,
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Carries nothing any more, neither way.
    pub fn hold(&self) {
        self.orders
            .send_modify(|orders| (orders.there, orders.back) = (false, false));
    }

    /// Carries nothing any more of what comes back; what is said there still arrives.
    pub fn hold_back(&self) {
        self.orders.send_modify(|orders| orders.back = false);
    }

    /// Carries nothing any more of what is said there; what comes back still arrives.
    pub fn hold_there(&self) {
        self.orders.send_modify(|orders| orders.there = false);
    }

    /// Carries again, and first what was held.
    pub fn go_on(&self) {
        self.orders
            .send_modify(|orders| (orders.there, orders.back) = (true, true));
    }

    /// Cuts what is open, with a reset and with all that was held; new connections are carried.
    pub fn cut(&self) {
        self.orders.send_modify(|orders| {
            (orders.there, orders.back) = (true, true);
            orders.generation += 1;
        });
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(near: TcpStream, to: SocketAddr, orders: watch::Receiver<Orders>) {
    let generation = orders.borrow().generation;
    let mut cut = orders.clone();
    let mut begins = orders.clone();
    // Who connects while nothing is carried is not known at the far end before it is.
    let begun = begins.wait_for(|orders| orders.there || orders.generation > generation);
    if begun.await.is_err() {
        return;
    }
    let Ok(far) = TcpStream::connect(to).await else {
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (mut near_read, mut near_write) = near.into_split();
    let (mut far_read, mut far_write) = far.into_split();
    tokio::select! {
        _ = cut.wait_for(|orders| orders.generation > generation) => {
            for half in [near_write, far_write] {
                // With this the close is a reset; without `forget` a polite end would come before it.
                let _ = half.as_ref().set_zero_linger();
                half.forget();
            }
        }
        ((), ()) = async {
            tokio::join!(
                way(&mut near_read, &mut far_write, orders.clone(), |orders| orders.there),
                way(&mut far_read, &mut near_write, orders.clone(), |orders| orders.back),
            )
        } => {}
    }
}

/// One direction, to its polite end.
async fn way(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut orders: watch::Receiver<Orders>,
    open: fn(&Orders) -> bool,
) {
    let mut bytes = vec![0; CARRIED];
    loop {
        if orders.wait_for(open).await.is_err() {
            return;
        }
        let count = from.read(&mut bytes).await.unwrap_or(0);
        // What was read just before the wire fell silent is held as well.
        if orders.wait_for(open).await.is_err() {
            return;
        }
        if count == 0 || to.write_all(&bytes[..count]).await.is_err() {
            let _ = to.shutdown().await;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wait::{SOON, within};

    const MOMENT: Duration = Duration::from_millis(50);

    /// A server that says back what it hears.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        addr
    }

    async fn hears(stream: &mut TcpStream) -> Option<u8> {
        tokio::time::timeout(MOMENT, stream.read_u8()).await.ok()?.ok()
    }

    #[tokio::test]
    async fn what_is_held_comes_when_it_goes_on_also_for_who_connects_meanwhile() {
        let link = Link::to(echo().await).await;
        let mut stream = TcpStream::connect(link.addr()).await.unwrap();
        for hold in [Link::hold, Link::hold_back, Link::hold_there] {
            hold(&link);
            let mut late = TcpStream::connect(link.addr()).await.unwrap();
            for stream in [&mut stream, &mut late] {
                stream.write_u8(7).await.unwrap();
                assert_eq!(hears(stream).await, None);
            }
            link.go_on();
            for stream in [&mut stream, &mut late] {
                assert_eq!(within(SOON, "a byte", stream.read_u8()).await.unwrap(), 7);
            }
        }
    }

    #[tokio::test]
    async fn a_cut_is_a_reset_and_what_was_held_is_gone() {
        let link = Link::to(echo().await).await;
        let mut stream = TcpStream::connect(link.addr()).await.unwrap();
        stream.write_u8(1).await.unwrap();
        within(SOON, "a byte", stream.read_u8()).await.unwrap();
        link.hold();
        stream.write_u8(2).await.unwrap();
        link.cut();
        let end = within(SOON, "an end", stream.read_u8()).await.unwrap_err();
        assert_eq!(end.kind(), std::io::ErrorKind::ConnectionReset);
        let mut next = TcpStream::connect(link.addr()).await.unwrap();
        next.write_u8(3).await.unwrap();
        assert_eq!(within(SOON, "a byte", next.read_u8()).await.unwrap(), 3);
    }
}
