//! How values are written, wherever they stand.

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

/// A relay's name: what cannot be taken for an address.
pub(super) fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.contains("://") || text.chars().any(partyline_shared::text::is_unsafe) {
        return Err("write a plain name, one that is no address".to_owned());
    }
    Ok(text.to_owned())
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
    fn names_read_back() {
        for theme_is in [ThemeChoice::Dark, ThemeChoice::Light, ThemeChoice::Mono] {
            assert_eq!(theme(theme_name(theme_is)), Ok(theme_is));
        }
        for drawn in [Glyphs::Braille, Glyphs::Block, Glyphs::Ascii] {
            assert_eq!(glyphs(glyphs_name(drawn)), Ok(drawn));
        }
    }
}
