//! Each limit that somebody outside meets: at it all is well, one past it what is documented happens, and the relay goes
//! on. Limits of numbers that are too many for sockets (20,000 calls, 500,000 webhooks) are tried where they are kept,
//! beside their code.

mod http;
mod list;
mod sockets;
