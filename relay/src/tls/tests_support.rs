//! Certificates for tests: an authority, what it vouches for, and a folder to put them in.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::config::TlsFiles;

/// A folder with a certificate and its key.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "partyline-tls-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// The two files, whether they are there or not.
    pub(crate) fn files(&self) -> TlsFiles {
        TlsFiles {
            cert: self.0.join("cert.pem"),
            key: self.0.join("key.pem"),
        }
    }

    pub(crate) fn write(&self, made: &Made) {
        put(&self.files().cert, &made.cert);
        put(&self.files().key, &made.key);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Puts a file in another's place, readable by its owner alone.
pub(crate) fn put(path: &Path, text: &str) {
    let next = path.with_extension("next");
    std::fs::write(&next, text).unwrap();
    std::fs::set_permissions(&next, Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(&next, path).unwrap();
}

/// A certificate with that of its authority behind it, and its key, as PEM.
pub(crate) struct Made {
    pub(crate) cert: String,
    pub(crate) key: String,
    /// The authority's own.
    pub(crate) authority: String,
}

/// One for these hosts, valid from the year 2020 to the beginning of `until`.
pub(crate) fn made(hosts: &[&str], until: i32) -> Made {
    let authority = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&authority).unwrap();
    let issuer = Issuer::new(params, authority);
    let key = KeyPair::generate().unwrap();
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let cert = params.signed_by(&key, &issuer).unwrap();
    let root_pem = pem("CERTIFICATE", root.der());
    Made {
        cert: pem("CERTIFICATE", cert.der()) + &root_pem,
        key: pem("PRIVATE KEY", &key.serialize_der()),
        authority: root_pem,
    }
}

fn pem(kind: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
        STANDARD.encode(der)
    )
}
