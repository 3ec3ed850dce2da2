//! By what the relay knows those who listen, and where it is written down what they heard. Names and checks
//! the files; what is in them is for `access` and `audit` to read.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use http::Uri;

use super::origins::{Origin, is_loopback};
use super::problem::Fault;
use super::source::Layers;

/// Where the keys of a login elsewhere are. Printing a URL shows its origin only: a key to the keys may stand in it.
#[derive(Clone, PartialEq, Eq)]
pub enum JwksSource {
    /// A JSON file.
    File(PathBuf),
    /// Fetched, and again when keys change. https, or http on loopback.
    Url(String),
}

impl fmt::Debug for JwksSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JwksSource::File(path) => f.debug_tuple("File").field(path).finish(),
            JwksSource::Url(url) => {
                let origin = url.split('/').take(3).collect::<Vec<_>>().join("/");
                write!(f, "Url({}/…)", origin.split('?').next().unwrap_or_default())
            }
        }
    }
}

/// What becomes of new listening while the audit file cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFail {
    /// It is refused.
    Closed,
    /// It goes on without a record.
    Open,
}

/// What becomes of streams for calls whose TwiML is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// They are refused.
    Deny,
    /// They are taken where the AccountSid is ours.
    Allow,
}

pub(super) fn jwks(text: &str) -> Result<JwksSource, Fault> {
    if !text.contains("://") {
        return path(text).map(JwksSource::File);
    }
    let fix = "write a file, or https://HOST/PATH without a user name";
    // It is not shown: a key to the keys may stand in it.
    let wrong = |what: &str| Fault::new(what, fix);
    if text.contains(['@', '#']) {
        return Err(wrong("the URL has a user name or a fragment"));
    }
    let uri: Uri = text.parse().map_err(|_| wrong("that is no URL"))?;
    let scheme = uri.scheme_str().unwrap_or_default();
    let authority = uri
        .authority()
        .map(http::uri::Authority::as_str)
        .unwrap_or_default();
    let origin = Origin::parse(&format!("{scheme}://{authority}"));
    let origin = origin.ok_or_else(|| wrong("that is no http URL"))?;
    if origin.is_secure() || is_loopback(origin.authority()) {
        Ok(JwksSource::Url(text.to_owned()))
    } else {
        Err(wrong(
            "over http anybody on the way could put in keys of their own",
        ))
    }
}

pub(super) fn audit_fail(text: &str) -> Result<AuditFail, Fault> {
    match text {
        "closed" => Ok(AuditFail::Closed),
        "open" => Ok(AuditFail::Open),
        _ => {
            let fix = "write closed (no new listening while it cannot be written) or open";
            Err(Fault::new(
                format!("`{text}` says nothing of a failing audit"),
                fix,
            ))
        }
    }
}

pub(super) fn foreign(text: &str) -> Result<Foreign, Fault> {
    match text {
        "deny" => Ok(Foreign::Deny),
        "allow" => Ok(Foreign::Allow),
        _ => {
            let fix = "write deny or allow (where the AccountSid is ours)";
            Err(Fault::new(
                format!("`{text}` says nothing of foreign streams"),
                fix,
            ))
        }
    }
}

pub(super) fn path(text: &str) -> Result<PathBuf, Fault> {
    if text.is_empty() {
        return Err(Fault::new("no file is named", "write its path"));
    }
    Ok(PathBuf::from(text))
}

/// What a claim of a login elsewhere must be.
pub(super) fn claim(text: &str) -> Result<Option<String>, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new(
            "nothing is written there",
            "write what the tokens say, or leave it out",
        ));
    }
    Ok(Some(text.to_owned()))
}

/// A file that must be there when the relay starts; `None` where nobody names one, or where it is told as a
/// problem.
pub(super) fn file(
    layers: &mut Layers<'_>,
    name: &'static str,
    read_file: &dyn Fn(&Path) -> io::Result<String>,
    make: &str,
) -> Option<PathBuf> {
    let named = layers.one(name, None, |text| path(text).map(Some))?;
    check_file(layers, name, &named, read_file, make).then_some(named)
}

/// The keys of a login elsewhere, by the same rule where they are a file.
pub(super) fn keys(
    layers: &mut Layers<'_>,
    read_file: &dyn Fn(&Path) -> io::Result<String>,
) -> Option<JwksSource> {
    let source = layers.one("jwks", None, |text| jwks(text).map(Some))?;
    let make = "save the login's key set there as JSON, or give its https URL";
    match &source {
        JwksSource::File(named) if !check_file(layers, "jwks", named, read_file, make) => None,
        _ => Some(source),
    }
}

fn check_file(
    layers: &mut Layers<'_>,
    name: &'static str,
    path: &Path,
    read_file: &dyn Fn(&Path) -> io::Result<String>,
    make: &str,
) -> bool {
    match read_file(path) {
        Ok(_) => true,
        // It is there, and bytes that are no text may be right: a secret is any bytes.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => true,
        Err(error) => {
            let what = format!("`{}` cannot be read: {error}", path.display());
            let place = layers.find(name).map(|found| found.place).unwrap_or_default();
            layers.problems.add(place, Fault::new(what, make));
            false
        }
    }
}
