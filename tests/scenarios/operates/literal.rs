//! What the README names is there: commands, flags, files, headings.

use std::collections::BTreeSet;
use std::path::Path;

use clap::{Command, CommandFactory, Parser};

use super::readme::{TEXT, commands};

/// What stands in a line that shows what may be said, and in none that is typed.
const GRAMMAR: [char; 3] = ['[', '|', '…'];

/// A feature of the program's, without which the stories use it as a library. Another story runs it.
const DEMO: &str = "partyline demo";

fn relay() -> Command {
    partyline_relay::cli::Cli::command()
}

/// The words of a command of ours, its name first and what the shell takes left out.
fn words(line: &str) -> Option<Vec<&str>> {
    let line = line.split(" > ").next().unwrap_or_default();
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let name = words.first()?.rsplit('/').next()?;
    ["partyline", "partyline-relay"].contains(&name).then(|| {
        words[0] = name;
        words
    })
}

#[test]
fn every_command_that_is_typed_is_one() {
    let mut tried = 0;
    for line in commands() {
        let Some(words) = words(&line).filter(|_| !line.contains(GRAMMAR) && line != DEMO) else {
            continue;
        };
        let parsed = match words[0] {
            "partyline" => partyline::cli::Cli::try_parse_from(&words).map(drop),
            _ => partyline_relay::cli::Cli::try_parse_from(&words).map(drop),
        };
        parsed.unwrap_or_else(|error| panic!("{line}\n{error}"));
        tried += 1;
    }
    assert!(tried >= 15, "only {tried} were found");
}

/// The flags in a line, and what follows each.
fn flags(line: &str) -> impl Iterator<Item = &str> {
    line.split([' ', '[', ']', '|', '`', ','])
        .filter_map(|word| word.strip_prefix("--"))
        .filter(|flag| flag.starts_with(|c: char| c.is_ascii_lowercase()))
}

fn has(command: &Command, flag: &str) -> bool {
    command
        .get_arguments()
        .any(|known| known.get_long() == Some(flag))
}

/// `token list|remove --tokens FILE`: both are there, and take it.
fn holds(root: &Command, line: &str) {
    let mut at = vec![root];
    for word in line.split_whitespace().skip(1) {
        let names: Vec<&str> = word.split('|').collect();
        let named = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase());
        if !names.iter().all(named) {
            break;
        }
        let parent = at[0];
        let find = |name: &&str| parent.find_subcommand(name);
        at = names
            .iter()
            .map(|name| find(name).unwrap_or_else(|| panic!("{line}\nthere is no {name}")))
            .collect();
    }
    for flag in flags(line) {
        let known = at.iter().any(|command| has(command, flag)) || has(root, flag);
        assert!(known, "{line}\nthere is no --{flag}");
    }
}

#[test]
fn every_line_that_shows_what_may_be_said_is_true() {
    let mut tried = 0;
    for line in commands() {
        let Some(words) = words(&line).filter(|_| line.contains(GRAMMAR)) else {
            continue;
        };
        let root = match words[0] {
            "partyline" => partyline::cli::Cli::command(),
            _ => relay(),
        };
        let whole = words.join(" ");
        let mut parts = whole.split(" | ");
        holds(&root, parts.next().unwrap_or_default());
        for part in parts {
            holds(&root, &format!("{} {part}", words[0]));
        }
        tried += 1;
    }
    assert!(tried >= 15, "only {tried} were found");
}

/// Whoever looks for a flag finds what it does.
#[test]
fn every_flag_of_serve_and_every_command_is_told() {
    let relay = relay();
    let table: BTreeSet<&str> = TEXT
        .lines()
        .filter(|line| line.starts_with("| `--"))
        .flat_map(flags)
        .collect();
    let serve = relay.find_subcommand("serve").expect("it serves");
    for flag in serve.get_arguments().filter_map(|known| known.get_long()) {
        assert!(table.contains(flag), "--{flag} is not in the table of serve");
    }
    for flag in &table {
        assert!(has(serve, flag), "serve has no --{flag}");
    }
    let shown = commands();
    for command in relay.get_subcommands() {
        let begins = format!("partyline-relay {}", command.get_name());
        assert!(shown.iter().any(|line| line.starts_with(&begins)), "{begins}");
    }
}

/// What GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn every_file_and_heading_that_is_named_is_there() {
    let anchors: BTreeSet<String> = TEXT
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#').trim_start()))
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let linked = TEXT.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let spoken = TEXT.split('`').filter(|text| text.starts_with("assets/"));
    let (mut headings, mut files) = (0, 0);
    for target in linked.chain(spoken) {
        if let Some(heading) = target.strip_prefix('#') {
            assert!(anchors.contains(heading), "there is no heading {heading}");
            headings += 1;
        } else if !target.starts_with("http") {
            assert!(root.join(target).exists(), "there is no {target}");
            files += 1;
        }
    }
    assert!(headings >= 5 && files >= 10, "{headings} headings, {files} files");
}
