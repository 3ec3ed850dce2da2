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

/// What this is for: the hash that the tokens file keeps is shown to nobody, this one to other relays.
const VOUCHER: &[u8] = b"partyline: tokens among relays, 1";

/// By what all relays with the same tokens file know the token whose SHA-256 this is. It opens nothing: no token can
/// be found from it, and none is found by it.
pub(super) fn voucher(hash: &[u8; HASH]) -> Fingerprint {
    Fingerprint(
        Sha256::new()
            .chain_update(VOUCHER)
            .chain_update(hash)
            .finalize()
            .into(),
    )
}

/// The same for tickets.
const TICKET: &[u8] = b"partyline: tickets among relays, 1";

/// By what all relays know a ticket: it opens nothing.
pub(super) fn ticket_digest(ticket: &str) -> [u8; HASH] {
    Sha256::new()
        .chain_update(TICKET)
        .chain_update(ticket)
        .finalize()
        .into()
}

/// The SHA-256 of a secret.
pub(super) fn sha256(secret: &str) -> [u8; HASH] {
    Sha256::digest(secret.as_bytes()).into()
}

/// As it is written.
pub(super) fn hex(hash: &[u8; HASH]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what [`hex`] writes.
pub(super) fn unhex(text: &str) -> Option<[u8; HASH]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * HASH {
        return None;
    }
    let mut hash = [0; HASH];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |at: usize| char::from(*pair.get(at)?).to_digit(16);
        *byte = (value(0)? << 4 | value(1)?) as u8;
    }
    Some(hash)
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
        assert_eq!(voucher(&one), voucher(&one), "every relay says the same");
        assert!(voucher(&one) != voucher(&two) && voucher(&one) != Fingerprint(one));
    }
}
