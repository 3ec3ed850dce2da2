//! A duration as people write it: `10s`, `5m`, `1h30m`, `500ms`.

use std::time::Duration;

/// Longest duration taken, seconds: a year, and no sum of it with a clock can overflow.
const MAX_SECONDS: u64 = 366 * 24 * 3600;

/// Reads a duration.
///
/// # Errors
/// What is wrong and how one looks, for a person.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration: write 10s, 5m, 1h30m or 500ms");
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let ms = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        total = total.saturating_add(Duration::from_millis(number.saturating_mul(ms)));
        rest = tail;
    }
    if total.is_zero() || total.as_secs() > MAX_SECONDS {
        return Err(format!("{text:?} is not between 1ms and a year"));
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_add_up_and_nonsense_is_refused() {
        assert_eq!(parse("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("1m500ms"), Ok(Duration::from_millis(60_500)));
        for bad in [
            "",
            "10",
            "s",
            "1x",
            "10 s",
            "-1s",
            "0s",
            "99999999999999999999s",
            "400d",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_can_crash_the_parser(text in "[0-9a-zé ]{0,12}") {
            let _ = parse(&text);
        }
    }
}
