//! Certificates: an authority of a story's own, what it vouches for, and TLS as a client sees it. Who speaks no TLS
//! goes through a [`crate::Tunnel`].

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use crate::scratch::Scratch;
use crate::wait::{SOON, within};

/// A year that no test sees the end of.
const LATE: i32 = 2400;

/// Who vouches for certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    own: CertificateDer<'static>,
}

/// A certificate and its key.
pub struct Pair {
    der: CertificateDer<'static>,
    /// The certificate, as PEM.
    pub cert: String,
    /// Its key, as PEM.
    pub key: String,
}

/// What a client offers.
#[derive(Default)]
pub struct Offer {
    /// One version only.
    pub version: Option<&'static SupportedProtocolVersion>,
    /// ALPN, in order.
    pub protocols: &'static [&'static str],
}

impl Offer {
    /// TLS 1.2 and nothing newer.
    pub fn old() -> Offer {
        Offer {
            version: Some(&TLS12),
            ..Offer::default()
        }
    }

    /// TLS 1.3 and nothing older.
    pub fn new() -> Offer {
        Offer {
            version: Some(&TLS13),
            ..Offer::default()
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// One that nobody trusts yet.
    pub fn new() -> Authority {
        Self::named("A story's authority")
    }

    /// The same by this name.
    pub fn named(name: &str) -> Authority {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let own = params.self_signed(&key).expect("a certificate can be made");
        Authority {
            own: own.der().clone(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Vouches for these hosts.
    pub fn certify(&self, hosts: &[&str]) -> Pair {
        self.certify_until(hosts, LATE)
    }

    /// The same up to the beginning of a year.
    pub fn certify_until(&self, hosts: &[&str], year: i32) -> Pair {
        let key = KeyPair::generate().expect("a key can be made");
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).expect("names of hosts");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let cert = params
            .signed_by(&key, &self.issuer)
            .expect("a certificate can be made");
        Pair {
            der: cert.der().clone(),
            cert: pem("CERTIFICATE", cert.der()),
            key: pem("PRIVATE KEY", &key.serialize_der()),
        }
    }

    /// Its own certificate as a file, for `SSL_CERT_FILE`.
    pub fn file(&self, folder: &Scratch) -> String {
        let path = folder.write("authority.pem", pem("CERTIFICATE", &self.own));
        path.display().to_string()
    }

    /// A client that trusts it alone.
    pub fn trusting(&self, offer: &Offer) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots
            .add(self.own.clone())
            .expect("a certificate of an authority");
        let versions = offer.version.map_or(vec![&TLS13, &TLS12], |one| vec![one]);
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&versions)
            .expect("ring has suites of both")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let protocols = offer.protocols.iter();
        config.alpn_protocols = protocols.map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// Connects to `at` as to `127.0.0.1`.
    ///
    /// # Errors
    /// What the system says, or TLS.
    pub async fn connect(&self, at: SocketAddr, offer: &Offer) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(at).await?;
        let local = ServerName::try_from("127.0.0.1").expect("an address");
        let connecting = TlsConnector::from(self.trusting(offer)).connect(local, stream);
        within(SOON, "the end of a handshake", connecting).await
    }

    /// Which certificate a new connection sees.
    pub async fn seen(&self, at: SocketAddr) -> CertificateDer<'static> {
        let connected = self.connect(at, &Offer::default()).await;
        let connected = connected.unwrap_or_else(|e| panic!("no TLS at {at}: {e}"));
        let chain = connected.get_ref().1.peer_certificates();
        chain.expect("a server has a certificate")[0].clone().into_owned()
    }
}

impl Pair {
    /// Where [`Pair::put`] puts them: certificate and key.
    pub fn paths(folder: &Scratch) -> [PathBuf; 2] {
        [folder.file("cert.pem"), folder.file("key.pem")]
    }

    /// Puts them in the place of others, each whole.
    pub fn put(&self, folder: &Scratch) {
        let [cert, key] = Pair::paths(folder);
        replace(folder, &cert, &self.cert);
        replace(folder, &key, &self.key);
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&key, mode).expect("a mode can be set");
    }

    /// Whether a connection saw this one.
    pub fn is(&self, seen: &CertificateDer<'_>) -> bool {
        self.der == *seen
    }
}

/// Puts a file in another's place.
pub fn replace(folder: &Scratch, path: &Path, text: &str) {
    let next = folder.write("next", text);
    std::fs::rename(next, path).expect("a file can be renamed");
}

fn pem(kind: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
        STANDARD.encode(der)
    )
}
