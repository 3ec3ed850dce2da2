//! `partyline-relay doctor`: what is wrong with a relay of this configuration, a line a verdict.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::config::{Config, ServeArgs};
use crate::doctor;

/// Exits 0 where nothing failed, else 1: also a configuration that serve would refuse is told and not fatal.
pub(super) async fn run(args: ServeArgs) -> ExitCode {
    let env = |name: &str| std::env::var(name).ok();
    let (config, problems) = Config::inspect(&args, &env, &|path| std::fs::read_to_string(path));
    let signs = writes_utf8(env);
    let mut out = io::stdout();
    let well = doctor::examine(&config, &problems, |verdict| {
        // The exit code tells it also to who reads no further.
        let _ = writeln!(out, "{}", verdict.line(signs));
    })
    .await;
    if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(super::FAILED)
    }
}

/// Whether whoever reads this has the letters for signs, by the first of these that says anything.
fn writes_utf8(env: impl Fn(&str) -> Option<String>) -> bool {
    let said = ["LC_ALL", "LC_CTYPE", "LANG"];
    let said = said
        .into_iter()
        .find_map(|name| env(name).filter(|text| !text.is_empty()));
    said.is_some_and(|text| {
        let text = text.to_ascii_lowercase();
        text.contains("utf-8") || text.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_for_who_has_the_letters() {
        let only = |name: &'static str, text: &'static str| {
            writes_utf8(move |asked| (asked == name).then(|| text.to_owned()))
        };
        assert!(only("LANG", "de_DE.UTF-8") && only("LC_ALL", "C.utf8"));
        assert!(!only("LANG", "C") && !only("TERM", "utf-8"));
        let both = |asked: &str| match asked {
            "LC_ALL" => Some("POSIX".to_owned()),
            "LANG" => Some("C.UTF-8".to_owned()),
            _ => None,
        };
        assert!(!writes_utf8(both));
    }
}
