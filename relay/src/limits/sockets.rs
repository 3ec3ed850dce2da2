//! Sockets of one token, so that one script gone wild, or one token that got about, takes not all of the relay's.
//! Counts by the token's public id; where several relays share calls, those at the others too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::names::{Name, Names, Of};
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

/// What another relay said is of use for so long: it says so every second, and one that is dead has no sockets.
const FRESH: Duration = Duration::from_secs(10);
/// Other relays whose word is kept: more than anybody runs.
const MAX_RELAYS: usize = 64;

/// How many each token has.
#[derive(Debug, Default)]
pub struct Sockets {
    names: Arc<Names>,
    here: Mutex<HashMap<String, usize>>,
    /// What each other relay said.
    elsewhere: Mutex<HashMap<String, Said>>,
}

/// How many each token has at another relay, and when that was said.
type Said = (Instant, HashMap<Name, u32>);

/// One of them, until it is dropped.
#[derive(Debug)]
#[must_use = "it is counted only while this is held"]
pub struct Held(Option<(Arc<Sockets>, String)>);

impl Sockets {
    /// None yet; counted at other relays under these names.
    pub fn new(names: Arc<Names>) -> Sockets {
        Sockets {
            names,
            ..Sockets::default()
        }
    }

    /// One more. Under --insecure there is no token to count by.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn hold(self: &Arc<Self>, grant: &Grant) -> Result<Held, TooMany> {
        let Some(id) = counted_as(grant) else {
            return Ok(Held(None));
        };
        let elsewhere = self.elsewhere(Instant::now(), &id);
        let mut sockets = lock(&self.here);
        let count = sockets.get(&id).copied().unwrap_or(0);
        if count.saturating_add(elsewhere) >= OF_ONE_TOKEN {
            return Err(TooMany);
        }
        sockets.insert(id.clone(), count + 1);
        Ok(Held(Some((self.clone(), id))))
    }

    /// How many a token has at other relays.
    fn elsewhere(&self, now: Instant, id: &str) -> usize {
        let elsewhere = lock(&self.elsewhere);
        if elsewhere.is_empty() {
            return 0;
        }
        let name = self.name(id);
        let fresh = elsewhere
            .values()
            .filter(|(said, _)| now.saturating_duration_since(*said) < FRESH);
        fresh
            .filter_map(|(_, counts)| counts.get(&name))
            .map(|count| *count as usize)
            .sum()
    }

    fn name(&self, id: &str) -> Name {
        self.names.of(Of::Sockets, &[id.as_bytes()])
    }

    /// How many each token has here, for other relays: those that have most, so many at most.
    pub fn counts(&self, most: usize) -> Vec<(Name, u32)> {
        let mut all: Vec<(usize, String)> = {
            let here = lock(&self.here);
            here.iter().map(|(id, count)| (*count, id.clone())).collect()
        };
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.truncate(most);
        let told = |(count, id): (usize, String)| (self.name(&id), u32::try_from(count).unwrap_or(u32::MAX));
        all.into_iter().map(told).collect()
    }

    /// How many each token has at another relay, of this name.
    pub fn told_elsewhere(&self, now: Instant, relay: &str, counts: &[(Name, u32)]) {
        let mut elsewhere = lock(&self.elsewhere);
        elsewhere.retain(|_, (said, _)| now.saturating_duration_since(*said) < FRESH);
        if elsewhere.len() < MAX_RELAYS || elsewhere.contains_key(relay) {
            elsewhere.insert(relay.to_owned(), (now, counts.iter().copied().collect()));
        }
    }

    /// Another relay has left.
    pub fn forget(&self, relay: &str) {
        lock(&self.elsewhere).remove(relay);
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
        let mut sockets = lock(&sockets.here);
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
        assert!(lock(&sockets.here).is_empty(), "nothing is kept of who is gone");
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
        let counts = lock(&sockets.here).clone();
        assert_eq!((counts["a"], counts["b"]), (OF_ONE_TOKEN, 1));
    }

    #[test]
    fn those_at_other_relays_count_as_long_as_they_say_so() {
        let (names, now) = (Arc::<Names>::default(), Instant::now());
        let [here, there] = [(), ()].map(|()| Arc::new(Sockets::new(names.clone())));
        let of = |id: &str| Grant::new("x", Role::Admin, Vec::new(), Vec::new()).known_by(Source::Token, id);
        let held: Vec<Held> = (1..OF_ONE_TOKEN).map(|_| here.hold(&of("a")).unwrap()).collect();
        there.told_elsewhere(now, "here", &here.counts(10));
        let last = there.hold(&of("a")).unwrap();
        assert_eq!(there.hold(&of("a")).unwrap_err(), TooMany);
        assert!(there.hold(&of("b")).is_ok());
        drop(held);
        there.told_elsewhere(now, "here", &here.counts(10));
        assert!(there.hold(&of("a")).is_ok(), "they are gone");
        here.told_elsewhere(now, "there", &there.counts(10));
        assert_eq!(here.elsewhere(now, "a"), 1);
        assert_eq!(here.elsewhere(now + FRESH, "a"), 0, "nothing was said for long");
        here.forget("there");
        assert!(lock(&here.elsewhere).is_empty());
        drop(last);
        assert_eq!(there.counts(10), []);
    }

    #[test]
    fn those_that_have_most_are_told() {
        let sockets = Arc::<Sockets>::default();
        let of = |id: &str| Grant::new("x", Role::Admin, Vec::new(), Vec::new()).known_by(Source::Token, id);
        let _held = ["a", "b", "b", "c"].map(|id| sockets.hold(&of(id)).unwrap());
        assert_eq!(sockets.counts(1), [(sockets.name("b"), 2)]);
        assert_eq!(sockets.counts(9).len(), 3);
    }
}
