//! The writing half of a connection. Its own task writes here what it has composed; while that task sleeps,
//! whoever has a frame for it may (see `calls::fanout`). Never waits: a lock is held as long as a record is sealed.

use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, MutexGuard};

use rustix::net::SendFlags;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

use super::sealed::Sealed;
use super::{Outlet, Taken};
use crate::lock::lock;

/// Without the signal that ends a process whose peer is gone, where there is such a flag.
#[cfg(target_vendor = "apple")]
const QUIETLY: SendFlags = SendFlags::empty();
#[cfg(not(target_vendor = "apple"))]
const QUIETLY: SendFlags = SendFlags::NOSIGNAL;

/// What bytes are written to.
#[derive(Debug)]
pub struct Writer {
    half: OwnedWriteHalf,
    /// Where TLS is spoken; the reading half opens with it.
    sealed: Option<Mutex<Sealed>>,
}

impl Writer {
    pub(super) fn new(half: OwnedWriteHalf, sealed: Option<Sealed>) -> Writer {
        Writer {
            half,
            sealed: sealed.map(Mutex::new),
        }
    }

    pub(super) fn into_parts(self) -> (OwnedWriteHalf, Option<Sealed>) {
        let sealed = self.sealed.map(Mutex::into_inner);
        (
            self.half,
            sealed.map(|sealed| sealed.unwrap_or_else(|poisoned| poisoned.into_inner())),
        )
    }

    pub(super) fn stream(&self) -> &TcpStream {
        self.half.as_ref()
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }

    /// The connection's TLS, where it speaks it.
    pub(super) fn sealed(&self) -> Option<MutexGuard<'_, Sealed>> {
        self.sealed.as_ref().map(lock)
    }

    fn try_seal(&self, sealed: &mut Sealed, bytes: &[u8]) -> io::Result<Taken> {
        if sealed.waits() {
            sealed.send(Past(self.stream()))?;
            if sealed.waits() {
                return Err(ErrorKind::WouldBlock.into());
            }
        }
        let bytes = sealed.seal(bytes)?;
        match sealed.send(Past(self.stream())) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        Ok(Taken {
            bytes,
            waits: sealed.waits(),
        })
    }
}

impl Outlet for Writer {
    /// Past the runtime's own account of what is ready: whoever finds no room leaves the waiting to the task,
    /// which asks the runtime.
    fn try_write(&self, bytes: &[u8]) -> io::Result<Taken> {
        match &self.sealed {
            None => Ok(Taken {
                bytes: rustix::net::send(self.stream(), bytes, QUIETLY)?,
                waits: false,
            }),
            Some(sealed) => self.try_seal(&mut lock(sealed), bytes),
        }
    }
}

/// A stream, past the runtime's own account of what is ready.
struct Past<'a>(&'a TcpStream);

impl Write for Past<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::net::send(self.0, bytes, QUIETLY)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream, by the runtime's account: who finds no room can wait for some.
pub(super) struct Within<'a>(pub(super) &'a TcpStream);

impl Write for Within<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
