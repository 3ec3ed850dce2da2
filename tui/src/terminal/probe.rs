//! Whether the background is dark or light: what the user says, else what the terminal says, else what the
//! environment hints at, else dark. The terminal is asked once, and for what all terminals answer after it, so
//! that one which does not know the question costs no wait.

use std::time::Duration;

use super::keys::Typed;

/// The question for the background, and the one that every terminal answers.
pub const QUESTION: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";

/// How long the first picture waits for the answer. One that comes later changes the colours then.
pub const BUDGET: Duration = Duration::from_millis(200);

/// What it is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Dark, or not known.
    Dark,
    /// Light.
    Light,
}

impl Background {
    /// Of a colour: as bright as the eye takes it for.
    pub fn of([red, green, blue]: [u8; 3]) -> Background {
        let brightness = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
        match brightness > 127_500 {
            true => Background::Light,
            false => Background::Dark,
        }
    }

    /// Of what the terminal has said, if it has.
    pub fn said(typed: &[Typed]) -> Option<Background> {
        typed.iter().rev().find_map(|typed| match typed {
            Typed::Background(colour) => Some(Background::of(*colour)),
            _ => None,
        })
    }

    /// Of COLORFGBG (`15;0`, `0;default;15`), which some terminals set: the last number is the background's.
    pub fn hinted(colorfgbg: Option<&str>) -> Background {
        match colorfgbg.and_then(|text| text.rsplit(';').next()) {
            Some("7" | "9" | "10" | "11" | "12" | "13" | "14" | "15") => Background::Light,
            _ => Background::Dark,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brightness_is_what_the_eye_sees() {
        for dark in [[0; 3], [0x1e; 3], [0, 43, 54], [0, 0, 255], [255, 0, 0]] {
            assert_eq!(Background::of(dark), Background::Dark, "{dark:?}");
        }
        for light in [[255; 3], [0xfd, 0xf6, 0xe3], [0, 255, 0], [0xc0; 3]] {
            assert_eq!(Background::of(light), Background::Light, "{light:?}");
        }
    }

    #[test]
    fn the_environment_is_a_hint() {
        for (text, expected) in [
            (None, Background::Dark),
            (Some("15;0"), Background::Dark),
            (Some("0;15"), Background::Light),
            (Some("0;default;15"), Background::Light),
            (Some("15;default"), Background::Dark),
            (Some("7;8"), Background::Dark),
            (Some(""), Background::Dark),
        ] {
            assert_eq!(Background::hinted(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_newest_answer_counts() {
        let said = |colours: &[[u8; 3]]| {
            let typed: Vec<Typed> = colours.iter().map(|colour| Typed::Background(*colour)).collect();
            Background::said(&typed)
        };
        assert_eq!(said(&[]), None);
        assert_eq!(said(&[[0; 3], [255; 3]]), Some(Background::Light));
    }
}
