//! How the relay runs as a service: by which certificate it is known, and what it does about streams that
//! Twilio lost. Names the files; what is in them is for `tls` to read.

use std::path::PathBuf;

use super::bearers;
use super::origins::{Origin, is_loopback, shown};
use super::problem::Fault;
use super::source::Layers;

/// Twilio's own.
const TWILIO_API: &str = "https://api.twilio.com";

/// By what the relay speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it, PEM.
    pub cert: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

/// Whose lost streams are asked for again by Twilio's REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attach {
    /// Of calls that this relay has had.
    Owned,
    /// Of every call of the account that is in progress.
    All,
    /// Nobody's.
    Never,
}

/// One file without the other is told, and neither is used.
pub(super) fn tls(layers: &mut Layers<'_>) -> Option<TlsFiles> {
    let cert = layers.one("tls_cert", None, |text| bearers::path(text).map(Some));
    let key = layers.one("tls_key", None, |text| bearers::path(text).map(Some));
    match (cert, key) {
        (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
        (None, None) => None,
        (cert, _) => {
            let (given, missing) = if cert.is_some() {
                ("--tls-cert", "--tls-key")
            } else {
                ("--tls-key", "--tls-cert")
            };
            let fault = Fault::new(
                format!("it says nothing without {missing}"),
                format!("give {missing} FILE"),
            );
            layers.problems.add(given, fault);
            None
        }
    }
}

pub(super) fn attach(text: &str) -> Result<Attach, Fault> {
    match text {
        "owned" => Ok(Attach::Owned),
        "all" => Ok(Attach::All),
        "never" => Ok(Attach::Never),
        _ => Err(Fault::new(
            format!("`{text}` says nothing about whose streams"),
            "write owned, all or never",
        )),
    }
}

pub(super) fn twilio_api() -> Origin {
    #[allow(clippy::expect_used)] // a text of the program
    Origin::parse(TWILIO_API).expect("an origin")
}

/// The account's token goes there: nobody on the way may read it.
pub(super) fn api(text: &str) -> Result<Origin, Fault> {
    let fix = "write the origin only, https://HOST, or http of this machine";
    let origin = Origin::parse(text);
    let origin = origin.ok_or_else(|| Fault::new(format!("{} is no origin", shown(text)), fix))?;
    if origin.is_secure() || is_loopback(origin.authority()) {
        Ok(origin)
    } else {
        Err(Fault::new(
            format!("over {origin} the account's token could be read on the way"),
            fix,
        ))
    }
}
