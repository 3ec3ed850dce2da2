//! Passes: what a stream shows to be the one that our TwiML asked for. Bound to account and call, good for 15
//! minutes and for one stream. The key comes from the account's auth token, so that whichever relay the stream
//! reaches can check it without asking the one that wrote it. Pure but for what is spent: time and chance are
//! handed in. Never prints a pass or a key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use partyline_shared::time::UtcTime;
use sha2::Sha256;

use crate::config::Secret;

pub mod desk;
pub mod spent;

#[cfg(test)]
mod tests;

use spent::Nonce;

/// The name of the `<Parameter>` that carries it.
pub const PARAMETER: &str = "partyline_pass";

/// How long it is good for, ms: Twilio opens a stream as soon as the notice has been said, and a caller may
/// have waited in a queue before. Clocks of two relays differ by far less.
pub const LIFE_MS: i64 = 15 * 60 * 1000;

/// What the key is for: an auth token signs other things too, and none of them may be taken for a pass.
const LABEL: &[u8] = b"partyline: passes of streams, 1";
/// The same of what relays without tokens agreed on.
const AMONG: &[u8] = b"among relays";

/// What makes a pass's name of what its webhook is known by: no key, so that whichever relay a webhook reaches again
/// names the same pass, and after a restart.
const NAMES: &[u8] = b"partyline: names of passes, 1";

/// Bytes of a SHA-256 MAC.
const MAC: usize = 32;

/// Bytes of a whole pass: nonce, end, MAC.
const WHOLE: usize = NONCE + END + MAC;
const NONCE: usize = size_of::<Nonce>();
const END: usize = size_of::<i64>();

/// What passes are made and checked with.
#[derive(Clone)]
pub struct Key([u8; MAC]);

/// A pass that is right in all but that it may have been shown before. Its number opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Valid {
    /// Which pass this is.
    pub nonce: Nonce,
    /// When it ends, ms since 1970.
    pub until_ms: i64,
}

/// What is wrong with a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Not ours, or another call's or account's: the two cannot be told apart.
    Forged,
    /// Its 15 minutes are over.
    Late,
}

impl Key {
    /// That of a Twilio account, by its auth token.
    pub fn of_token(token: &Secret) -> Key {
        Key(mac(token.expose().as_bytes(), &[LABEL]).map_or([0; MAC], bytes))
    }

    /// One of what relays agreed on: for those without tokens.
    pub fn among_relays(secret: &[u8]) -> Key {
        Key(mac(secret, &[LABEL, AMONG]).map_or([0; MAC], bytes))
    }

    /// One that nobody else has: for a relay without tokens.
    pub fn new(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }

    /// A pass for one stream of `call`, from `now` on. `nonce` is random: it has to differ from all others.
    pub fn write(&self, now: UtcTime, nonce: Nonce, account: &str, call: &str) -> String {
        let end = now.unix_ms().saturating_add(LIFE_MS).to_be_bytes();
        let mac = self.seal(&nonce, &end, account, call).map_or([0; MAC], bytes);
        URL_SAFE_NO_PAD.encode([&nonce[..], &end, &mac].concat())
    }

    /// The MAC of a pass. Ids have no zero byte, so no two pairs of them read alike.
    fn seal(&self, nonce: &[u8], end: &[u8], account: &str, call: &str) -> Option<Hmac<Sha256>> {
        mac(&self.0, &[nonce, end, account.as_bytes(), b"\0", call.as_bytes()])
    }
}

/// What names the pass that is written where this was seen: as good as random, as that is, and tells nothing of it.
fn name(seen: &[u8]) -> Nonce {
    let whole = mac(NAMES, &[seen]).map_or([0; MAC], bytes);
    whole.first_chunk().copied().unwrap_or_default()
}

/// Whether `pass` was written with one of `keys` for this call of this account, and is not over. Takes the
/// same time however much of it is right.
///
/// # Errors
/// [`Wrong`].
pub fn read(keys: &[Key], now: UtcTime, account: &str, call: &str, pass: &str) -> Result<Valid, Wrong> {
    let bytes: [u8; WHOLE] = URL_SAFE_NO_PAD
        .decode(pass)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(Wrong::Forged)?;
    let (nonce, rest) = bytes.split_first_chunk::<NONCE>().ok_or(Wrong::Forged)?;
    let (end, shown) = rest.split_first_chunk::<END>().ok_or(Wrong::Forged)?;
    let mut ours = false;
    for key in keys {
        let right = key.seal(nonce, end, account, call);
        ours |= right.is_some_and(|mac| mac.verify_slice(shown).is_ok());
    }
    if !ours {
        return Err(Wrong::Forged);
    }
    let until_ms = i64::from_be_bytes(*end);
    // One from further ahead than any of ours is from a relay whose clock is wrong, and would be good too long.
    if now.unix_ms() >= until_ms || until_ms.saturating_sub(now.unix_ms()) > 2 * LIFE_MS {
        return Err(Wrong::Late);
    }
    Ok(Valid {
        nonce: *nonce,
        until_ms,
    })
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    // HMAC takes a key of any length, so this is never `None`; the type does not know.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac)
}

fn bytes(mac: Hmac<Sha256>) -> [u8; MAC] {
    mac.finalize().into_bytes().into()
}
