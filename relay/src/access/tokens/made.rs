//! A token that was just made: 256 random bits, written so that a person, or a scanner for leaked secrets, sees
//! what it is. It is shown once; only its hash is kept.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::fingerprint::sha256;
use super::super::grant::{Right, Role};
use super::Token;
use partyline_shared::time::UtcTime;

/// What every token begins with.
const PREFIX: &str = "pl_";
/// Random bytes in a token: 256 bits, so that its hash needs neither salt nor stretching.
const SECRET: usize = 32;
/// Characters of base64url for them.
const WRITTEN: usize = 43;
/// Random bytes in a public id: 40 bits, 8 characters. Ids of one file meet by chance once in a million files
/// of a thousand tokens, and then the file is not written.
const ID: usize = 5;
/// RFC 4648's base 32 in small letters: nothing in it is mistaken for another when read aloud.
const ID_LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A new token: its text, to be shown once, and what the file keeps.
pub struct Made {
    text: String,
    /// What the file keeps.
    pub token: Token,
}

impl Made {
    /// Draws one, with an id, for whoever is named.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn draw(name: &str, role: Role, now: UtcTime) -> Result<Made, getrandom::Error> {
        let (mut secret, mut id) = ([0; SECRET], [0; ID]);
        getrandom::fill(&mut secret)?;
        getrandom::fill(&mut id)?;
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
        let token = Token {
            id: id_text(id),
            name: name.to_owned(),
            role,
            customers: Vec::new(),
            allow: Vec::<Right>::new(),
            expires: None,
            in_url: false,
            created: Some(now),
            hash: sha256(&text),
        };
        Ok(Made { text, token })
    }

    /// The token itself, to be shown once to whom it is for.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Made").field(&self.token).finish()
    }
}

/// Whether a text is written as a token is: what is not need not be looked up.
pub(in crate::access) fn looks_like_one(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|rest| {
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        rest.len() == WRITTEN && rest.bytes().all(is_letter)
    })
}

fn id_text(bytes: [u8; ID]) -> String {
    let number = bytes.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
    let digit = |at: u32| {
        ID_LETTERS
            .get((number >> (5 * at) & 31) as usize)
            .copied()
            .unwrap_or(b'a')
    };
    (0..8).rev().map(|at| char::from(digit(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_another_and_looks_like_one() {
        let now = UtcTime::from_unix_ms(0);
        let made: Vec<Made> = (0..100)
            .map(|_| Made::draw("a", Role::User, now).unwrap())
            .collect();
        for (at, one) in made.iter().enumerate() {
            assert!(looks_like_one(one.expose()), "{}", one.expose());
            assert_eq!(one.token.hash, sha256(one.expose()));
            assert!(!format!("{one:?}").contains(one.expose()));
            for other in &made[..at] {
                assert_ne!(one.expose(), other.expose());
                assert_ne!(one.token.id, other.token.id);
            }
        }
    }

    #[test]
    fn what_else_is_shown_is_none() {
        let good = format!("pl_{}", "A".repeat(43));
        assert!(looks_like_one(&good));
        let long = format!("{good}A");
        let spaced = good.replace("AA", "A ");
        for bad in [
            "",
            "pl_",
            &good[1..],
            &good[..45],
            &long,
            &spaced,
            "a.b.c",
            "pl_ä",
        ] {
            assert!(!looks_like_one(bad), "{bad}");
        }
        assert!(!looks_like_one(&good.replace("pl_", "PL_")));
    }

    #[test]
    fn an_id_is_eight_letters() {
        assert_eq!(id_text([0; 5]), "aaaaaaaa");
        assert_eq!(id_text([255; 5]), "77777777");
        assert_eq!(id_text([0, 0, 0, 0, 33]), "aaaaaabb");
    }
}
