//! The built program against a stand-in relay, over real sockets on loopback.

// The lints' own exception for tests covers test functions, and not what they share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod cuts;
mod hears;
mod listens;
mod program;
mod reads;
mod refuses;
mod settles;
mod standin;
