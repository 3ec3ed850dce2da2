//! The monitoring page's door: the page, what it is made of, and what a browser may do with it. There is no call data
//! in any of it, so it asks for no token; what the page shows it gets by `/listen` and `/api/v1`, as everybody.

pub mod accept;
mod files;
pub mod policy;

use bytes::Bytes;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderName, IF_NONE_MATCH, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::respond::{self, Answer, Refusal};

#[cfg(test)]
mod tests;

/// What the page does without, whoever frames or scripts it.
const DOES_WITHOUT: &str = "camera=(), microphone=(), geolocation=(), display-capture=(), usb=(), serial=(), \
                            hid=(), midi=(), payment=(), clipboard-read=(), browsing-topics=()";

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The page itself, under a policy that lets it connect here and to `sockets` (see [`policy`]) only.
pub fn html(sockets: &[String]) -> Answer {
    let mut answer = respond::with_type(StatusCode::OK, files::HTML, files::PAGE);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy::of(sockets));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(DOES_WITHOUT));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    guarded(&mut answer);
    varies(&mut answer);
    answer
}

/// A file of the page. It has no version in its name, so a browser asks each time whether it is still so: modules of
/// two versions never meet.
///
/// # Errors
/// 404 where there is none of this name.
pub fn file(name: &str, asked: &HeaderMap) -> Result<Answer, Refusal> {
    let file = files::find(name).ok_or_else(Refusal::not_found)?;
    let known = asked.get_all(IF_NONE_MATCH).iter();
    let is_known = known
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag == file.tag);
    let mut answer = match is_known {
        true => {
            let mut answer = Answer::new(respond::whole(Bytes::new()));
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            answer
        }
        false => respond::with_type(StatusCode::OK, file.kind, file.bytes),
    };
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&file.tag) {
        headers.insert(ETAG, tag);
    }
    guarded(&mut answer);
    Ok(answer)
}

/// What is answered at this path depends on what was asked for: no cache may take the one for the other.
pub fn varies(answer: &mut Answer) {
    answer.headers_mut().insert(VARY, HeaderValue::from_name(ACCEPT));
}

/// Nothing is taken for another type than it says, or shown in another's page.
fn guarded(answer: &mut Answer) {
    let headers = answer.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
}
