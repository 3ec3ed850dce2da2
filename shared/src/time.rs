//! Wall time as the wires write it: RFC 3339 in UTC with milliseconds for listeners; RFC 2822 or ISO
//! 8601 with any number of digits from Twilio. Taking the time is the caller's business: no clock here.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment in UTC, milliseconds on the wire: `2026-11-22T09:00:00.000Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(Timestamp);

impl UtcTime {
    /// From milliseconds since 1970; what lies outside the calendar's years becomes its edge.
    pub fn from_unix_ms(ms: i64) -> Self {
        UtcTime(Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        }))
    }

    /// Milliseconds since 1970.
    pub fn unix_ms(self) -> i64 {
        self.0.as_millisecond()
    }

    /// This moment and `ms` milliseconds more, or fewer when negative.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self::from_unix_ms(self.unix_ms().saturating_add(ms))
    }

    /// Reads ISO 8601 with an offset, or RFC 2822 (`Sun, 25 Jan 2026 09:53:19 +0000`): Twilio uses the
    /// first for streams and transcription, the second for call status.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        text.parse()
            .or_else(|_| rfc2822::DateTimeParser::new().parse_timestamp(text))
            .ok()
            .map(UtcTime)
    }

    /// As RFC 2822 with `+0000`, the way Twilio writes it in status callbacks.
    pub fn to_rfc2822(self) -> String {
        self.0.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
    }

    /// As ISO 8601 with nine digits of a second, the way Twilio writes it in stream callbacks.
    pub fn to_iso_nanos(self) -> String {
        format!("{:.9}", self.0)
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl fmt::Debug for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for UtcTime {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcTime {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        UtcTime::parse(&text).ok_or_else(|| de::Error::custom("no RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_of_twilios_forms_are_read() {
        let time = UtcTime::parse("Sun, 25 Jan 2026 09:53:19 +0000").unwrap();
        assert_eq!(time.to_string(), "2026-01-25T09:53:19.000Z");
        assert_eq!(time.to_rfc2822(), "Sun, 25 Jan 2026 09:53:19 +0000");
        let time = UtcTime::parse("2026-01-02T03:04:05.602648368Z").unwrap();
        assert_eq!(time.to_string(), "2026-01-02T03:04:05.602Z");
        assert_eq!(UtcTime::parse("yesterday"), None);
        assert_eq!(
            UtcTime::from_unix_ms(0).to_iso_nanos(),
            "1970-01-01T00:00:00.000000000Z"
        );
        assert_eq!(
            UtcTime::from_unix_ms(i64::MAX).plus_ms(1),
            UtcTime(Timestamp::MAX)
        );
    }

    #[test]
    fn json_is_rfc_3339_with_milliseconds() {
        let time = UtcTime::from_unix_ms(1_795_338_000_007);
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(json, "\"2026-11-22T09:00:00.007Z\"");
        assert_eq!(serde_json::from_str::<UtcTime>(&json).unwrap(), time);
    }
}
