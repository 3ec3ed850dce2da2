//! Which relay, and as whom.

use std::fmt;

use http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue};
use http::uri::{Authority, Uri};

/// A bearer's secret, of characters that a header can carry; no print shows it.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// Takes a token, without white space around it; `None` when it is empty or no header can carry it.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut value = HeaderValue::from_str(&format!("Bearer {text}")).ok()?;
        value.set_sensitive(true);
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        plain.then_some(Token(value))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A relay's address.
#[derive(Debug, Clone)]
pub struct Relay {
    tls: bool,
    authority: Authority,
    base: String,
    token: Option<Token>,
}

/// Why a text is no relay's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a relay's address looks like https://relay.example.com or http://127.0.0.1:8080")]
pub struct BadRelay;

impl Relay {
    /// Reads `http(s)://host[:port][/base]`; `ws(s)` is the same.
    ///
    /// # Errors
    /// [`BadRelay`] for anything else, also where a name and password, a query or a fragment is in it.
    pub fn parse(url: &str) -> Result<Self, BadRelay> {
        let uri: Uri = url.trim().parse().map_err(|_| BadRelay)?;
        let tls = match uri.scheme_str() {
            Some("https" | "wss") => true,
            Some("http" | "ws") => false,
            _ => return Err(BadRelay),
        };
        let authority = uri.authority().cloned().ok_or(BadRelay)?;
        if authority.as_str().contains('@') || authority.host().is_empty() || uri.query().is_some() {
            return Err(BadRelay);
        }
        let base = uri.path().trim_end_matches('/').to_owned();
        Ok(Relay {
            tls,
            authority,
            base,
            token: None,
        })
    }

    /// The same relay, as who bears `token`.
    #[must_use]
    pub fn with_token(mut self, token: Option<Token>) -> Self {
        self.token = token;
        self
    }

    /// Whether TLS is spoken.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Whether a token would cross a network in the clear.
    pub fn exposes_token(&self) -> bool {
        let ip = self.host().parse::<std::net::IpAddr>();
        let near = self.host() == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
        self.token.is_some() && !self.tls && !near
    }

    /// The host to connect to, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        let host = self.authority.host();
        host.strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(host)
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.authority
            .port_u16()
            .unwrap_or(if self.tls { 443 } else { 80 })
    }

    /// The path of a resource, below the address's own.
    pub fn path(&self, resource: &str) -> String {
        format!("{}{resource}", self.base)
    }

    /// Host and token: what every request carries.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(host) = HeaderValue::from_str(self.authority.as_str()) {
            headers.insert(HOST, host);
        }
        if let Some(Token(bearer)) = &self.token {
            headers.insert(AUTHORIZATION, bearer.clone());
        }
        headers
    }

    /// Whether both go there as the same bearer.
    pub fn is_same_bearer(&self, other: &Relay) -> bool {
        let bearer = |relay: &Relay| relay.token.as_ref().map(|Token(bearer)| bearer.clone());
        bearer(self) == bearer(other)
    }

    /// Whether two addresses are the same relay.
    pub fn is_same(&self, other: &Relay) -> bool {
        // Names of hosts have no case; paths do.
        self.host().eq_ignore_ascii_case(other.host())
            && (self.tls, self.port(), &self.base) == (other.tls, other.port(), &other.base)
    }
}

impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_usual_form() {
        let relay = Relay::parse("wss://relay.example.com/party/").unwrap();
        assert_eq!(
            (relay.is_tls(), relay.host(), relay.port()),
            (true, "relay.example.com", 443)
        );
        assert_eq!(relay.path("/listen"), "/party/listen");
        assert_eq!(relay.to_string(), "https://relay.example.com/party");
        let relay = Relay::parse("http://[::1]:8080").unwrap();
        assert_eq!(
            (relay.host(), relay.port(), relay.path("/listen")),
            ("::1", 8080, "/listen".to_owned())
        );
        assert!(
            Relay::parse("ws://a")
                .unwrap()
                .is_same(&Relay::parse("http://A:80/").unwrap())
        );
        for bad in [
            "",
            "relay",
            "relay:8080",
            "ftp://a",
            "http://",
            "http://me:pw@a",
            "http://a/?token=x",
        ] {
            assert!(Relay::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_token_shows_nowhere_but_in_the_header() {
        let relay = Relay::parse("http://10.0.0.1")
            .unwrap()
            .with_token(Token::new(" s3cret\n"));
        assert!(!format!("{relay:?} {relay} {:?}", relay.headers()).contains("s3cret"));
        assert_eq!(relay.headers()[AUTHORIZATION], "Bearer s3cret");
        assert!(relay.exposes_token());
        for bad in ["", " ", "two words", "new\nline", "ümlaut"] {
            assert!(Token::new(bad).is_none(), "{bad:?}");
        }
    }
}
