//! What is sealed on one side is opened on the other, however it is cut on the way, and nothing else is.

use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::sync::Arc;

use proptest::prelude::*;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, SupportedProtocolVersion,
};

use super::*;
use crate::shards::Shards;
use crate::ws::Outlet;
use crate::ws::socket::Socket;

/// As large as a thread's.
const BUFFER: usize = 64 << 10;

/// Both ends of a connection whose handshake is over.
fn pair(version: &'static SupportedProtocolVersion) -> (Sealed, ClientConnection) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key);
    let mut client = ClientConnection::new(Arc::new(client), "localhost".try_into().unwrap()).unwrap();
    let mut server = ServerConnection::new(Arc::new(server.unwrap())).unwrap();
    while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        feed(&mut wire, |from| server.read_tls(from));
        server.process_new_packets().unwrap();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        feed(&mut wire, |from| client.read_tls(from));
        client.process_new_packets().unwrap();
    }
    (Sealed::new(server), client)
}

fn feed(wire: &mut Vec<u8>, mut into: impl FnMut(&mut dyn Read) -> io::Result<usize>) {
    let mut from = wire.as_slice();
    while !from.is_empty() {
        into(&mut from).unwrap();
    }
    wire.clear();
}

/// What came in these pieces, out of them.
fn opened(sealed: &mut Sealed, pieces: &[&[u8]]) -> Result<Vec<u8>, Broken> {
    let mut buffer = vec![0; BUFFER];
    let mut all = Vec::new();
    for piece in pieces {
        buffer[HEADROOM..HEADROOM + piece.len()].copy_from_slice(piece);
        let opened = sealed.open(&mut buffer, piece.len())?;
        all.extend_from_slice(&buffer[..opened.len]);
        if opened.more {
            let left = sealed.leftover(&mut buffer)?;
            all.extend_from_slice(&buffer[..left.len]);
        }
    }
    Ok(all)
}

/// Says this as a client does.
fn said(client: &mut ClientConnection, what: &[u8]) -> Vec<u8> {
    client.set_buffer_limit(None);
    client.writer().write_all(what).unwrap();
    let mut wire = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut wire).unwrap();
    }
    wire
}

/// Takes some bytes at a time.
struct Narrow<'a> {
    into: &'a mut Vec<u8>,
    room: usize,
}

impl Write for Narrow<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.room);
        if n == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.room -= n;
        self.into.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_was_sealed_is_opened_however_it_is_cut(
        messages in prop::collection::vec(1usize..40_000, 1..6),
        cuts in prop::collection::vec(1usize..44_000, 1..40),
        old in any::<bool>(),
    ) {
        let (mut sealed, mut client) = pair(if old { &TLS12 } else { &TLS13 });
        let mut expected = Vec::new();
        let mut wire = Vec::new();
        for (n, length) in messages.into_iter().enumerate() {
            let message: Vec<u8> = (0..length).map(|at| (at * 7 + n) as u8).collect();
            wire.extend(said(&mut client, &message));
            expected.extend(message);
        }
        let (mut rest, mut pieces, mut cuts) = (wire.as_slice(), Vec::new(), cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        prop_assert!(opened(&mut sealed, &pieces).unwrap() == expected);
    }

    #[test]
    fn what_finds_little_room_leaves_in_the_order_in_which_it_was_sealed(
        rooms in prop::collection::vec(0usize..700, 1..60),
    ) {
        let (mut sealed, mut client) = pair(&TLS13);
        let (mut wire, mut expected) = (Vec::new(), Vec::new());
        for (n, room) in rooms.into_iter().enumerate() {
            let frame = [n as u8; 180];
            prop_assert_eq!(sealed.seal(&frame).unwrap(), frame.len());
            expected.extend_from_slice(&frame);
            let before = wire.len();
            let sent = sealed.send(Narrow { into: &mut wire, room });
            match sent {
                Ok(n) => prop_assert_eq!(n, wire.len() - before),
                Err(error) => prop_assert!(error.kind() == ErrorKind::WouldBlock && room == 0),
            }
        }
        sealed.seal_end();
        sealed.send(&mut wire).unwrap();
        prop_assert!(!sealed.waits());
        let mut from = wire.as_slice();
        let mut heard = Vec::new();
        while !from.is_empty() {
            client.read_tls(&mut from).unwrap();
            client.process_new_packets().unwrap();
            let mut some = [0; 20_000];
            while let Ok(n @ 1..) = client.reader().read(&mut some) {
                heard.extend_from_slice(&some[..n]);
            }
        }
        prop_assert!(heard == expected);
        prop_assert_eq!(client.reader().read(&mut [0; 1]).unwrap(), 0, "its end was said");
    }

    #[test]
    fn what_nobody_sealed_is_not_opened(rubbish in prop::collection::vec(any::<u8>(), 600..2000)) {
        let (mut sealed, _) = pair(&TLS13);
        // The head of a record of 500 bytes, and what it cannot have.
        let mut wire = vec![23, 3, 3, 1, 244];
        wire.extend(rubbish);
        let broken = opened(&mut sealed, &[&wire]).unwrap_err();
        prop_assert_eq!(broken, UNREADABLE);
        prop_assert!(sealed.waits(), "the other side is told");
    }
}

#[test]
fn what_was_said_before_the_end_comes_before_it() {
    let (mut sealed, mut client) = pair(&TLS13);
    let mut wire = said(&mut client, b"the last");
    client.send_close_notify();
    client.write_tls(&mut wire).unwrap();
    let mut buffer = vec![0; BUFFER];
    buffer[HEADROOM..HEADROOM + wire.len()].copy_from_slice(&wire);
    let opened = sealed.open(&mut buffer, wire.len()).unwrap();
    assert_eq!((&buffer[..opened.len], opened.more), (&b"the last"[..], true));
    assert_eq!(sealed.leftover(&mut buffer), Err(Broken::LOST));
    assert!(sealed.waits(), "the end is answered");
    let mut answer = Vec::new();
    sealed.send(&mut answer).unwrap();
    feed(&mut answer, |from| client.read_tls(from));
    assert!(client.process_new_packets().unwrap().peer_has_closed());
}

/// Somebody else has more frames than may be sealed at a time, and nobody reads: the rest is the task's to write, behind
/// what is sealed, and each byte is counted once.
#[tokio::test]
async fn what_is_not_sealed_at_once_follows_what_is() {
    let (sealed, mut client) = pair(&TLS13);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (near, _) = listener.accept().await.unwrap();
    socket2::SockRef::from(&near)
        .set_send_buffer_size(4 << 10)
        .unwrap();
    let shards = Shards::here().unwrap();
    let mut socket = Socket::under_tls(near, *sealed.0, &[], 1 << 10, shards.place().await);
    let frames: Vec<u8> = (0..3_000_000u32).map(|at| at as u8 ^ (at >> 8) as u8).collect();
    let taken = socket.writer().try_write(&frames).unwrap();
    assert!(
        taken.waits && (1..frames.len()).contains(&taken.bytes),
        "{taken:?}"
    );
    socket.finish_frame(frames[taken.bytes..].to_vec());
    let write = async {
        poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
        assert_eq!(socket.written(), (frames.len() - taken.bytes) as u64);
        assert!(socket.sent() > socket.written());
    };
    let read = async {
        let (mut heard, mut wire) = (Vec::new(), vec![0; BUFFER]);
        while heard.len() < frames.len() {
            let n = far.read(&mut wire).await.unwrap();
            let mut from = &wire[..n];
            while !from.is_empty() {
                client.read_tls(&mut from).unwrap();
                client.process_new_packets().unwrap();
                let mut some = [0; 20_000];
                while let Ok(n @ 1..) = client.reader().read(&mut some) {
                    heard.extend_from_slice(&some[..n]);
                }
            }
        }
        heard
    };
    let ((), heard) = tokio::join!(write, read);
    assert!(heard == frames);
}
