//! The TOML file: known keys with values of their kind, and the line that each stands on. An unknown key is
//! an error that names the nearest known one, since a misspelt rule is a rule that does not hold.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{DIAL_KEYS, Kind, ROUTE_KEYS, ROUTES, SETTINGS, nearest};
use super::problem::{Fault, Problems};

/// One key's value: its texts (one, but for a list) and the line it stands on, from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) line: usize,
    pub(super) texts: Vec<String>,
}

/// Keys and their values.
pub(super) type Values = BTreeMap<String, Value>;

/// The file as read: nothing in it is checked beyond key and kind.
#[derive(Debug, Default)]
pub(super) struct File {
    /// What problems call it.
    pub(super) name: String,
    /// Every key but the routes.
    pub(super) values: Values,
    /// The routes, each with the line it begins on.
    pub(super) routes: Vec<(usize, Values)>,
}

impl File {
    /// Where something stands, for people.
    pub(super) fn place(&self, line: usize) -> String {
        format!("{} line {line}", self.name)
    }

    /// Reads a file's text; what is wrong with it goes to `problems`, the rest is kept.
    pub(super) fn read(name: String, text: &str, problems: &mut Problems) -> File {
        let mut file = File {
            name,
            ..File::default()
        };
        let table = match DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let line = error.span().map_or(1, |span| line_of(text, &span));
                // Never the library's own print: it quotes the line, which may hold a token.
                let fault = Fault::new(
                    format!("this is no TOML: {}", error.message()),
                    "correct that line",
                );
                problems.add(file.place(line), fault);
                return file;
            }
        };
        let known = [SETTINGS, DIAL_KEYS].concat();
        for (key, value) in in_order(&table) {
            match value.get_ref() {
                DeValue::Array(routes) if key.get_ref() == ROUTES => {
                    for route in routes {
                        let line = line_of(text, &route.span());
                        let mut values = Values::new();
                        match route.get_ref() {
                            DeValue::Table(table) => {
                                for (key, value) in in_order(table) {
                                    file.take(text, key, value, ROUTE_KEYS, "routes", &mut values, problems);
                                }
                            }
                            _ => problems.add(
                                file.place(line),
                                Fault::new("this is no route", "write [[routes]] and its keys below"),
                            ),
                        }
                        file.routes.push((line, values));
                    }
                }
                _ => {
                    let mut values = std::mem::take(&mut file.values);
                    file.take(text, key, value, &known, "", &mut values, problems);
                    file.values = values;
                }
            }
        }
        file
    }

    #[allow(clippy::too_many_arguments)] // one step of one loop, named
    fn take(
        &self,
        text: &str,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        known: &[(&str, Kind)],
        inside: &str,
        values: &mut Values,
        problems: &mut Problems,
    ) {
        let line = line_of(text, &key.span());
        let name = key.get_ref().as_ref();
        let Some((_, kind)) = known.iter().find(|(known, _)| *known == name) else {
            problems.add(self.place(line), unknown(name, known, inside));
            return;
        };
        match texts(value.get_ref(), *kind) {
            Some(texts) => {
                values.insert(name.to_owned(), Value { line, texts });
            }
            None => {
                // The value is not shown: it may be a token.
                let fix = match kind {
                    Kind::Text => format!("write {name} = \"…\""),
                    Kind::Number => format!("write a whole number, {name} = 100"),
                    Kind::Switch => format!("write {name} = true or {name} = false"),
                    Kind::List => format!("write {name} = [\"…\", \"…\"]"),
                };
                problems.add(
                    self.place(line),
                    Fault::new(format!("`{name}` has a value of another kind"), fix),
                );
            }
        }
    }
}

/// A table's entries as they stand in the file, so that problems are told from top to bottom.
fn in_order<'t, 'i>(
    table: &'t DeTable<'i>,
) -> Vec<(&'t Spanned<std::borrow::Cow<'i, str>>, &'t Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1
}

fn texts(value: &DeValue<'_>, kind: Kind) -> Option<Vec<String>> {
    match (kind, value) {
        (Kind::Text | Kind::List, DeValue::String(text)) => Some(vec![text.to_string()]),
        (Kind::Number, DeValue::Integer(number)) => Some(vec![number.to_string()]),
        (Kind::Switch, DeValue::Boolean(on)) => Some(vec![on.to_string()]),
        (Kind::List, DeValue::Array(items)) => items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

fn unknown(name: &str, known: &[(&str, Kind)], inside: &str) -> Fault {
    if inside.is_empty() && name == "config" {
        return Fault::new("a file cannot name another one", "remove `config`");
    }
    let names = known
        .iter()
        .map(|(name, _)| *name)
        .chain(inside.is_empty().then_some(ROUTES));
    let what = match inside {
        "" => format!("there is no key `{name}`"),
        inside => format!("there is no key `{name}` in `{inside}`"),
    };
    // A dash for an underscore, and the plural, are the likely slips; both are near by this measure.
    match nearest(name, names) {
        Some(near) => Fault::new(what, format!("the nearest one is `{near}`")),
        None => Fault::new(what, "remove it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (File, String) {
        let mut problems = Problems::default();
        let file = File::read("relay.toml".to_owned(), text, &mut problems);
        let told = problems.iter().map(|p| format!("{p}\n")).collect();
        (file, told)
    }

    #[test]
    fn values_come_with_their_lines() {
        let (file, told) = read(
            "listen = \"[::1]:0\"\n\n# calls\nmax_calls = 5\ninsecure = true\ntranscription = [\"twilio\", \"none\"]\n\n[[routes]]\nto = \"+1\"\n",
        );
        assert_eq!(told, "");
        assert_eq!(
            file.values["listen"],
            Value {
                line: 1,
                texts: vec!["[::1]:0".into()]
            }
        );
        assert_eq!(
            file.values["max_calls"],
            Value {
                line: 4,
                texts: vec!["5".into()]
            }
        );
        assert_eq!(file.values["insecure"].texts, ["true"]);
        assert_eq!(file.values["transcription"].texts, ["twilio", "none"]);
        assert_eq!(file.routes[0].0, 8);
        assert_eq!(
            file.routes[0].1["to"],
            Value {
                line: 9,
                texts: vec!["+1".into()]
            }
        );
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        for (key, near) in [
            ("retension", "retention"),
            ("max-calls", "max_calls"),
            ("dial_allowed", "dial_allow"),
            ("callerid", "caller_id"),
            ("route", "routes"),
            ("allowed_origins", "allowed_origin"),
            ("Listen", "listen"),
        ] {
            let (_, told) = read(&format!("\n{key} = \"x\"\n"));
            assert_eq!(
                told,
                format!("relay.toml line 2: there is no key `{key}`; the nearest one is `{near}`\n")
            );
        }
        let (_, told) = read("[[routes]]\nto = \"+1\"\ndail = \"client:a\"\n");
        assert_eq!(
            told,
            "relay.toml line 3: there is no key `dail` in `routes`; the nearest one is `dial`\n"
        );
    }

    #[test]
    fn a_value_of_another_kind_is_told_and_not_shown() {
        for (text, fix) in [
            ("retention = 3600", "write retention = \"…\""),
            ("max_calls = \"5\"", "write a whole number"),
            ("insecure = \"yes\"", "insecure = true or insecure = false"),
            (
                "twilio_account = [1234567]",
                "write twilio_account = [\"…\", \"…\"]",
            ),
            ("routes = \"x\"", "the nearest one"),
            ("routes = [1]", "write [[routes]]"),
        ] {
            let (_, told) = read(text);
            assert!(told.contains(fix) && !told.contains("1234567"), "{text}: {told}");
        }
    }

    #[test]
    fn broken_toml_is_told_with_its_line_and_without_its_text() {
        let (_, told) =
            read("listen = \"127.0.0.1:0\"\ntwilio_account = [\"AC1=topsecret\"\nmax_calls = 1\n");
        assert!(told.starts_with("relay.toml line "), "{told}");
        assert!(!told.contains("topsecret"), "{told}");
    }

    proptest! {
        #[test]
        fn no_text_can_crash_the_reader(text in "\\PC*|([a-z_]{1,9} ?= ?[\"\\[\\]{}0-9a-z,]{0,9}\n?){0,4}") {
            let _ = read(&text);
        }
    }
}
