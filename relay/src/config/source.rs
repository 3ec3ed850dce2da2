//! Where a value comes from: flag beats environment beats file beats default, and the winner is remembered.

use std::collections::BTreeMap;
use std::fmt;

use super::args::ServeArgs;
use super::file::File;
use super::keys;
use super::problem::{Fault, Problems};

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Flag,
    /// An environment variable.
    Environment,
    /// The TOML file.
    File,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Flag => "flag",
            Source::Environment => "environment",
            Source::File => "file",
            Source::Default => "default",
        })
    }
}

/// One setting as somebody said it.
pub(super) struct Found {
    pub(super) source: Source,
    /// `--retention`, `PARTYLINE_RETENTION`, `relay.toml line 3`.
    pub(super) place: String,
    /// As said: a list is not yet split.
    pub(super) texts: Vec<String>,
}

/// The layers, the best first, and what was found in them so far.
pub(super) struct Layers<'a> {
    pub(super) args: &'a ServeArgs,
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    pub(super) file: File,
    pub(super) problems: Problems,
    pub(super) sources: Sources,
}

/// Of each setting, which layer won, and where that is.
pub(super) type Sources = BTreeMap<&'static str, (Source, String)>;

impl Layers<'_> {
    /// An environment variable that says something; `FOO=` is the usual way to unset one.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.env)(name).filter(|text| !text.is_empty())
    }

    /// What one layer says of a setting.
    pub(super) fn at(&self, source: Source, name: &str) -> Option<Found> {
        let (place, texts) = match source {
            Source::Flag => (flag(name), self.args.flag(name)?),
            Source::Environment => {
                // The rest is the file's alone.
                keys::SETTINGS.iter().find(|(setting, _)| *setting == name)?;
                let variable = variable(name);
                let text = self.variable(&variable)?;
                (variable, vec![text])
            }
            Source::File => {
                let value = self.file.values.get(name)?;
                (self.file.place(value.line), value.texts.clone())
            }
            Source::Default => return None,
        };
        Some(Found { source, place, texts })
    }

    /// What the best layer that says anything says.
    pub(super) fn find(&mut self, name: &'static str) -> Option<Found> {
        let found = [Source::Flag, Source::Environment, Source::File]
            .into_iter()
            .find_map(|source| self.at(source, name));
        let won = found
            .as_ref()
            .map_or((Source::Default, String::new()), |f| (f.source, f.place.clone()));
        self.sources.insert(name, won);
        found
    }

    /// Reads a setting with one value; the default where nobody says anything, or where it is told as a
    /// problem.
    pub(super) fn one<T>(
        &mut self,
        name: &'static str,
        default: T,
        read: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> T {
        let Some(found) = self.find(name) else {
            return default;
        };
        match read(found.texts.first().map_or("", String::as_str)) {
            Ok(value) => value,
            Err(fault) => {
                self.problems.add(found.place, fault);
                default
            }
        }
    }

    /// Reads each item of a list; `None` where nobody says anything. Lower layers add nothing to a list.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<(String, Vec<T>)> {
        let found = self.find(name)?;
        let said = found.texts.iter().map(String::as_str);
        let texts: Vec<&str> = match found.source {
            // An array's items are whole already, and an empty one was meant.
            Source::File => said.collect(),
            _ => said.flat_map(split).collect(),
        };
        let mut items = Vec::new();
        for text in texts {
            match read(text) {
                Ok(item) => items.push(item),
                Err(fault) => self.problems.add(found.place.clone(), fault),
            }
        }
        Some((found.place, items))
    }

    /// Where each route stands.
    pub(super) fn routes_at(&self) -> Vec<String> {
        self.file
            .routes
            .iter()
            .map(|(line, _)| self.file.place(*line))
            .collect()
    }
}

/// A setting's name on the command line.
pub(super) fn flag(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

/// A setting's name in the environment.
pub(super) fn variable(name: &str) -> String {
    format!("PARTYLINE_{}", name.to_ascii_uppercase())
}

/// The items of a comma-separated list, trimmed, without empty ones. An item that begins with a slash goes
/// to the slash before a comma or the end: a /regex/ may have commas.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = if rest.starts_with('/') {
            rest.match_indices("/,").map(|(at, _)| at + 1).find(|at| *at > 1)
        } else {
            rest.find(',')
        };
        let (item, after) = rest.split_at(end.unwrap_or(rest.len()));
        items.push(item.trim());
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
    }
    items.retain(|item| !item.is_empty());
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commas_part_a_list_but_not_a_regex() {
        assert_eq!(split("a, b,,c ,"), ["a", "b", "c"]);
        assert_eq!(split(""), Vec::<&str>::new());
        assert_eq!(
            split(r"https://a.example,/https:\/\/x{1,2}\.example/,/b/, https://c.example"),
            [
                "https://a.example",
                r"/https:\/\/x{1,2}\.example/",
                "/b/",
                "https://c.example"
            ]
        );
        assert_eq!(split("/unclosed,a"), ["/unclosed,a"]);
    }

    proptest! {
        #[test]
        fn splitting_ends_and_loses_no_letters(text in "[a-c/, ]{0,40}") {
            let kept: String = split(&text).concat();
            let letters = |s: &str| s.chars().filter(char::is_ascii_alphabetic).collect::<String>();
            prop_assert_eq!(letters(&kept), letters(&text));
        }
    }
}
