//! Why a request or a stream is not taken for Twilio's, each with its counter and what an operator can do about
//! it. Tells a few times what a flood says a thousand times; says nothing that was in the request.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tracing::warn;

use crate::lock::lock;
use crate::metrics::{Counter, Metrics};

/// One reason is told this often at most; what came meanwhile is in the next line's number.
pub const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Why something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// There is no signature.
    Unsigned,
    /// The signature is none, or another's.
    Mismatch,
    /// No token is known for the account that is named.
    NoToken,
    /// It names another account than the one whose call it is about, or whose token signed its handshake.
    OtherAccount,
    /// The stream shows no pass.
    NoPass,
    /// Its pass is not ours, or not for this call.
    ForgedPass,
    /// Its pass is over.
    LatePass,
    /// Its pass was shown before.
    UsedPass,
    /// There is no room to remember its pass.
    TooManyPasses,
    /// The account has used up its dials.
    AccountDials,
    /// The caller has used up his dials.
    CallerDials,
}

impl Why {
    fn counter(self, metrics: &Metrics) -> &Counter {
        match self {
            Why::Unsigned => &metrics.signatures_missing,
            Why::Mismatch => &metrics.signatures_wrong,
            Why::NoToken => &metrics.signatures_without_token,
            Why::OtherAccount => &metrics.accounts_mixed,
            Why::NoPass => &metrics.passes_missing,
            Why::ForgedPass => &metrics.passes_forged,
            Why::LatePass => &metrics.passes_late,
            Why::UsedPass => &metrics.passes_used,
            Why::TooManyPasses => &metrics.passes_too_many,
            Why::AccountDials => &metrics.dials_refused_account,
            Why::CallerDials => &metrics.dials_refused_caller,
        }
    }
}

/// What was found and what to look at, for the log.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Unsigned => "there is no X-Twilio-Signature: is something else than Twilio sending this, or a proxy dropping the header?",
            Why::Mismatch => "signature does not match",
            Why::NoToken => "no auth token is known for the account that it names: add --twilio-account AC…=TOKEN if it is yours",
            Why::OtherAccount => "it names another account than the one whose call it is, or whose token signed the handshake",
            Why::NoPass => "the stream shows no pass: its TwiML is not this relay's; --foreign-streams allow would take it",
            Why::ForgedPass => "the stream's pass is not for this call and account, or was written by another's token: do all relays have the same tokens?",
            Why::LatePass => "the stream's pass is over, 15 minutes after its TwiML: do the clocks of all relays agree?",
            Why::UsedPass => "the stream's pass was shown before: a TwiML opens one stream",
            Why::TooManyPasses => "more streams began in 15 minutes than their passes can be remembered of",
            Why::AccountDials => "the account has more dialled than 100 a second: is somebody ringing on your bill?",
            Why::CallerDials => "one caller has more dialled than 30 a minute: is somebody ringing on your bill?",
        })
    }
}

/// Counts all refusals and logs some.
#[derive(Debug, Default)]
pub struct Refusals {
    told: Mutex<HashMap<Option<Why>, Told>>,
}

#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    since: u64,
}

impl Refusals {
    /// One more. `place` is the URL that the signature was computed over, without its query; empty where none
    /// was.
    pub fn count(&self, now: Instant, metrics: &Metrics, why: Why, place: &str) {
        why.counter(metrics).add_one();
        if let Some(refused) = self.due(now, Some(why)) {
            if place.is_empty() {
                warn!(refused, "{why}");
            } else {
                warn!(
                    refused,
                    "{why}; computed over {place}: is that what Twilio calls?"
                );
            }
        }
    }

    /// Webhooks had to be forgotten before their time; the youngest was `age` old.
    pub fn forgot(&self, now: Instant, age: Duration) {
        if self.due(now, None).is_some() {
            warn!(
                remembered_s = age.as_secs(),
                "more webhooks come than can be remembered for 24 hours: older ones, sent again, would act again"
            );
        }
    }

    /// How many there were since the last line, where a line is due.
    fn due(&self, now: Instant, why: Option<Why>) -> Option<u64> {
        let mut all = lock(&self.told);
        let told = all.entry(why).or_default();
        told.since += 1;
        let recent = told
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < TOLD_EVERY);
        if recent {
            return None;
        }
        told.last = Some(now);
        Some(std::mem::take(&mut told.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_whole_and_told_in_a_line() {
        let (refusals, metrics, start) = (Refusals::default(), Metrics::default(), Instant::now());
        assert_eq!(refusals.due(start, Some(Why::Mismatch)), Some(1));
        for _ in 0..1000 {
            assert_eq!(refusals.due(start, Some(Why::Mismatch)), None);
        }
        assert_eq!(
            refusals.due(start, Some(Why::NoPass)),
            Some(1),
            "each reason has its line"
        );
        assert_eq!(refusals.due(start + TOLD_EVERY, Some(Why::Mismatch)), Some(1001));
        for _ in 0..7 {
            refusals.count(
                start,
                &metrics,
                Why::Mismatch,
                "https://calls.example.com/twilio/voice",
            );
        }
        assert_eq!(metrics.signatures_wrong.get(), 7);
    }
}
