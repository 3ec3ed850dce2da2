//! The README as whoever follows it takes it: its commands and its settings, word by word.

/// All of it.
pub(super) const TEXT: &str = include_str!("../../../README.md");

/// How a shell block is set off.
const INDENT: &str = "    ";

/// Every line of its shell blocks as it is typed: without the prompt and what is said behind it, and with what goes on in
/// the next line.
pub(super) fn commands() -> Vec<String> {
    let (mut lines, mut fenced) = (TEXT.lines(), false);
    let mut commands = Vec::new();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let Some(line) = line.strip_prefix(INDENT).filter(|_| !fenced) else {
            continue;
        };
        let line = line.strip_prefix("# ").unwrap_or(line);
        let mut command = line.split("  #").next().unwrap_or_default().trim_end().to_owned();
        while command.ends_with('\\') {
            command.pop();
            command.push_str(lines.next().unwrap_or_default().trim_start());
        }
        commands.push(command);
    }
    commands
}

/// The one command that begins so.
#[track_caller]
pub(super) fn command(begins: &str) -> String {
    let mut found = commands();
    found.retain(|command| command.starts_with(begins));
    assert_eq!(found.len(), 1, "{begins} begins {found:#?}");
    found.remove(0)
}

/// The TOML below this heading.
#[track_caller]
pub(super) fn settings(heading: &str) -> &'static str {
    let below = TEXT.split_once(&format!("\n{heading}\n")).map(|(_, below)| below);
    let below = below.unwrap_or_else(|| panic!("there is no {heading}"));
    let section = below.split("\n#").next().unwrap_or_default();
    let toml = section
        .split_once("```toml\n")
        .and_then(|(_, toml)| toml.split_once("```"));
    toml.unwrap_or_else(|| panic!("{heading} has no settings")).0
}
