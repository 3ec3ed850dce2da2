//! What a login elsewhere has to answer, so that [`Access`](super::Access) need not know how it does.

use std::pin::Pin;

use partyline_shared::time::UtcTime;
use tokio::sync::watch;

use super::Grant;

/// An answer that may have to be waited for: keys may have to be fetched.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Option<Grant>> + Send + 'a>>;

/// Somebody else who says who people are. Its grants are of [`Source::Jwt`](super::Source::Jwt).
pub trait Login: Send + Sync {
    /// What whoever shows this token may do; `None` for any token that is not in order.
    fn bearer<'a>(&'a self, token: &'a str, now: UtcTime) -> Answer<'a>;

    /// The same bearer's grant as it is now: `None` when it has ended, or its key no longer counts.
    fn renewed(&self, grant: &Grant, now: UtcTime) -> Option<Grant>;

    /// A number that moves whenever keys change.
    fn changes(&self) -> watch::Receiver<u64>;
}
