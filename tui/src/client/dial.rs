//! TCP to a relay, and TLS where its address says so.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use partyline_shared::text::clean;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, Error as TlsError, InvalidMessage, RootCertStore,
};

use super::relay::Relay;

/// How long a relay may take until it has answered the upgrade or taken the request.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes both ways.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A connection, whatever is under it.
pub type Stream = Box<dyn Wire>;

/// Connects.
///
/// # Errors
/// Whatever the system, or TLS, says. The caller puts a time-out around it.
pub async fn dial(relay: &Relay) -> io::Result<Stream> {
    let tcp = TcpStream::connect((relay.host(), relay.port())).await?;
    tcp.set_nodelay(true)?;
    if !relay.is_tls() {
        return Ok(Box::new(tcp));
    }
    let name = ServerName::try_from(relay.host().to_owned()).map_err(io::Error::other)?;
    // Read at each attempt: a handshake is rare, and a certificate that was added meanwhile counts.
    let config = tokio::task::spawn_blocking(config)
        .await
        .map_err(io::Error::other)??;
    let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
    Ok(Box::new(tls))
}

/// Why nobody could be trusted.
#[derive(Debug, thiserror::Error)]
#[error(
    "this machine trusts no certificate authority{0}; install ca-certificates, or name a file of certificates in \
         SSL_CERT_FILE"
)]
struct NoAuthority(String);

/// Trusts what this machine trusts, so that a company's own authority is known; `SSL_CERT_FILE` and
/// `SSL_CERT_DIR` name others.
fn config() -> io::Result<ClientConfig> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = found.errors.first().map(|error| format!(" ({error})"));
        return Err(io::Error::other(NoAuthority(why.unwrap_or_default())));
    }
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A proxy that chose h2 could not upgrade.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Names told of a certificate that is for others: more help nobody.
const NAMES: usize = 3;

/// A name as rustls gives it, `DnsName("…")`, without what is around it.
fn bare(name: &str) -> String {
    let inside = name.split_once('(').map_or(name, |(_, inside)| inside);
    clean(inside.trim_matches(['(', ')', '"']))
}

/// What it means that no HTTP came back.
pub(super) fn no_http(relay: &Relay) -> String {
    let tls = if relay.is_tls() {
        ""
    } else {
        "; if TLS is spoken there, write https:// in --relay"
    };
    format!("what answers at {relay} speaks no HTTP{tls}")
}

/// What a failure to connect means where TLS does not trust who is there, and what to do; `None` where it is
/// no matter of trust.
pub fn distrust(relay: &Relay, error: &io::Error) -> Option<String> {
    let inner = error.get_ref()?;
    if let Some(nobody) = inner.downcast_ref::<NoAuthority>() {
        return Some(format!(
            "the certificate of {relay} could not be checked: {nobody}"
        ));
    }
    let tls = inner.downcast_ref::<TlsError>()?;
    let why = match tls {
        TlsError::InvalidCertificate(bad) => match bad {
            // The latter where one of the same name and with another key is known.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "an authority that this machine does not know made it; install the authority's \
                 certificate, or name it in SSL_CERT_FILE"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "it has expired; its operator has to renew it, or this machine's clock is wrong"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "it is not valid yet; is this machine's clock right?"
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                let names: Vec<String> = presented.iter().take(NAMES).map(|name| bare(name)).collect();
                return Some(format!(
                    "the certificate of {relay} is not trusted: it is another name's ({}); check --relay",
                    names.join(", ")
                ));
            }
            CertificateError::NotValidForName => "it is another name's; check --relay",
            CertificateError::Revoked => "it was revoked; its operator has to replace it",
            other => return Some(format!("the certificate of {relay} is not trusted: {other}")),
        },
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => {
            return Some(format!(
                "no TLS is spoken at {relay}; if it is to be unencrypted, write http:// in --relay"
            ));
        }
        TlsError::AlertReceived(alert) => {
            return Some(format!(
                "{relay} refuses TLS with us ({alert:?}); its operator can say why"
            ));
        }
        _ => return None,
    };
    Some(format!("the certificate of {relay} is not trusted: {why}"))
}
