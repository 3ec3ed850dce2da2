//! A tokens file's text: TOML, a `[[token]]` for each. Everything that is wrong in it is found at once. A file
//! with a fault gives no tokens at all: half a list of rights is another list of rights.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use partyline_shared::time::UtcTime;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::fingerprint::unhex;
use super::super::grant::{Right, Role};
use super::{Fault, Token};

/// The only table of the file.
const TABLE: &str = "token";
/// What a token may say.
const KEYS: [&str; 9] = [
    "id",
    "name",
    "role",
    "customers",
    "allow",
    "expires",
    "in_url",
    "created",
    "sha256",
];
/// Most characters of a name: it is shown to everybody who listens, and written on every line of the record.
pub const MAX_NAME: usize = 64;
/// Most characters of an id; ours have 8.
const MAX_ID: usize = 32;
/// Most faults told of one file: who has named a wrong one does not need them all.
const MAX_FAULTS: usize = 100;
/// Most characters of a customer's id: as much as fits into one `<Parameter>` of Twilio's.
const MAX_CUSTOMER: usize = 500;

type Key<'i> = Spanned<Cow<'i, str>>;
type Item<'i> = Spanned<DeValue<'i>>;

/// Whether a token may be called so: letters, digits and `. _ @ + - '`, single spaces between, at most
/// [`MAX_NAME`] characters. A name stands in logs and records, one line each.
pub fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || "._@+-' ".contains(c);
    let spaced = text.starts_with(' ') || text.ends_with(' ') || text.contains("  ");
    !text.is_empty() && !spaced && text.chars().all(fits) && text.chars().count() <= MAX_NAME
}

/// Whether a customer may be called so.
pub fn is_customer(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_CUSTOMER && !text.chars().any(char::is_control)
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_ID
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Reads the text of a file.
///
/// # Errors
/// All that is wrong in it, from top to bottom.
pub(super) fn read(text: &str) -> Result<Vec<Token>, Vec<Fault>> {
    let table = DeTable::parse(text).map_err(|error| {
        // Never the library's own print: it quotes the line.
        vec![Fault {
            line: error.span().map_or(1, |span| Lines::of(text).at(&span)),
            what: format!("this is no TOML: {}", error.message()),
            fix: "correct that line".to_owned(),
        }]
    })?;
    let mut reader = Reader {
        lines: Lines::of(text),
        faults: Vec::new(),
    };
    let mut tokens = Vec::new();
    for (key, value) in in_order(table.get_ref()) {
        match (key.get_ref().as_ref(), value.get_ref()) {
            (TABLE, DeValue::Array(items)) => {
                for item in items {
                    match item.get_ref() {
                        DeValue::Table(table) => tokens.extend(reader.token(item, table)),
                        _ => reader.fault(
                            &item.span(),
                            "this is no token",
                            "write [[token]] and its keys below",
                        ),
                    }
                }
            }
            (TABLE, _) => reader.fault(&key.span(), "this is no list of tokens", "write [[token]]"),
            (name, _) => reader.unknown(&key.span(), name, &[TABLE], "begin each token with [[token]]"),
        }
    }
    reader.twice(&tokens);
    let mut faults = reader.faults;
    if faults.is_empty() {
        return Ok(tokens.into_iter().map(|(_, token)| token).collect());
    }
    faults.sort_by_key(|fault| fault.line);
    faults.truncate(MAX_FAULTS);
    Err(faults)
}

/// Where the lines end, so that a long file is not counted through for each of its tokens.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Lines {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Lines(ends.map(|(at, _)| at).collect())
    }

    /// The line that a place stands on, from 1.
    fn at(&self, place: &Range<usize>) -> usize {
        self.0.partition_point(|end| *end < place.start) + 1
    }
}

struct Reader {
    lines: Lines,
    faults: Vec<Fault>,
}

impl Reader {
    fn fault(&mut self, at: &Range<usize>, what: impl Into<String>, fix: impl Into<String>) {
        self.faults.push(Fault {
            line: self.lines.at(at),
            what: what.into(),
            fix: fix.into(),
        });
    }

    fn unknown(&mut self, at: &Range<usize>, name: &str, known: &[&str], otherwise: &str) {
        // A key may be a pasted token too: only what looks like a key is shown.
        let shown =
            name.len() <= MAX_ID && name.bytes().all(|b| b.is_ascii_lowercase() || b"_-".contains(&b));
        let what = match shown {
            true => format!("there is no key `{name}`"),
            false => "there is no such key".to_owned(),
        };
        let likeness = |key: &&&str| (strsim::jaro_winkler(name, key) * 1000.0) as u32;
        let fix = match known.iter().max_by_key(likeness) {
            Some(near) => format!("the nearest one is `{near}`"),
            None => otherwise.to_owned(),
        };
        self.fault(at, what, fix);
    }

    /// One token and the line it begins on; `None` where something of it is wrong.
    fn token(&mut self, whole: &Item<'_>, table: &DeTable<'_>) -> Option<(usize, Token)> {
        let before = self.faults.len();
        for (key, _) in in_order(table) {
            let name = key.get_ref().as_ref();
            if !KEYS.contains(&name) {
                self.unknown(&key.span(), name, &KEYS, "remove it");
            }
        }
        let value = |key: &str| table.get(key);
        let at = whole.span();
        let must = |reader: &mut Self, key: &str, fix: &str| {
            if value(key).is_none() {
                reader.fault(&at, format!("this token has no `{key}`"), fix);
            }
        };
        const HOW: &str = "make it with `partyline-relay token add`";
        const ROLES: &str = "write role = \"admin\", \"user\", \"source\" or \"transcriber\"";
        must(self, "id", HOW);
        must(self, "name", "write name = \"…\"");
        must(self, "role", ROLES);
        must(self, "sha256", HOW);
        let text = |test: fn(&str) -> bool| {
            move |item: &DeValue<'_>| item.as_str().filter(|t| test(t)).map(str::to_owned)
        };
        let id = self.take(
            value("id"),
            "id",
            "write up to 32 letters and digits",
            text(is_id),
        );
        let name = self.take(
            value("name"),
            "name",
            "write up to 64 letters, digits and . _ @ + - '",
            text(is_name),
        );
        let role = self.take(value("role"), "role", ROLES, |item| Role::parse(item.as_str()?));
        let customers = self.take(
            value("customers"),
            "customers",
            "write customers = [\"12345\", …]",
            |item| list(item, |text| is_customer(text).then(|| text.to_owned())),
        );
        let allow = self.take(
            value("allow"),
            "allow",
            "write allow = [\"save\", \"pause\"] or one of them",
            |item| list(item, Right::parse),
        );
        let time = |item: &DeValue<'_>| match item {
            DeValue::Datetime(time) => UtcTime::parse(&time.to_string()),
            item => UtcTime::parse(item.as_str()?),
        };
        const TIME: &str = "write a time in UTC, for example 2027-01-31T09:00:00Z";
        let expires = self.take(value("expires"), "expires", TIME, time);
        let created = self.take(value("created"), "created", TIME, time);
        let in_url = self.take(
            value("in_url"),
            "in_url",
            "write in_url = true or false",
            |item| match item {
                DeValue::Boolean(yes) => Some(*yes),
                _ => None,
            },
        );
        let hash = self.take(
            value("sha256"),
            "sha256",
            "write the 64 hex digits of the hash",
            |item| unhex(item.as_str()?),
        );
        if self.faults.len() > before {
            return None;
        }
        let token = Token {
            id: id?,
            name: name?,
            role: role?,
            customers: customers.unwrap_or_default(),
            allow: allow.unwrap_or_default(),
            expires,
            in_url: in_url.unwrap_or(false),
            created,
            hash: hash?,
        };
        Some((self.lines.at(&at), token))
    }

    fn take<T>(
        &mut self,
        item: Option<&Item<'_>>,
        key: &str,
        fix: &str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Option<T> {
        let item = item?;
        let value = read(item.get_ref());
        if value.is_none() {
            self.fault(
                &item.span(),
                format!("`{key}` is not written so that it can be taken"),
                fix,
            );
        }
        value
    }

    /// One id, or one secret, for two tokens: whose rights would it give?
    fn twice(&mut self, tokens: &[(usize, Token)]) {
        let (mut ids, mut hashes) = (HashMap::new(), HashMap::new());
        for (line, token) in tokens {
            for (key, first) in [
                ("id", ids.insert(&token.id, *line)),
                ("sha256", hashes.insert(token.hash, *line)),
            ] {
                if let Some(first) = first {
                    self.faults.push(Fault {
                        line: *line,
                        what: format!("this token has the same `{key}` as the one on line {first}"),
                        fix: "remove one of them".to_owned(),
                    });
                }
            }
        }
    }
}

fn list<T>(item: &DeValue<'_>, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    match item {
        DeValue::Array(items) => items.iter().map(|one| read(one.get_ref().as_str()?)).collect(),
        _ => None,
    }
}

/// A table's entries as they stand in the file, so that faults are told from top to bottom.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t Key<'i>, &'t Item<'i>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}
