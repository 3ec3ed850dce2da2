//! Tickets at the doors, each used once: here, and among all relays where several share calls. One that another relay
//! made gives what this relay's own tokens and keys say of its bearer.

use http::StatusCode;
use partyline_shared::time::UtcTime;
use std::time::Duration;

use super::Doorman;
use crate::access::tickets::digest;
use crate::access::{Grant, Issued, NoTicket};
use crate::broker::commons::{Brought, Taken, What};
use crate::clock::Now;
use crate::limits::sockets;
use crate::respond::Refusal;

/// What stands for a ticket that was used while nobody could be told: no grant reads like it.
const USED: &str = "used";

impl Doorman {
    /// A ticket with the rights of `grant`; it opens a connection at any relay by the time that it is answered, where
    /// Redis takes it.
    ///
    /// # Errors
    /// A [`Refusal`] with 429 or 503.
    pub async fn ticket(&self, grant: &Grant) -> Result<Issued, Refusal> {
        let now = Now::take().wall;
        let issued = self.access.ticket(grant, now).map_err(|error| {
            self.metrics.tickets_refused.add_one();
            match error {
                NoTicket::TooManyOfOne => Refusal::too_many(error.to_string(), sockets::COME_BACK),
                _ => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", error.to_string()),
            }
        })?;
        if let Some(digest) = digest(&issued.ticket).filter(|_| self.commons.is_shared()) {
            let life = left(now, issued.expires_at);
            if self.commons.keep_ticket(digest, &grant.to_wire(), life).await {
                self.access.shared(&issued);
            }
        }
        Ok(issued)
    }

    /// What the bearer of a ticket may do, once. `insecure`: whether whoever shows nothing is let in here.
    pub(super) async fn redeem(&self, ticket: &str, insecure: bool) -> Option<Grant> {
        let now = Now::take().wall;
        let digest = digest(ticket)?;
        // First of all, so that no second one finds it here while Redis is asked.
        let here = self.access.show(ticket, now);
        let there = self.commons.take_ticket(digest).await;
        match (here, there) {
            // Another relay has seen it. One that Redis was never told of can have been used here only.
            (Some(here), Taken::None) if here.is_shared() => None,
            (Some(here), there) => {
                if there == Taken::Unknown && here.is_shared() {
                    self.commons.bring(Brought {
                        what: What::Ticket(digest),
                        told: USED.to_owned(),
                        until_ms: here.until().unix_ms(),
                    });
                }
                self.access.redeemed(&here, now)
            }
            (None, Taken::With(grant)) => self.access.carried(&grant, now, insecure),
            (None, _) => None,
        }
    }
}

fn left(now: UtcTime, until: UtcTime) -> Duration {
    let ms = until.unix_ms().saturating_sub(now.unix_ms());
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[cfg(test)]
mod tests;
