//! Changing a tokens file's text so that all else in it, people's comments too, stays as it was.

use std::fmt::Write;
use std::ops::Range;

use super::{Fault, Token, text};

/// What begins a token.
const HEAD: &str = "[[token]]";

/// What a new file begins with.
const HEADING: &str = "\
# Who may listen. Written by `partyline-relay token`; a running relay takes a change within seconds.
# It has the hash of each token; a token itself is shown once, when it is made.
";

/// Why a text was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotEdited {
    /// It has faults already.
    Faults(Vec<Fault>),
    /// It is written in a way that cannot be edited in place: an inline list of tokens.
    Form,
}

/// The text with one token more, at its end.
pub(super) fn with(old: &str, token: &Token) -> Result<String, NotEdited> {
    let mut wanted = text::read(old).map_err(NotEdited::Faults)?;
    let mut new = if old.trim().is_empty() {
        HEADING.to_owned()
    } else {
        old.to_owned()
    };
    if !new.ends_with('\n') {
        new.push('\n');
    }
    new.push('\n');
    new.push_str(&written(token));
    wanted.push(token.clone());
    checked(new, &wanted)
}

/// The text without the tokens that are meant, and those.
pub(super) fn without(old: &str, meant: impl Fn(&Token) -> bool) -> Result<(String, Vec<Token>), NotEdited> {
    let tokens = text::read(old).map_err(NotEdited::Faults)?;
    let blocks = blocks(old);
    let mut new = old.to_owned();
    for (token, block) in tokens.iter().zip(&blocks).rev() {
        if meant(token) {
            new.replace_range(block.clone(), "");
        }
    }
    let (gone, kept): (Vec<Token>, Vec<Token>) = tokens.into_iter().partition(&meant);
    Ok((checked(new, &kept)?, gone))
}

/// What was written is read again before anybody relies on it.
fn checked(new: String, wanted: &[Token]) -> Result<String, NotEdited> {
    match text::read(&new) {
        Ok(read) if read == wanted => Ok(new),
        _ => Err(NotEdited::Form),
    }
}

/// Where each token stands: from its head to the next one's, without what people wrote above that.
fn blocks(text: &str) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    // Where the lines begin that belong to nothing yet: comments and blanks, perhaps the next token's.
    let mut loose = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start();
        if bare.starts_with(HEAD) {
            if let Some(last) = blocks.last_mut() {
                last.end = loose;
            }
            blocks.push(at..text.len());
        }
        at += line.len();
        if !(bare.is_empty() || bare.starts_with('#')) {
            loose = at;
        }
    }
    if let Some(last) = blocks.last_mut() {
        last.end = loose.max(last.start);
    }
    blocks
}

fn written(token: &Token) -> String {
    let mut text = format!("{HEAD}\n");
    let mut line = |key: &str, value: String| {
        // Into a String: it cannot fail.
        let _ = writeln!(text, "{key} = {value}");
    };
    let list = |items: Vec<String>| format!("[{}]", items.join(", "));
    line("id", quoted(&token.id));
    line("name", quoted(&token.name));
    line("role", quoted(token.role.as_str()));
    if !token.customers.is_empty() {
        line(
            "customers",
            list(token.customers.iter().map(|c| quoted(c)).collect()),
        );
    }
    if !token.allow.is_empty() {
        line(
            "allow",
            list(token.allow.iter().map(|r| quoted(r.as_str())).collect()),
        );
    }
    if let Some(expires) = token.expires {
        line("expires", quoted(&expires.to_string()));
    }
    if token.in_url {
        line("in_url", "true".to_owned());
    }
    if let Some(created) = token.created {
        line("created", quoted(&created.to_string()));
    }
    let hex: String = token.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    line("sha256", quoted(&hex));
    text
}

/// A TOML string. What has no business in a name was refused before.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}
