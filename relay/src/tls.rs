//! What lies under HTTP: plain TCP in this version, which serves on loopback only. `server`, `upgrade` and the
//! first line on stdout name these two and nothing else; `ws` divides the stream into its halves.

/// A connection's bytes, after whatever protects them.
pub type Stream = tokio::net::TcpStream;

/// How the address of this relay begins.
pub const SCHEME: &str = "http";
