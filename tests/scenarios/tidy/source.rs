//! Rust text as tokens and as paths: enough to see what a file names, without comments and strings. No
//! parser of the language: it reads only what `cargo fmt` lets through.

/// A word, a `::`, or one other character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

/// A path that a file names: `crate::…` with `super` and `self` resolved, or one of another crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

impl Named {
    /// Whether it is `prefix` (with `::` between its parts) or something in it.
    pub(super) fn is_in(&self, prefix: &str) -> bool {
        let mut parts = self.path.iter();
        prefix
            .split("::")
            .all(|part| parts.next().is_some_and(|mine| mine == part))
    }
}

/// One file's tokens.
pub(super) struct Source<'a> {
    pub(super) tokens: Vec<Token<'a>>,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl<'a> Source<'a> {
    /// Reads a file's text.
    pub(super) fn read(text: &'a str) -> Source<'a> {
        let mut tokens = Vec::new();
        let (mut at, mut line) = (0, 1);
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at..];
            let skipped = literal_or_comment(rest);
            let length = if skipped > 0 {
                skipped
            } else if is_word(c) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                c.len_utf8()
            };
            if skipped == 0 && !c.is_whitespace() {
                tokens.push(Token {
                    text: &rest[..length],
                    line,
                });
            }
            line += rest[..length].matches('\n').count();
            at += length;
        }
        Source { tokens }
    }

    /// The same without the file's `#[cfg(test)] mod …`.
    pub(super) fn without_tests(self) -> Source<'a> {
        let marks = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
        let texts: Vec<&str> = self.tokens.iter().map(|token| token.text).collect();
        let Some(begin) = texts.windows(marks.len()).position(|window| window == marks) else {
            return self;
        };
        let mut depth = 0;
        let end = texts[begin..].iter().position(|&text| {
            depth += i32::from(text == "{") - i32::from(text == "}");
            depth == 0 && matches!(text, "}" | ";")
        });
        let mut tokens = self.tokens;
        tokens.drain(begin..=end.map_or(texts.len() - 1, |end| begin + end));
        Source { tokens }.without_tests()
    }

    /// The lines where this row of tokens begins.
    pub(super) fn lines_of(&self, row: &[&str]) -> Vec<usize> {
        let same = |window: &&[Token<'_>]| window.iter().map(|token| token.text).eq(row.iter().copied());
        self.tokens
            .windows(row.len())
            .filter(same)
            .map(|window| window[0].line)
            .collect()
    }

    /// All paths that the file names; `module` is the file's own, `["twilio", "stream"]` for
    /// `src/twilio/stream.rs`.
    pub(super) fn paths(&self, module: &[&str]) -> Vec<Named> {
        let mut found = Vec::new();
        let mut inner: Vec<(String, usize)> = Vec::new(); // inline modules, with their depth
        let mut depth = 0;
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            let before = if at == 0 { "" } else { self.text(at - 1) };
            match token.text {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    inner.retain(|(_, opened)| *opened <= depth);
                }
                "mod" if self.text(at + 2) == "{" => inner.push((self.text(at + 1).to_owned(), depth + 1)),
                _ => {}
            }
            // `use<…>` in a type says what it captures, and names nothing.
            let starts_use = before == "use" && token.text != "<";
            let starts_path = token.text.starts_with(is_word) && self.text(at + 1) == "::" && before != "::";
            if starts_use || starts_path {
                let mut raw = Vec::new();
                at = self.tree(at, &[], &mut raw).max(at + 1);
                let here: Vec<String> = module
                    .iter()
                    .map(|part| part.to_string())
                    .chain(inner.iter().map(|(name, _)| name.clone()))
                    .collect();
                found.extend(raw.into_iter().map(|named| resolved(named, &here)));
            } else {
                at += 1;
            }
        }
        found
    }

    fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    /// Reads one path, or one tree of a `use`, from `at` on; gives where it ends.
    fn tree(&self, mut at: usize, prefix: &[String], found: &mut Vec<Named>) -> usize {
        let mut path = prefix.to_vec();
        let Some(line) = self.tokens.get(at).map(|token| token.line) else {
            return at;
        };
        if self.text(at) == "::" {
            at += 1;
        }
        loop {
            match self.text(at) {
                "{" => {
                    at += 1;
                    while !matches!(self.text(at), "}" | "") {
                        at = self.tree(at, &path, found);
                        while !matches!(self.text(at), "," | "}" | "") {
                            at += 1; // `as name`
                        }
                        at += usize::from(self.text(at) == ",");
                    }
                    return at + 1;
                }
                word if word == "*" || word.starts_with(is_word) => path.push(word.to_owned()),
                _ => break, // `::<` of a turbofish
            }
            at += 1;
            if self.text(at) != "::" {
                break;
            }
            at += 1;
        }
        found.push(Named { path, line });
        at
    }
}

/// `super`, `self` and `crate` as one path from the crate's root.
fn resolved(named: Named, module: &[String]) -> Named {
    let mut here = module.to_vec();
    let mut parts = named.path.iter().peekable();
    match parts.peek().map(|part| part.as_str()) {
        Some("self" | "super") => {}
        _ => return named,
    }
    while let Some(part) = parts.next_if(|part| matches!(part.as_str(), "self" | "super")) {
        if part == "super" {
            here.pop();
        }
    }
    let path = std::iter::once("crate".to_owned())
        .chain(here)
        .chain(parts.cloned())
        .collect();
    Named {
        path,
        line: named.line,
    }
}

/// The length of the comment, string or character that `rest` begins with; 0 where it begins with none.
fn literal_or_comment(rest: &str) -> usize {
    let end = |from: usize, mark: &str| {
        rest[from..]
            .find(mark)
            .map_or(rest.len(), |at| from + at + mark.len())
    };
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return end(2, "*/");
    }
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let raw = prefix.ends_with('r');
        rest.strip_prefix(prefix).is_some_and(|more| {
            more.starts_with('"')
                || raw && more.trim_start_matches('#').starts_with('"') && more.starts_with('#')
        })
    });
    if let Some(prefix) = prefix {
        let hashes = rest[prefix.len()..]
            .bytes()
            .take_while(|&byte| byte == b'#')
            .count();
        let open = prefix.len() + hashes + 1;
        if prefix.ends_with('r') {
            return end(open, &format!("\"{}", "#".repeat(hashes)));
        }
        return closed(rest, open, '"');
    }
    if let Some(character) = rest.strip_prefix('\'') {
        let mut chars = character.chars();
        let (first, second) = (chars.next(), chars.next());
        if first == Some('\\') || second == Some('\'') {
            return closed(rest, 1, '\'');
        }
        return 1; // a lifetime
    }
    0
}

/// Where a literal that is open at `from` ends, past its closing mark; a backslash guards what follows.
fn closed(rest: &str, from: usize, mark: char) -> usize {
    let mut guarded = false;
    for (at, c) in rest[from..].char_indices() {
        if c == mark && !guarded {
            return from + at + 1;
        }
        guarded = c == '\\' && !guarded;
    }
    rest.len()
}
