//! What `login` stored: a token for each relay, in a file that this user alone may read. It is made with those
//! rights before a token is in it, and replaced as a whole.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::paths;
use crate::client::relay::{Relay, Token};
use crate::failure::Failure;

/// The file's first line.
const HEADER: &str = "# Written by `partyline login`. Whoever has a token hears what you may hear.\n";

/// The tokens, those of the latest login first.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    folder: PathBuf,
    stored: Vec<Stored>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    url: String,
    token: String,
}

/// Without the token.
impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize, Default)]
struct Whole {
    #[serde(default)]
    relay: Vec<Stored>,
}

impl Credentials {
    /// Where they lie in the config folder.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("credentials.toml")
    }

    /// Reads what is stored; an absent file is empty.
    ///
    /// # Errors
    /// [`Failure::Usage`] where the file cannot be read, or is not as this program wrote it.
    pub fn load(folder: Option<&Path>) -> Result<Self, Failure> {
        let Some(folder) = folder else {
            return Ok(Self::default());
        };
        let path = Self::path(folder);
        let whole: Whole = match std::fs::read_to_string(&path) {
            // The library's own words would quote a token.
            Ok(text) => toml::from_str(&text).map_err(|_| {
                Failure::Usage(format!(
                    "{} is not as `partyline login` wrote it; remove it, and log in again",
                    path.display()
                ))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Whole::default(),
            Err(error) => return Err(Failure::Usage(format!("{}: {error}", path.display()))),
        };
        Ok(Credentials {
            folder: folder.to_owned(),
            stored: whole.relay,
        })
    }

    /// The relays that there are tokens for.
    pub fn relays(&self) -> Vec<Relay> {
        self.stored
            .iter()
            .filter_map(|stored| Relay::parse(&stored.url).ok())
            .collect()
    }

    /// The token for a relay.
    pub fn token(&self, relay: &Relay) -> Option<Token> {
        let stored = self.stored.iter().find(|stored| is(stored, relay))?;
        Token::new(&stored.token)
    }

    /// Takes a token for a relay, instead of the one there was.
    pub fn put(&mut self, relay: &Relay, token: &str) {
        self.stored.retain(|stored| !is(stored, relay));
        let stored = Stored {
            url: relay.to_string(),
            token: token.trim().to_owned(),
        };
        self.stored.insert(0, stored);
    }

    /// Forgets the token for a relay; whether there was one.
    pub fn remove(&mut self, relay: &Relay) -> bool {
        let before = self.stored.len();
        self.stored.retain(|stored| !is(stored, relay));
        self.stored.len() < before
    }

    /// Writes what there is; without a token there is no file.
    ///
    /// # Errors
    /// [`Failure::Failed`], saying what the system does not allow.
    pub fn save(&self) -> Result<(), Failure> {
        let path = Self::path(&self.folder);
        self.write(&path)
            .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        if self.stored.is_empty() {
            return match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        paths::make_private(&self.folder)?;
        let whole = Whole {
            relay: self.stored.clone(),
        };
        let text = toml::to_string(&whole).map_err(io::Error::other)?;
        // Under another name first: a login that is killed leaves the old file whole.
        let new = self
            .folder
            .join(format!(".credentials.{:08x}.new", rand::random::<u32>()));
        let written = fill(&new, &format!("{HEADER}{text}")).and_then(|()| std::fs::rename(&new, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&new);
        }
        written
    }
}

fn fill(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn is(stored: &Stored, relay: &Relay) -> bool {
    Relay::parse(&stored.url).is_ok_and(|known| known.is_same(relay))
}
