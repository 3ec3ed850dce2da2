//! The handshake: Noise NNpsk0, so that neither end says anything to who does not know the key, and what was recorded
//! stays closed even to who learns it later. The desk knows at the first message whether the other end has the key, and
//! lets nobody in before a message that only who began this very handshake can have sealed.
//!
//! ```text
//! monitor: "PLEAR" | u8 0 | u8 version = 1 | u8 kind | e, 48 bytes
//! desk:    '+' | e, 48 bytes        or '-', and no reason
//! ```

use snow::params::NoiseParams;
use snow::{Builder, StatelessTransportState};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::key::Key;

/// The pattern, and its primitives.
const NOISE: &str = "Noise_NNpsk0_25519_ChaChaPoly_SHA256";

/// What everybody begins with, and the version that is spoken. It goes into the handshake: who bends it is not understood.
const HEAD: [u8; 7] = *b"PLEAR\0\x01";

/// Bytes of a handshake's message: a public key, and the seal of nothing.
const MESSAGE: usize = 32 + 16;

/// Bytes of the opening.
const OPENING: usize = HEAD.len() + 1 + MESSAGE;

const YES: u8 = b'+';
const NO: u8 = b'-';

/// Which secret is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The code that the desk shows.
    Code,
    /// What the desk gave to the monitor that it is paired with.
    Key,
}

/// A handshake that came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPaired {
    /// It was cut, or the other end is not what is meant.
    #[error("what listens there is no ear, or it went away")]
    Nobody,
    /// The desk does not know the secret.
    #[error("the ear does not take it")]
    Refused,
    /// The other end does not know the secret.
    #[error("what listens there is not the ear that showed this code")]
    Stranger,
}

/// Both directions' keys.
pub type Sealed = StatelessTransportState;

/// The monitor's part.
///
/// # Errors
/// [`NotPaired`].
pub async fn call<S>(stream: &mut S, kind: Kind, key: &Key) -> Result<Sealed, NotPaired>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let nobody = |_| NotPaired::Nobody;
    let head = head(kind);
    let mut noise = builder(&head, key)
        .and_then(Builder::build_initiator)
        .map_err(|_| NotPaired::Nobody)?;
    let mut message = [0; MESSAGE];
    noise
        .write_message(&[], &mut message)
        .map_err(|_| NotPaired::Nobody)?;
    let opening = [&head[..], &message].concat();
    stream.write_all(&opening).await.map_err(nobody)?;
    stream.flush().await.map_err(nobody)?;
    match stream.read_u8().await.map_err(nobody)? {
        YES => {}
        NO => return Err(NotPaired::Refused),
        _ => return Err(NotPaired::Nobody),
    }
    stream.read_exact(&mut message).await.map_err(nobody)?;
    noise
        .read_message(&message, &mut [])
        .map_err(|_| NotPaired::Stranger)?;
    noise
        .into_stateless_transport_mode()
        .map_err(|_| NotPaired::Stranger)
}

/// What somebody said to the desk, who may be anybody.
#[derive(Debug)]
pub struct Opening {
    /// Which secret they say they have.
    pub kind: Kind,
    message: [u8; MESSAGE],
}

impl Opening {
    /// Reads it.
    ///
    /// # Errors
    /// [`NotPaired::Nobody`] where it is cut, or none.
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Opening, NotPaired> {
        let mut opening = [0; OPENING];
        stream
            .read_exact(&mut opening)
            .await
            .map_err(|_| NotPaired::Nobody)?;
        Opening::parse(&opening)
    }

    fn parse(opening: &[u8; OPENING]) -> Result<Opening, NotPaired> {
        let kinds = [Kind::Code, Kind::Key];
        let kind = kinds.into_iter().find(|kind| opening.starts_with(&head(*kind)));
        let message = opening.last_chunk().ok_or(NotPaired::Nobody)?;
        Ok(Opening {
            kind: kind.ok_or(NotPaired::Nobody)?,
            message: *message,
        })
    }

    /// Whether they have it; with what is to be answered.
    ///
    /// # Errors
    /// [`NotPaired::Refused`] where they have not.
    pub fn prove(&self, key: &Key) -> Result<Proven, NotPaired> {
        let refused = |_| NotPaired::Refused;
        let head = head(self.kind);
        let mut noise = builder(&head, key)
            .and_then(Builder::build_responder)
            .map_err(refused)?;
        noise.read_message(&self.message, &mut []).map_err(refused)?;
        let mut message = [0; MESSAGE];
        noise.write_message(&[], &mut message).map_err(refused)?;
        let sealed = noise.into_stateless_transport_mode().map_err(refused)?;
        Ok(Proven { message, sealed })
    }
}

/// Somebody who knows the secret, or who says again what somebody said who does.
pub struct Proven {
    message: [u8; MESSAGE],
    sealed: Sealed,
}

impl Proven {
    /// Says so.
    ///
    /// # Errors
    /// [`NotPaired::Nobody`] where nobody is there any more.
    pub async fn answer(self, stream: &mut (impl AsyncWrite + Unpin)) -> Result<Sealed, NotPaired> {
        let answer = [&[YES][..], &self.message].concat();
        let written = stream.write_all(&answer).await;
        written.map_err(|_| NotPaired::Nobody)?;
        Ok(self.sealed)
    }
}

/// Says no, and no more.
pub async fn refuse(stream: &mut (impl AsyncWrite + Unpin)) {
    let _ = stream.write_all(&[NO]).await;
    let _ = stream.shutdown().await;
}

fn head(kind: Kind) -> [u8; HEAD.len() + 1] {
    let mut head = [0; HEAD.len() + 1];
    let kind = match kind {
        Kind::Code => 1,
        Kind::Key => 2,
    };
    for (to, from) in head.iter_mut().zip(HEAD.into_iter().chain([kind])) {
        *to = from;
    }
    head
}

fn builder<'k>(head: &'k [u8], key: &'k Key) -> Result<Builder<'k>, snow::Error> {
    let params: NoiseParams = NOISE.parse()?;
    Builder::new(params).prologue(head)?.psk(0, key.bytes())
}

#[cfg(test)]
mod tests;
