//! A token taken apart: what is signed, and how it says it was signed. Nothing of what it claims is read
//! here, since nothing of it is true before its signature is. Pure.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::refused::Refused;

/// Longest token looked at, bytes: 8 KiB, as much as servers usually take of all headers together.
pub const MAX_TOKEN: usize = 8 << 10;

/// Longest name of a key that is looked for, bytes: they are hashes and dates.
const MAX_KID: usize = 256;

/// The algorithms that there are for us. `none` is not one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alg {
    Hs256,
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Alg {
    /// By its name in a header or key. Ed25519 has a second name since RFC 9864.
    pub(super) fn named(name: &str) -> Option<Alg> {
        Some(match name {
            "HS256" => Alg::Hs256,
            "RS256" => Alg::Rs256,
            "PS256" => Alg::Ps256,
            "ES256" => Alg::Es256,
            "EdDSA" | "Ed25519" => Alg::EdDsa,
            _ => return None,
        })
    }
}

/// A token in its parts.
pub(super) struct Signed<'a> {
    /// How it says it was signed.
    pub(super) alg: Alg,
    /// Which key it says.
    pub(super) kid: Option<String>,
    /// What the signature covers.
    pub(super) message: &'a [u8],
    /// The signature.
    pub(super) signature: Vec<u8>,
    payload: &'a str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

impl<'a> Signed<'a> {
    /// Takes `token` apart: three parts of base64url without padding, between dots. Where a header brings or
    /// points to a key of its own (`jwk`, `jku`, `x5c`), that is not looked at.
    pub(super) fn read(token: &'a str) -> Result<Signed<'a>, Refused> {
        if token.len() > MAX_TOKEN {
            return Err(Refused::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Refused::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Refused::Malformed)?;
        if payload.contains('.') {
            return Err(Refused::Malformed);
        }
        let signature = part(signature)?;
        let header: Header = serde_json::from_slice(&part(header)?).map_err(|_| Refused::Malformed)?;
        let alg = Alg::named(&header.alg).ok_or(Refused::Algorithm)?;
        // What must be understood is, by its absence here, not.
        if header.crit.is_some() {
            return Err(Refused::Critical);
        }
        if !header.typ.as_deref().is_none_or(is_access) {
            return Err(Refused::Type);
        }
        if header.kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID) {
            return Err(Refused::Malformed);
        }
        Ok(Signed {
            alg,
            kid: header.kid,
            message: message.as_bytes(),
            signature,
            payload,
        })
    }

    /// What it claims, for who has checked the signature.
    pub(super) fn payload(&self) -> Result<Vec<u8>, Refused> {
        part(self.payload)
    }
}

fn part(text: &str) -> Result<Vec<u8>, Refused> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Refused::Malformed)
}

/// Whether a token of this type is one to be let in by: the same issuer signs others (a logout's, a proof of
/// possession), which somebody may hold without having logged in.
fn is_access(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
}
