//! Which relays are meant, and as whom.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::credentials::Credentials;
use super::file::{Entry, File};
use super::{Source, Sourced, sourced};
use crate::client::relay::{Relay, Token};
use crate::failure::Failure;

/// The relay where nobody names one.
pub const DEFAULT: &str = "http://127.0.0.1:8080";

/// What the command line and the environment say.
#[derive(Clone, Default)]
pub(super) struct Asked {
    /// A URL or a name.
    pub(super) relay: Option<Sourced<String>>,
    /// `--token-file`.
    pub(super) token_file: Option<PathBuf>,
    /// `PARTYLINE_TOKEN`.
    pub(super) token: Option<String>,
}

/// A relay, and where its token is to be found; the token itself is looked up when it is needed.
#[derive(Clone)]
pub struct Chosen {
    /// Its name in `config.toml`, else its address.
    pub name: String,
    /// Where it is, as nobody.
    pub address: Relay,
    /// Who named it.
    pub source: Source,
    /// What `config.toml` says of its token.
    pub token_file: Option<PathBuf>,
    asked_file: Option<PathBuf>,
    asked_token: Option<String>,
    folder: Option<PathBuf>,
    /// A token out of a pipe, as of `--token-file <(pass relay)`: it can be read once only.
    piped: Arc<OnceLock<Token>>,
}

/// Without the token.
impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chosen({} {} {})", self.name, self.address, self.source)
    }
}

/// Where a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFrom {
    /// In the file that `--token-file` names.
    Flag(PathBuf),
    /// In `PARTYLINE_TOKEN`.
    Environment,
    /// In the file that `config.toml` names.
    File(PathBuf),
    /// Where `login` stored it.
    Login,
    /// There is none.
    Nowhere,
}

impl fmt::Display for TokenFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenFrom::Flag(path) => write!(f, "--token-file {}", path.display()),
            TokenFrom::Environment => f.write_str("PARTYLINE_TOKEN"),
            TokenFrom::File(path) => write!(f, "config.toml's token_file {}", path.display()),
            TokenFrom::Login => f.write_str("login"),
            TokenFrom::Nowhere => f.write_str("none"),
        }
    }
}

impl Chosen {
    /// Where its token is; what is stored is looked at, files that are named are not.
    ///
    /// # Errors
    /// [`Failure::Usage`] where what `login` stored cannot be read.
    pub fn token_from(&self) -> Result<TokenFrom, Failure> {
        Ok(if let Some(path) = &self.asked_file {
            TokenFrom::Flag(path.clone())
        } else if self.asked_token.is_some() {
            TokenFrom::Environment
        } else if let Some(path) = &self.token_file {
            TokenFrom::File(path.clone())
        } else if self.stored()?.is_some() {
            TokenFrom::Login
        } else {
            TokenFrom::Nowhere
        })
    }

    /// The relay, as whom its token says we are; read anew each time, since another may have been stored.
    ///
    /// # Errors
    /// [`Failure::Usage`], saying what cannot be found or read.
    pub fn relay(&self) -> Result<Relay, Failure> {
        let token = match self.token_from()? {
            TokenFrom::Flag(path) | TokenFrom::File(path) => Some(self.token_in(&path)?),
            TokenFrom::Environment => {
                let text = self.asked_token.as_deref().unwrap_or_default();
                Some(Token::new(text).ok_or_else(|| invalid("PARTYLINE_TOKEN"))?)
            }
            TokenFrom::Login => self.stored()?,
            TokenFrom::Nowhere => None,
        };
        Ok(self.address.clone().with_token(token))
    }

    fn token_in(&self, path: &Path) -> Result<Token, Failure> {
        if let Some(token) = self.piped.get() {
            return Ok(token.clone());
        }
        let text = std::fs::read_to_string(path)
            .map_err(|e| Failure::Usage(format!("token file {}: {e}", path.display())))?;
        let token = Token::new(&text).ok_or_else(|| invalid(&path.display().to_string()))?;
        if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
            let _ = self.piped.set(token.clone());
        }
        Ok(token)
    }

    fn stored(&self) -> Result<Option<Token>, Failure> {
        Ok(Credentials::load(self.folder.as_deref())?.token(&self.address))
    }
}

fn invalid(from: &str) -> Failure {
    Failure::Usage(format!(
        "{from} holds no token (one word, as `token add` printed it)"
    ))
}

/// The relays that are meant, at least one. Without `--relay` a token that was given beside the files is the
/// first's: it was given for one relay, and the others are no business of it.
pub(super) fn choose(
    asked: &Asked,
    file: &File,
    stored: &Credentials,
    folder: Option<&Path>,
) -> Result<Vec<Chosen>, Failure> {
    let chosen = |name: String, address: Relay, source: Source, entry: Option<&Entry>| Chosen {
        name,
        address,
        source,
        token_file: entry
            .and_then(|entry| entry.token_file.as_ref())
            .map(|path| folder.unwrap_or(Path::new("")).join(path)),
        asked_file: None,
        asked_token: None,
        folder: folder.map(Path::to_owned),
        piped: Arc::default(),
    };
    let mut all = Vec::new();
    if let Some(Sourced { value, source }) = &asked.relay {
        let (address, entry) = find(value, file)?;
        let name = entry.map_or_else(|| address.to_string(), |entry| entry.name.clone());
        all.push(chosen(name, address, *source, entry));
    } else if !file.relays.is_empty() {
        for entry in &file.relays {
            let source = Source::File(entry.line);
            all.push(chosen(
                entry.name.clone(),
                entry.relay.clone(),
                source,
                Some(entry),
            ));
        }
    } else {
        for relay in stored.relays() {
            all.push(chosen(relay.to_string(), relay, Source::Login, None));
        }
    }
    if all.is_empty() {
        let sourced = sourced(DEFAULT.to_owned(), Source::Default);
        let (address, entry) = find(&sourced.value, file)?;
        all.push(chosen(sourced.value, address, sourced.source, entry));
    }
    if let Some(first) = all.first_mut() {
        // Absolute, so that it can be shown to somebody who stands elsewhere.
        let whole = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        first.asked_file = asked.token_file.as_ref().map(whole);
        first.asked_token = asked.token.clone();
    }
    Ok(all)
}

/// The relay that a text means, a URL or a name out of `config.toml`, and what that says of it.
///
/// # Errors
/// [`Failure::Usage`], saying what it could be.
pub fn find<'f>(text: &str, file: &'f File) -> Result<(Relay, Option<&'f Entry>), Failure> {
    if text.contains("://") {
        let relay = Relay::parse(text).map_err(|bad| Failure::Usage(format!("relay {text:?}: {bad}")))?;
        // A relay that the file knows has its token there, also when it is named by its URL.
        let entry = file.relays.iter().find(|entry| entry.relay.is_same(&relay));
        return Ok((relay, entry));
    }
    if let Some(entry) = file.relays.iter().find(|entry| entry.name == text) {
        return Ok((entry.relay.clone(), Some(entry)));
    }
    let https = format!("https://{text}");
    let meant = if Relay::parse(&https).is_ok() {
        https
    } else {
        "https://relay.example.com".to_owned()
    };
    let known: Vec<&str> = file.relays.iter().map(|entry| entry.name.as_str()).collect();
    let known = match (&file.path, known.as_slice()) {
        (Some(path), []) => format!("{} names no relay", path.display()),
        (Some(path), names) => format!("{} names {}", path.display(), names.join(", ")),
        (None, _) => "there is no config.toml".to_owned(),
    };
    Err(Failure::Usage(format!(
        "relay {text:?} is no URL and no known name: write {meant}, or http:// on this machine ({known})"
    )))
}
