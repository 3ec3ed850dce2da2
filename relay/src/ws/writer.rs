//! The writing half of a connection. Its own task writes here what it has composed; while that task sleeps,
//! whoever has a frame for it may (see `calls::fanout`). Never waits.

use std::io;

use rustix::net::SendFlags;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

use super::Outlet;

/// Without the signal that ends a process whose peer is gone, where there is such a flag.
#[cfg(target_vendor = "apple")]
const QUIETLY: SendFlags = SendFlags::empty();
#[cfg(not(target_vendor = "apple"))]
const QUIETLY: SendFlags = SendFlags::NOSIGNAL;

/// What bytes are written to.
#[derive(Debug)]
pub struct Writer(OwnedWriteHalf);

impl Writer {
    pub(super) fn new(half: OwnedWriteHalf) -> Writer {
        Writer(half)
    }

    pub(super) fn into_half(self) -> OwnedWriteHalf {
        self.0
    }

    pub(super) fn stream(&self) -> &TcpStream {
        self.0.as_ref()
    }
}

impl Outlet for Writer {
    /// Past the runtime's own account of what is ready: whoever finds no room leaves the waiting to the task,
    /// which asks the runtime.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::net::send(self.stream(), bytes, QUIETLY)?)
    }
}
