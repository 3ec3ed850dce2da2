//! The rules for the text of a file, each a function from a file to its faults.

use super::{Fault, File, Source};

/// Most lines of a Rust file: what needs more has two headings and is two files.
const MAX_LINES: usize = 400;

pub(super) fn fault(file: &File, line: usize, why: impl Into<String>) -> Fault {
    Fault {
        file: file.path.clone(),
        line,
        why: why.into(),
    }
}

/// Small files, each with a header; `a.rs` beside folder `a/`.
pub(super) fn shape(file: &File) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !file.path.ends_with(".rs") {
        return faults;
    }
    let lines = file.text.lines().count();
    if lines > MAX_LINES {
        let why =
            format!("{lines} lines, at most {MAX_LINES}: what needs more has two headings and is two files");
        faults.push(fault(file, MAX_LINES + 1, why));
    }
    if !file.text.starts_with("//!") {
        faults.push(fault(
            file,
            1,
            "a file begins with `//!`: what it is for, and what it must not do",
        ));
    }
    if file.path.ends_with("/mod.rs") {
        faults.push(fault(
            file,
            1,
            "`a.rs` beside folder `a/`: an editor full of mod.rs tells nobody apart",
        ));
    }
    faults
}

/// No stub, no skipped test, no queue without a bound.
pub(super) fn unfinished(file: &File) -> Vec<Fault> {
    if !file.path.ends_with(".rs") {
        return Vec::new();
    }
    let source = Source::read(&file.text);
    let mut faults = Vec::new();
    let stub = "what is merged is finished";
    for (row, why) in [
        (&["todo", "!"][..], stub),
        (&["unimplemented", "!"], stub),
        (
            &["#", "[", "ignore"],
            "a test that does not run tests nothing: mend it or remove it",
        ),
        (
            &["std", "::", "sync", "::", "mpsc", "::", "channel"],
            "choose a bound: sync_channel",
        ),
    ] {
        faults.extend(
            source
                .lines_of(row)
                .into_iter()
                .map(|line| fault(file, line, format!("{}: {why}", row.concat()))),
        );
    }
    for token in &source.tokens {
        if token.text.to_lowercase().starts_with("unbounded") {
            let why = format!(
                "{}: choose a bound, and say what happens when it is reached",
                token.text
            );
            faults.push(fault(file, token.line, why));
        }
    }
    let mark = concat!("FIX", "ME");
    let marked = file
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains(mark));
    faults.extend(marked.map(|(at, _)| fault(file, at + 1, format!("{mark}: {stub}"))));
    faults
}

/// Nothing that is true on one machine only.
pub(super) fn machine_paths(file: &File) -> Vec<Fault> {
    let paths = [
        concat!("/wo", "rk/"),
        concat!("/tmp", "/wt"),
        concat!("/ro", "ot"),
        concat!("/ho", "me/"),
    ];
    let mut faults = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for path in paths.iter().filter(|path| line.contains(*path)) {
            faults.push(fault(
                file,
                at + 1,
                format!("{path} is a place on one machine: say it relatively"),
            ));
        }
    }
    faults
}
