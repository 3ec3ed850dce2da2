//! Who asks, for every door but Twilio's: the token, login or ticket that a request shows, and what its bearer may.
//! Slows down who guesses, counts and records who is refused. Says nothing about calls.

mod tickets;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, StatusCode};
use partyline_shared::twilio::form::Form;

use crate::access::{Access, Grant, Source};
use crate::audit::{Audit, Entry, Event};
use crate::broker::commons::Commons;
use crate::clock::Now;
use crate::limits::sockets::{Sockets, TooMany};
use crate::limits::{Limits, sockets};
use crate::metrics::Metrics;
use crate::peer::Peer;
use crate::respond::Refusal;

/// The scheme of an Authorization header, with its space.
const BEARER: &str = "bearer ";

/// Who stands at the doors.
#[derive(Debug)]
pub struct Doorman {
    access: Arc<Access>,
    audit: Arc<Audit>,
    limits: Arc<Limits>,
    metrics: Arc<Metrics>,
    commons: Arc<Commons>,
    sockets: Arc<Sockets>,
}

/// A way in, and from where.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// As the record names it.
    pub door: &'static str,
    /// The client's address.
    pub address: IpAddr,
}

impl At {
    /// Where a request stands.
    pub fn of<B>(door: &'static str, request: &Request<B>) -> Result<At, Refusal> {
        let peer: Option<&Peer> = request.extensions().get();
        // Every request has one: see `server`.
        let peer = peer.ok_or_else(Refusal::not_found)?;
        Ok(At {
            door,
            address: peer.address,
        })
    }
}

impl Doorman {
    /// One for all doors; of tickets other relays are asked by `commons`.
    pub fn new(
        access: Arc<Access>,
        audit: Arc<Audit>,
        limits: Arc<Limits>,
        metrics: Arc<Metrics>,
        commons: Arc<Commons>,
    ) -> Doorman {
        Doorman {
            access,
            audit,
            metrics,
            commons,
            sockets: limits.sockets.clone(),
            limits,
        }
    }

    /// Who may what.
    pub fn access(&self) -> &Arc<Access> {
        &self.access
    }

    /// Who heard what.
    pub fn audit(&self) -> &Arc<Audit> {
        &self.audit
    }

    /// The bearer of an API request, which counts for its token's rate. Without a token nobody, but under
    /// `insecure` an admin.
    ///
    /// # Errors
    /// A [`Refusal`] with 401, or 429 for who guesses or asks too fast.
    pub async fn api(&self, at: At, headers: &HeaderMap, insecure: bool) -> Result<Grant, Refusal> {
        let grant = self.script(at, headers, insecure).await?;
        if grant.source() != Source::Insecure {
            self.limits.request(Instant::now(), grant.token_id())?;
        }
        Ok(grant)
    }

    /// The same for a request that brings audio, of which a source makes many: they have a rate of their own.
    ///
    /// # Errors
    /// As [`Doorman::api`].
    pub async fn audio(&self, at: At, headers: &HeaderMap, insecure: bool) -> Result<Grant, Refusal> {
        let grant = self.script(at, headers, insecure).await?;
        if grant.source() != Source::Insecure {
            self.limits.audio(Instant::now(), grant.token_id())?;
        }
        Ok(grant)
    }

    async fn script(&self, at: At, headers: &HeaderMap, insecure: bool) -> Result<Grant, Refusal> {
        match self.header(at, headers).await? {
            Some(grant) => Ok(grant),
            None if insecure => Ok(Grant::insecure()),
            None => Err(self.nobody("no token was shown")),
        }
    }

    /// The bearer of a socket's handshake, by header or ticket; `None` where neither is shown. `insecure`: whether whoever
    /// shows nothing is let in.
    ///
    /// # Errors
    /// A [`Refusal`] with 401, or 429 for who guesses.
    pub async fn handshake<B>(
        &self,
        at: At,
        request: &Request<B>,
        insecure: bool,
    ) -> Result<Option<Grant>, Refusal> {
        if let Some(grant) = self.header(at, request.headers()).await? {
            return Ok(Some(grant));
        }
        let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
        let Some(ticket) = query.get("ticket") else {
            return Ok(None);
        };
        self.limits.may_try(Instant::now(), at.address, ticket)?;
        match self.redeem(ticket, insecure).await {
            Some(grant) => Ok(Some(grant)),
            None => Err(self.wrong(at, ticket, "the ticket is used up, too old or none")),
        }
    }

    /// The bearer at Action Cable's door: by header, ticket, or a token that may stand in a URL. Without any nobody, but
    /// under `insecure` an admin.
    ///
    /// # Errors
    /// A [`Refusal`] with 401, or 429 for who guesses.
    pub async fn cable<B>(&self, at: At, request: &Request<B>, insecure: bool) -> Result<Grant, Refusal> {
        if let Some(grant) = self.handshake(at, request, insecure).await? {
            return Ok(grant);
        }
        let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
        let Some(token) = query.get("token") else {
            return if insecure {
                Ok(Grant::insecure())
            } else {
                Err(self.nobody("no token was shown"))
            };
        };
        self.limits.may_try(Instant::now(), at.address, token)?;
        match self.access.url_token(token, Now::take().wall) {
            Some(grant) => {
                self.limits.was_right(at.address, token);
                Ok(grant)
            }
            None => Err(self.wrong(at, token, "the token is not one that may stand in a URL")),
        }
    }

    async fn header(&self, at: At, headers: &HeaderMap) -> Result<Option<Grant>, Refusal> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let text = value.to_str().ok().filter(|_| values.next().is_none());
        let token = text.and_then(|text| {
            let (scheme, token) = text.split_at_checked(BEARER.len())?;
            scheme.eq_ignore_ascii_case(BEARER).then(|| token.trim())
        });
        match token {
            Some(token) => Ok(Some(self.bearer(at, token).await?)),
            None => Err(self.nobody("the Authorization header is not one of Bearer TOKEN")),
        }
    }

    /// Who shows this token, wherever it was shown.
    ///
    /// # Errors
    /// A [`Refusal`] with 401, or 429 for who guesses.
    pub async fn bearer(&self, at: At, token: &str) -> Result<Grant, Refusal> {
        self.limits.may_try(Instant::now(), at.address, token)?;
        match self.access.bearer(token, Now::take().wall).await {
            Some(grant) => {
                self.limits.was_right(at.address, token);
                Ok(grant)
            }
            None => Err(self.wrong(at, token, "the token is not valid, or no longer")),
        }
    }

    /// A place among the sockets of one token.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn socket(&self, grant: &Grant) -> Result<sockets::Held, TooMany> {
        self.sockets.hold(grant).inspect_err(|_| {
            self.metrics.listeners_refused.add_one();
        })
    }

    /// A socket that has said another token counts as that one's.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn hand_over(&self, held: &mut sockets::Held, grant: &Grant) -> Result<(), TooMany> {
        self.sockets.hand_over(held, grant).inspect_err(|_| {
            self.metrics.listeners_refused.add_one();
        })
    }

    fn wrong(&self, at: At, token: &str, why: &'static str) -> Refusal {
        self.limits.was_wrong(Instant::now(), at.address, token);
        self.metrics.tokens_wrong.add_one();
        let now = Now::take();
        let refused = Entry::new(now.wall, Event::Refused).through(at.door, at.address);
        self.audit.refuse(now.mono, refused, why);
        self.nobody(why)
    }

    /// One answer for all: which of the reasons it was is nobody's to know.
    fn nobody(&self, why: &'static str) -> Refusal {
        self.metrics.requests_refused.add_one();
        tracing::debug!(why, "not authorised");
        let message =
            "this needs a valid token: Authorization: Bearer TOKEN, made by partyline-relay token add";
        Refusal::new(StatusCode::UNAUTHORIZED, "not_authorised", message)
    }
}
