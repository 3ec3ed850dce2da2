//! Twilio's way in. Every webhook shows that it is Twilio's before anything is done, and before its body is
//! read where it shows nothing at all; what was seen before gets the answer that it got, and does nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, StatusCode};
use hyper::body::Incoming;
use partyline_shared::id::CallSid;
use partyline_shared::twilio::form::{Form, MAX_FIELDS};

use super::gate::{Gate, Shown};
use super::marks::{self, Mark, Marks};
use super::pass::Valid;
use super::pass::desk::{Passes, Whose};
use super::refused::{Refusals, Why};
use super::replays::{REMEMBERED, Replays, Seen};
use super::signature;
use super::voice::Told;
use crate::broker::commons::Commons;
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::config::Config;
use crate::limits::{Limits, guests};
use crate::metrics::Metrics;
use crate::respond::{self, Answer, Refusal};

mod hook;
mod once;
#[cfg(test)]
mod tests;

use hook::Hook;
pub use hook::WHO;

/// What Twilio's requests share.
pub struct Door {
    registry: Arc<Registry>,
    passes: Passes,
    replays: Replays,
    limits: Arc<Limits>,
    refusals: Refusals,
    marks: Marks,
    commons: Arc<Commons>,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Form,
    Json,
}

/// The relay as a request meets it.
#[derive(Clone, Copy)]
pub struct Here<'a> {
    /// In force.
    pub config: &'a Arc<Config>,
    /// The address that is listened on.
    pub local: SocketAddr,
    /// Whether no new calls are taken.
    pub draining: bool,
}

impl Door {
    /// A door to these calls; what other relays have seen is asked of `commons`.
    pub fn new(registry: Arc<Registry>, limits: Arc<Limits>, commons: Arc<Commons>) -> Door {
        Door {
            registry,
            passes: Passes::default(),
            replays: Replays::default(),
            limits,
            refusals: Refusals::default(),
            marks: Marks::default(),
            commons,
        }
    }

    /// What relays have in common.
    pub(super) fn commons(&self) -> &Commons {
        &self.commons
    }

    /// What has acted, for who remembers it across a restart.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    pub(super) fn mark(&self, mark: Mark) {
        if !self.marks.note(mark) {
            self.metrics().marks_lost.add_one();
        }
    }

    /// What acted before this relay was started, the oldest first, acts no more. What it was answered is not known: who
    /// asks again is connected, and not followed.
    pub fn recall(&self, now: Now, marks: impl IntoIterator<Item = Mark>) {
        for Mark { kind, id, until_ms } in marks {
            if kind == marks::Kind::Pass {
                self.passes.recall(now.wall, Valid { nonce: id, until_ms });
                continue;
            }
            let left = u64::try_from(until_ms.saturating_sub(now.wall.unix_ms())).unwrap_or(0);
            let age = REMEMBERED.saturating_sub(Duration::from_millis(left));
            // A machine that was just started has no earlier moment: it is remembered a little longer.
            let at = now.mono.checked_sub(age).unwrap_or(now.mono);
            match kind {
                marks::Kind::Answer => drop(self.replays.answer(at, id, || Told::Plain)),
                _ => drop(self.replays.callback(at, id, || ())),
            }
        }
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(super) fn metrics(&self) -> &Metrics {
        self.registry.metrics()
    }

    pub(super) fn passes(&self) -> &Passes {
        &self.passes
    }

    /// A pass for another stream of a call: for who asks Twilio for one.
    pub fn pass(&self, now: Now, config: &Config, account: &str, call: &CallSid) -> Option<String> {
        let whose = Whose {
            accounts: &config.accounts,
            insecure: config.insecure,
            account,
            call: call.as_str(),
        };
        self.passes.write(now.wall, rand::random(), whose)
    }

    /// What all relays that share their calls agreed on.
    pub fn adopt(&self, secret: &[u8]) {
        self.passes.adopt(secret);
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts a refusal, and tells of it now and then.
    pub(super) fn refused(&self, now: Now, why: Why, place: &str) {
        self.refusals.count(now.mono, self.metrics(), why, place);
    }

    /// What stands before the call of a stream whose handshake this is.
    ///
    /// # Errors
    /// A [`Refusal`] with 403 where the handshake is not Twilio's.
    pub fn gate(self: &Arc<Self>, here: Here<'_>, request: &Request<Incoming>) -> Result<Gate, Refusal> {
        let host = here.config.host(here.local);
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", |target| target.as_str());
        match Shown::read(here.config, &host, request.headers(), target) {
            Ok(shown) => Ok(Gate::new(self.clone(), here.config.clone(), shown)),
            Err(why) => Err(self.forbidden(why, &format!("wss://{host}{}", request.uri().path()))),
        }
    }

    /// Answers a request below `/twilio/`.
    ///
    /// # Errors
    /// A [`Refusal`] with 403, 404, 413, 415 or 400.
    pub async fn webhook(&self, here: Here<'_>, request: Request<Incoming>) -> Result<Answer, Refusal> {
        let (parts, body) = request.into_parts();
        let hook = Hook::at(parts.uri.path()).ok_or_else(Refusal::not_found)?;
        let began = Instant::now();
        if parts.method != Method::POST {
            return Ok(respond::method_not_allowed("POST"));
        }
        let base = here.config.base(here.local);
        let place = format!("{base}{}", parts.uri.path());
        let header = signature::of(&parts.headers);
        if !here.config.insecure {
            // Neither takes the body to be known.
            match header {
                None => return Err(self.forbidden(Why::Unsigned, "")),
                Some(header) if signature::decode(header).is_none() => {
                    return Err(self.forbidden(Why::Mismatch, &place));
                }
                Some(_) => {}
            }
        }
        let kind = Kind::read(&parts.headers, parts.uri.query().unwrap_or_default())?;
        let body = respond::read_body(body, respond::MAX_BODY).await?;
        let form = kind.form(&body)?;
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let url = format!("{base}{target}");
        let seen = check(here.config, kind, &url, &body, &form, header)
            .map_err(|why| self.forbidden(why, &place))?;
        guests::passed(&parts.extensions);
        if seen.is_some() && self.is_of_other_account(&form) {
            return Err(self.forbidden(Why::OtherAccount, ""));
        }
        let query = Form::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let now = Now::take();
        let answer = if hook.is_answered() {
            let text = self.answer(now, here, hook, seen, (&query, &form)).await;
            respond::with_type(StatusCode::OK, hook.content_type(), text)
        } else {
            self.callback(now, hook, seen, &form).await;
            respond::no_content()
        };
        if let Some(times) = self.metrics().times.webhooks.of(hook.name()) {
            times.record(began.elapsed());
        }
        Ok(answer)
    }

    /// A signature of one account says nothing of another's calls.
    fn is_of_other_account(&self, form: &Form) -> bool {
        let account = form.get("AccountSid").unwrap_or_default();
        let calls = ["CallSid", "ParentCallSid"].into_iter();
        let mut calls = calls.filter_map(|name| CallSid::parse(form.get(name)?).ok());
        calls.any(|sid| {
            let known = self.registry.origin(&sid).and_then(|origin| origin.account);
            known.is_some_and(|of| of != account)
        })
    }

    /// Says no more than that: what is missing is the operator's to read, in the log.
    fn forbidden(&self, why: Why, place: &str) -> Refusal {
        self.metrics().requests_refused.add_one();
        self.refused(Now::take(), why, place);
        let message = "this is for Twilio, which signs what it sends; the relay's log says what is wrong";
        Refusal::new(StatusCode::FORBIDDEN, "not_signed", message)
    }
}

/// By what a request is known again, where its signature is right; `None` where --insecure asks for none.
///
/// # Errors
/// [`Why`] it is not Twilio's.
fn check(
    config: &Config,
    kind: Kind,
    url: &str,
    body: &[u8],
    form: &Form,
    header: Option<&str>,
) -> Result<Option<Seen>, Why> {
    let Some(header) = header else {
        return if config.insecure {
            Ok(None)
        } else {
            Err(Why::Unsigned)
        };
    };
    // Without a token nothing can be checked, and --insecure lets in what is not signed at all.
    if config.insecure && config.accounts.is_empty() {
        return Ok(None);
    }
    let tokens = config.accounts.tokens_of(form.get("AccountSid"));
    if tokens.is_empty() {
        return Err(Why::NoToken);
    }
    let urls = signature::accepted_urls(url);
    let valid = match kind {
        Kind::Form => signature::verify(&tokens, &urls, form, header),
        Kind::Json => signature::verify_body(&tokens, &urls, body, header),
    };
    let known = signature::decode(header).and_then(|bytes| bytes.first_chunk().copied());
    known.filter(|_| valid).map(Some).ok_or(Why::Mismatch)
}

impl Kind {
    /// Twilio's voice posts forms; its other products post JSON, whose hash the URL holds.
    fn read(headers: &HeaderMap, query: &str) -> Result<Kind, Refusal> {
        let Some(kind) = headers.get(CONTENT_TYPE) else {
            return Ok(Kind::Form);
        };
        let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
        match kind.split(';').next().unwrap_or_default().trim() {
            "application/x-www-form-urlencoded" => Ok(Kind::Form),
            "application/json" if query.contains(signature::BODY_HASH) => Ok(Kind::Json),
            _ => Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send application/x-www-form-urlencoded",
            )),
        }
    }

    fn form(self, body: &[u8]) -> Result<Form, Refusal> {
        match self {
            // Fields that were left out would be missing from what is signed.
            Kind::Form if Form::count(body) > MAX_FIELDS => Err(Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("a form has {MAX_FIELDS} fields at most"),
            )),
            Kind::Form => Ok(Form::parse(body)),
            Kind::Json => {
                Form::from_json(body).ok_or_else(|| Refusal::bad_request("the body is no JSON object"))
            }
        }
    }
}
