//! What is pointed at the relay: a number or an application, and how it is found.

use partyline_shared::id::is_id;
use serde_json::Value;

use crate::rest::{Account, Failed};

/// Digits of a phone number, by E.164.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// How long SIDs are.
const SID: usize = 34;

/// A number or an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Thing {
    /// `+1…`.
    Number(String),
    /// `AP…`.
    App(String),
}

/// One that is there.
pub(super) struct Found {
    /// Whose it is.
    pub(super) account: Account,
    /// What it is called there.
    pub(super) resource: String,
    /// What people call it.
    pub(super) name: String,
    /// Whether a number, which may be led elsewhere.
    pub(super) is_number: bool,
    /// As Twilio shows it.
    pub(super) json: Value,
}

/// Reads a number; what people put between digits is left out.
pub(super) fn number(text: &str) -> Result<Thing, String> {
    let plain: String = text.chars().filter(|c| !" -.()".contains(*c)).collect();
    let digits = plain.strip_prefix('+').unwrap_or_default();
    let is_number = DIGITS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let is_number = is_number.then_some(Thing::Number(plain));
    is_number.ok_or_else(|| "write it as it is dialled from abroad: +12125550100".to_owned())
}

/// Reads an application's SID.
pub(super) fn app(text: &str) -> Result<Thing, String> {
    if text.starts_with("AP") && text.len() == SID && is_id(text) {
        Ok(Thing::App(text.to_owned()))
    } else {
        Err("write the SID of a TwiML application: AP and 32 hex digits".to_owned())
    }
}

impl Thing {
    /// What people call it.
    pub(super) fn name(&self) -> String {
        match self {
            Thing::Number(number) => format!("the number {number}"),
            Thing::App(sid) => format!("the application {sid}"),
        }
    }

    /// It, where this account has it.
    pub(super) async fn find(&self, account: &Account) -> Result<Option<Found>, Failed> {
        let found = match self {
            Thing::Number(number) => find_number(account, number).await?,
            Thing::App(sid) => match account.get(&format!("Applications/{sid}.json")).await {
                Ok(answer) => Some((format!("Applications/{sid}.json"), answer.json)),
                Err(Failed::Refused(refused)) if refused.is_unknown() => None,
                Err(error) => return Err(error),
            },
        };
        Ok(found.map(|(resource, json)| Found {
            account: account.clone(),
            resource,
            name: self.name(),
            is_number: matches!(self, Thing::Number(_)),
            json,
        }))
    }
}

/// Twilio finds also those that only contain it.
async fn find_number(account: &Account, number: &str) -> Result<Option<(String, Value)>, Failed> {
    let query = number.replace('+', "%2B");
    let answer = account
        .get(&format!("IncomingPhoneNumbers.json?PhoneNumber={query}"))
        .await?;
    let is_it = |value: &&Value| value.get("phone_number").and_then(Value::as_str) == Some(number);
    let found = answer.list("incoming_phone_numbers").iter().find(is_it);
    Ok(found.and_then(|value| {
        let sid = value
            .get("sid")
            .and_then(Value::as_str)
            .filter(|sid| is_id(sid))?;
        Some((format!("IncomingPhoneNumbers/{sid}.json"), value.clone()))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_one_is_told_with_how_it_is_written() {
        assert_eq!(
            number("+1 (212) 555-0100"),
            Ok(Thing::Number("+12125550100".into()))
        );
        for wrong in [
            "",
            "2125550100",
            "+1",
            "+1212555010x",
            "+1234567890123456",
            "client:a",
        ] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
        let sid = "AP11111111111111111111111111111111";
        assert_eq!(app(sid), Ok(Thing::App(sid.into())));
        for wrong in [
            "",
            "AP1",
            "AC11111111111111111111111111111111",
            "AP/1111111111111111111111111111111",
        ] {
            assert!(app(wrong).is_err(), "{wrong}");
        }
    }
    #[test]
    fn numbers_and_sids_have_their_lengths() {
        for digits in [6, 7, 15, 16] {
            let text = format!("+{}", "1".repeat(digits));
            assert_eq!(number(&text).is_ok(), (7..=15).contains(&digits), "{text}");
        }
        for hex in [31, 32, 33] {
            let text = format!("AP{}", "0".repeat(hex));
            assert_eq!(app(&text).is_ok(), hex == 32, "{text}");
        }
    }
}
