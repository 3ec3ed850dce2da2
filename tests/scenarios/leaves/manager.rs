//! What a service manager hears (sd_notify): that the relay is ready, how it is, that it lives, that it stops and takes
//! longer; at a path, and under a name without one.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram as Bound};

use harness::wait::{SOON, within};
use harness::{Relay, Scratch, api};
use tokio::net::UnixDatagram;

use super::NEVER;

/// The manager.
struct Manager {
    socket: UnixDatagram,
    address: String,
    heard: Vec<String>,
    _folder: Scratch,
}

impl Manager {
    fn at_a_path() -> Manager {
        let folder = Scratch::new();
        let path = folder.file("notify");
        let address = path.to_str().expect("a path in UTF-8").to_owned();
        Self::new(Bound::bind(&path).expect("a new socket"), address, folder)
    }

    fn under_a_name() -> Manager {
        let name = format!("partyline-story-{}", rand::random::<u64>());
        let at = SocketAddr::from_abstract_name(&name).expect("a name");
        let socket = Bound::bind_addr(&at).expect("a new socket");
        Self::new(socket, format!("@{name}"), Scratch::new())
    }

    fn new(socket: Bound, address: String, folder: Scratch) -> Manager {
        socket.set_nonblocking(true).expect("a socket can be so");
        Manager {
            socket: UnixDatagram::from_std(socket).expect("a socket is one"),
            address,
            heard: Vec::new(),
            _folder: folder,
        }
    }

    /// Listens until somebody says this; gives what else was said before.
    async fn until(&mut self, what: &str) -> Vec<String> {
        let listen = async {
            loop {
                let mut bytes = [0; 1024];
                let length = self.socket.recv(&mut bytes).await.expect("a word");
                let word = String::from_utf8_lossy(&bytes[..length]).into_owned();
                if word.starts_with(what) {
                    return std::mem::take(&mut self.heard);
                }
                self.heard.push(word);
            }
        };
        within(SOON, what, listen).await
    }
}

async fn is_told(mut manager: Manager) {
    let env = [
        ("NOTIFY_SOCKET", manager.address.as_str()),
        ("WATCHDOG_USEC", "400000"),
    ];
    let flags = [&["--listen", "127.0.0.1:0", "--insecure"][..], &NEVER].concat();
    let relay = Relay::serve(&flags, &env).await;
    manager.until("READY=1").await;
    for _ in 0..3 {
        manager.until("WATCHDOG=1").await;
    }
    let (_call, stream) = api::live_call(&relay).await;
    manager.until("STATUS=streams: 1, listeners: 0").await;
    relay.program().signal("TERM");
    let before = manager.until("STOPPING=1").await;
    assert!(
        before.iter().all(|word| word == "WATCHDOG=1"),
        "nothing of stopping, and one status while nothing changes: {before:?}"
    );
    manager.until("EXTEND_TIMEOUT_USEC=30000000").await;
    manager.until("STATUS=draining; streams: 1, listeners: 0").await;
    manager.until("WATCHDOG=1").await;
    stream.hang_up().await;
    manager.until("EXTEND_TIMEOUT_USEC=24000000").await;
    relay.ended(SOON).await.expect_code(0);
}

#[tokio::test]
async fn a_manager_at_a_path_is_told() {
    is_told(Manager::at_a_path()).await;
}

#[tokio::test]
async fn a_manager_under_a_name_is_told() {
    is_told(Manager::under_a_name()).await;
}

/// Somebody else's word, and no word at all, hold nobody up.
#[tokio::test]
async fn a_manager_that_is_none_does_not_matter() {
    let folder = Scratch::new();
    let gone = folder.file("gone");
    for at in [gone.to_str().expect("a path in UTF-8"), "vsock:2:1234", ""] {
        let flags = ["--listen", "127.0.0.1:0", "--insecure"];
        let relay = Relay::serve(&flags, &[("NOTIFY_SOCKET", at)]).await;
        let log = relay.stop().await.expect_code(0).stderr;
        assert_eq!(log.contains("the service manager"), !at.is_empty(), "{log}");
    }
}
