//! Tickets: what stands in a URL for a token that must not. Each opens one connection, within a minute, with the
//! rights of whoever asked for it. A machine without a clock: the time is handed in.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use partyline_shared::time::UtcTime;

use super::fingerprint::{Fingerprint, HASH, Key, sha256, ticket_digest};
use super::grant::Grant;

/// How long a ticket opens a connection, ms: the contract's.
pub const LIFE_MS: i64 = 60_000;
/// Random bytes in one: 192 bits.
const SECRET: usize = 24;
/// What every ticket begins with, so that it is recognised for what it is.
const PREFIX: &str = "plt_";
/// Most tickets at once: ten thousand listeners that come back together, and some. 16,384 take 5 MB.
pub const MAX_TICKETS: usize = 16_384;
/// Most of them for one token, so that one bearer cannot take all: an office's pages behind one login.
pub const MAX_OF_ONE: usize = 2_048;

/// A ticket, to be handed to whoever asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// Its text.
    pub ticket: String,
    /// When it ends.
    pub expires_at: UtcTime,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Why there is no ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTicket {
    /// The bearer has [`MAX_OF_ONE`] unused ones: 429.
    #[error("this token has as many unused tickets as one may have; use them, or wait a minute")]
    TooManyOfOne,
    /// There are [`MAX_TICKETS`] unused ones: 503.
    #[error("there are as many unused tickets as can be kept; try again in a minute")]
    TooMany,
    /// The system has no random numbers: 503.
    #[error("no ticket can be drawn now; try again")]
    NoRandom,
}

#[derive(Debug)]
struct Ticket {
    grant: Grant,
    until: UtcTime,
    /// It can be used at other relays too.
    shared: bool,
}

/// A ticket of this relay's that was shown to it.
#[derive(Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// What it was issued for.
    pub(super) grant: Grant,
    until: UtcTime,
    shared: bool,
}

impl Redeemed {
    /// Whether it can be used at other relays too, so that one of them may have seen it before.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// When it would have ended.
    pub fn until(&self) -> UtcTime {
        self.until
    }
}

/// All unused tickets.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    known: HashMap<Fingerprint, Ticket>,
    /// In the order of issue, which is that of their ends; used ones are skipped when their time comes.
    in_order: VecDeque<(UtcTime, Fingerprint)>,
    /// How many each token has, by its public id and the bearer's name.
    of_one: HashMap<(String, String), usize>,
}

impl Tickets {
    /// Draws one for a bearer.
    pub(super) fn issue(&mut self, key: &Key, grant: &Grant, now: UtcTime) -> Result<Issued, NoTicket> {
        self.forget_old(now);
        if self.known.len() >= MAX_TICKETS {
            return Err(NoTicket::TooMany);
        }
        let count = self.of_one.get(&owner(grant)).copied().unwrap_or(0);
        if count >= MAX_OF_ONE {
            return Err(NoTicket::TooManyOfOne);
        }
        let mut secret = [0; SECRET];
        getrandom::fill(&mut secret).map_err(|_| NoTicket::NoRandom)?;
        let ticket = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
        let print = key.of(&sha256(&ticket));
        let until = now.plus_ms(LIFE_MS);
        self.of_one.insert(owner(grant), count + 1);
        self.in_order.push_back((until, print));
        self.known.insert(
            print,
            Ticket {
                grant: grant.clone(),
                until,
                shared: false,
            },
        );
        Ok(Issued {
            ticket,
            expires_at: until,
        })
    }

    /// From now on it can be used at other relays too.
    pub(super) fn share(&mut self, key: &Key, ticket: &str) {
        if let Some(known) = self.known.get_mut(&key.of(&sha256(ticket))) {
            known.shared = true;
        }
    }

    /// What a ticket was issued for, once.
    pub(super) fn redeem(&mut self, key: &Key, ticket: &str, now: UtcTime) -> Option<Redeemed> {
        self.forget_old(now);
        if !looks_like_one(ticket) {
            return None;
        }
        let Ticket { grant, until, shared } = self.take(&key.of(&sha256(ticket)))?;
        (now < until).then_some(Redeemed { grant, until, shared })
    }

    fn take(&mut self, print: &Fingerprint) -> Option<Ticket> {
        let ticket = self.known.remove(print)?;
        let owner = owner(&ticket.grant);
        if let Some(count) = self.of_one.get_mut(&owner) {
            *count -= 1;
            if *count == 0 {
                self.of_one.remove(&owner);
            }
        }
        Some(ticket)
    }

    fn forget_old(&mut self, now: UtcTime) {
        while let Some((until, print)) = self.in_order.front().copied() {
            if until > now {
                break;
            }
            self.in_order.pop_front();
            self.take(&print);
        }
        // Who draws and uses one after the other leaves used ones here.
        if self.in_order.len() >= 2 * MAX_TICKETS {
            self.in_order.retain(|(_, print)| self.known.contains_key(print));
        }
    }
}

fn looks_like_one(text: &str) -> bool {
    text.len() <= PREFIX.len() + 2 * SECRET && text.starts_with(PREFIX)
}

/// By what all relays know the ticket that a text may be: it opens nothing. `None` for what is none.
pub fn digest(text: &str) -> Option<[u8; HASH]> {
    looks_like_one(text).then(|| ticket_digest(text))
}

fn owner(grant: &Grant) -> (String, String) {
    (grant.token_id().to_owned(), grant.name().to_owned())
}

#[cfg(test)]
mod tests;
