//! The keys that tokens are checked by. What a key is for is the key's to say, never the token's: an RSA key
//! checks RSA signatures only, so that nobody can sign with a public key as if it were a secret. Pure.

use std::fmt;

use ring::{digest, hmac, signature};

use super::refused::Refused;
use super::token::{Alg, Signed};

/// Fewest bytes of a secret: 256 bits, as many as HS256 has. What is shorter can be guessed from any token.
pub(super) const MIN_SECRET: usize = 32;

/// What a key is made of, hashed: the same key under another name is the same, another key under the same
/// name is not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyId([u8; 32]);

impl KeyId {
    fn of(kind: &str, parts: &[&[u8]]) -> KeyId {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(kind.as_bytes());
        for part in parts {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut id = [0; 32];
        id.copy_from_slice(hash.finish().as_ref());
        KeyId(id)
    }
}

impl From<[u8; 32]> for KeyId {
    fn from(id: [u8; 32]) -> KeyId {
        KeyId(id)
    }
}

impl From<KeyId> for [u8; 32] {
    fn from(KeyId(id): KeyId) -> [u8; 32] {
        id
    }
}

/// Of a secret it would be the beginning of a guess.
impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyId(…)")
    }
}

enum Material {
    /// Big-endian, without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point: 4, x, y.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
    Secret(hmac::Key),
}

/// One key.
pub(super) struct Key {
    /// What tokens call it.
    pub(super) kid: Option<String>,
    /// The one algorithm that it is published for, where that is said.
    pub(super) only: Option<Alg>,
    /// Which it is.
    pub(super) id: KeyId,
    material: Material,
}

impl Key {
    fn new(id: KeyId, material: Material) -> Key {
        Key {
            kid: None,
            only: None,
            id,
            material,
        }
    }

    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Key {
        let id = KeyId::of("RSA", &[n, e]);
        let (n, e) = (n.to_vec(), e.to_vec());
        Key::new(id, Material::Rsa { n, e })
    }

    pub(super) fn p256(x: &[u8; 32], y: &[u8; 32]) -> Key {
        let id = KeyId::of("P-256", &[x, y]);
        Key::new(id, Material::P256([&[4][..], x, y].concat()))
    }

    pub(super) fn ed25519(x: &[u8; 32]) -> Key {
        Key::new(KeyId::of("Ed25519", &[x]), Material::Ed25519(x.to_vec()))
    }

    /// From the bytes of a file; a line's end after them is not part of it. `None` where it is too short.
    pub(super) fn secret(bytes: &[u8]) -> Option<Key> {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        (bytes.len() >= MIN_SECRET).then(|| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, bytes);
            Key::new(KeyId::of("HS256", &[bytes]), Material::Secret(key))
        })
    }

    /// Whether signatures of this kind are this key's.
    pub(super) fn is_for(&self, alg: Alg) -> bool {
        let kind = match self.material {
            Material::Rsa { .. } => matches!(alg, Alg::Rs256 | Alg::Ps256),
            Material::P256(_) => alg == Alg::Es256,
            Material::Ed25519(_) => alg == Alg::EdDsa,
            Material::Secret(_) => alg == Alg::Hs256,
        };
        kind && self.only.is_none_or(|only| only == alg)
    }

    /// Whether the signature is by this key over exactly this message.
    pub(super) fn signed(&self, token: &Signed<'_>) -> bool {
        let (message, sig) = (token.message, token.signature.as_slice());
        let by = |algorithm: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            signature::UnparsedPublicKey::new(algorithm, key)
                .verify(message, sig)
                .is_ok()
        };
        if !self.is_for(token.alg) {
            return false;
        }
        match &self.material {
            Material::Rsa { n, e } => {
                let padding = match token.alg {
                    Alg::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                    _ => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                let key = signature::RsaPublicKeyComponents { n, e };
                key.verify(padding, message, sig).is_ok()
            }
            Material::P256(point) => by(&signature::ECDSA_P256_SHA256_FIXED, point),
            Material::Ed25519(key) => by(&signature::ED25519, key),
            Material::Secret(key) => hmac::verify(key, message, sig).is_ok(),
        }
    }
}

/// Prints its name only.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.kid)
    }
}

/// All keys that count at one time.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    keys: Vec<Key>,
}

impl KeySet {
    pub(super) fn new(keys: Vec<Key>) -> KeySet {
        KeySet { keys }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether this very key still counts.
    pub(super) fn has(&self, id: KeyId) -> bool {
        self.keys.iter().any(|key| key.id == id)
    }

    /// Whether the other set has the same keys, by whatever names.
    pub(super) fn is_same(&self, other: &KeySet) -> bool {
        self.keys.iter().all(|key| other.has(key.id)) && other.keys.iter().all(|key| self.has(key.id))
    }

    /// The key that signed `token`. One that names no key is taken only where a single key can be meant, so
    /// that a token is never tried on all of them.
    pub(super) fn check(&self, token: &Signed<'_>) -> Result<KeyId, Refused> {
        let named: Vec<&Key> = match &token.kid {
            // A secret has no name: there is one, whatever a token calls it.
            Some(kid) if token.alg != Alg::Hs256 => {
                let same = |key: &&Key| key.kid.as_ref() == Some(kid);
                self.keys.iter().filter(same).collect()
            }
            _ => self.keys.iter().filter(|key| key.is_for(token.alg)).collect(),
        };
        if named.is_empty() || (token.kid.is_none() && named.len() > 1) {
            return Err(Refused::UnknownKey);
        }
        if !named.iter().any(|key| key.is_for(token.alg)) {
            return Err(Refused::KeyMismatch);
        }
        named
            .iter()
            .find(|key| key.signed(token))
            .map(|key| key.id)
            .ok_or(Refused::Signature)
    }
}
