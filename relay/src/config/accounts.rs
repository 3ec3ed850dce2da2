//! Which Twilio accounts are ours, and their auth tokens. Account and token are checked as a pair.

use std::io;
use std::path::{Path, PathBuf};

use partyline_shared::id::is_id;

use super::problem::Fault;
use super::secret::Secret;
use super::source::{Found, Layers, Source, split, variable};

/// How long Twilio's account SIDs are: `AC` and 32 hex digits.
const SID_LENGTH: usize = 34;

/// Twilio accounts and their tokens.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    named: Vec<(String, Vec<Secret>)>,
    any: Vec<Secret>,
    /// Where tokens were read, if in a file.
    file: Option<PathBuf>,
}

impl Accounts {
    /// Whether there is no token at all.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.any.is_empty()
    }

    /// The tokens that a request of `account` may be signed with: the account's own, and those that take any
    /// account.
    pub fn tokens_of(&self, account: Option<&str>) -> Vec<&Secret> {
        let own = self.named.iter().filter(|(sid, _)| Some(sid.as_str()) == account);
        own.flat_map(|(_, tokens)| tokens).chain(&self.any).collect()
    }

    /// Every token with the account that it is for; `None` for one that takes any.
    pub fn all(&self) -> impl Iterator<Item = (Option<&str>, &Secret)> {
        let named = self
            .named
            .iter()
            .flat_map(|(sid, tokens)| tokens.iter().map(move |token| (Some(sid.as_str()), token)));
        named.chain(self.any.iter().map(|token| (None, token)))
    }

    /// The file that tokens were read from.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Whether an AccountSid is ours: it is named, or a token takes any.
    pub fn is_ours(&self, account: &str) -> bool {
        !self.any.is_empty() || self.named.iter().any(|(sid, _)| sid == account)
    }

    fn add(&mut self, account: &str, token: Secret) {
        match self.named.iter_mut().find(|(sid, _)| sid == account) {
            Some((_, tokens)) => tokens.push(token),
            None => self.named.push((account.to_owned(), vec![token])),
        }
    }

    /// Takes the credentials of the best layer that has any; lower ones add nothing, so that a token left in
    /// the environment does not widen what the command line says.
    pub(super) fn read(
        layers: &mut Layers<'_>,
        read_file: &dyn Fn(&Path) -> io::Result<String>,
        warnings: &mut Vec<String>,
    ) -> Accounts {
        for name in ["twilio_account", "twilio_auth_token_file"] {
            layers.sources.insert(name, (Source::Default, String::new()));
        }
        for source in [Source::Flag, Source::Environment, Source::File] {
            let accounts = layers.at(source, "twilio_account");
            let file = layers.at(source, "twilio_auth_token_file");
            let loose = layers
                .variable("TWILIO_AUTH_TOKEN")
                .filter(|_| source == Source::Environment);
            let place = |found: &Option<Found>| found.as_ref().map(|found| found.place.clone());
            let (accounts_at, file_at) = (place(&accounts), place(&file));
            if accounts_at.is_none() && file_at.is_none() && loose.is_none() {
                continue;
            }
            let told = layers.problems.iter().count();
            let mut read = Accounts::default();
            if let Some(found) = accounts {
                if source == Source::Flag {
                    warnings.push("--twilio-account puts a token where every user of this machine can read it; TWILIO_AUTH_TOKEN or --twilio-auth-token-file does not".to_owned());
                }
                for text in &found.texts {
                    if let Err(fault) = read.take_pairs(text, warnings) {
                        layers.problems.add(found.place.clone(), fault);
                    }
                }
            }
            // A file that is named is preferred to a variable that other tools read as well.
            let loose = match file {
                Some(found) => {
                    let path = found.texts.first().map_or("", String::as_str);
                    read.file = Some(PathBuf::from(path));
                    match tokens_in(path, read_file) {
                        Ok(tokens) => tokens,
                        Err(fault) => {
                            layers.problems.add(found.place, fault);
                            Vec::new()
                        }
                    }
                }
                None => loose
                    .as_deref()
                    .map(split)
                    .unwrap_or_default()
                    .into_iter()
                    .map(Secret::new)
                    .collect(),
            };
            match layers.variable("TWILIO_ACCOUNT_SID") {
                Some(sid) if !loose.is_empty() => match sid_of(&sid, warnings) {
                    Ok(sid) => loose.into_iter().for_each(|token| read.add(sid, token)),
                    Err(fault) => layers.problems.add("TWILIO_ACCOUNT_SID", fault),
                },
                _ => read.any = loose,
            }
            // An empty list, or only commas, says as little as silence does.
            if read.is_empty() && layers.problems.iter().count() == told {
                return read;
            }
            if file_at.is_none() || accounts_at.is_some() {
                let place = accounts_at.unwrap_or_else(|| "TWILIO_AUTH_TOKEN".to_owned());
                layers.sources.insert("twilio_account", (source, place));
            }
            if let Some(place) = file_at {
                layers.sources.insert("twilio_auth_token_file", (source, place));
            }
            return read;
        }
        Accounts::default()
    }

    /// Reads `AC…=TOKEN[,TOKEN]`, and more of them after a comma. What is wrong is never quoted: a token may
    /// stand where the account should.
    fn take_pairs(&mut self, text: &str, warnings: &mut Vec<String>) -> Result<(), Fault> {
        let fix = "write AC…=TOKEN, or AC…=TOKEN,TOKEN while a token is being replaced";
        let mut account: Option<String> = None;
        for item in split(text) {
            let token = match item.split_once('=') {
                Some((sid, token)) => {
                    account = Some(sid_of(sid.trim(), warnings)?.to_owned());
                    token.trim()
                }
                None => item,
            };
            match &account {
                Some(account) if is_token(token) => self.add(account, Secret::new(token)),
                Some(_) => return Err(Fault::new("a Twilio account has no token", fix)),
                None => return Err(Fault::new("a Twilio token has no account", fix)),
            }
        }
        match account {
            Some(_) => Ok(()),
            None => Err(Fault::new("there is no Twilio account", fix)),
        }
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

fn sid_of<'s>(text: &'s str, warnings: &mut Vec<String>) -> Result<&'s str, Fault> {
    if !text.starts_with("AC") || !is_id(text) {
        let fix = "write the Account SID of Twilio's console, AC and 32 hex digits";
        return Err(Fault::new("that is no Twilio account", fix));
    }
    if text.len() != SID_LENGTH {
        warnings.push(format!(
            "the Twilio account {text} has {} characters; Twilio's have {SID_LENGTH}",
            text.len()
        ));
    }
    Ok(text)
}

fn tokens_in(path: &str, read_file: &dyn Fn(&Path) -> io::Result<String>) -> Result<Vec<Secret>, Fault> {
    let text = read_file(Path::new(path)).map_err(|error| {
        Fault::new(
            format!("`{path}` cannot be read: {error}"),
            "name a file that this user can read",
        )
    })?;
    let tokens: Vec<&str> = text.lines().flat_map(split).collect();
    if tokens.is_empty() || !tokens.iter().all(|token| is_token(token)) {
        return Err(Fault::new(
            format!("`{path}` has no auth token"),
            "write the token into it, one a line",
        ));
    }
    Ok(tokens.into_iter().map(Secret::new).collect())
}

/// The ways to give a token, for who has none.
pub(super) fn how_to_give_a_token() -> String {
    format!(
        "set TWILIO_AUTH_TOKEN (with TWILIO_ACCOUNT_SID), --twilio-auth-token-file FILE, or {}=AC…=TOKEN",
        variable("twilio_account")
    )
}
