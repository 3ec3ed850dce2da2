//! Why a token was not taken: for the count and for the log. The bearer is told none of it, and the token's
//! own words are in none of it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! reasons {
    ($($(#[$doc:meta])* $reason:ident = $name:literal, $advice:literal;)*) => {
        /// A reason.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Refused {
            $($(#[$doc])* $reason,)*
        }

        impl Refused {
            const ALL: &[Refused] = &[$(Refused::$reason,)*];

            /// Its name in counts.
            pub(super) fn name(self) -> &'static str {
                match self { $(Refused::$reason => $name,)* }
            }

            /// What to do about it, for the operator.
            pub(super) fn advice(self) -> &'static str {
                match self { $(Refused::$reason => $advice,)* }
            }
        }
    };
}

reasons! {
    /// Longer than any is.
    TooLong = "jwt_too_long", "a token has at most 8 KiB: put fewer customers or groups into it";
    /// Not three parts of base64url with a JSON header.
    Malformed = "jwt_malformed", "it is no signed JWT (encrypted ones are not taken)";
    /// `none`, or one that no key here is for.
    Algorithm = "jwt_algorithm", "sign with RS256, PS256, ES256, EdDSA, or HS256 by --jwt-secret-file";
    /// `typ` says that it is for something else.
    Type = "jwt_type", "its `typ` is neither JWT nor at+jwt: is it the access token?";
    /// It has extensions that must be understood.
    Critical = "jwt_critical", "its header has `crit`, which is not understood here";
    /// No key of that name, also after a look at whether there are new ones.
    UnknownKey = "jwt_unknown_key", "its `kid` is not in --jwks: does the login's key set have it?";
    /// The key's type is not for the token's algorithm.
    KeyMismatch = "jwt_key_mismatch", "its `alg` is not what its key is for";
    /// Somebody else's, or altered.
    Signature = "jwt_signature", "its signature is not by the key that it names";
    /// The claims cannot be read.
    Claims = "jwt_claims", "its claims are no JSON object of `sub`, `exp`, `aud` and `partyline`";
    /// `exp` is over, or there is none.
    Expired = "jwt_expired", "its `exp` is over or missing; are both clocks right?";
    /// `nbf` is yet to come.
    NotYet = "jwt_not_yet", "its `nbf` is yet to come; are both clocks right?";
    /// Another issuer's.
    Issuer = "jwt_issuer", "its `iss` is not --jwt-issuer";
    /// For another service.
    Audience = "jwt_audience", "its `aud` does not have --jwt-audience";
    /// Nobody's, or not a name to be shown.
    Subject = "jwt_subject", "its `sub` is missing, over 255 characters, or has characters that show nothing";
    /// Without a role that there is.
    Grant = "jwt_grant", "it says no role of admin, user, source, transcriber: add the claim \
                          `partyline`: {\"role\", \"customers\", \"allow\"}";
}

/// How often each came.
#[derive(Debug, Default)]
pub(super) struct Counts([AtomicU64; Refused::ALL.len()]);

impl Counts {
    /// One more.
    pub(super) fn count(&self, reason: Refused) {
        if let Some(count) = self.0.get(reason as usize) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Name and number of each.
    pub(super) fn totals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let numbers = self.0.iter().map(|count| count.load(Relaxed));
        Refused::ALL.iter().map(|reason| reason.name()).zip(numbers)
    }
}
