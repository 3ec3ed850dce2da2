//! `config.toml`: what may stand in it, and on which line it stands. All that is wrong is told at once; no value is
//! shown, since a token may have been written where none belongs.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::values;
use crate::client::relay::Relay;
use crate::event::Ears;
use crate::failure::Failure;
use crate::run::{Glyphs, ThemeChoice};

/// The keys at the top, and those of a `[[relay]]`.
const KEYS: [&str; 9] = [
    "relay",
    "device",
    "ear",
    "ears",
    "theme",
    "glyphs",
    "plain",
    "read_only",
    "clips",
];
const RELAY_KEYS: [&str; 3] = ["name", "url", "token_file"];

/// A value and the line it stands on, from 1.
pub type Line<T> = (T, usize);

/// The file, as far as it was there.
#[derive(Debug, Clone, Default)]
pub struct File {
    /// Its path; `None` where the user has no home.
    pub path: Option<PathBuf>,
    /// Whether it is there.
    pub exists: bool,
    /// Its relays, in order.
    pub relays: Vec<Entry>,
    /// Which sound card, by name or id.
    pub device: Option<Line<String>>,
    /// Where the ear is that plays what is heard.
    pub ear: Option<Line<String>>,
    /// What goes to which ear.
    pub ears: Option<Line<Ears>>,
    /// The background.
    pub theme: Option<Line<ThemeChoice>>,
    /// What is drawn with.
    pub glyphs: Option<Line<Glyphs>>,
    /// Lines instead of a screen.
    pub plain: Option<Line<bool>>,
    /// Nothing is changed at a relay.
    pub read_only: Option<Line<bool>>,
    /// Where clips go.
    pub clips: Option<Line<PathBuf>>,
}

/// One `[[relay]]`.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it begins.
    pub line: usize,
    /// What `--relay` may say instead of the address.
    pub name: String,
    /// Where it is.
    pub relay: Relay,
    /// A file that holds the token; a relative one lies beside config.toml.
    pub token_file: Option<PathBuf>,
}

impl File {
    /// Reads `config.toml` in `folder`; an absent one is empty.
    ///
    /// # Errors
    /// [`Failure::Usage`] where it cannot be read or is not what it should be: each fault with its line.
    pub fn load(folder: Option<&Path>) -> Result<File, Failure> {
        let Some(folder) = folder else {
            return Ok(File::default());
        };
        let path = folder.join("config.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => File::read(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(File {
                path: Some(path),
                ..File::default()
            }),
            Err(error) => Err(Failure::Usage(format!("{}: {error}", path.display()))),
        }
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// As [`File::load`].
    pub fn read(path: PathBuf, text: &str) -> Result<File, Failure> {
        let mut reader = Reader {
            text,
            path: &path,
            faults: Vec::new(),
        };
        let mut file = File {
            exists: true,
            ..File::default()
        };
        reader.whole(&mut file);
        if reader.faults.is_empty() {
            file.path = Some(path);
            Ok(file)
        } else {
            Err(Failure::Usage(reader.faults.join("\n")))
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    path: &'t Path,
    faults: Vec<String>,
}

type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;

impl Reader<'_> {
    fn fault(&mut self, line: usize, why: impl std::fmt::Display) {
        self.faults
            .push(format!("{} line {line}: {why}", self.path.display()));
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1
    }

    fn whole(&mut self, file: &mut File) {
        let text = self.text;
        let table = match DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let line = error.span().map_or(1, |span| self.line(&span));
                // Never the library's own print: it quotes the line.
                return self.fault(line, format!("this is no TOML: {}", error.message()));
            }
        };
        for (key, value) in in_order(&table) {
            match key.get_ref().as_ref() {
                "relay" => self.relays(key, value, &mut file.relays),
                "device" => file.device = self.text(key, value, |text| Ok(text.to_owned())),
                "ear" => file.ear = self.text(key, value, values::ear),
                "ears" => file.ears = self.text(key, value, values::ears),
                "theme" => file.theme = self.text(key, value, values::theme),
                "glyphs" => file.glyphs = self.text(key, value, values::glyphs),
                "plain" => file.plain = self.switch(key, value),
                "clips" => file.clips = self.text(key, value, values::folder),
                "read_only" => file.read_only = self.switch(key, value),
                _ => self.unknown(key, &KEYS, ""),
            }
        }
    }

    fn relays(&mut self, key: &Key<'_>, value: &Spanned<DeValue<'_>>, relays: &mut Vec<Entry>) {
        let DeValue::Array(items) = value.get_ref() else {
            return self.fault(self.line(&key.span()), "write [[relay]] and its keys below");
        };
        for item in items {
            let line = self.line(&item.span());
            match item.get_ref() {
                DeValue::Table(table) => {
                    if let Some(entry) = self.relay(line, table) {
                        if relays.iter().any(|other: &Entry| other.name == entry.name) {
                            self.fault(line, "a relay above has the same name; give each one of its own");
                        }
                        relays.push(entry);
                    }
                }
                _ => self.fault(line, "this is no relay; write [[relay]] and its keys below"),
            }
        }
    }

    fn relay(&mut self, line: usize, table: &DeTable<'_>) -> Option<Entry> {
        let (mut name, mut url, mut token_file) = (None, None, None);
        let before = self.faults.len();
        for (key, value) in in_order(table) {
            match key.get_ref().as_ref() {
                "name" => name = self.text(key, value, values::name),
                "url" => {
                    url = self.text(key, value, |text| {
                        Relay::parse(text).map_err(|bad| bad.to_string())
                    });
                }
                "token_file" => token_file = self.text(key, value, |text| Ok(PathBuf::from(text))),
                "token" => self.fault(
                    self.line(&key.span()),
                    "a token does not stand here: `partyline login` stores it, or token_file names its file",
                ),
                _ => self.unknown(key, &RELAY_KEYS, " in [[relay]]"),
            }
        }
        let whole = self.faults.len() == before;
        if whole && name.is_none() {
            self.fault(
                line,
                "this relay has no `name`; write name = \"…\", for --relay to say",
            );
        }
        if whole && url.is_none() {
            self.fault(
                line,
                "this relay has no `url`; write url = \"https://relay.example.com\"",
            );
        }
        Some(Entry {
            line,
            name: name?.0,
            relay: url?.0,
            token_file: token_file.map(|(path, _)| path),
        })
    }

    fn text<T>(
        &mut self,
        key: &Key<'_>,
        value: &Spanned<DeValue<'_>>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Line<T>> {
        let line = self.line(&key.span());
        let name = key.get_ref();
        let DeValue::String(text) = value.get_ref() else {
            self.fault(line, format!("write {name} = \"…\""));
            return None;
        };
        match read(text) {
            Ok(value) => Some((value, line)),
            Err(why) => {
                self.fault(line, format!("{name}: {why}"));
                None
            }
        }
    }

    fn switch(&mut self, key: &Key<'_>, value: &Spanned<DeValue<'_>>) -> Option<Line<bool>> {
        let line = self.line(&key.span());
        let DeValue::Boolean(on) = value.get_ref() else {
            let name = key.get_ref();
            self.fault(line, format!("write {name} = true or {name} = false"));
            return None;
        };
        Some((*on, line))
    }

    /// A misspelt key is a wish that does nothing; the likely one is named.
    fn unknown(&mut self, key: &Key<'_>, known: &[&str], inside: &str) {
        let name = key.get_ref().as_ref();
        let line = self.line(&key.span());
        let likeness = |known: &str| strsim::jaro_winkler(name, known);
        let nearest = known
            .iter()
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
            .unwrap_or(&"relay");
        let name = partyline_shared::text::clean(name);
        self.fault(
            line,
            format!("there is no key `{name}`{inside}; the nearest one is `{nearest}`"),
        );
    }
}

/// A table's entries as they stand in the file, so that faults are told from top to bottom.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t Key<'i>, &'t Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

#[cfg(test)]
mod tests;
