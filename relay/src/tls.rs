//! TLS that the relay speaks by itself: by which certificate it is known, and the handshake. What comes behind the
//! handshake is not its business: `server` puts HTTP on it and `ws` takes the connection over after an upgrade.
//! Nothing here logs what a certificate's key is.
//!
//! | file | what |
//! | --- | --- |
//! | [`files`] | certificate and key off the disk, and what is wrong with them |
//! | [`server`] | what is in force, and changing it while connections live |
//! | `handshake` | a connection's first seconds, and why one ends there |
//! | `watch` | looking whether the files have changed |

use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

pub mod files;
mod handshake;
pub mod server;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;
mod watch;

pub use files::{Facts, Tls, Unusable};
pub use server::Server;

/// A connection's bytes: as they are, or out of TLS.
pub type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// How the address of a relay begins that speaks TLS by itself, or does not.
pub fn scheme(tls: bool) -> &'static str {
    if tls { "https" } else { "http" }
}
