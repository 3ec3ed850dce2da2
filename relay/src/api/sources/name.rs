//! What a source's call is called. The same caller of the API that says the same `external_id` for the same customer
//! means the same call, also when the relay was started anew in between, since the name follows from the three. Pure
//! but for the names that are drawn.

use partyline_shared::id::CallSid;
use sha2::{Digest, Sha256};

use crate::access::{Grant, Source};

/// Parts these names from any other that is made of hashes.
const PURPOSE: &[u8] = b"partyline call_streams 1";

/// The same for what a bearer is known by.
const MARK: &[u8] = b"partyline call_streams maker 1";

/// Who made a call: the bearer's name, not its token, so that a token can be replaced while calls go on; a login's name
/// is another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    kind: u8,
    name: String,
}

impl Owner {
    pub(super) fn of(grant: &Grant) -> Owner {
        let kind = match grant.source() {
            Source::Token => 1,
            Source::Jwt => 2,
            Source::Insecure => 3,
        };
        Owner {
            kind,
            name: grant.name().to_owned(),
        }
    }

    /// What other relays know it by, 32 hex digits.
    pub(super) fn mark(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(MARK);
        digest.update([self.kind]);
        digest.update(&self.name);
        let bytes: [u8; 32] = digest.finalize().into();
        let bits = bytes.first_chunk().copied().map(u128::from_be_bytes);
        bits.map_or_else(String::new, |bits| format!("{bits:032x}"))
    }

    /// `CA` and 32 hex digits: of a call that has a name elsewhere, or of one that has none.
    pub(super) fn call(&self, customer: &str, external_id: Option<&str>) -> Option<CallSid> {
        let bits = match external_id {
            Some(external) => {
                let mut digest = Sha256::new();
                digest.update(PURPOSE);
                digest.update([self.kind]);
                for part in [&self.name, customer, external] {
                    // Its length as well, so that no two triples are one text.
                    digest.update((part.len() as u64).to_be_bytes());
                    digest.update(part);
                }
                let bytes: [u8; 32] = digest.finalize().into();
                bytes.first_chunk().copied().map(u128::from_be_bytes)?
            }
            None => rand::random(),
        };
        CallSid::parse(&format!("CA{bits:032x}")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    #[test]
    fn the_same_three_are_the_same_call_and_no_others() {
        let owner = |name: &str, source| {
            Owner::of(&Grant::new(name, Role::Source, Vec::new(), Vec::new()).known_by(source, name))
        };
        let pbx = owner("pbx", Source::Token);
        let call = pbx.call("7", Some("x-1")).unwrap();
        assert_eq!((call.as_str().len(), &call.as_str()[..2]), (34, "CA"));
        assert_eq!(pbx.call("7", Some("x-1")), Some(call.clone()));
        assert_eq!(pbx.mark(), owner("pbx", Source::Token).mark());
        assert_ne!(pbx.mark(), owner("pbx", Source::Jwt).mark());
        assert_ne!(pbx.mark(), owner("pbx2", Source::Token).mark());
        let others = [
            owner("pbx2", Source::Token).call("7", Some("x-1")),
            owner("pbx", Source::Jwt).call("7", Some("x-1")),
            pbx.call("7x", Some("-1")),
            pbx.call("8", Some("x-1")),
            pbx.call("7", Some("x-2")),
            pbx.call("7", None),
            pbx.call("7", None),
        ];
        for (n, other) in others.iter().enumerate() {
            assert!(other.is_some() && !others[..n].contains(other) && *other != Some(call.clone()));
        }
    }
}
