//! The built program against a stand-in relay, over real sockets on loopback.

mod cuts;
mod listens;
mod program;
mod reads;
mod refuses;
mod standin;
