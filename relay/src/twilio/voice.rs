//! The voice webhook: what to do with a call. It is answered whatever else is wrong. Waits for nothing, not
//! even for a lock that is held for longer than a few lines, so the answer is there at once.

use partyline_shared::call::CallStatus;
use partyline_shared::id::CallSid;
use partyline_shared::phone::PhoneNumber;
use partyline_shared::twilio::callback::{Parties, StatusCallback, call_sid};
use partyline_shared::twilio::form::Form;
use tracing::{info, warn};

use super::dial::{self, Verdict, Why};
use super::door::Door;
use super::pass::{self, desk::Whose};
use super::rates::TooOften;
use super::refused;
use super::twiml::{self, VoiceAnswer};
use crate::calls::parties::FromWebhook;
use crate::clock::Now;
use crate::config::dial::NoticeTo;
use crate::config::{Config, Engine};
use crate::metrics::{Counter, Metrics};

#[cfg(test)]
mod tests;

/// What Twilio writes for callers who withhold their number: many people, so nobody's allowance.
const WITHHELD: [&str; 5] = [
    "+266696687",
    "+7378742883",
    "+2562533",
    "+8656696",
    "+86282452253",
];

/// Longest customer id, characters: it has to fit a TwiML parameter of 500 with its name.
const MAX_CUSTOMER_ID: usize = 128;

/// Where Twilio is to send the call's streams and callbacks.
#[derive(Debug, Clone, Copy)]
pub struct Whereto<'a> {
    /// What callbacks begin with: `https://calls.example.com`.
    pub base: &'a str,
    /// What follows `wss://`.
    pub host: &'a str,
    /// Whether the relay takes no new calls.
    pub draining: bool,
}

/// What a webhook says, apart from whom it has us ring.
struct Said {
    sid: Option<CallSid>,
    parties: Parties,
    status: Option<CallStatus>,
    customer: Option<String>,
}

/// Answers the voice webhook: TwiML, always. `query` and `form` are what came with it.
pub fn voice(now: Now, config: &Config, door: &Door, to: Whereto<'_>, query: &Form, form: &Form) -> String {
    let mut whole = form.clone();
    for (name, value) in query.pairs().filter(|(name, _)| form.get(name).is_none()) {
        whole.push(name, value);
    }
    let field = |name: &str| form.filled(name).or_else(|| query.filled(name));
    let said = Said {
        sid: call_sid(&whole),
        parties: Parties::read(&whole),
        status: StatusCallback::read(&whole).and_then(|callback| callback.status),
        customer: field("customer_id").and_then(customer_id),
    };
    let verdict = dial::decide(
        &config.dial,
        config.insecure,
        said.parties.direction.as_deref(),
        said.parties.from.as_ref(),
        said.parties.to.as_ref(),
    );
    match verdict {
        Verdict::Apology { why } => apology(now, door, said, why),
        // Not followed either: a flood of them would fill the list of calls.
        Verdict::Dial { .. } if is_too_often(now, config, door, &said.parties) => twiml::apology(),
        dial @ Verdict::Dial { .. } => connect(now, config, door, to, said, dial),
    }
}

/// A customer's id as an operator writes one; what is longer than 128 characters or has controls is none.
pub(super) fn customer_id(text: &str) -> Option<String> {
    let cleaned = partyline_shared::text::clean(text).trim().to_owned();
    (!cleaned.is_empty() && cleaned.chars().count() <= MAX_CUSTOMER_ID).then_some(cleaned)
}

/// The notice alone, for who was dialled.
pub fn notice(config: &Config) -> String {
    twiml::notice_only(&config.dial.notice, &config.dial.notice_language)
}

/// Whether the account or the caller has used up its dials. Under --insecure any number may be dialled, and the
/// simulator's calls are all of one caller.
fn is_too_often(now: Now, config: &Config, door: &Door, parties: &Parties) -> bool {
    if config.insecure {
        return false;
    }
    let named = |from: &&PhoneNumber| {
        let number = from.as_str().starts_with('+') && !WITHHELD.contains(&from.as_str());
        number || from.is_softphone()
    };
    let account = parties.account_sid.as_deref().unwrap_or_default();
    let caller = parties.from.as_ref().filter(named).map(PhoneNumber::as_str);
    let taken = door.rates().dial(now.mono, account, caller);
    let Err(too_often) = taken else { return false };
    let why = match too_often {
        TooOften::Account => refused::Why::AccountDials,
        TooOften::Caller => refused::Why::CallerDials,
    };
    door.refused(now, why, "");
    true
}

fn counter(metrics: &Metrics, why: Why) -> &Counter {
    match why {
        Why::NobodyTakesIt => &metrics.dials_without_taker,
        Why::NoTo => &metrics.dials_without_to,
        Why::NotDialable => &metrics.dials_undialable,
        Why::NotAllowed => &metrics.dials_not_allowed,
        Why::NoCallerId => &metrics.dials_without_caller_id,
        Why::NoRule => &metrics.dials_without_rule,
    }
}

fn apology(now: Now, door: &Door, said: Said, why: Why) -> String {
    counter(door.metrics(), why).add_one();
    warn!(call = ?said.sid, %why, "nobody is rung");
    // A call all the same, and a supervisor wants to know why it came to nothing.
    if let Some(call) = said.sid.and_then(|sid| door.registry().open(now, &sid).ok()) {
        let from = FromWebhook {
            parties: said.parties,
            customer_id: said.customer,
            ..FromWebhook::default()
        };
        call.webhook(now, from, said.status);
        call.error(now, &format!("nobody is rung: {why}"));
    }
    twiml::apology()
}

fn connect(now: Now, config: &Config, door: &Door, to: Whereto<'_>, said: Said, verdict: Verdict) -> String {
    let Verdict::Dial {
        target,
        caller_id,
        customer_id,
        agent,
    } = verdict
    else {
        return twiml::apology();
    };
    let account = said.parties.account_sid.clone().unwrap_or_default();
    let from = FromWebhook {
        parties: said.parties,
        customer_id: said.customer,
        route_customer: customer_id,
        route_agent: agent,
        dialed: Some(target.address().clone()),
    };
    let customer = from.route_customer.clone().or_else(|| from.customer_id.clone());
    let rules = &config.dial;
    let answer = VoiceAnswer {
        base: to.base,
        host: to.host,
        notice: &rules.notice,
        language: &rules.notice_language,
        notice_to_both: rules.notice_to == NoticeTo::Both,
        transcription: config.transcription.contains(&Engine::Twilio),
        parameters: &[],
        target: &target,
        caller_id: caller_id.as_ref(),
    };
    let Some(sid) = said.sid else {
        warn!("a voice webhook without a CallSid: connected, but not followed");
        return twiml::without_stream(&answer);
    };
    if to.draining {
        return twiml::without_stream(&answer);
    }
    let call = match door.registry().open(now, &sid) {
        Ok(call) => call,
        Err(why) => {
            warn!(call = %sid, %why, "call connected, but not followed");
            return twiml::without_stream(&answer);
        }
    };
    call.webhook(now, from, said.status);
    info!(call = %sid, "call connected and followed");
    let whose = Whose {
        accounts: &config.accounts,
        insecure: config.insecure,
        account: &account,
        call: sid.as_str(),
    };
    let pass = door.passes().write(now.wall, whose);
    if pass.is_none() && !config.insecure {
        warn!(call = %sid, "the webhook names no account: its stream has no pass, and will be refused");
    }
    let parameters: Vec<(&str, &str)> = customer
        .iter()
        .map(|id| ("customer_id", id.as_str()))
        .chain(pass.iter().map(|pass| (pass::PARAMETER, pass.as_str())))
        .collect();
    twiml::voice(&VoiceAnswer {
        parameters: &parameters,
        ..answer
    })
}
