//! Whose certificates this program trusts where it connects to somebody, and what it means when it does not. A leaf.

use std::io;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, InvalidMessage, RootCertStore};

/// Why nobody could be trusted.
#[derive(Debug, thiserror::Error)]
#[error(
    "this machine trusts no certificate authority{0}; install ca-certificates, or name a file of certificates in \
         SSL_CERT_FILE"
)]
pub struct NoAuthority(String);

/// TLS that trusts what this machine trusts, so that a company's own authority is known; `SSL_CERT_FILE` and
/// `SSL_CERT_DIR` name others.
///
/// # Errors
/// [`NoAuthority`] where it trusts nobody.
pub fn machine() -> Result<Arc<ClientConfig>, NoAuthority> {
    let mut config = authorities()?;
    // A proxy that chose h2 could not upgrade.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The same for what is not HTTP.
///
/// # Errors
/// [`NoAuthority`] where it trusts nobody.
pub fn plain() -> Result<Arc<ClientConfig>, NoAuthority> {
    authorities().map(Arc::new)
}

fn authorities() -> Result<ClientConfig, NoAuthority> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = found.errors.first().map(|error| format!(" ({error})"));
        return Err(NoAuthority(why.unwrap_or_default()));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    #[allow(clippy::expect_used)] // of the program's own making
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("ring has suites of TLS 1.2 and 1.3");
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// What it means, and what to do, where TLS did not come about; `None` where that was not TLS's doing.
pub fn explain(error: &io::Error) -> Option<String> {
    let tls = error.get_ref()?.downcast_ref::<Error>()?;
    let why = match tls {
        Error::InvalidCertificate(bad) => format!("its certificate is not trusted: {}", distrust(bad)),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "it speaks no TLS: write http:// in its address, if it may be unencrypted".to_owned()
        }
        Error::AlertReceived(alert) => {
            format!("it refuses TLS with us ({alert:?}); its operator can say why")
        }
        other => format!("TLS failed: {other}"),
    };
    Some(why)
}

fn distrust(bad: &CertificateError) -> String {
    match bad {
        // The latter where one of the same name and with another key is known.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "an authority that this machine does not know made it; install the authority's certificate, or name it in \
             SSL_CERT_FILE"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired; its operator has to renew it, or this machine's clock is wrong".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; is this machine's clock right?".to_owned()
        }
        CertificateError::NotValidForName => "it is another name's; check the address".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => format!(
            "it is another name's ({}); check the address",
            presented.iter().take(NAMES).map(|name| bare(name)).collect::<Vec<_>>().join(", ")
        ),
        CertificateError::Revoked => "it was revoked; its operator has to replace it".to_owned(),
        other => other.to_string(),
    }
}

/// A name as rustls gives it, `DnsName("…")`, without what is around it.
fn bare(name: &str) -> String {
    let inside = name.split_once('(').map_or(name, |(_, inside)| inside);
    partyline_shared::text::clean(inside.trim_matches(['(', ')', '"']))
}

/// Names told of a certificate that is for others: more help nobody.
const NAMES: usize = 3;
