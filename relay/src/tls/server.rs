//! What is in force: the certificate that new connections see. It is swapped whole; a connection keeps what it began
//! with, so that no socket notices.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use arc_swap::ArcSwap;
use tracing::{info, warn};

use super::files::{Facts, Tls, Unusable};
use crate::clock::Now;
use crate::config::TlsFiles;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::sparing::Sparing;

/// A relay's TLS.
#[derive(Debug)]
pub struct Server {
    now: ArcSwap<Tls>,
    /// Of handshakes that failed.
    told: Mutex<Sparing>,
    pub(super) metrics: Arc<Metrics>,
}

impl Server {
    /// Reads certificate and key for the first time. What deserves a word is logged.
    ///
    /// # Errors
    /// [`Unusable`], with what to do.
    pub fn open(files: &TlsFiles, metrics: Arc<Metrics>) -> Result<Server, Unusable> {
        let tls = Server::read(files)?;
        for warning in tls.warnings() {
            warn!("{warning}");
        }
        Ok(Server {
            now: ArcSwap::from_pointee(tls),
            told: Mutex::default(),
            metrics,
        })
    }

    /// Reads and checks these files; changes nothing.
    ///
    /// # Errors
    /// [`Unusable`], with what to do.
    pub fn read(files: &TlsFiles) -> Result<Tls, Unusable> {
        Tls::load(files, Now::take().wall)
    }

    /// New connections see this from now on, and its files are watched.
    pub fn apply(&self, tls: Tls) {
        let tls = Arc::new(tls);
        self.now.store(tls.clone());
        self.tell_applied(&tls);
    }

    /// The same, if `old` is still in force: else somebody was told of other files, or has read these.
    pub(super) fn apply_in_place_of(&self, old: &Arc<Tls>, tls: Tls) {
        let tls = Arc::new(tls);
        let was = self.now.compare_and_swap(old, tls.clone());
        if Arc::ptr_eq(&was, old) {
            self.tell_applied(&tls);
        }
    }

    fn tell_applied(&self, tls: &Tls) {
        for warning in tls.warnings() {
            warn!("{warning}");
        }
        self.metrics.tls_reloaded.add_one();
        info!(ends = %tls.facts().not_after, "new connections see the certificate as it is now");
    }

    /// Reads the files in use again and takes what is in them.
    ///
    /// # Errors
    /// [`Unusable`]: what was in force stays so.
    pub fn reload(&self) -> Result<(), Unusable> {
        let read = Server::read(&self.current().files);
        match read {
            Ok(tls) => {
                self.apply(tls);
                Ok(())
            }
            Err(unusable) => {
                self.metrics.tls_not_reloaded.add_one();
                Err(unusable)
            }
        }
    }

    /// What the certificate that new connections see says of itself.
    pub fn certificate(&self) -> Facts {
        self.now.load().facts().clone()
    }

    pub(super) fn current(&self) -> Arc<Tls> {
        self.now.load_full()
    }

    /// Whether another failure is told, and how many were not since the last.
    pub(super) fn tells(&self, now: Instant) -> Option<u64> {
        lock(&self.told).tell(now)
    }
}
