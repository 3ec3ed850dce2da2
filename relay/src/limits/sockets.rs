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
        let Some(id) = counted_as(grant) else {
            return Ok(Held(None));
        };
        let mut sockets = lock(&self.0);
        let count = sockets.entry(id.clone()).or_default();
        if *count >= OF_ONE_TOKEN {
            return Err(TooMany);
        }
        *count += 1;
        Ok(Held(Some((self.clone(), id))))
    }

    /// A socket is another bearer's from here on, and leaves the place that it had.
    ///
    /// # Errors
    /// [`TooMany`], and it keeps the place that it has.
    pub fn hand_over(self: &Arc<Self>, held: &mut Held, grant: &Grant) -> Result<(), TooMany> {
        // The same one may have all of its places, this among them.
        if !held.is_of(grant) {
            *held = self.hold(grant)?;
        }
        Ok(())
    }
}

/// By what a bearer's sockets are counted.
fn counted_as(grant: &Grant) -> Option<String> {
    match grant.source() {
        Source::Insecure => None,
        // A login's tokens are renewed all the time: its bearers are known by name.
        Source::Jwt => Some(format!("jwt {}", grant.name())),
        Source::Token => Some(grant.token_id().to_owned()),
    }
}

impl Held {
    /// Whether it is a place among the sockets of this bearer.
    fn is_of(&self, grant: &Grant) -> bool {
        self.0.as_ref().map(|(_, id)| id) == counted_as(grant).as_ref()
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

    #[test]
    fn a_socket_that_becomes_anothers_is_counted_as_theirs() {
        let sockets = Arc::<Sockets>::default();
        let of = |id: &str| Grant::new("x", Role::Admin, Vec::new(), Vec::new()).known_by(Source::Token, id);
        let mut held: Vec<Held> = (0..OF_ONE_TOKEN)
            .map(|_| sockets.hold(&of("a")).unwrap())
            .collect();
        let mut guest = sockets.hold(&of("b")).unwrap();
        assert_eq!(sockets.hand_over(&mut guest, &of("a")), Err(TooMany));
        assert!(guest.is_of(&of("b")));
        assert_eq!(
            sockets.hand_over(&mut held[0], &of("a")),
            Ok(()),
            "renewed, no other"
        );
        assert_eq!(sockets.hand_over(&mut held[0], &of("b")), Ok(()));
        assert_eq!(
            sockets.hand_over(&mut guest, &of("a")),
            Ok(()),
            "that place is free now"
        );
        let counts = lock(&sockets.0).clone();
        assert_eq!((counts["a"], counts["b"]), (OF_ONE_TOKEN, 1));
    }
}
