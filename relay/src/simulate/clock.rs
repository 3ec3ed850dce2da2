//! The wall clock as Twilio's callbacks write it: RFC 2822 for calls, ISO 8601 with nine digits of a
//! second for streams and with six for transcription.

use std::time::{SystemTime, UNIX_EPOCH};

use partyline_shared::time::UtcTime;

/// A moment, ns since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(u64);

impl Moment {
    /// The time now.
    pub(super) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment(since.as_nanos() as u64)
    }

    /// From ns since 1970.
    #[cfg(test)]
    pub(super) fn from_unix_ns(ns: u64) -> Self {
        Moment(ns)
    }

    /// `Sun, 25 Jan 2026 09:53:19 +0000`.
    pub(super) fn rfc2822(self) -> String {
        self.utc().to_rfc2822()
    }

    /// `2026-01-02T03:04:05.602648368Z`.
    pub(super) fn iso_nanos(self) -> String {
        format!("{}{:06}Z", self.millis(), self.0 % 1_000_000)
    }

    /// `2026-01-02T03:04:05.602648Z`.
    pub(super) fn iso_micros(self) -> String {
        format!("{}{:03}Z", self.millis(), self.0 % 1_000_000 / 1000)
    }

    fn utc(self) -> UtcTime {
        UtcTime::from_unix_ms((self.0 / 1_000_000) as i64)
    }

    /// ISO 8601 with three digits and still without its zone.
    fn millis(self) -> String {
        self.utc().to_string().trim_end_matches('Z').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_callback_has_its_own_digits() {
        let at = Moment::from_unix_ns(1_767_323_045_602_048_368);
        assert_eq!(at.iso_nanos(), "2026-01-02T03:04:05.602048368Z");
        assert_eq!(at.iso_micros(), "2026-01-02T03:04:05.602048Z");
        assert_eq!(at.rfc2822(), "Fri, 02 Jan 2026 03:04:05 +0000");
    }
}
