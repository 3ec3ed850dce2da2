//! What a secret is found by. Secrets are compared as an HMAC under a key that this process drew and shows
//! nobody: whoever times the comparison learns about a number that he can neither compute nor steer.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Bytes of a SHA-256.
pub(super) const HASH: usize = 32;

/// One secret's, in one process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(pub(super) [u8; HASH]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

/// The key that a process's fingerprints are made with.
#[derive(Clone)]
pub(super) struct Key(Hmac<Sha256>);

impl Key {
    /// Draws one.
    pub(super) fn draw() -> Result<Key, getrandom::Error> {
        let mut key = [0; HASH];
        getrandom::fill(&mut key)?;
        Ok(Key::new(&key))
    }

    fn new(key: &[u8; HASH]) -> Key {
        #[allow(clippy::expect_used)] // HMAC takes keys of any length
        Key(Hmac::new_from_slice(key).expect("a key of 32 bytes"))
    }

    /// The fingerprint of the secret whose SHA-256 this is.
    pub(super) fn of(&self, hash: &[u8; HASH]) -> Fingerprint {
        let mut mac = self.0.clone();
        mac.update(hash);
        Fingerprint(mac.finalize().into_bytes().into())
    }
}

/// The SHA-256 of a secret.
pub(super) fn sha256(secret: &str) -> [u8; HASH] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_secrets_apart_and_says_nothing_to_another_process() {
        let (here, there) = (Key::draw().unwrap(), Key::draw().unwrap());
        let (one, two) = (sha256("one"), sha256("two"));
        assert_eq!(here.of(&one), here.of(&one));
        assert_ne!(here.of(&one), here.of(&two));
        assert_ne!(here.of(&one), there.of(&one));
        assert_eq!(format!("{:?}", here.of(&one)), "Fingerprint(…)");
    }
}
