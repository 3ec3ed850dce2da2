//! A grant as one relay tells it to another: what it says, and what it stands and falls with; never the token. What is
//! read here is another's word, and good for nothing until it was [judged](super::super::Access::carried).

use std::sync::Arc;

use partyline_shared::time::UtcTime;
use serde::{Deserialize, Serialize};

use super::{Claimed, Grant, Right, Role, Source};
use crate::access::fingerprint::{Fingerprint, hex, unhex};

/// Most bytes of one that is read: a token of some thousand customers. Whose is longer is not known at other relays.
const MAX_WIRE: usize = 64 << 10;

/// Its JSON. What a later version adds is not read by an older one, and gives nothing there.
#[derive(Serialize, Deserialize)]
struct Wire {
    name: String,
    role: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    customers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allow: Vec<String>,
    source: String,
    token_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_ms: Option<i64>,
    /// Hexadecimal: the token's voucher, or the digest of the key that a login signed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    audiences: Option<Vec<String>>,
}

/// Each source, as it is written.
const SOURCES: [(Source, &str); 3] = [
    (Source::Token, "token"),
    (Source::Jwt, "jwt"),
    (Source::Insecure, "insecure"),
];

impl Grant {
    /// As another relay is told of it: JSON on one line, without anything that opens a door.
    pub fn to_wire(&self) -> String {
        let source = SOURCES.iter().find(|(source, _)| *source == self.source);
        let claimed = self.claimed.as_deref();
        let wire = Wire {
            name: self.name.to_string(),
            role: self.role.as_str().to_owned(),
            customers: self.customers.to_vec(),
            allow: self.allow.iter().map(|right| right.as_str().to_owned()).collect(),
            source: source.map_or_else(String::new, |(_, name)| (*name).to_owned()),
            token_id: self.token_id.to_string(),
            expires_ms: self.expires.map(UtcTime::unix_ms),
            of: self.of.as_ref().map(|Fingerprint(print)| hex(print)),
            issuer: claimed.and_then(|claimed| claimed.issuer.clone()),
            audiences: claimed.map(|claimed| claimed.audiences.clone()),
        };
        // Strings, numbers and lists of them can be written; the type does not know.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// Reads what [`Grant::to_wire`] wrote. `None` for anything else, and for what this version does not know.
    pub(in crate::access) fn from_wire(wire: &str) -> Option<Grant> {
        if wire.len() > MAX_WIRE {
            return None;
        }
        let wire: Wire = serde_json::from_str(wire).ok()?;
        let (source, _) = SOURCES.iter().find(|(_, name)| *name == wire.source)?;
        let role = Role::parse(&wire.role)?;
        // A right that is not known gives nothing.
        let allow = wire
            .allow
            .iter()
            .filter_map(|right| Right::parse(right))
            .collect();
        let of = match wire.of {
            Some(text) => Some(Fingerprint(unhex(&text)?)),
            None => None,
        };
        let claimed = wire.audiences.map(|audiences| {
            Arc::new(Claimed {
                issuer: wire.issuer,
                audiences,
            })
        });
        let grant = Grant::new(wire.name, role, wire.customers, allow)
            .known_by(*source, wire.token_id)
            .until(wire.expires_ms.map(UtcTime::from_unix_ms));
        Some(Grant { of, claimed, ..grant })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::access::fingerprint::HASH;

    fn grants() -> impl Strategy<Value = Grant> {
        let claimed = prop::option::of((prop::option::of(".*"), prop::collection::vec(".*", 0..3)));
        let who = (
            ".*",
            prop::sample::select(Role::ALL.to_vec()),
            prop::collection::vec(".*", 0..4),
            prop::sample::subsequence(Right::ALL.to_vec(), 0..=2),
        );
        let known = (
            prop::sample::select(SOURCES.to_vec()),
            "[0-9a-f]{0,16}",
            prop::option::of(any::<i32>()),
            prop::option::of(any::<[u8; HASH]>()),
        );
        (who, known, claimed).prop_map(|(who, (source, id, expires, of), claimed)| {
            let (name, role, customers, allow) = who;
            let grant = Grant::new(name, role, customers, allow)
                .known_by(source.0, id)
                .until(expires.map(|ms| UtcTime::from_unix_ms(ms.into())));
            Grant {
                of: of.map(Fingerprint),
                claimed: claimed.map(|(issuer, audiences)| Arc::new(Claimed { issuer, audiences })),
                ..grant
            }
        })
    }

    proptest! {
        /// Whatever a grant is, another relay reads the same.
        #[test]
        fn what_is_written_is_read(grant in grants()) {
            let wire = grant.to_wire();
            prop_assert!(!wire.contains('\n'));
            prop_assert!(Grant::from_wire(&wire) == Some(grant));
        }

        /// Nobody's word breaks anything.
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = Grant::from_wire(&text);
        }
    }

    #[test]
    fn what_is_not_known_here_gives_nothing() {
        let wire = Grant::new("alice", Role::User, vec!["7".into()], vec![Right::Save]).to_wire();
        assert!(Grant::from_wire(&wire).is_some());
        for (known, other) in [
            ("\"user\"", "\"owner\""),
            ("\"token\"", "\"friend\""),
            ("}", ",\"of\":\"12\"}"),
            ("}", ",\"of\":\"\u{e4}\"}"),
            ("}", ""),
        ] {
            assert!(
                Grant::from_wire(&wire.replacen(known, other, 1)).is_none(),
                "{other}"
            );
        }
        let later = wire.replacen("\"save\"", "\"save\",\"erase\"", 1);
        assert!(Grant::from_wire(&later).is_some_and(|grant| grant.has(Right::Save)));
        let long = Grant::new("x".repeat(MAX_WIRE), Role::User, vec![], vec![]).to_wire();
        assert!(Grant::from_wire(&long).is_none());
    }
}
