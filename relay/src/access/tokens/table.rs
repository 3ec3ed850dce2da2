//! The tokens in force, by their fingerprints. Never changed: the next file makes the next table.

use std::collections::HashMap;

use partyline_shared::time::UtcTime;

use super::super::fingerprint::{Fingerprint, Key, voucher};
use super::super::grant::{Grant, Source};
use super::Token;

/// All tokens of one reading of the file.
#[derive(Debug, Default)]
pub(in crate::access) struct Table {
    known: HashMap<Fingerprint, Bearer>,
    /// By what grants stand and fall with, which is the same at each relay with this file.
    vouched: HashMap<Fingerprint, Fingerprint>,
}

#[derive(Debug, PartialEq, Eq)]
struct Bearer {
    grant: Grant,
    in_url: bool,
}

impl Table {
    pub(in crate::access) fn new(tokens: Vec<Token>, key: &Key) -> Table {
        let bearer = |token: Token| {
            let (print, voucher) = (key.of(&token.hash), voucher(&token.hash));
            let mut grant = Grant::new(token.name, token.role, token.customers, token.allow)
                .known_by(Source::Token, token.id)
                .until(token.expires);
            grant.of = Some(voucher);
            (
                print,
                voucher,
                Bearer {
                    grant,
                    in_url: token.in_url,
                },
            )
        };
        let mut table = Table::default();
        for (print, voucher, bearer) in tokens.into_iter().map(bearer) {
            table.known.insert(print, bearer);
            table.vouched.insert(voucher, print);
        }
        table
    }

    /// How many there are, ended ones too.
    pub(in crate::access) fn len(&self) -> usize {
        self.known.len()
    }

    /// What the token grants now, unless it has ended.
    pub(in crate::access) fn grant(&self, print: &Fingerprint, now: UtcTime) -> Option<Grant> {
        self.bearer(print, now).map(|bearer| bearer.grant.clone())
    }

    /// The same of a grant's token, by what that stands and falls with.
    pub(in crate::access) fn renewed(&self, voucher: &Fingerprint, now: UtcTime) -> Option<Grant> {
        self.grant(self.vouched.get(voucher)?, now)
    }

    /// The same, if it may stand in a URL.
    pub(in crate::access) fn url_grant(&self, print: &Fingerprint, now: UtcTime) -> Option<Grant> {
        let bearer = self.bearer(print, now).filter(|bearer| bearer.in_url);
        bearer.map(|bearer| bearer.grant.clone())
    }

    fn bearer(&self, print: &Fingerprint, now: UtcTime) -> Option<&Bearer> {
        self.known.get(print).filter(|bearer| !bearer.grant.is_over(now))
    }

    /// What this table has that `other` has not, or has otherwise; by name, so that a record is in order.
    pub(in crate::access) fn beyond(&self, other: &Table) -> Vec<Grant> {
        let news = self
            .known
            .iter()
            .filter(|(print, bearer)| other.known.get(print) != Some(bearer));
        let mut grants: Vec<Grant> = news.map(|(_, bearer)| bearer.grant.clone()).collect();
        grants.sort_by(|a, b| (a.name(), a.token_id()).cmp(&(b.name(), b.token_id())));
        grants
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::Role;
    use super::super::Made;
    use super::*;

    fn made(ends: &[Option<i64>]) -> Vec<Made> {
        let one = |ends: &Option<i64>| {
            let mut made = Made::draw("a", Role::User, UtcTime::from_unix_ms(0)).unwrap();
            made.token.expires = ends.map(UtcTime::from_unix_ms);
            made.token.in_url = ends.is_some();
            made
        };
        ends.iter().map(one).collect()
    }

    proptest! {
        /// Any two readings of a file: who is known by each, and who came and went between them.
        #[test]
        fn a_table_knows_those_it_was_made_of(
            ends in prop::collection::vec(prop::option::of(0..4i64), 1..12),
            picks in prop::collection::vec(any::<(bool, bool)>(), 12),
            now in 0..4i64,
        ) {
            let (key, now) = (Key::draw().unwrap(), UtcTime::from_unix_ms(now));
            let all = made(&ends);
            let of = |pick: fn(&(bool, bool)) -> bool| {
                let picked = all.iter().zip(&picks).filter(|(_, picks)| pick(picks));
                Table::new(picked.map(|(made, _)| made.token.clone()).collect(), &key)
            };
            let (old, new) = (of(|picks| picks.0), of(|picks| picks.1));
            let ids = |grants: Vec<Grant>| -> Vec<String> { grants.iter().map(|g| g.token_id().to_owned()).collect() };
            let (gone, come) = (ids(old.beyond(&new)), ids(new.beyond(&old)));
            for (made, (was, is)) in all.iter().zip(&picks) {
                let print = key.of(&super::super::super::fingerprint::sha256(made.expose()));
                let good = *is && !made.token.is_over(now);
                let grant = new.grant(&print, now);
                prop_assert_eq!(grant.map(|g| g.token_id().to_owned()), good.then(|| made.token.id.clone()));
                prop_assert_eq!(new.url_grant(&print, now).is_some(), good && made.token.in_url);
                prop_assert_eq!(gone.contains(&made.token.id), *was && !is);
                prop_assert_eq!(come.contains(&made.token.id), *is && !was);
            }
            prop_assert!(new.beyond(&new).is_empty());
        }
    }
}
