//! The two kinds of address: where we connect to, and what Twilio is told that it connects to.

use http::Uri;
use tokio_rustls::rustls::pki_types::ServerName;

/// Where all connections go, from `--relay`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relay {
    /// `host:port`, to connect to and for the Host header.
    pub(super) authority: String,
    /// Where TLS is spoken: the name that the certificate has to be for.
    pub(super) tls: Option<ServerName<'static>>,
}

impl Relay {
    /// Reads an `http(s)://host[:port]`.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub(super) fn parse(text: &str) -> Result<Relay, String> {
        let url = Url::origin(text, &["http", "https"])?;
        let secure = url.scheme == "https";
        let port = match (url.has_port(), secure) {
            (true, _) => "",
            (false, false) => ":80",
            (false, true) => ":443",
        };
        let tls = secure.then(|| {
            let host = url.host().to_owned();
            ServerName::try_from(host).map_err(|_| format!("{} is no host", shown(text)))
        });
        Ok(Relay {
            authority: format!("{}{port}", url.authority),
            tls: tls.transpose()?,
        })
    }
}

/// A URL as it may be told: a password may stand before an `@`, a key in the query.
fn shown(text: &str) -> String {
    match text.split(['?', '#']).next() {
        Some(before) if !text.contains('@') => format!("{before:?}"),
        _ => "what stands there".to_owned(),
    }
}

/// An absolute URL without fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    /// `https`, `wss` …
    pub(super) scheme: String,
    /// `host` or `host:port`.
    pub(super) authority: String,
    /// Never empty: `/` where the text had none.
    pub(super) path: String,
    /// What follows the question mark.
    pub(super) query: Option<String>,
}

impl Url {
    /// Reads an absolute URL.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub(super) fn parse(text: &str, schemes: &[&str]) -> Result<Url, String> {
        let wanted: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}://")).collect();
        let wanted = wanted.join(" or ");
        let text = text.trim();
        let shown = shown(text);
        let uri: Uri = text
            .parse()
            .map_err(|_| format!("{shown} is no URL; it has to begin with {wanted}"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(format!("{shown} is not absolute; it has to begin with {wanted}"));
        };
        if !schemes.contains(&scheme) {
            return Err(format!("{shown} is {scheme}; it has to be {wanted}"));
        }
        if authority.as_str().contains('@') || uri.host().is_none_or(str::is_empty) {
            return Err(format!(
                "the URL's host has to stand alone, as in {wanted}://example.com"
            ));
        }
        Ok(Url {
            scheme: scheme.to_owned(),
            authority: authority.as_str().to_owned(),
            path: if uri.path().is_empty() { "/" } else { uri.path() }.to_owned(),
            query: uri.query().map(str::to_owned),
        })
    }

    /// Reads an origin: a URL without path and query.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub(super) fn origin(text: &str, schemes: &[&str]) -> Result<Url, String> {
        let url = Url::parse(text, schemes)?;
        if url.path != "/" || url.query.is_some() {
            return Err(format!(
                "{} is more than an origin; write {}://{}",
                shown(text),
                url.scheme,
                url.authority
            ));
        }
        Ok(url)
    }

    /// The same origin, another path and query.
    pub(super) fn at(&self, path: &str, query: Option<String>) -> Url {
        Url {
            path: path.to_owned(),
            query,
            ..self.clone()
        }
    }

    /// Without its query, which Twilio drops from a stream's URL.
    pub(super) fn without_query(&self) -> Url {
        self.at(&self.path, None)
    }

    /// What stands in a request line.
    pub(super) fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// All of it, as it is signed.
    pub(super) fn whole(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority, self.path_and_query())
    }

    /// Without its port, and an IPv6 address without brackets.
    fn host(&self) -> &str {
        let authority = self.authority.as_str();
        match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inside, _)) => inside,
            None => authority.split(':').next().unwrap_or_default(),
        }
    }

    fn has_port(&self) -> bool {
        // Behind the bracket of an IPv6 address, whose own colons are no port's.
        let after = self.authority.rsplit(']').next().unwrap_or_default();
        after.contains(':')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_an_http_origin() {
        for (text, authority) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://[::1]:9/", "[::1]:9"),
            ("http://[::1]", "[::1]:80"),
            ("http://relay", "relay:80"),
            ("https://relay", "relay:443"),
            ("https://[::1]:9", "[::1]:9"),
        ] {
            assert_eq!(Relay::parse(text).unwrap().authority, authority);
        }
        for bad in [
            "",
            "relay:80",
            "ws://relay",
            "http://a/b",
            "http://u:p@a",
            "http://a?b",
        ] {
            assert!(Relay::parse(bad).is_err(), "{bad}");
        }
        for (text, name) in [
            ("http://relay", None),
            ("https://relay:8443", Some("relay")),
            ("https://[::1]:9", Some("::1")),
            ("https://127.0.0.1", Some("127.0.0.1")),
        ] {
            let tls = Relay::parse(text).unwrap().tls;
            assert_eq!(tls.as_ref().map(ServerName::to_str).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn a_url_is_signed_without_its_fragment_and_with_a_path() {
        let url = Url::parse("wss://calls.example.com?token=1#rc=2", &["wss"]).unwrap();
        assert_eq!(url.whole(), "wss://calls.example.com/?token=1");
        assert_eq!(url.without_query().whole(), "wss://calls.example.com/");
        assert!(Url::parse("ws://calls.example.com/", &["wss"]).is_err());
    }
}
