//! The secret that both ends know: made of a code the first time, drawn by the desk from then on. Overwritten when it
//! is dropped, and never printed.

use std::fmt;
use std::num::NonZeroU32;

use ring::pbkdf2;
use zeroize::Zeroizing;

use super::code::Code;

/// Bytes of a key.
pub const KEY: usize = 32;

/// What else goes into a key that is made of a code, so that the same letters mean nothing anywhere else.
const LABEL: &[u8] = b"partyline ear, pairing code, version 1";

/// How often the code is stirred: 0.1 s for who knows it, and seventeen bits more for who takes the port of a server
/// and then tries all codes on what a monitor said to it.
const ROUNDS: NonZeroU32 = NonZeroU32::new(200_000).unwrap();

/// A key.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; KEY]>);

impl Key {
    /// One that nobody can guess.
    pub fn random() -> Key {
        Key(Zeroizing::new(rand::random()))
    }

    /// What a code is worth. Takes a tenth of a second.
    pub fn of(code: &Code) -> Key {
        let mut key = Zeroizing::new([0; KEY]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, LABEL, code.bytes(), &mut *key);
        Key(key)
    }

    pub(super) fn new(bytes: [u8; KEY]) -> Key {
        Key(Zeroizing::new(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_always_the_same_key_and_another_one_another() {
        let of = |text| Key::of(&Code::parse(text).unwrap());
        assert_eq!(of("7KQ4-M2XD-91PV").bytes(), of("7kq4m2xd9ipv").bytes());
        assert_ne!(of("7KQ4-M2XD-91PV").bytes(), of("7KQ4-M2XD-91PW").bytes());
        assert_ne!(Key::random().bytes(), Key::random().bytes());
        assert_eq!(format!("{:?}", Key::random()), "Key(…)");
    }
}
