//! Certificate and key off the disk, checked together: what rustls would refuse, and what a client would. Says what
//! is wrong with them and how to mend it; changes nothing.

use std::fs::OpenOptions;
use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use partyline_shared::time::UtcTime;
use rustix::fs::OFlags;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::TlsFiles;
use crate::stamp::Stamp;

/// The largest file that is read, bytes: a chain of ten certificates is 20 KB. A wrong path may name anything.
pub(super) const MAX_FILE: u64 = 1 << 20;

/// Mode bits by which everybody may read or write a file. A group may: that is how keys are given to services.
const EVERYBODY: u32 = 0o006;

const CERT: &str = "--tls-cert";
const KEY: &str = "--tls-key";

/// Why certificate or key cannot be used, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag} {}: {why}; {fix}", path.display())]
pub struct Unusable {
    /// Which setting names the file.
    pub flag: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub why: String,
    /// How to mend it.
    pub fix: &'static str,
}

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The hosts that it is for: names, `*.` names, addresses.
    pub names: Vec<String>,
    /// Who made it, as certificates write names.
    pub issuer: String,
    /// From when on it is valid.
    pub not_before: UtcTime,
    /// How long it is.
    pub not_after: UtcTime,
    /// Certificates in the file: itself, and those that vouch for it.
    pub chain: usize,
}

/// A certificate with its key, ready to be used.
#[derive(Debug)]
pub struct Tls {
    pub(super) files: TlsFiles,
    pub(super) config: Arc<ServerConfig>,
    pub(super) stamps: Stamps,
    facts: Facts,
    warnings: Vec<String>,
}

/// What both files look like from outside.
pub(super) type Stamps = (Option<Stamp>, Option<Stamp>);

pub(super) fn look(files: &TlsFiles) -> Stamps {
    (Stamp::look(&files.cert), Stamp::look(&files.key))
}

impl Tls {
    /// Reads both files; `now` is what the certificate's dates are compared with.
    ///
    /// # Errors
    /// [`Unusable`], the first thing that is wrong.
    pub fn load(files: &TlsFiles, now: UtcTime) -> Result<Tls, Unusable> {
        // Before reading: a change meanwhile is then seen later.
        let stamps = look(files);
        let (cert, _) = read(CERT, &files.cert)?;
        let (key, mode) = read(KEY, &files.key)?;
        let chain = certificates(&files.cert, &cert)?;
        let facts = facts(&files.cert, &chain)?;
        let key = private_key(&files.key, &key)?;
        let certified = together(files, chain, key)?;
        let mut warnings = Vec::new();
        if mode & EVERYBODY != 0 {
            warnings.push(format!(
                "{KEY} {0}: everybody on this machine may read or write it (mode {mode:04o}); run `chmod 600 {0}`",
                files.key.display()
            ));
        }
        warnings.extend(dates(&files.cert, &facts, now));
        Ok(Tls {
            files: files.clone(),
            config: Arc::new(config(certified)),
            stamps,
            facts,
            warnings,
        })
    }

    /// What the certificate says of itself.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What is taken but deserves a word.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// A file and its mode.
fn read(flag: &'static str, path: &Path) -> Result<(Vec<u8>, u32), Unusable> {
    let unusable = |why: String, fix| Unusable {
        flag,
        path: path.to_owned(),
        why,
        fix,
    };
    let failed = |error: std::io::Error| {
        unusable(
            format!("it cannot be read: {error}"),
            "name a file that exists and that this user can read",
        )
    };
    // A pipe that nobody writes to would be waited for.
    let at_once = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(at_once).open(path);
    let file = file.map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if !meta.is_file() || meta.len() > MAX_FILE {
        return Err(unusable(
            "it is no file of PEM".to_owned(),
            "name the file that the certificate's maker gave you",
        ));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(failed)?;
    Ok((bytes, meta.permissions().mode() & 0o7777))
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

fn certificates(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let unusable = |why: String, fix| Unusable {
        flag: CERT,
        path: path.to_owned(),
        why,
        fix,
    };
    let chain = CertificateDer::pem_slice_iter(bytes).collect::<Result<Vec<_>, _>>();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) if has(bytes, "PRIVATE KEY-----") => Err(unusable(
            "it has a key and no certificate".to_owned(),
            "name the certificate here and the key with --tls-key",
        )),
        Ok(_) => Err(unusable(
            "it has no certificate".to_owned(),
            "name a file in PEM, which has a line -----BEGIN CERTIFICATE-----; from DER, `openssl x509 -inform der` \
             makes one",
        )),
        // What the parser says of it is bytes.
        Err(_) => Err(unusable(
            "it is damaged: a part of it breaks off, or is no base64".to_owned(),
            "copy the whole file again",
        )),
    }
}

fn private_key(path: &Path, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, Unusable> {
    let unusable = |why: &str, fix| Unusable {
        flag: KEY,
        path: path.to_owned(),
        why: why.to_owned(),
        fix,
    };
    PrivateKeyDer::from_pem_slice(bytes).map_err(|_| {
        if has(bytes, "ENCRYPTED") {
            unusable(
                "it is locked by a passphrase, for which nobody is there to be asked",
                "unlock it with `openssl pkey -in FILE -out FILE`",
            )
        } else if has(bytes, "BEGIN CERTIFICATE") {
            unusable(
                "it has a certificate and no key",
                "name the key here and the certificate with --tls-cert",
            )
        } else {
            unusable(
                "it has no key that can be read",
                "name a file in PEM, which has a line -----BEGIN PRIVATE KEY-----",
            )
        }
    })
}

fn facts(path: &Path, chain: &[CertificateDer<'_>]) -> Result<Facts, Unusable> {
    let damaged = || Unusable {
        flag: CERT,
        path: path.to_owned(),
        why: "its first certificate cannot be understood".to_owned(),
        fix: "copy the whole file again",
    };
    let first = chain.first().ok_or_else(damaged)?;
    let (_, cert) = X509Certificate::from_der(first).map_err(|_| damaged())?;
    let at = |time: x509_parser::time::ASN1Time| UtcTime::from_unix_ms(time.timestamp().saturating_mul(1000));
    let names = cert.subject_alternative_name().ok().flatten();
    let names = names.map_or(&[][..], |names| &names.value.general_names);
    Ok(Facts {
        names: names.iter().filter_map(name).collect(),
        issuer: cert.issuer().to_string(),
        not_before: at(cert.validity().not_before),
        not_after: at(cert.validity().not_after),
        chain: chain.len(),
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(|ip| Ipv4Addr::from(ip).to_string());
            let v6 = || <[u8; 16]>::try_from(*bytes).map(|ip| Ipv6Addr::from(ip).to_string());
            v4.or_else(|_| v6()).ok()
        }
        _ => None,
    }
}

/// Certificate and key, which must belong together.
fn together(
    files: &TlsFiles,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, Unusable> {
    let unusable = |flag, path: &Path, why: String, fix| Unusable {
        flag,
        path: path.to_owned(),
        why,
        fix,
    };
    let key = ring::sign::any_supported_type(&key).map_err(|_| {
        unusable(
            KEY,
            &files.key,
            "it is of a kind that TLS does not take here".to_owned(),
            "make a new one, of ECDSA P-256 or P-384, Ed25519, or RSA of 2048 bits and more, and have it certified",
        )
    })?;
    let belongs = |cert: &CertificateDer<'static>| {
        let alone = CertifiedKey::new(vec![cert.clone()], key.clone());
        matches!(
            alone.keys_match(),
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown))
        )
    };
    let certified = CertifiedKey::new(chain, key.clone());
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(_) if certified.cert.iter().skip(1).any(belongs) => Err(unusable(
            CERT,
            &files.cert,
            "its first certificate is not the server's own".to_owned(),
            "put the server's own certificate first, and those that vouch for it behind",
        )),
        Err(rustls::Error::InconsistentKeys(_)) => Err(unusable(
            KEY,
            &files.key,
            format!("it is not the key of the certificate in {}", files.cert.display()),
            "name the key that the certificate was made for",
        )),
        Err(error) => Err(unusable(
            CERT,
            &files.cert,
            format!("its certificate is none for a server: {error}"),
            "have one made for the public URL's host",
        )),
    }
}

fn config(certified: CertifiedKey) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    #[allow(clippy::expect_used)] // of the program's own making
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("ring has suites of TLS 1.2 and 1.3");
    let resolver = rustls::sign::SingleCertAndKey::from(certified);
    let mut config = builder
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    // WebSocket is an upgrade of this one.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// What a client would say of its dates.
fn dates(path: &Path, facts: &Facts, now: UtcTime) -> Option<String> {
    let path = path.display();
    if facts.not_after < now {
        Some(format!(
            "{CERT} {path}: the certificate ended at {}, and nobody who checks it will connect; renew it",
            facts.not_after
        ))
    } else if facts.not_before > now {
        Some(format!(
            "{CERT} {path}: the certificate is not valid before {}, and nobody who checks it will connect; is this \
             machine's clock right?",
            facts.not_before
        ))
    } else {
        None
    }
}
