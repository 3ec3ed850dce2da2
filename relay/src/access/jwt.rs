//! Bearers of a login elsewhere: JSON Web Tokens, checked by the login's published keys or by a shared secret.
//! What a token may be signed with is the key's to say; what it grants is the claim `partyline`'s. Keeps old
//! keys while new ones cannot be had, and says when keys change, so that open sessions are looked at again.
//! Knows neither doors nor the configuration; tokens and secrets reach no log.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `token`, `claims` | a token taken apart · what it claims, for us and now |
//! | `keys`, `jwk` | which key checks what · a key set as it is published |
//! | `kept`, `places` | the keys in force, while they change elsewhere · all that a configuration names |
//! | `url`, `fetch`, `refresh` | where they are published · one look at them · when to look again |
//! | `refused`, `login` | why a token is not taken · what `access` asks |

mod claims;
mod fetch;
mod jwk;
mod kept;
mod keys;
mod login;
mod places;
mod refresh;
mod refused;
#[cfg(test)]
mod tests;
mod token;
mod url;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use arc_swap::ArcSwap;
use partyline_shared::time::UtcTime;
use ring::digest;
use tokio::sync::watch;
use tokio_rustls::rustls::ClientConfig;
use tracing::info;

use self::kept::Kept;
use self::keys::KeyId;
use self::places::Places;
use self::refresh::Pace;
use self::refused::{Counts, Refused};
use self::token::{Alg, Signed};
use super::{Claimed, Right, Role, lock};
use crate::sparing::Sparing;

pub use self::claims::LEEWAY;
pub use self::fetch::FetchError;
pub use self::jwk::BadKeySet;
pub use self::kept::NoKeys;
pub use self::places::Reread;
pub use self::token::MAX_TOKEN;
pub use self::url::BadUrl;

/// Bytes of a token's hash that name it on record: enough that two are never taken for one.
const ID_BYTES: usize = 8;

/// Where the login's keys are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A JSON file.
    File(PathBuf),
    /// A URL: https, or http on loopback.
    Url(String),
}

/// What the operator said.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `--jwks`.
    pub jwks: Option<KeySource>,
    /// `--jwt-secret-file`.
    pub secret_file: Option<PathBuf>,
    /// `--jwt-issuer`: what `iss` must be. Not looked at where it is `None`.
    pub issuer: Option<String>,
    /// `--jwt-audience`: what `aud` must be or have. Not looked at where it is `None`.
    pub audience: Option<String>,
}

/// Why no token could ever be checked.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The key set.
    #[error("--jwks: {0}")]
    Url(#[from] BadUrl),
    /// A file: which, and why.
    #[error("{0}: {1}")]
    File(String, NoKeys),
}

/// Whom a token names, and what it grants until when.
#[derive(Debug, Clone)]
pub struct Verified {
    /// `sub`.
    pub name: String,
    /// What the bearer is.
    pub role: Role,
    /// Whose calls.
    pub customers: Vec<String>,
    /// Rights by name.
    pub allow: Vec<Right>,
    /// When it is over.
    pub expires: UtcTime,
    /// Names the token on record, 16 hexadecimal digits; tells nothing of it.
    pub token_id: String,
    key: KeyId,
    claimed: Claimed,
}

/// What checks tokens.
#[derive(Debug)]
pub struct Jwt {
    places: ArcSwap<Places>,
    /// Moves when other places are in force.
    replaced: watch::Sender<u64>,
    generation: watch::Sender<u64>,
    /// Looks at places that are no longer in force, and those that failed.
    past_looks: [AtomicU64; 2],
    refused: Counts,
    taken: AtomicU64,
    /// Whoever can connect can show a wrong one.
    told: Mutex<Sparing>,
}

impl Jwt {
    /// Reads what files there are. A URL is first looked at by [`Jwt::run`]: a login that is down does not
    /// keep the relay from starting.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn new(settings: Settings) -> Result<Arc<Jwt>, Unusable> {
        Jwt::with(settings, [Pace::FILE, Pace::URL], None)
    }

    /// The same, at other paces for files and for a URL, and with TLS that trusts whom the caller trusts.
    fn with(
        settings: Settings,
        paces: [Pace; 2],
        trust: Option<Arc<ClientConfig>>,
    ) -> Result<Arc<Jwt>, Unusable> {
        Ok(Arc::new(Jwt {
            places: ArcSwap::from_pointee(Places::read(settings, paces, trust)?),
            replaced: watch::Sender::new(0),
            generation: watch::Sender::new(0),
            past_looks: Default::default(),
            refused: Counts::default(),
            taken: AtomicU64::new(0),
            told: Mutex::default(),
        }))
    }

    /// Reads another configuration and changes nothing. Looks at a key set's URL, which may take 5 s.
    ///
    /// # Errors
    /// [`Unusable`].
    pub async fn read(&self, settings: Settings) -> Result<Reread, Unusable> {
        let new = tokio::task::spawn_blocking(|| Places::read(settings, [Pace::FILE, Pace::URL], None));
        let new = new
            .await
            .map_err(|error| Unusable::File("--jwks".to_owned(), FetchError::Io(error.into()).into()))??;
        Reread::after(&self.places.load_full(), new).await
    }

    /// Puts what was read in force. Who was let in stays so where the new configuration would let in as well.
    pub fn apply(&self, read: Reread) {
        let new = read.place(&self.generation);
        let old = self.places.swap(Arc::new(new));
        let new = self.places.load();
        for gone in old
            .all()
            .filter(|old| !new.all().any(|new| Arc::ptr_eq(old, new)))
        {
            let (looks, failed) = gone.totals();
            for (past, more) in self.past_looks.iter().zip([looks, failed]) {
                past.fetch_add(more, Relaxed);
            }
        }
        for told in [&self.replaced, &self.generation] {
            told.send_modify(|number| *number += 1);
        }
    }

    /// Whom `token` names, where it is good at `now`. One that names an unknown key may wait for a look at
    /// the key set, 6 s at most; the reason for a refusal is counted and logged.
    pub async fn verify(&self, token: &str, now: UtcTime) -> Option<Verified> {
        // There is no login: nothing was asked of it.
        self.places.load().all().next()?;
        match self.check(token, now).await {
            Ok(verified) => {
                self.taken.fetch_add(1, Relaxed);
                Some(verified)
            }
            Err(reason) => {
                self.refused.count(reason);
                if let Some(untold) = lock(&self.told).tell(Instant::now()) {
                    info!(
                        reason = reason.name(),
                        untold,
                        "a token was not taken: {}",
                        reason.advice()
                    );
                }
                None
            }
        }
    }

    async fn check(&self, token: &str, now: UtcTime) -> Result<Verified, Refused> {
        let places = self.places.load_full();
        let signed = Signed::read(token)?;
        // A key can only be of its own kind, so this looks in the one place that can have it.
        let place = match signed.alg {
            Alg::Hs256 => &places.secret,
            _ => &places.published,
        };
        let kept = place.as_ref().ok_or(Refused::Algorithm)?;
        let known = kept.keys().check(&signed);
        let key = match known {
            Err(Refused::UnknownKey) if kept.ask().await => kept.keys().check(&signed)?,
            known => known?,
        };
        let claims = claims::read(&signed.payload()?, &places.expected, now)?;
        // Without the signature, of which there can be several for one message.
        let hash = digest::digest(&digest::SHA256, signed.message);
        let token_id = hash.as_ref().iter().take(ID_BYTES);
        Ok(Verified {
            name: claims.name,
            role: claims.role,
            customers: claims.customers,
            allow: claims.allow,
            expires: claims.expires,
            token_id: token_id.map(|byte| format!("{byte:02x}")).collect(),
            key,
            claimed: claims.claimed,
        })
    }

    /// Whether what was granted still is: not expired at `now`, its key not taken back, and what it claims still what
    /// is expected.
    pub fn still_valid(&self, verified: &Verified, now: UtcTime) -> bool {
        now < verified.expires && self.counts(verified.key, &verified.claimed)
    }

    fn counts(&self, key: KeyId, claimed: &Claimed) -> bool {
        let places = self.places.load();
        places.has(key) && places.expected.takes(claimed).is_ok()
    }

    /// A number that moves whenever a key comes or goes: what was granted may then be granted no longer.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Name and value of each counter: tokens taken, tokens refused by reason, looks at keys, failed ones.
    pub fn totals(&self) -> Vec<(&'static str, u64)> {
        let places = self.places.load();
        let [looks, failed] = &self.past_looks;
        let past = (looks.load(Relaxed), failed.load(Relaxed));
        let now = places.all().map(|kept| Kept::totals(kept));
        let (looks, failed) = now.fold(past, |sum, more| (sum.0 + more.0, sum.1 + more.1));
        let mut totals = vec![
            ("jwt_taken", self.taken.load(Relaxed)),
            ("jwt_key_looks", looks),
            ("jwt_key_looks_failed", failed),
        ];
        totals.extend(self.refused.totals());
        totals
    }

    /// Keeps the keys what they are where they come from, until `stop` ends.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()>) {
        let keep = async {
            let mut replaced = self.replaced.subscribe();
            loop {
                let places = self.places.load_full();
                tokio::select! {
                    () = places.keep(&self.generation) => return,
                    _ = replaced.changed() => {}
                }
            }
        };
        tokio::select! {
            () = stop => {}
            () = keep => {}
        }
    }
}
