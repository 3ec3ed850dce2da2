//! Which passes have been shown, until they end. One relay's memory: where several share calls, what they
//! share answers the same question, [`Spent::spend`], in this place.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::lock::lock;

/// Names a pass: 128 random bits.
pub type Nonce = [u8; 16];

/// Passes remembered at most: 110 calls a second over 15 minutes, at 18 bytes each. Only passes that we
/// wrote get here, one a stream, so that no stranger can fill it.
pub const MAX_SPENT: usize = 100_000;

/// Passes that end within this are forgotten together, ms.
const SPAN_MS: i64 = 60_000;

/// Passes that were shown.
#[derive(Default)]
pub struct Spent(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    len: usize,
    /// In order, by the span in which they end.
    by_end: BTreeMap<i64, Vec<Nonce>>,
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
        let is_over = |span: &i64| (*span).saturating_add(1).saturating_mul(SPAN_MS) <= now_ms;
        while let Some(first) = inner.by_end.first_entry().filter(|first| is_over(first.key())) {
            let over = first.remove().len();
            inner.len -= over;
        }
        let full = inner.len >= MAX_SPENT;
        let ending = inner.by_end.entry(until_ms.div_euclid(SPAN_MS)).or_default();
        let Err(at) = ending.binary_search(&nonce) else {
            return Err(NotSpent::Again);
        };
        if full {
            return Err(NotSpent::Full);
        }
        if ending.len() == ending.capacity() {
            // By an eighth: doubling would leave half of the memory unused.
            ending.reserve_exact((ending.len() / 8).max(8));
        }
        ending.insert(at, nonce);
        inner.len += 1;
        Ok(())
    }
}
