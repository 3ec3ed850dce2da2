//! A port of this machine that speaks TLS for those who do not: every other part of a story can use it, as from
//! whichever address of loopback. What goes through is not looked at.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::SockRef;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::certificates::{Authority, Offer};

/// Who the far end has to be. An address is not said in a handshake, and proxies choose by what is said.
const NAME: &str = "localhost";

/// Carries everything over TLS to a server, a connection for each; all end with it.
pub struct Tunnel {
    addr: SocketAddr,
    accepting: JoinHandle<()>,
}

/// How it connects.
#[derive(Clone, Copy)]
struct Way {
    to: SocketAddr,
    from: Ipv4Addr,
    /// The kernel's buffers of what comes from there, bytes.
    narrow: Option<u32>,
}

impl Tunnel {
    /// One to `to`, which has to be `localhost` by a certificate of this authority.
    pub async fn to(to: SocketAddr, authority: &Authority) -> Tunnel {
        Self::from(Ipv4Addr::LOCALHOST, to, authority).await
    }

    /// The same, as from this address.
    pub async fn from(from: Ipv4Addr, to: SocketAddr, authority: &Authority) -> Tunnel {
        let narrow = None;
        Self::lay(Way { to, from, narrow }, authority).await
    }

    /// One that holds no more than so many bytes of what comes from there: who does not read is soon felt.
    pub async fn narrow(to: SocketAddr, authority: &Authority, bytes: u32) -> Tunnel {
        let (from, narrow) = (Ipv4Addr::LOCALHOST, Some(bytes));
        Self::lay(Way { to, from, narrow }, authority).await
    }

    async fn lay(way: Way, authority: &Authority) -> Tunnel {
        let connector = TlsConnector::from(authority.trusting(&Offer::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound port");
        let accepting = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let connector = connector.clone();
                open.spawn(async move {
                    match way.open(&near, &connector).await {
                        Ok(mut far) => drop(copy_bidirectional(&mut near, &mut far).await),
                        Err(error) => eprintln!("the tunnel to {} was not opened: {error}", way.to),
                    }
                });
            }
        });
        Tunnel { addr, accepting }
    }

    /// Where it listens, in plain.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Way {
    async fn open(self, near: &TcpStream, connector: &TlsConnector) -> io::Result<TlsStream<TcpStream>> {
        let far = TcpSocket::new_v4()?;
        if let Some(bytes) = self.narrow {
            far.set_recv_buffer_size(bytes)?;
            SockRef::from(near).set_send_buffer_size(bytes as usize)?;
        }
        far.bind((self.from, 0).into())?;
        let far = far.connect(self.to).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
        connector.connect(name, far).await
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

    use super::*;
    use crate::certificates::Pair;
    use crate::wait::{SOON, within};

    /// A TLS server that gives back the first five bytes, and says from where they came.
    async fn echo(pair: &Pair) -> (SocketAddr, JoinHandle<IpAddr>) {
        let cert = CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (stream, peer) = listener.accept().await.unwrap();
            if let Ok(mut tls) = TlsAcceptor::from(Arc::new(config)).accept(stream).await {
                let mut word = [0; 5];
                tls.read_exact(&mut word).await.unwrap();
                tls.write_all(&word).await.unwrap();
                tls.shutdown().await.unwrap();
            }
            peer.ip()
        });
        (addr, server)
    }

    #[tokio::test]
    async fn what_is_said_plainly_comes_through_tls_from_the_address_that_was_named() {
        let authority = Authority::new();
        let (addr, server) = echo(&authority.certify(&[NAME])).await;
        let from = Ipv4Addr::new(127, 0, 0, 9);
        let tunnel = Tunnel::from(from, addr, &authority).await;
        let mut plain = TcpStream::connect(tunnel.addr()).await.unwrap();
        plain.write_all(b"hello").await.unwrap();
        let mut back = Vec::new();
        within(SOON, "the echo", plain.read_to_end(&mut back))
            .await
            .unwrap();
        assert_eq!(back, b"hello");
        assert_eq!(server.await.unwrap(), IpAddr::from(from));
    }

    #[tokio::test]
    async fn another_authority_is_not_trusted() {
        let (addr, _server) = echo(&Authority::new().certify(&[NAME])).await;
        let tunnel = Tunnel::to(addr, &Authority::new()).await;
        let mut plain = TcpStream::connect(tunnel.addr()).await.unwrap();
        let mut back = Vec::new();
        let _ = within(SOON, "the end", plain.read_to_end(&mut back)).await;
        assert_eq!(back, b"");
    }
}
