//! Holds the README's table of limits against the code: each row tells constants as they are, and has tests that meet it.
//! What they come to is those tests' own business.

use std::path::{Path, PathBuf};

/// The list, for people too.
const LIST: &str = include_str!("list.md");
const README: &str = include_str!("../../../README.md");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A table's rows without its head, each as its cells.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("| --- "))
        .skip(1);
    let lines = lines.take_while(|line| line.starts_with('|'));
    lines
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            *text += &std::fs::read_to_string(&path).expect("a file can be read");
        }
    }
}

/// What is wrong with one `file NAME = value`.
fn stale(declared: &str) -> Option<String> {
    let (place, value) = declared.split_once(" = ")?;
    let (file, name) = place.split_once(' ')?;
    let path = match file.starts_with("shared/") || file.starts_with("tui/") {
        true => root().join(file),
        false => root().join("relay/src").join(file),
    };
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let (name, value) = (format!("const {name}: "), format!(" = {value};"));
    let is_so = text
        .lines()
        .any(|line| line.contains(&name) && line.ends_with(&value));
    (!is_so).then(|| format!("{declared} is not so"))
}

#[test]
fn each_limit_that_the_readme_names_is_the_codes_and_met_by_a_test() {
    let (_, limits) = README.split_once("\n### Limits\n").expect("there is a table");
    let (told, list) = (rows(limits), rows(LIST));
    assert!(told.len() > 30, "{} rows", told.len());
    let mut code = String::new();
    for folder in ["relay/src", "shared/src", "tui/src", "tests/scenarios"] {
        sources(&root().join(folder), &mut code);
    }
    let mut faults = Vec::new();
    for (told, row) in told.iter().zip(&list) {
        let [begins, constants, tests] = row[..] else {
            panic!("{row:?} has not three cells")
        };
        if !told[0].starts_with(begins) {
            faults.push(format!("the README has `{}` and the list `{begins}`", told[0]));
        }
        let told = told.join(" ");
        for constant in constants.split("; ").filter(|constant| !constant.is_empty()) {
            let mut parts = constant.split('`').skip(1);
            let (declared, words) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            faults.extend(stale(declared));
            if words.trim().is_empty() || !told.contains(words.trim()) {
                faults.push(format!("`{told}` does not tell `{words}` of {declared}"));
            }
        }
        for test in tests.split(", ") {
            if !code.contains(&format!("fn {test}(")) {
                faults.push(format!("{begins}: there is no test `{test}`"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    assert_eq!(told.len(), list.len(), "a row of the one is not in the other");
}
