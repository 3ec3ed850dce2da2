//! `--print-config`: a `config.toml` that says the same, each value with where it came from.

use super::relays::TokenFrom;
use super::values::{ears_name, glyphs_name, theme_name};
use super::{Config, Source, Sourced};
use crate::failure::Failure;
use partyline_shared::text::clean;

pub(super) fn lines(config: &Config) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    let there = if config.file.exists { "" } else { " (not there)" };
    let path = config.file.path.as_ref().map(|path| path.display().to_string());
    lines.push(format!(
        "# {}{there}",
        path.as_deref()
            .map_or("no config.toml: there is no home folder".to_owned(), clean)
    ));
    let text = |name: &str, value: &Sourced<Option<&str>>, without: &str| match value.value {
        Some(text) => line(name, &quoted(text), value.source),
        None => format!("# {name}: {without}"),
    };
    let device = of(&config.device, Option::as_deref);
    lines.push(text("device", &device, "the system's default"));
    let ear = of(&config.ear, Option::as_deref);
    lines.push(text("ear", &ear, "this machine plays"));
    if let Some(rate) = config.rate.value {
        lines.push(format!("# rate: {rate}, {}", config.rate.source));
    }
    let ears = of(&config.ears, |ears| Some(ears_name(*ears)));
    lines.push(text("ears", &ears, ""));
    let theme = of(&config.theme, |theme| theme.map(theme_name));
    lines.push(text("theme", &theme, "the terminal is asked"));
    lines.push(text(
        "glyphs",
        &of(&config.glyphs, |glyphs| Some(glyphs_name(*glyphs))),
        "",
    ));
    for (name, switch) in [("plain", &config.plain), ("read_only", &config.read_only)] {
        lines.push(line(name, &switch.value.to_string(), switch.source));
    }
    let clips = config.clips.value.as_ref().map(|path| path.display().to_string());
    let clips = of(&config.clips, |_| clips.as_deref());
    lines.push(text("clips", &clips, "there is no home folder"));
    let mut names = Vec::new();
    for relay in &config.relays {
        lines.push(String::new());
        lines.push(line_of("[[relay]]", relay.source));
        // A relay without a name is named by its address, which is no name in a file.
        let name = relay
            .name
            .split_once("://")
            .map_or(relay.name.as_str(), |(_, rest)| rest);
        // With and without TLS it may be twice the same.
        let mut name = name.to_owned();
        while names.contains(&name) {
            name.push('\'');
        }
        lines.push(format!("name = {}", quoted(&name)));
        names.push(name);
        lines.push(format!("url = {}", quoted(&relay.address.to_string())));
        let from = relay.token_from()?;
        let asked = match &from {
            TokenFrom::Flag(path) => Some(path),
            _ => relay.token_file.as_ref(),
        };
        if let Some(path) = asked {
            lines.push(format!("token_file = {}", quoted(&path.display().to_string())));
        }
        lines.push(format!("# token: {}", clean(&from.to_string())));
    }
    Ok(lines)
}

fn of<'a, T, U>(value: &'a Sourced<T>, take: impl FnOnce(&'a T) -> U) -> Sourced<U> {
    Sourced {
        value: take(&value.value),
        source: value.source,
    }
}

fn line(name: &str, value: &str, source: Source) -> String {
    line_of(&format!("{name} = {value}"), source)
}

fn line_of(text: &str, source: Source) -> String {
    format!("{text:<28} # {source}")
}

fn quoted(text: &str) -> String {
    toml::Value::String(clean(text)).to_string()
}
