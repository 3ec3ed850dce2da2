//! `config.toml` in the platform's config folder, and which relay is meant, as whom. A token goes to the
//! relay that it was given for, and to no other.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::client::relay::{Relay, Token};
use crate::failure::Failure;

/// The relay where nobody names one.
pub const DEFAULT_RELAY: &str = "http://127.0.0.1:8080";

/// The file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Relays; the first is the default.
    #[serde(default)]
    pub relay: Vec<Entry>,
}

/// One `[[relay]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What `--relay` may say instead of the URL.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// A file that holds the token; a relative one lies beside config.toml.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
}

/// What the command line and the environment say.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// `--relay`, or PARTYLINE_RELAY: a URL or a name.
    pub relay: Option<String>,
    /// `--token-file`.
    pub token_file: Option<PathBuf>,
    /// PARTYLINE_TOKEN.
    pub token: Option<String>,
}

/// The config folder of this platform, `partyline/` included; `None` where the user has no home.
pub fn folder() -> Option<PathBuf> {
    let var = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = if cfg!(windows) {
        var("APPDATA")
    } else if cfg!(target_os = "macos") {
        var("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        var("XDG_CONFIG_HOME").or_else(|| var("HOME").map(|home| home.join(".config")))
    };
    base.map(|base| base.join("partyline"))
}

/// Reads `config.toml` in `folder`; an absent one is empty.
///
/// # Errors
/// [`Failure::Usage`] where it cannot be read or is not what it should be.
pub fn load(folder: &Path) -> Result<Config, Failure> {
    let path = folder.join("config.toml");
    match std::fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).map_err(|e| Failure::Usage(format!("{}: {e}", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
        Err(error) => Err(Failure::Usage(format!("{}: {error}", path.display()))),
    }
}

/// Decides: flag, then environment, then file, then default; the same for the token.
///
/// # Errors
/// [`Failure::Usage`], saying what cannot be found or read.
pub fn choose(asked: &Asked, config: &Config, folder: &Path) -> Result<Relay, Failure> {
    let bad = |text: &str, e: &dyn std::fmt::Display| Failure::Usage(format!("relay {text:?}: {e}"));
    let named = |name: &str| config.relay.iter().find(|entry| entry.name == name);
    let entry = match asked.relay.as_deref() {
        None => config.relay.first(),
        Some(text) if text.contains("://") => {
            let relay = Relay::parse(text).map_err(|e| bad(text, &e))?;
            // A relay that the file knows has its token there, also when it is named by its URL.
            config
                .relay
                .iter()
                .find(|entry| Relay::parse(&entry.url).is_ok_and(|known| known.is_same(&relay)))
        }
        Some(name) => Some(named(name).ok_or_else(|| {
            bad(
                name,
                &format!(
                    "no such name in {}, and no URL (https://…)",
                    folder.join("config.toml").display()
                ),
            )
        })?),
    };
    let url = asked
        .relay
        .as_deref()
        .filter(|text| text.contains("://"))
        .or(entry.map(|entry| entry.url.as_str()))
        .unwrap_or(DEFAULT_RELAY);
    let relay = Relay::parse(url).map_err(|e| bad(url, &e))?;
    Ok(relay.with_token(token(asked, entry, folder)?))
}

fn token(asked: &Asked, entry: Option<&Entry>, folder: &Path) -> Result<Option<Token>, Failure> {
    let invalid = |from: &str| {
        Failure::Usage(format!(
            "{from} holds no token (one word, as `token add` printed it)"
        ))
    };
    let file = |path: &Path| {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Failure::Usage(format!("token file {}: {e}", path.display())))?;
        Token::new(&text).ok_or_else(|| invalid(&path.display().to_string()))
    };
    if let Some(path) = &asked.token_file {
        return file(path).map(Some);
    }
    if let Some(text) = asked.token.as_deref().filter(|text| !text.is_empty()) {
        return Token::new(text)
            .map(Some)
            .ok_or_else(|| invalid("PARTYLINE_TOKEN"));
    }
    entry
        .and_then(|entry| entry.token_file.as_ref())
        .map(|path| file(&folder.join(path)))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[[relay]]\nname = \"home\"\nurl = \"https://home.example.com\"\n\
                        [[relay]]\nname = \"test\"\nurl = \"http://127.0.0.1:9\"\n";

    fn chosen(relay: Option<&str>, config: &str) -> Result<String, Failure> {
        let config = toml::from_str(config).unwrap();
        let asked = Asked {
            relay: relay.map(str::to_owned),
            ..Asked::default()
        };
        choose(&asked, &config, Path::new("/nowhere")).map(|relay| relay.to_string())
    }

    #[test]
    fn flag_beats_file_beats_default() {
        assert_eq!(chosen(None, "").unwrap(), DEFAULT_RELAY);
        assert_eq!(chosen(None, FILE).unwrap(), "https://home.example.com");
        assert_eq!(chosen(Some("test"), FILE).unwrap(), "http://127.0.0.1:9");
        assert_eq!(chosen(Some("ws://x:1"), FILE).unwrap(), "http://x:1");
        assert!(matches!(chosen(Some("tset"), FILE), Err(Failure::Usage(why)) if why.contains("tset")));
        assert!(toml::from_str::<Config>("[[relay]]\nname='a'\nurl='b'\ntokn_file='c'").is_err());
    }

    #[test]
    fn a_token_goes_only_to_the_relay_it_is_for() {
        let config: Config = toml::from_str(&format!("{FILE}token_file = \"gone\"\n")).unwrap();
        let choose = |relay: &str, token: Option<&str>| {
            let asked = Asked {
                relay: Some(relay.to_owned()),
                token: token.map(str::to_owned),
                ..Asked::default()
            };
            choose(&asked, &config, Path::new("/nowhere"))
        };
        // The file is looked for where it is needed, and only there.
        assert!(
            matches!(choose("http://127.0.0.1:9", None), Err(Failure::Usage(why)) if why.contains("/nowhere/gone"))
        );
        assert!(
            choose("http://127.0.0.1:10", None)
                .unwrap()
                .headers()
                .get("authorization")
                .is_none()
        );
        assert_eq!(
            choose("test", Some("abc")).unwrap().headers()["authorization"],
            "Bearer abc"
        );
    }
}
