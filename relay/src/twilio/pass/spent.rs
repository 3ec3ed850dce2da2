//! Which passes have been shown, until they end. One relay's memory: where several share calls, what they
//! share answers the same question, [`Spent::spend`], in this place.

use std::collections::{BTreeSet, HashSet};
use std::sync::Mutex;

use crate::lock::lock;

/// Names a pass: 128 random bits.
pub type Nonce = [u8; 16];

/// Passes remembered at most: 110 calls a second over 15 minutes, at some 100 bytes each. Only passes that we
/// wrote get here, one a stream, so that no stranger can fill it.
pub const MAX_SPENT: usize = 100_000;

/// Passes that were shown.
#[derive(Default)]
pub struct Spent(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    known: HashSet<Nonce>,
    /// The same by when they end.
    ends: BTreeSet<(i64, Nonce)>,
}

/// Why a pass is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSpent {
    /// It was shown before.
    Again,
    /// [`MAX_SPENT`] are remembered; to forget one would let it in again.
    Full,
}

impl Spent {
    /// Takes a pass, once. Times are ms since 1970.
    ///
    /// # Errors
    /// [`NotSpent`].
    pub fn spend(&self, now_ms: i64, nonce: Nonce, until_ms: i64) -> Result<(), NotSpent> {
        let mut inner = lock(&self.0);
        while let Some((end, nonce)) = inner.ends.first().copied() {
            if end > now_ms {
                break;
            }
            inner.ends.pop_first();
            inner.known.remove(&nonce);
        }
        if inner.known.contains(&nonce) {
            return Err(NotSpent::Again);
        }
        if inner.known.len() >= MAX_SPENT {
            return Err(NotSpent::Full);
        }
        inner.known.insert(nonce);
        inner.ends.insert((until_ms, nonce));
        Ok(())
    }
}
