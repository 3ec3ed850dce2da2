//! The relay speaks TLS by itself: calls and listeners over it, certificates that are replaced while they live, what
//! is refused at its door, and what clients say of a certificate that they do not trust.

mod calls;
mod clients;
mod handshake;
mod replaced;
mod starts;

use std::sync::Arc;

use harness::certificates::{Authority, Pair};
use harness::{Relay, Scratch, Tunnel};

/// An authority, and a folder with a certificate of its for this machine's addresses.
struct Home {
    folder: Scratch,
    authority: Arc<Authority>,
    pair: Pair,
}

impl Home {
    fn new() -> Home {
        Home::known_as(&["127.0.0.1", "localhost"])
    }

    fn known_as(hosts: &[&str]) -> Home {
        let (folder, authority) = (Scratch::new(), Arc::new(Authority::new()));
        let pair = authority.certify(hosts);
        pair.put(&folder);
        Home {
            folder,
            authority,
            pair,
        }
    }

    /// What names certificate and key.
    fn flags(&self) -> [String; 4] {
        let [cert, key] = Pair::paths(&self.folder).map(|path| path.display().to_string());
        ["--tls-cert".into(), cert, "--tls-key".into(), key]
    }

    /// A relay by this certificate, for development.
    async fn relay(&self) -> Relay {
        let flags = self.flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Relay::start(&flags).await
    }

    /// A way to a relay for what speaks no TLS.
    async fn tunnel(&self, relay: &Relay) -> Tunnel {
        Tunnel::to(relay.addr(), &self.authority).await
    }
}
