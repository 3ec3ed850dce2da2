//! Who may ask. A browser sends whatever page it shows to any address it can reach, this machine's loopback
//! included; `Origin` and `Host` are what tells such a request from one that was meant. Pure: headers in, a
//! verdict out. Says nothing about who the asker is; that is `access`.

use http::header::{FORWARDED, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::config::origins::is_loopback;
use crate::config::{AllowedOrigin, Config, Origin};

#[cfg(test)]
mod tests;

/// What the headers that proxies add begin with.
const X_FORWARDED: &str = "x-forwarded-";

/// Why a request is refused before anything else is looked at. Prints what the asker should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The page that asks is not one of ours.
    #[error("this Origin may not connect; allow it with --allowed-origin")]
    Origin,
    /// Under --insecure: the request was meant for another name, so a foreign page may have made it.
    #[error("with --insecure the relay answers to localhost, 127.0.0.1 and [::1] only")]
    Host,
    /// Under --insecure: the request came through a proxy, so from anywhere.
    #[error("with --insecure the relay answers no request that came through a proxy")]
    Forwarded,
}

impl Refused {
    /// The answer's status.
    pub const STATUS: StatusCode = StatusCode::FORBIDDEN;
}

/// Whether a request with these headers may go on, at any door.
///
/// # Errors
/// [`Refused`], to be answered with [`Refused::STATUS`] before an upgrade.
pub fn check(config: &Config, headers: &HeaderMap) -> Result<(), Refused> {
    if config.insecure {
        if !only(headers, &HOST).flatten().is_some_and(is_loopback) {
            return Err(Refused::Host);
        }
        let forwarded =
            |name: &http::HeaderName| *name == FORWARDED || name.as_str().starts_with(X_FORWARDED);
        if headers.keys().any(forwarded) {
            return Err(Refused::Forwarded);
        }
    }
    match only(headers, &ORIGIN) {
        None => Ok(()),
        Some(Some(origin)) if may_connect(config, origin) => Ok(()),
        Some(_) => Err(Refused::Origin),
    }
}

fn may_connect(config: &Config, text: &str) -> bool {
    // `null` and schemes other than http are no origin by this, and only a pattern can let them in.
    let origin = Origin::parse(text);
    origin.as_ref().is_some_and(|origin| {
        config.public_url.as_ref() == Some(origin) || (config.insecure && is_loopback(origin.authority()))
    }) || config
        .allowed_origins
        .iter()
        .any(|allowed| matches(allowed, text))
}

/// `null` is what sandboxed and local pages share: a pattern such as `/.*/` is not meant for them.
fn matches(allowed: &AllowedOrigin, text: &str) -> bool {
    text != "null" && allowed.matches(text)
}

/// A header that must come at most once: `None` where it is missing, `Some(None)` where it is there twice or
/// has no readable value.
fn only<'h>(headers: &'h HeaderMap, name: &http::HeaderName) -> Option<Option<&'h str>> {
    let mut values = headers.get_all(name).iter();
    let first: &HeaderValue = values.next()?;
    Some(first.to_str().ok().filter(|_| values.next().is_none()))
}
