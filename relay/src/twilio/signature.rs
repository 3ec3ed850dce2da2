//! X-Twilio-Signature: is this request really Twilio's? Base64 of an HMAC-SHA1, keyed with the account's auth
//! token, over the URL that Twilio requested and the sorted form fields. Pure: the URL comes from the
//! configured public origin and the request's own path, never from `Host`, which anybody can choose.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use partyline_shared::twilio::form::Form;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::config::Secret;

#[cfg(test)]
mod tests;

/// The header's name.
pub const HEADER: &str = "x-twilio-signature";

/// Bytes of a signature, as many as a SHA-1 has.
pub const SIZE: usize = 20;

/// The query parameter that holds a body's hash where the body is no form.
pub const BODY_HASH: &str = "bodySHA256=";

/// The signature of a request to `url`, as the header holds it. A GET and a WebSocket handshake have an empty
/// form: their query is part of the URL.
pub fn sign(token: &str, url: &str, form: &Form) -> String {
    mac(token, url, form).map_or_else(String::new, |mac| STANDARD.encode(mac.finalize().into_bytes()))
}

/// The signature that a request shows; `None` where there is none, or more than one. What is in it may be
/// anything.
pub fn of(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(HEADER).into_iter();
    let only = all.next()?.to_str().ok()?;
    all.next().is_none().then_some(only)
}

/// The bytes of a signature; `None` where the header holds none.
pub fn decode(header: &str) -> Option<[u8; SIZE]> {
    STANDARD.decode(header).ok()?.try_into().ok()
}

/// Whether `header` signs one of `urls` with one of `tokens`. Comparing takes the same time however much of a
/// signature is right.
pub fn verify(tokens: &[&Secret], urls: &[String], form: &Form, header: &str) -> bool {
    let Some(signature) = decode(header) else {
        return false;
    };
    let mut valid = false;
    for token in tokens {
        for url in urls {
            valid |= mac(token.expose(), url, form).is_some_and(|mac| mac.verify_slice(&signature).is_ok());
        }
    }
    valid
}

/// The same for a request whose body is no form (JSON): the URL's query holds the body's hash, and the form
/// is empty.
pub fn verify_body(tokens: &[&Secret], urls: &[String], body: &[u8], header: &str) -> bool {
    let hash = hash(body);
    let holds_hash = |url: &&String| {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let mut hashes = query.split('&').filter_map(|field| field.strip_prefix(BODY_HASH));
        hashes.next() == Some(hash.as_str())
    };
    let urls: Vec<String> = urls.iter().filter(holds_hash).cloned().collect();
    verify(tokens, &urls, &Form::default(), header)
}

/// What the URL of a request with this body holds: its SHA-256, in hex.
pub fn hash(body: &[u8]) -> String {
    Sha256::digest(body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The forms in which Twilio may have signed `url`, its own first: with the port as it stands, without one,
/// and with the scheme's usual one. Twilio's signers differ in this, so its libraries take all. A `wss` URL is
/// signed without a port and an empty path as `/`; a slash at its end is taken as well, as Twilio's own notes
/// on Media Streams advise.
pub fn accepted_urls(url: &str) -> Vec<String> {
    let url = url.split('#').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else {
        return vec![url.to_owned()];
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (format!("{user}@"), place),
        None => (String::new(), authority),
    };
    // The last colon is a port's unless it stands inside an IPv6 host's brackets.
    let host = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => place,
    };
    let usual = if matches!(scheme, "https" | "wss") {
        443
    } else {
        80
    };
    let mut urls = Vec::new();
    let mut add = |url: String| {
        if !urls.contains(&url) {
            urls.push(url);
        }
    };
    for place in [place.to_owned(), host.to_owned(), format!("{host}:{usual}")] {
        add(format!("{scheme}://{user}{place}{path}"));
        if scheme == "wss" && !path.contains('?') && !path.ends_with('/') {
            add(format!("{scheme}://{user}{place}{path}/"));
        }
    }
    urls
}

/// Names sorted by bytes, the distinct values of each likewise, all decoded and without separators.
fn mac(token: &str, url: &str, form: &Form) -> Option<Hmac<Sha1>> {
    let mut fields: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in form.pairs() {
        fields.entry(name).or_default().insert(value);
    }
    // HMAC takes a key of any length, so this is never `None`; the type does not know.
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).ok()?;
    mac.update(url.as_bytes());
    for (name, values) in fields {
        for value in values {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
    }
    Some(mac)
}
