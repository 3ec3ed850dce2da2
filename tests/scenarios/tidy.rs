//! The house rules that a machine can read, over all files of the repository. A fault names file, line
//! and the rule's reason. Each rule is tried on small samples too, so that it is known to find something.

mod rules;
mod samples;
mod source;
mod text;

use std::fmt;
use std::path::{Path, PathBuf};

use source::Source;

/// A broken rule.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    file: String,
    line: usize,
    why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

/// One file: its path from the repository's root, with `/`, and its text.
struct File {
    path: String,
    text: String,
}

/// Files that people write, by how their names end.
const WRITTEN: [&str; 9] = [
    ".rs", ".toml", ".md", ".sh", ".yml", ".html", "Makefile", "LICENSE", ".ci/run",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files() -> Vec<File> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder can be read").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let hidden = name.starts_with('.') && name != ".ci";
            if hidden || name == "target" || name == "node_modules" {
                continue;
            }
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort();
    let name = |path: &PathBuf| {
        let path = path.strip_prefix(root()).expect("found below the root");
        path.to_string_lossy().replace('\\', "/")
    };
    found
        .iter()
        .map(|path| (name(path), path))
        .filter(|(name, _)| WRITTEN.iter().any(|end| name.ends_with(end)))
        .map(|(path, full)| {
            let text = std::fs::read_to_string(full).unwrap_or_else(|e| panic!("{path}: {e}"));
            File { path, text }
        })
        .collect()
}

fn check(rule: fn(&File) -> Vec<Fault>) {
    let faults: Vec<String> = files()
        .iter()
        .flat_map(rule)
        .map(|fault| fault.to_string())
        .collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn all_files_are_looked_at() {
    let paths: Vec<String> = files().into_iter().map(|file| file.path).collect();
    for known in [
        "Makefile",
        ".ci/run",
        "README.md",
        "relay/src/main.rs",
        "shared/src/audio/frame.rs",
        "tui/Cargo.toml",
        "tests/scenarios/tidy.rs",
    ] {
        assert!(
            paths.iter().any(|path| path == known),
            "{known} is not among {paths:?}"
        );
    }
}

#[test]
fn rooms_import_only_whom_they_may() {
    check(rules::imports);
}

#[test]
fn programs_depend_only_on_what_they_may() {
    check(rules::manifest);
}

#[test]
fn machines_without_sockets_or_clocks_have_neither() {
    check(rules::sans_io);
}

#[test]
fn files_are_small_and_begin_with_a_header() {
    check(text::shape);
}

#[test]
fn nothing_is_unfinished_unbounded_or_skipped() {
    check(text::unfinished);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    check(text::machine_paths);
}
