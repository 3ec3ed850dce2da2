//! What `access` asks of a login elsewhere, answered by tokens and keys.

use partyline_shared::time::UtcTime;
use tokio::sync::watch;

use super::keys::KeyId;
use super::{Jwt, Verified};
use crate::access::login::{Answer, Login};
use crate::access::{Grant, Source};

impl Login for Jwt {
    fn bearer<'a>(&'a self, token: &'a str, now: UtcTime) -> Answer<'a> {
        Box::pin(async move { self.verify(token, now).await.map(Grant::from) })
    }

    /// A token's grant cannot change: it holds, or it does not, which is the configuration's to say as well.
    fn renewed(&self, grant: &Grant, now: UtcTime) -> Option<Grant> {
        let key = KeyId::from(grant.voucher()?);
        let over = grant.expires().is_none_or(|expires| now >= expires);
        (!over && self.counts(key, grant.claimed()?)).then(|| grant.clone())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        Jwt::changes(self)
    }
}

impl From<Verified> for Grant {
    fn from(verified: Verified) -> Grant {
        Grant::new(verified.name, verified.role, verified.customers, verified.allow)
            .known_by(Source::Jwt, verified.token_id)
            .until(Some(verified.expires))
            .vouched_by(verified.key.into(), verified.claimed)
    }
}
