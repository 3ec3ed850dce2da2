//! Keys from one place, kept what they are there. While it cannot be had, or is none, the keys known so far
//! stay in force: a login that is down for an hour does not end every session. That is counted and told.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch;
use tokio_rustls::rustls::ClientConfig;
use tracing::{debug, info, warn};

use super::fetch::{self, FetchError};
use super::jwk::{self, BadKeySet};
use super::keys::{Key, KeySet, MIN_SECRET};
use super::refresh::{Pace, Refresh};
use super::url::Url;

/// Where keys come from.
#[derive(Debug)]
pub(super) enum Place {
    /// A key set as JSON.
    File(PathBuf),
    /// The same, fetched; with what is trusted instead of what this machine trusts.
    Url(Url, Option<Arc<ClientConfig>>),
    /// The bytes of a secret.
    Secret(PathBuf),
}

/// Why a place has no keys.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    /// It cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It is no key set.
    #[error(transparent)]
    KeySet(#[from] BadKeySet),
    /// It can be guessed.
    #[error("it has under {MIN_SECRET} bytes; make one with `openssl rand -base64 48`")]
    ShortSecret,
    /// A set, but of other keys.
    #[error("no key in it can be used; it needs an RSA, EC P-256 or Ed25519 key for signatures")]
    Unusable,
}

/// The keys of one place.
#[derive(Debug)]
pub(super) struct Kept {
    place: Place,
    keys: ArcSwap<KeySet>,
    refresh: Refresh,
    failing: AtomicBool,
    looks: AtomicU64,
    looks_failed: AtomicU64,
}

impl Kept {
    /// What a file has now; of a URL nothing yet.
    ///
    /// # Errors
    /// [`NoKeys`].
    pub(super) fn new(place: Place, pace: Pace) -> Result<Kept, NoKeys> {
        let keys = match &place {
            Place::Url(..) => KeySet::default(),
            Place::File(path) | Place::Secret(path) => {
                let (keys, passed_over) = place.read(&fetch::file(path)?)?;
                tell_passed_over(&place, &passed_over);
                if keys.is_empty() {
                    return Err(NoKeys::Unusable);
                }
                keys
            }
        };
        Ok(Kept {
            place,
            keys: ArcSwap::from_pointee(keys),
            refresh: Refresh::new(pace),
            failing: AtomicBool::new(false),
            looks: AtomicU64::new(0),
            looks_failed: AtomicU64::new(0),
        })
    }

    /// The keys in force.
    pub(super) fn keys(&self) -> Guard<Arc<KeySet>> {
        self.keys.load()
    }

    /// Asks for a look now and waits for it; whether there was one.
    pub(super) async fn ask(&self) -> bool {
        self.refresh.ask().await
    }

    /// Looks so far, and those of them that failed.
    pub(super) fn totals(&self) -> (u64, u64) {
        (self.looks.load(Relaxed), self.looks_failed.load(Relaxed))
    }

    /// Looks again and again; `generation` moves when keys come or go. Ends only by being dropped.
    pub(super) async fn run(&self, generation: &watch::Sender<u64>) {
        loop {
            self.refresh.round(self.renew(generation)).await;
        }
    }

    /// Takes what is there now; whether it was of use.
    async fn renew(&self, generation: &watch::Sender<u64>) -> bool {
        self.looks.fetch_add(1, Relaxed);
        let error = match self.look().await {
            Ok((keys, passed_over)) => {
                self.take(keys, &passed_over, generation);
                return true;
            }
            Err(error) => error,
        };
        self.looks_failed.fetch_add(1, Relaxed);
        // Told once, not with each try: the count goes on.
        if self.failing.swap(true, Relaxed) {
            debug!("{}: {error}", self.place);
        } else {
            warn!("{}: {error}; the keys known so far stay in force", self.place);
        }
        false
    }

    /// Whether both are of one place.
    pub(super) fn is_at(&self, other: &Kept) -> bool {
        match (&self.place, &other.place) {
            (Place::File(a), Place::File(b)) | (Place::Secret(a), Place::Secret(b)) => a == b,
            (Place::Url(a, _), Place::Url(b, _)) => a == b,
            _ => false,
        }
    }

    /// Whether its keys come over the network.
    pub(super) fn is_fetched(&self) -> bool {
        matches!(self.place, Place::Url(..))
    }

    /// What is there now, and why other keys are none; takes nothing.
    pub(super) async fn look(&self) -> Result<(KeySet, Vec<&'static str>), NoKeys> {
        let bytes = match &self.place {
            Place::File(path) | Place::Secret(path) => read_file(path).await?,
            Place::Url(url, trust) => fetch::url(url, trust.clone()).await?,
        };
        self.place.read(&bytes)
    }

    /// Puts these in force; `generation` moves when keys come or go.
    pub(super) fn take(&self, keys: KeySet, passed_over: &[&'static str], generation: &watch::Sender<u64>) {
        if self.failing.swap(false, Relaxed) {
            info!("{}: it can be read again", self.place);
        }
        let same = self.keys.load().is_same(&keys);
        if !same {
            tell_passed_over(&self.place, passed_over);
            if keys.is_empty() {
                warn!(
                    "{}: it has no key that can be used: nobody is let in by it",
                    self.place
                );
            } else {
                info!("{}: its keys have changed", self.place);
            }
        }
        // Also where they are the same: their names may not be.
        self.keys.store(Arc::new(keys));
        if !same {
            generation.send_modify(|generation| *generation += 1);
        }
    }
}

impl std::fmt::Display for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.place.fmt(f)
    }
}

impl Place {
    /// The keys in what was found there, and why others are none.
    fn read(&self, bytes: &[u8]) -> Result<(KeySet, Vec<&'static str>), NoKeys> {
        if let Place::Secret(_) = self {
            let key = Key::secret(bytes).ok_or(NoKeys::ShortSecret)?;
            return Ok((KeySet::new(vec![key]), Vec::new()));
        }
        let reading = jwk::read(bytes)?;
        Ok((reading.set, reading.passed_over))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::File(path) => write!(f, "--jwks {}", path.display()),
            Place::Url(url, _) => write!(f, "--jwks at {url}"),
            Place::Secret(path) => write!(f, "--jwt-secret-file {}", path.display()),
        }
    }
}

fn tell_passed_over(place: &Place, passed_over: &[&'static str]) {
    for why in passed_over {
        info!("{place}: a key is passed over: {why}");
    }
}

async fn read_file(path: &Path) -> Result<Vec<u8>, FetchError> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || fetch::file(&path))
        .await
        .map_err(std::io::Error::other)?
}
