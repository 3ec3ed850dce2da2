//! Where a key set is fetched from: https, or http where it cannot leave this machine. Pure.

use std::fmt;

use http::Uri;

use crate::fetch::Place;

/// Why a URL is not fetched from. Its text is not shown: a key to the keys may stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// No URL, or with a user name in it.
    #[error("that is no URL without a user name; write https://HOST/PATH")]
    Malformed,
    /// Anybody on the way could put in keys of their own.
    #[error("over http anybody on the way could put in keys of their own; write https://HOST/PATH")]
    Insecure,
}

/// A URL of that kind. Prints its host only.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Url {
    /// Who is asked.
    pub(super) place: Place,
    /// What is asked for.
    pub(super) path_and_query: String,
}

impl Url {
    /// Reads it.
    pub(super) fn parse(text: &str) -> Result<Url, BadUrl> {
        let uri: Uri = text.parse().map_err(|_| BadUrl::Malformed)?;
        let authority = uri.authority().ok_or(BadUrl::Malformed)?;
        if authority.as_str().contains('@') || text.contains('#') || authority.host().is_empty() {
            return Err(BadUrl::Malformed);
        }
        let place = match uri.scheme_str() {
            Some("https") => Place::new(true, authority),
            Some("http") => Place::new(false, authority),
            _ => return Err(BadUrl::Malformed),
        };
        if !place.secure && !place.is_loopback() {
            return Err(BadUrl::Insecure);
        }
        Ok(Url {
            place,
            path_and_query: uri
                .path_and_query()
                .map_or("/", http::uri::PathAndQuery::as_str)
                .to_owned(),
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_on_the_way_can_alter_is_fetched() {
        for (text, shown) in [
            ("https://login.example/keys?k=1", "login.example"),
            ("https://login.example:8443", "login.example:8443"),
            ("http://127.0.0.1:9/keys", "127.0.0.1:9"),
            ("http://localhost/keys", "localhost"),
            ("http://[::1]:9/keys", "[::1]:9"),
        ] {
            assert_eq!(Url::parse(text).unwrap().to_string(), shown);
            assert_eq!(
                format!("{:?}", Url::parse(text).unwrap()),
                format!("Url({shown})")
            );
        }
        for text in [
            "http://login.example/keys",
            "http://10.0.0.1/keys",
            "http://127.0.0.1.example/keys",
            "http://localhost.example/keys",
        ] {
            assert_eq!(Url::parse(text), Err(BadUrl::Insecure), "{text}");
        }
        for text in [
            "",
            "keys.json",
            "/keys",
            "ftp://127.0.0.1/keys",
            "https://me:word@login.example/",
            "http://127.0.0.1@login.example/",
            "https:///keys",
            "https://login.example/keys#1",
            "https://login example/",
        ] {
            assert_eq!(Url::parse(text), Err(BadUrl::Malformed), "{text}");
        }
        assert_eq!(
            Url::parse("https://login.example:8443").unwrap().path_and_query,
            "/"
        );
    }
}
