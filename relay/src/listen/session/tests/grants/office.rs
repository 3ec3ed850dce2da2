//! A login that knows fifty people and changes its mind: who may what is a line of a table.

use std::sync::Mutex;

use partyline_shared::time::UtcTime;
use tokio::sync::watch;

use crate::access::login::{Answer, Login};
use crate::access::{Claimed, Grant, Right, Role, Source};
use crate::lock::lock;

/// By user; `None` for whom there is no token.
#[derive(Debug, Default)]
pub(super) struct Office(Mutex<Vec<Option<Grant>>>);

/// Who somebody is, and what somebody may.
pub(super) fn grant(user: usize, role: Role, customers: Vec<String>, save: bool) -> Grant {
    let allow = save.then_some(Right::Save).into_iter().collect();
    Grant::new(format!("user{user}"), role, customers, allow)
        .known_by(Source::Jwt, user.to_string())
        .vouched_by([0; 32], Claimed::default())
}

/// The token of a user.
pub(super) fn token(user: usize) -> String {
    format!("a.{user}.c")
}

impl Office {
    pub(super) fn of(&self, user: usize) -> Option<Grant> {
        lock(&self.0).get(user).cloned().flatten()
    }

    /// What the user may at `now`.
    pub(super) fn known(&self, user: usize, now: UtcTime) -> Option<Grant> {
        self.of(user).filter(|grant| !grant.is_over(now))
    }

    pub(super) fn set(&self, user: usize, grant: Option<Grant>) {
        let mut all = lock(&self.0);
        if all.len() <= user {
            all.resize(user + 1, None);
        }
        all[user] = grant;
    }
}

impl Login for Office {
    fn bearer<'a>(&'a self, token: &'a str, now: UtcTime) -> Answer<'a> {
        let user = token.split('.').nth(1).and_then(|n| n.parse().ok());
        let grant = user.and_then(|user: usize| self.known(user, now));
        Box::pin(async move { grant })
    }

    fn renewed(&self, grant: &Grant, now: UtcTime) -> Option<Grant> {
        self.known(grant.token_id().parse().ok()?, now)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        watch::Sender::new(0).subscribe()
    }
}
