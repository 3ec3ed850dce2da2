//! A party's address: whole on the wire, masked in any print.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An address as Twilio writes it: E.164, `client:name`, `sip:user@host`, `anonymous`, or whatever a
/// carrier sent. Printing one, with `{}` or `{:?}`, shows its last two characters only, so that a log
/// line cannot hold a number by accident; [`PhoneNumber::as_str`] is the deliberate way to the whole.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhoneNumber(String);

/// Longest address kept, in characters; SIP addresses are rarely over 100.
pub const MAX_ADDRESS: usize = 256;

impl PhoneNumber {
    /// Takes an address; nothing is refused (a caller may be `anonymous`), but what is longer than
    /// [`MAX_ADDRESS`] is cut and control characters are dropped. A leading space is the plus that an
    /// unescaped form loses: `To=+1…` arrives as ` 1…`.
    pub fn new(address: &str) -> Self {
        let mut kept: String = address
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_ADDRESS)
            .collect::<String>();
        if let Some(rest) = kept.strip_prefix(' ')
            && rest.starts_with(|c: char| c.is_ascii_digit())
        {
            kept = format!("+{rest}");
        }
        PhoneNumber(kept.trim().to_owned())
    }

    /// As [`PhoneNumber::new`], and nothing where there is no text.
    pub fn non_empty(address: &str) -> Option<Self> {
        let number = Self::new(address);
        (!number.0.is_empty()).then_some(number)
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An agent's softphone, `client:…`.
    pub fn is_client(&self) -> bool {
        self.0.starts_with("client:")
    }

    /// A softphone of either kind, `client:…` or `sip:…`.
    pub fn is_softphone(&self) -> bool {
        self.is_client() || self.0.starts_with("sip:") || self.0.starts_with("sips:")
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.chars().count();
        f.write_str("…")?;
        // Two of a short address would be all of it.
        let shown = if count >= 6 { 2 } else { 0 };
        for c in self.0.chars().skip(count - shown) {
            write!(f, "{c}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_hide_the_number_and_the_wire_has_it_whole() {
        let number = PhoneNumber::new("+12125550100");
        assert_eq!(format!("{number} {number:?}"), "…00 …00");
        assert_eq!(serde_json::to_string(&number).unwrap(), "\"+12125550100\"");
        assert_eq!(format!("{}", PhoneNumber::new("911")), "…");
    }

    #[test]
    fn a_lost_plus_comes_back() {
        assert_eq!(PhoneNumber::new(" 1234567890").as_str(), "+1234567890");
        assert_eq!(PhoneNumber::new(" client:a").as_str(), "client:a");
        assert_eq!(PhoneNumber::non_empty("  "), None);
    }

    #[test]
    fn an_address_without_end_is_cut() {
        let fits = format!("sip:{}", "ü".repeat(MAX_ADDRESS - 4));
        assert_eq!(PhoneNumber::new(&fits).as_str(), fits);
        assert_eq!(PhoneNumber::new(&format!("{fits}x")).as_str(), fits);
    }
}
