//! How values are written, wherever they stand.

use std::path::PathBuf;

use crate::event::Ears;
use crate::run::{Glyphs, ThemeChoice};

/// `dark`, `light` or `mono`.
pub(super) fn theme(text: &str) -> Result<ThemeChoice, String> {
    match text {
        "dark" => Ok(ThemeChoice::Dark),
        "light" => Ok(ThemeChoice::Light),
        "mono" => Ok(ThemeChoice::Mono),
        _ => Err("write dark, light or mono".to_owned()),
    }
}

/// `braille`, `block` or `ascii`.
pub(super) fn glyphs(text: &str) -> Result<Glyphs, String> {
    match text {
        "braille" => Ok(Glyphs::Braille),
        "block" => Ok(Glyphs::Block),
        "ascii" => Ok(Glyphs::Ascii),
        _ => Err("write braille, block or ascii".to_owned()),
    }
}

/// `stereo`, `wide` or `mono`.
pub(super) fn ears(text: &str) -> Result<Ears, String> {
    match text {
        "stereo" => Ok(Ears::Stereo),
        "wide" => Ok(Ears::Wide),
        "mono" => Ok(Ears::Mono),
        _ => Err("write stereo, wide or mono".to_owned()),
    }
}

/// A relay's name: what cannot be taken for an address.
pub(super) fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.contains("://") || text.chars().any(partyline_shared::text::is_unsafe) {
        return Err("write a plain name, one that is no address".to_owned());
    }
    Ok(text.to_owned())
}

/// Where an ear is: a host and a port.
pub(super) fn ear(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':');
    match parts.map(|(host, port)| (host.is_empty(), port.parse::<u16>())) {
        Some((false, Ok(1..))) if !text.chars().any(partyline_shared::text::is_unsafe) => Ok(text.to_owned()),
        _ => Err(format!("write a host and a port, e.g. {}", crate::ear::LISTEN)),
    }
}

/// A folder, the same wherever the program is started.
pub(super) fn folder(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() {
        return Ok(path);
    }
    let home = std::env::home_dir().filter(|home| home.is_absolute());
    let below = path.strip_prefix("~").ok().zip(home);
    below
        .map(|(below, home)| home.join(below))
        .ok_or_else(|| "write a whole path, one that begins at the root or with ~/".to_owned())
}

/// As [`theme`] reads it.
pub(super) fn theme_name(theme: ThemeChoice) -> &'static str {
    match theme {
        ThemeChoice::Dark => "dark",
        ThemeChoice::Light => "light",
        ThemeChoice::Mono => "mono",
    }
}

/// As [`glyphs`] reads it.
pub(super) fn glyphs_name(glyphs: Glyphs) -> &'static str {
    match glyphs {
        Glyphs::Braille => "braille",
        Glyphs::Block => "block",
        Glyphs::Ascii => "ascii",
    }
}

/// As [`ears`] reads it.
pub(super) fn ears_name(ears: Ears) -> &'static str {
    match ears {
        Ears::Stereo => "stereo",
        Ears::Wide => "wide",
        Ears::Mono => "mono",
    }
}

/// Whether the locale's letters are UTF-8, by what the environment says of it: the first of `LC_ALL`, `LC_CTYPE`
/// and `LANG` that says anything counts.
pub fn speaks_utf8(env: &dyn Fn(&str) -> Option<String>) -> bool {
    let said = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| env(name).filter(|text| !text.is_empty()));
    match said {
        Some(locale) => {
            let locale = locale.to_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        }
        // Windows has no such variables, and a terminal that takes UTF-8.
        None => cfg!(windows),
    }
}

/// Whether braille can be shown: letters are UTF-8, and the terminal is not the Linux console, whose font has none.
pub(super) fn shows_braille(env: &dyn Fn(&str) -> Option<String>) -> bool {
    speaks_utf8(env) && env("TERM").as_deref() != Some("linux")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_is_the_first_that_says_anything() {
        let of = |all: &'static str, lang: &'static str| {
            speaks_utf8(&move |name| match name {
                "LC_ALL" => Some(all.to_owned()),
                "LANG" => Some(lang.to_owned()),
                _ => None,
            })
        };
        assert!(of("", "en_US.UTF-8") && of("C.utf8", "C"));
        assert!(!of("C", "en_US.UTF-8") && !of("", "de_DE@euro"));
        assert!(!of("", "") || cfg!(windows));
    }

    #[test]
    fn the_console_has_no_braille() {
        let of = |term: &'static str| {
            shows_braille(&move |name| match name {
                "LANG" => Some("C.UTF-8".to_owned()),
                "TERM" => Some(term.to_owned()),
                _ => None,
            })
        };
        assert!(of("xterm-256color") && !of("linux"));
    }

    #[test]
    fn an_ear_has_a_host_and_a_port() {
        for good in ["127.0.0.1:7331", "localhost:1", "[::1]:65535"] {
            assert_eq!(ear(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "7331",
            ":7331",
            "localhost:",
            "localhost:0",
            "localhost:65536",
            "a\u{1b}b:1",
        ] {
            assert!(ear(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_read_back() {
        for theme_is in [ThemeChoice::Dark, ThemeChoice::Light, ThemeChoice::Mono] {
            assert_eq!(theme(theme_name(theme_is)), Ok(theme_is));
        }
        for drawn in [Glyphs::Braille, Glyphs::Block, Glyphs::Ascii] {
            assert_eq!(glyphs(glyphs_name(drawn)), Ok(drawn));
        }
        for heard in [Ears::Stereo, Ears::Wide, Ears::Mono] {
            assert_eq!(ears(ears_name(heard)), Ok(heard));
        }
    }
}
