//! `partyline login` and `logout`: a token is asked for, tried at the relay, and kept for this user alone. It is
//! never printed, nor in any command line.

use serde::de::IgnoredAny;

use super::{prompt, warn_if_exposed};
use crate::client::api;
use crate::client::relay::{Relay, Token};
use crate::config::credentials::Credentials;
use crate::config::relays::{TokenFrom, find};
use crate::config::{Config, Source};
use crate::failure::Failure;
use crate::print::note;

/// Asks for a token, tries it, and stores it.
pub(super) async fn login(url: Option<&str>, config: &Config) -> Result<(), Failure> {
    let relay = meant(url, config)?;
    let Some(folder) = config.folder.as_deref() else {
        let text = "there is no home folder to keep a token in; PARTYLINE_TOKEN or --token-file give one";
        return Err(Failure::Failed(text.to_owned()));
    };
    let without = "no token was read, and nothing is stored";
    let text = prompt::secret(&format!("Token for {relay}"), without).await?;
    let token = Token::new(&text).ok_or_else(|| {
        Failure::Usage("that is no token: it is one word, as `token add` printed it".to_owned())
    })?;
    let bearer = relay.clone().with_token(Some(token));
    warn_if_exposed(&bearer);
    match api::get::<IgnoredAny>(&bearer, "/api/v1/calls?limit=1", None).await {
        Ok(_) => {}
        Err(Failure::NotAuthorised(why)) => {
            return Err(Failure::NotAuthorised(format!(
                "{relay} does not take this token, and nothing is stored: {why}"
            )));
        }
        Err(Failure::Failed(why)) => return Err(Failure::Failed(format!("{why}; nothing is stored"))),
        Err(other) => return Err(other),
    }
    // Read again: another login may have been stored while this one was typed.
    let mut stored = Credentials::load(Some(folder))?;
    stored.put(&relay, &text);
    stored.save()?;
    note(&format!(
        "logged in to {relay}; the token is kept in {}",
        Credentials::path(folder).display()
    ));
    tell_what_beats_it(&relay, config)
}

/// Forgets the token for a relay.
pub(super) fn logout(url: Option<&str>, config: &Config) -> Result<(), Failure> {
    let relay = meant(url, config)?;
    let mut stored = Credentials::load(config.folder.as_deref())?;
    if !stored.remove(&relay) {
        let known: Vec<String> = stored.relays().iter().map(ToString::to_string).collect();
        let known = match known.as_slice() {
            [] => "none is stored for any relay".to_owned(),
            known => format!("there are tokens for {}", known.join(", ")),
        };
        return Err(Failure::Failed(format!(
            "no token is stored for {relay}; {known}"
        )));
    }
    stored.save()?;
    note(&format!(
        "logged out of {relay}; its token is forgotten here, and still good there"
    ));
    Ok(())
}

fn meant(url: Option<&str>, config: &Config) -> Result<Relay, Failure> {
    match url {
        Some(text) => Ok(find(text, &config.file)?.0),
        None => Ok(config.first()?.address.clone()),
    }
}

/// Where what was stored would not be used, it says so.
fn tell_what_beats_it(relay: &Relay, config: &Config) -> Result<(), Failure> {
    let used = config.relays.iter().find(|chosen| chosen.address.is_same(relay));
    match used {
        Some(chosen) => {
            let from = chosen.token_from()?;
            if from != TokenFrom::Login {
                note(&format!("{from} beats it for this relay"));
            }
        }
        None if config
            .relays
            .iter()
            .all(|chosen| chosen.source == Source::Login || chosen.source == Source::Default) => {}
        None => note(&format!(
            "other relays are named ({}): use --relay {relay}, or add it to config.toml",
            config.first()?.source
        )),
    }
    Ok(())
}
