//! Web origins: ours, and those that may connect.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use http::Uri;
use regex_lite::Regex;

use super::problem::Fault;

/// The longest /regex/ taken, bytes; it bounds what one match can cost.
const MAX_PATTERN: usize = 1024;

/// What makes a pattern one for the whole Origin.
const BEGINS: &str = "^(?:";
const ENDS: &str = ")$";

/// Scheme, host and port of `http` and `https`, in the form that browsers send: lower case, and no port
/// where it is the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    secure: bool,
    /// `host` or `host:port`; an IPv6 host in brackets.
    authority: String,
}

impl Origin {
    /// Reads `https://host[:port]`; one trailing slash is tolerated. `None` for everything else, also with
    /// a path, query, fragment or user name.
    pub fn parse(text: &str) -> Option<Origin> {
        // `http::Uri` drops a fragment without a word.
        if text.contains(['#', '?', '@']) {
            return None;
        }
        let uri: Uri = text.parse().ok()?;
        let secure = match uri.scheme_str()?.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        if uri.path() != "/" && !uri.path().is_empty() {
            return None;
        }
        let authority = uri.authority()?;
        let host = authority.host().to_ascii_lowercase();
        let usual = if secure { 443 } else { 80 };
        let port = match authority
            .as_str()
            .get(authority.host().len()..)
            .unwrap_or_default()
        {
            "" => None,
            port => Some(port.strip_prefix(':')?.parse::<u16>().ok()?).filter(|port| *port != usual),
        };
        if host.is_empty() {
            return None;
        }
        let authority = port.map_or(host.clone(), |port| format!("{host}:{port}"));
        Some(Origin { secure, authority })
    }

    /// Whether the scheme is `https`.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host alone, an IPv6 one without its brackets.
    pub fn host(&self) -> &str {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => host,
            _ => &self.authority,
        }
        .trim_matches(['[', ']'])
    }

    /// The port, also where it is the scheme's own.
    pub fn port(&self) -> u16 {
        let port = self
            .authority
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok());
        port.unwrap_or(if self.secure { 443 } else { 80 })
    }

    /// `host` or `host:port`: what comes after `wss://`.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}",
            if self.secure { "https" } else { "http" },
            self.authority
        )
    }
}

/// A text as it may be told where an origin should stand: not where a user name has a password beside it, and
/// without what follows a question mark.
pub(super) fn shown(text: &str) -> String {
    match text.split('?').next() {
        Some(before) if !text.contains('@') => format!("`{before}`"),
        _ => "what stands there".to_owned(),
    }
}

/// One `--allowed-origin`.
#[derive(Debug, Clone)]
pub enum AllowedOrigin {
    /// This one, and no other.
    Exact(Origin),
    /// Every Origin that the pattern matches as a whole.
    Pattern(Regex),
}

impl AllowedOrigin {
    /// Reads `https://host[:port]` or `/regex/`.
    ///
    /// # Errors
    /// A [`Fault`] that shows how one is written.
    pub fn parse(text: &str) -> Result<AllowedOrigin, Fault> {
        if let Some(pattern) = text.strip_prefix('/') {
            let pattern = pattern
                .strip_suffix('/')
                .filter(|p| !p.is_empty())
                .ok_or_else(|| Fault::new(format!("`{text}` has no closing slash"), "write /regex/"))?;
            if pattern.len() > MAX_PATTERN {
                let what = format!("the /regex/ has {} bytes", pattern.len());
                return Err(Fault::new(
                    what,
                    format!("{MAX_PATTERN} are the most: write several"),
                ));
            }
            // Alone first: `a)|(b` would be a regex only between the parentheses below, and mean another.
            return Regex::new(pattern)
                .and_then(|_| Regex::new(&format!("{BEGINS}{pattern}{ENDS}")))
                .map(AllowedOrigin::Pattern)
                .map_err(|error| Fault::new(format!("`{text}` is no regex"), error.to_string()));
        }
        Origin::parse(text).map(AllowedOrigin::Exact).ok_or_else(|| {
            let fix = "write https://HOST[:PORT] without a path, or /regex/ for the whole Origin";
            Fault::new(format!("{} is no origin", shown(text)), fix)
        })
    }

    /// As it is written: an origin, or a /regex/.
    pub fn text(&self) -> String {
        match self {
            AllowedOrigin::Exact(origin) => origin.to_string(),
            AllowedOrigin::Pattern(pattern) => {
                let whole = pattern.as_str();
                let inner = whole
                    .strip_prefix(BEGINS)
                    .and_then(|rest| rest.strip_suffix(ENDS));
                format!("/{}/", inner.unwrap_or(whole))
            }
        }
    }

    /// Whether a request's `Origin` may connect by this.
    pub fn matches(&self, origin: &str) -> bool {
        match self {
            AllowedOrigin::Exact(allowed) => Origin::parse(origin).is_some_and(|o| o == *allowed),
            AllowedOrigin::Pattern(pattern) => pattern.is_match(origin),
        }
    }
}

/// Whether `host` or `host:port` is a name of this machine's loopback.
pub(crate) fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            if !port.bytes().all(|b| b.is_ascii_digit()) {
                return false;
            }
            host
        }
        _ => authority,
    };
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_ipv6() && ip.is_loopback());
    }
    host.eq_ignore_ascii_case("localhost") || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_origin_is_held_as_browsers_send_it() {
        for (text, shown) in [
            ("https://tcare.pro", "https://tcare.pro"),
            ("https://tcare.pro/", "https://tcare.pro"),
            ("HTTPS://TCare.Pro:443", "https://tcare.pro"),
            ("https://tcare.pro:8443", "https://tcare.pro:8443"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for (text, host, port) in [
            ("https://tcare.pro", "tcare.pro", 443),
            ("http://tcare.pro:8443", "tcare.pro", 8443),
            ("http://[::1]", "::1", 80),
            ("https://[::1]:8443", "::1", 8443),
        ] {
            let origin = Origin::parse(text).unwrap();
            assert_eq!((origin.host(), origin.port()), (host, port), "{text}");
        }
        for text in [
            "",
            "null",
            "tcare.pro",
            "tcare.pro:443",
            "wss://tcare.pro",
            "https://",
            "https://tcare.pro/x",
            "https://tcare.pro//",
            "https://tcare.pro?x",
            "https://tcare.pro/#x",
            "https://a@tcare.pro",
            "https://tcare.pro:x",
            "https://tcare.pro:70000",
            "https://tcare.pro:",
            "https://t care",
            "file:///",
        ] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_pattern_has_to_match_the_whole_origin() {
        let allowed = AllowedOrigin::parse(r"/https:\/\/([a-z]+\.)?example\.com|http:\/\/b/").unwrap();
        for good in ["https://example.com", "https://app.example.com", "http://b"] {
            assert!(allowed.matches(good), "{good}");
        }
        for bad in [
            "https://example.com.evil.net",
            "xhttps://example.com",
            "https://example.com\n",
            "http://bb",
            "null",
        ] {
            assert!(!allowed.matches(bad), "{bad}");
        }
        let first_branch = AllowedOrigin::parse("/a|ab/").unwrap();
        assert!(first_branch.matches("ab"));
    }

    #[test]
    fn an_exact_one_is_that_one_however_it_is_written() {
        let allowed = AllowedOrigin::parse("https://App.example.com:443/").unwrap();
        assert!(allowed.matches("https://app.example.com"));
        for bad in [
            "http://app.example.com",
            "https://app.example.com:444",
            "https://example.com",
            "null",
            "",
        ] {
            assert!(!allowed.matches(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_neither_is_told() {
        for (bad, told) in [
            ("app.example.com", "https://HOST[:PORT]"),
            ("*", "/regex/"),
            ("/open", "no closing slash"),
            ("//", "no closing slash"),
            ("/a)|(b/", "is no regex"),
            ("/(/", "is no regex"),
        ] {
            let fault = AllowedOrigin::parse(bad).unwrap_err().to_string();
            assert!(fault.contains(told), "{bad}: {fault}");
        }
        let long = |bytes: usize| AllowedOrigin::parse(&format!("/{}/", "a".repeat(bytes)));
        assert!(long(MAX_PATTERN).is_ok() && long(MAX_PATTERN + 1).is_err());
    }

    proptest! {
        #[test]
        fn no_text_can_crash_the_parser(text in "(https?://)?\\PC{0,40}") {
            if let Some(origin) = Origin::parse(&text) {
                prop_assert_eq!(Origin::parse(&origin.to_string()), Some(origin));
            }
            let _ = AllowedOrigin::parse(&text).map(|a| a.matches(&text));
        }
    }
}
