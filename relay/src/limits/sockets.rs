//! Sockets of one token, so that one script gone wild, or one token that got about, takes not all of the relay's.
//! Counts by the token's public id.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::access::{Grant, Source};
use crate::lock::lock;

/// Listener sockets of one token at once: an office of supervisors that share one, each with a screen or two.
pub const OF_ONE_TOKEN: usize = 256;
/// When to come back: somebody may have left by then.
pub const COME_BACK: Duration = Duration::from_secs(30);

/// One token has all the sockets that it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this token has {OF_ONE_TOKEN} connections already; close some, or use another token")]
pub struct TooMany;

/// How many each token has.
#[derive(Debug, Default)]
pub struct Sockets(Mutex<HashMap<String, usize>>);

/// One of them, until it is dropped.
#[derive(Debug)]
#[must_use = "it is counted only while this is held"]
pub struct Held(Option<(Arc<Sockets>, String)>);

impl Sockets {
    /// One more. Under --insecure there is no token to count by.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn hold(self: &Arc<Self>, grant: &Grant) -> Result<Held, TooMany> {
        if grant.source() == Source::Insecure {
            return Ok(Held(None));
        }
        let id = match grant.source() {
            // A login's tokens are renewed all the time: its bearers are known by name.
            Source::Jwt => format!("jwt {}", grant.name()),
            _ => grant.token_id().to_owned(),
        };
        let mut sockets = lock(&self.0);
        let count = sockets.entry(id.clone()).or_default();
        if *count >= OF_ONE_TOKEN {
            return Err(TooMany);
        }
        *count += 1;
        Ok(Held(Some((self.clone(), id))))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some((sockets, id)) = self.0.take() else {
            return;
        };
        let mut sockets = lock(&sockets.0);
        if let Some(count) = sockets.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                sockets.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    #[test]
    fn one_token_has_so_many_and_no_more_and_takes_none_of_anothers() {
        let sockets = Arc::<Sockets>::default();
        let of = |id: &str| Grant::new("x", Role::Admin, Vec::new(), Vec::new()).known_by(Source::Token, id);
        let mut held: Vec<Held> = (0..OF_ONE_TOKEN)
            .map(|_| sockets.hold(&of("a")).unwrap())
            .collect();
        assert_eq!(sockets.hold(&of("a")).unwrap_err(), TooMany);
        assert!(sockets.hold(&of("b")).is_ok() && sockets.hold(&Grant::insecure()).is_ok());
        held.pop();
        let again = sockets.hold(&of("a"));
        assert!(again.is_ok());
        drop((held, again));
        assert!(lock(&sockets.0).is_empty(), "nothing is kept of who is gone");
    }
}
