//! All that one configuration of a login comes to: what its tokens must claim, and where its keys are. Swapped
//! whole, so that no token is ever judged by half of an old one and half of a new one.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_rustls::rustls::ClientConfig;

use super::claims::Expected;
use super::kept::{Kept, NoKeys, Place};
use super::keys::{KeyId, KeySet};
use super::refresh::Pace;
use super::url::Url;
use super::{KeySource, Settings, Unusable};

/// What is in force of a login.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) expected: Expected,
    pub(super) published: Option<Arc<Kept>>,
    pub(super) secret: Option<Arc<Kept>>,
}

/// Another configuration that was read and is right, but not in force yet.
#[derive(Debug)]
pub struct Reread {
    places: Places,
    /// Keys for places that stay, and are kept with their counters.
    fresh: Vec<(Arc<Kept>, KeySet, Vec<&'static str>)>,
}

impl Places {
    /// Reads what files there are; a URL has no keys yet.
    pub(super) fn read(
        settings: Settings,
        [file_pace, url_pace]: [Pace; 2],
        trust: Option<Arc<ClientConfig>>,
    ) -> Result<Places, Unusable> {
        let published = match settings.jwks {
            None => None,
            Some(KeySource::Url(text)) => Some((Place::Url(Url::parse(&text)?, trust), url_pace)),
            Some(KeySource::File(path)) => Some((Place::File(path), file_pace)),
        };
        let secret = settings.secret_file.map(|path| (Place::Secret(path), file_pace));
        let kept = |(place, pace): (Place, Pace)| {
            let name = place.to_string();
            let kept = Kept::new(place, pace).map_err(|why| Unusable::File(name, why))?;
            Ok::<_, Unusable>(Arc::new(kept))
        };
        Ok(Places {
            expected: Expected {
                issuer: settings.issuer,
                audience: settings.audience,
            },
            published: published.map(kept).transpose()?,
            secret: secret.map(kept).transpose()?,
        })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Kept>> {
        self.published.iter().chain(&self.secret)
    }

    /// Whether this very key still counts.
    pub(super) fn has(&self, key: KeyId) -> bool {
        self.all().any(|kept| kept.keys().has(key))
    }

    /// Keeps the keys what they are where they come from. Ends only by being dropped.
    pub(super) async fn keep(&self, generation: &watch::Sender<u64>) {
        let keep = async |place: &Option<Arc<Kept>>| match place {
            Some(kept) => kept.run(generation).await,
            None => std::future::pending().await,
        };
        tokio::join!(keep(&self.published), keep(&self.secret));
    }
}

impl Reread {
    /// Makes these ready to follow `old`. A place that stays goes on as it is, with the keys that are there now; of a
    /// new one keys must be had, so that nobody is locked out by a slip. A URL that stays and does not answer keeps
    /// what was known of it, as it does at any other time.
    pub(super) async fn after(old: &Places, mut new: Places) -> Result<Reread, Unusable> {
        let mut fresh = Vec::new();
        for (was, is) in [
            (&old.published, &mut new.published),
            (&old.secret, &mut new.secret),
        ] {
            let Some(kept) = is else {
                continue;
            };
            let stays = was.as_ref().filter(|was| was.is_at(kept));
            match kept.look().await {
                Ok((keys, passed_over)) if !keys.is_empty() => {
                    let place = stays.unwrap_or(kept).clone();
                    fresh.push((place, keys, passed_over));
                }
                Ok(_) => return Err(Unusable::File(kept.to_string(), NoKeys::Unusable)),
                Err(_) if stays.is_some() && kept.is_fetched() => {}
                Err(why) => return Err(Unusable::File(kept.to_string(), why)),
            }
            if let Some(was) = stays {
                *kept = was.clone();
            }
        }
        Ok(Reread { places: new, fresh })
    }

    /// Puts the keys in their places.
    pub(super) fn place(self, generation: &watch::Sender<u64>) -> Places {
        for (kept, keys, passed_over) in self.fresh {
            kept.take(keys, &passed_over, generation);
        }
        self.places
    }
}
