//! The listener's side of `partyline.v1`, without a screen: who uses it gets [`session::Update`]s and
//! does not know how many sockets they came over.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`session`] | sans-I/O: hello, resume with what was seen, ping and round trip |
//! | [`connection`] | connect, pump, back off with jitter |
//! | [`backoff`] | how long to stay away |
//! | [`api`] | one GET of the HTTP interface |
//! | [`relay`], [`dial`] | which relay, as whom · TCP and TLS to it |

pub mod api;
pub mod backoff;
pub mod connection;
pub mod dial;
pub mod relay;
pub mod session;
