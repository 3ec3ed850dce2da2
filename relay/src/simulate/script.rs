//! The words of a call and when they are spoken: what `--script` reads. TOML, a table a line, times in
//! ms from the first sample of the audio; `who` is `agent` or `customer`; all four are needed, others are
//! refused; nobody speaks two lines at once, the two may.
//!
//! ```toml
//! [[lines]]
//! at_ms = 500
//! until_ms = 919
//! who = "customer"
//! text = "Hello?"
//! ```

use std::fmt;

use partyline_shared::track::Role;
use serde::{Deserialize, Deserializer, de};

/// One line of a script.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// When it begins, ms of the audio.
    pub(super) at_ms: u64,
    /// When it ends.
    pub(super) until_ms: u64,
    /// Who speaks it.
    #[serde(deserialize_with = "speaker")]
    pub(super) who: Role,
    /// What is said.
    pub(super) text: String,
}

/// On the wire a role of a later version is taken; in a script it is a slip of the pen.
fn speaker<'de, D: Deserializer<'de>>(from: D) -> Result<Role, D::Error> {
    let name = String::deserialize(from)?;
    let known = [Role::Agent, Role::Customer];
    let role = known.into_iter().find(|role| role.as_str() == name);
    role.ok_or_else(|| de::Error::custom(format!("{name:?} does not speak here: write agent or customer")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    #[serde(default)]
    lines: Vec<Line>,
}

/// Longest line, characters, as long as the longest text that a relay keeps.
const MAX_TEXT: usize = partyline_shared::text::MAX_TEXT;

/// Latest time taken: a day, in ms.
const MAX_MS: u64 = 24 * 3600 * 1000;

/// A text that is no script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadScript(String);

impl std::error::Error for BadScript {}

impl fmt::Display for BadScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a script; its lines come back in the order of their beginnings.
///
/// # Errors
/// [`BadScript`], with the place and what would be right.
pub(super) fn read(text: &str) -> Result<Vec<Line>, BadScript> {
    let Script { mut lines } = toml::from_str(text).map_err(|e| BadScript(e.to_string()))?;
    lines.sort_by_key(|line| line.at_ms);
    for (number, line) in lines.iter().enumerate() {
        let bad = |why: &str| {
            let who = line.who.as_str();
            Err(BadScript(format!("the {who}'s line at {} ms {why}", line.at_ms)))
        };
        if line.until_ms <= line.at_ms || line.until_ms > MAX_MS {
            return bad("has to end after it begins, and within a day");
        }
        if line.text.trim().is_empty() || line.text.chars().count() > MAX_TEXT {
            return bad(&format!("has to have words, and at most {MAX_TEXT} characters"));
        }
        let next = lines.iter().skip(number + 1).find(|next| next.who == line.who);
        if next.is_some_and(|next| next.at_ms < line.until_ms) {
            return bad("is not over when their next one begins");
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &str = "[[lines]]\nat_ms = 10\nuntil_ms = 20\nwho = \"agent\"\ntext = \"Hi.\"\n";

    #[test]
    fn lines_come_in_the_order_of_time() {
        let text = format!(
            "# a call\n[[lines]]\nat_ms = 15\nuntil_ms = 30\nwho = \"customer\"\ntext = \"Yes?\"\n{LINE}"
        );
        let lines = read(&text).unwrap();
        assert_eq!(
            lines.iter().map(|l| l.text.as_str()).collect::<Vec<_>>(),
            ["Hi.", "Yes?"]
        );
        assert_eq!(lines[0].who, Role::Agent);
        assert_eq!(read(""), Ok(vec![]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            (format!("{LINE}speaker = 1\n"), "speaker"),
            (LINE.replace("agent", "boss"), "boss"),
            (LINE.replace("until_ms = 20\n", ""), "until_ms"),
            (LINE.replace("20", "10"), "after it begins"),
            (LINE.replace("Hi.", " "), "words"),
            (format!("{LINE}{LINE}"), "not over"),
            ("lines = 5".into(), "invalid type"),
        ] {
            let why = read(&text).unwrap_err().to_string();
            assert!(why.contains(word), "{word}: {why}");
        }
    }

    proptest! {
        #[test]
        fn no_text_can_crash_the_reader(text in "\\PC{0,80}", at in 0..LINE.len()) {
            let _ = read(&text);
            let _ = read(&LINE[..at]);
        }
    }
}
