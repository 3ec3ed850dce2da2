//! DURATION, as people write it: `10s`, `5m`, `1h30m`, `90d`.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDuration {
    /// Not written as one.
    #[error("`{0}` is not a duration: write for example 10s, 5m, 1h30m or 90d")]
    Form(String),
    /// Over [`LONGEST`].
    #[error("`{0}` is too long: 100 years (36500d) are the most")]
    TooLong(String),
}

/// Units from the longest to the shortest, with their milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// The longest duration taken: 100 years. Nothing here lasts longer, and adding one to a point in time
/// cannot overflow.
pub const LONGEST: Duration = Duration::from_secs(36_500 * 86_400);

/// Reads a duration: whole numbers with a unit out of `d h m s ms`, longest unit first, each at most once.
///
/// # Errors
/// [`BadDuration`], which shows how a duration is written.
pub fn parse(text: &str) -> Result<Duration, BadDuration> {
    let fault = || BadDuration::Form(text.to_owned());
    let mut rest = text;
    let mut total: u64 = 0;
    let mut allowed = UNITS.as_slice();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let at = allowed
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or_else(fault)?;
        let (_, factor) = allowed.get(at).ok_or_else(fault)?;
        allowed = allowed.get(at + 1..).unwrap_or_default();
        total = number
            .parse::<u64>()
            .ok()
            .and_then(|n| n.checked_mul(*factor))
            .and_then(|ms| total.checked_add(ms))
            .ok_or_else(fault)?;
        rest = after;
    }
    match Duration::from_millis(total) {
        _ if text.is_empty() => Err(fault()),
        long if long > LONGEST => Err(BadDuration::TooLong(text.to_owned())),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [
            ("10s", 10_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("90d", 7_776_000_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("20ms", 20),
            ("0s", 0),
            ("90m", 5_400_000),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(ms), "{text}");
        }
    }

    #[test]
    fn everything_else_is_told_how_to_write_one() {
        for text in [
            "",
            "10",
            "s",
            "10 s",
            "10S",
            "-5m",
            "1.5h",
            "5m1h",
            "5m5m",
            "1h30",
            "soon",
            "5µ",
            "99999999999999999999d",
            "18446744073709551615s",
            "36501d",
        ] {
            let fault = parse(text).unwrap_err().to_string();
            assert!(
                fault.contains("write for example 10s") || fault.contains("36500d"),
                "{text}: {fault}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_can_crash_the_parser(text in "\\PC*|[0-9dhms]*") {
            if let Ok(duration) = parse(&text) {
                prop_assert!(duration <= LONGEST);
            }
        }
    }
}
