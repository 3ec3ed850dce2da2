//! The page's Content-Security-Policy: its own files, and its own relay to talk to; nothing inline, nothing from
//! elsewhere, in nobody's frame. Pure.

use http::HeaderValue;

use crate::config::Origin;

/// All but where to connect to.
const NOTHING_BUT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; worker-src 'self'; \
                           base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The policy with these sockets, each `wss://HOST` or `ws://HOST` (see [`socket`]).
pub fn of(sockets: &[String]) -> HeaderValue {
    let mut text = format!("{NOTHING_BUT}; connect-src 'self'");
    for socket in sockets {
        text.push(' ');
        text.push_str(socket);
    }
    // An origin is of harmless characters; if it were not, the page would connect to its own host only.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(NOTHING_BUT))
}

/// Where the sockets of a page at `origin` are.
pub fn socket(origin: &Origin) -> String {
    let scheme = if origin.is_secure() { "wss" } else { "ws" };
    format!("{scheme}://{}", origin.authority())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_allowed_but_ours() {
        let origin = Origin::parse("https://calls.example.com").unwrap();
        let policy = of(&[socket(&origin)]);
        let parts: Vec<&str> = policy.to_str().unwrap().split("; ").collect();
        assert!(parts.contains(&"default-src 'none'"));
        assert!(parts.contains(&"connect-src 'self' wss://calls.example.com"));
        assert!(parts.contains(&"frame-ancestors 'none'"));
        for loose in ["unsafe", "*", "data:", "blob:", "http:"] {
            assert!(!policy.to_str().unwrap().contains(loose), "{loose}");
        }
    }

    #[test]
    fn a_socket_is_as_secure_as_its_page() {
        let socket = |origin: &str| socket(&Origin::parse(origin).unwrap());
        assert_eq!(socket("http://127.0.0.1:8080"), "ws://127.0.0.1:8080");
        assert_eq!(socket("https://[::1]:8443"), "wss://[::1]:8443");
    }
}
