//! What bearers, callers and addresses are counted under: numbers that tell nothing of them. Where several relays share
//! calls they hide them by one key, so that one relay can say of whom another has granted something.

use std::hash::{BuildHasher, RandomState};

use arc_swap::ArcSwapOption;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// One that is counted. One in 10^14 of 10,000 is taken for another.
pub type Name = u64;

/// Bytes of the key that relays share.
pub const KEY: usize = 32;

/// What is counted: the same text is somebody else in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Of {
    /// A bearer's requests, by the token's public id.
    Token,
    /// A bearer's sockets.
    Sockets,
    /// Wrong tokens, by where they came from and how they begin.
    Wrong,
    /// A Twilio account's dials.
    Account,
    /// A caller's, of an account.
    Caller,
}

impl Of {
    fn label(self) -> &'static [u8] {
        match self {
            Of::Token => b"token",
            Of::Sockets => b"sockets",
            Of::Wrong => b"wrong",
            Of::Account => b"account",
            Of::Caller => b"caller",
        }
    }
}

/// How they are hidden: until relays share a key by one that this process drew, so that nobody can choose names that
/// share an allowance.
#[derive(Debug, Default)]
pub struct Names {
    own: RandomState,
    shared: ArcSwapOption<Shared>,
}

struct Shared {
    key: [u8; KEY],
    mac: Hmac<Sha256>,
}

impl Names {
    /// From now on names are the same as at all relays with this key. With another key than before all begin anew.
    pub fn adopt(&self, key: [u8; KEY]) {
        if self
            .shared
            .load()
            .as_ref()
            .is_some_and(|shared| shared.key == key)
        {
            return;
        }
        // HMAC takes a key of any length; the type does not know.
        if let Ok(mac) = Hmac::new_from_slice(&key) {
            self.shared.store(Some(Shared { key, mac }.into()));
        }
    }

    /// Under what somebody is counted, by all that says who that is.
    pub fn of(&self, what: Of, parts: &[&[u8]]) -> Name {
        let shared = self.shared.load();
        let Some(shared) = shared.as_ref() else {
            return self.own.hash_one((what, parts));
        };
        let mut mac = shared.mac.clone();
        mac.update(what.label());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let whole: [u8; KEY] = mac.finalize().into_bytes().into();
        whole.first_chunk().map_or(0, |first| Name::from_be_bytes(*first))
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_with_one_key_say_the_same_and_others_do_not() {
        let [here, there, elsewhere] = [(), (), ()].map(|()| Names::default());
        let all = |names: &Names| {
            [
                names.of(Of::Token, &[b"ab"]),
                names.of(Of::Caller, &[b"ab"]),
                names.of(Of::Caller, &[b"a", b"b"]),
                names.of(Of::Caller, &[b"", b"ab"]),
            ]
        };
        let alone = all(&here);
        assert!(alone != all(&there), "each process has its own");
        here.adopt([7; KEY]);
        there.adopt([7; KEY]);
        elsewhere.adopt([8; KEY]);
        assert_eq!(all(&here), all(&there));
        assert!(all(&here) != alone && all(&here) != all(&elsewhere));
        let mut names = all(&here).to_vec();
        names.dedup();
        assert_eq!(names.len(), 4, "each of them is another");
        assert!(!format!("{here:?}").contains('7'));
    }
}
