//! The voice webhook: what to do with a call. It is answered whatever else is wrong. Waits for nothing, not
//! even for a lock that is held for longer than a few lines, so the answer is there at once.

use partyline_shared::call::CallStatus;
use partyline_shared::id::CallSid;
use partyline_shared::phone::PhoneNumber;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;
use partyline_shared::twilio::callback::{Parties, StatusCallback, call_sid};
use partyline_shared::twilio::form::Form;
use tracing::{info, warn};

use super::dial::{self, Target, Verdict, Why};
use super::door::Door;
use super::pass::spent::Nonce;
use super::pass::{self, desk::Whose};
use super::refused;
use super::twiml::{self, VoiceAnswer};
use crate::calls::mirror::Deed;
use crate::calls::parties::{FromWebhook, customer_id};
use crate::clock::Now;
use crate::config::dial::NoticeTo;
use crate::config::{Config, Engine};
use crate::limits::dials::TooOften;
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

/// What was answered to a webhook, as far as it does not follow from what the webhook says and the rules in force: by
/// this the same can be answered again, without doing it again, and never more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The notice alone.
    Notice,
    /// Nobody is rung.
    Apology,
    /// Connected, and not followed; or whatever it was, before a restart.
    Plain,
    /// Connected and followed.
    Followed {
        /// When its pass was written, seconds since 1970.
        written_s: u32,
    },
}

impl Told {
    /// As other relays are told, in a word that tells no more than this does.
    pub fn to_word(self) -> String {
        match self {
            Told::Notice => "n".to_owned(),
            Told::Apology => "a".to_owned(),
            Told::Plain => "p".to_owned(),
            Told::Followed { written_s } => format!("f{written_s}"),
        }
    }

    /// Reads that. What is not known here is connected, and not followed.
    pub fn from_word(word: &str) -> Told {
        match (word, word.strip_prefix('f')) {
            ("n", _) => Told::Notice,
            ("a", _) => Told::Apology,
            (_, Some(seconds)) => seconds
                .parse()
                .map_or(Told::Plain, |written_s| Told::Followed { written_s }),
            _ => Told::Plain,
        }
    }
}

/// What a webhook says, apart from whom it has us ring.
struct Said {
    sid: Option<CallSid>,
    parties: Parties,
    status: Option<CallStatus>,
    customer: Option<String>,
}

/// Whom it has us ring.
struct Rung {
    target: Target,
    caller_id: Option<PhoneNumber>,
    customer: Option<String>,
    agent: Option<Track>,
}

impl Said {
    fn read(query: &Form, form: &Form) -> Said {
        let mut whole = form.clone();
        for (name, value) in query.pairs().filter(|(name, _)| form.get(name).is_none()) {
            whole.push(name, value);
        }
        let field = |name: &str| form.filled(name).or_else(|| query.filled(name));
        Said {
            sid: call_sid(&whole),
            parties: Parties::read(&whole),
            status: StatusCallback::read(&whole).and_then(|callback| callback.status),
            customer: field("customer_id").and_then(customer_id),
        }
    }

    fn rings(&self, config: &Config) -> Result<Rung, Why> {
        let Parties {
            direction, from, to, ..
        } = &self.parties;
        match dial::decide(
            &config.dial,
            config.insecure,
            direction.as_deref(),
            from.as_ref(),
            to.as_ref(),
        ) {
            Verdict::Apology { why } => Err(why),
            Verdict::Dial {
                target,
                caller_id,
                customer_id,
                agent,
            } => Ok(Rung {
                target,
                caller_id,
                customer: customer_id,
                agent,
            }),
        }
    }
}

/// Answers the voice webhook: TwiML, always. `query` and `form` are what came with it; `nonce` names the pass of its
/// stream.
pub fn voice(
    now: Now,
    config: &Config,
    door: &Door,
    to: Whereto<'_>,
    (query, form): (&Form, &Form),
    nonce: Nonce,
) -> (String, Told) {
    let said = Said::read(query, form);
    let rung = match said.rings(config) {
        Ok(rung) => rung,
        Err(why) => {
            apology(now, door, said, why, !to.draining);
            return (twiml::apology(), Told::Apology);
        }
    };
    // Not followed either: a flood of them would fill the list of calls.
    if is_too_often(now, config, door, &said.parties) {
        return (twiml::apology(), Told::Apology);
    }
    let told = connect(now, door, to.draining, &said, &rung);
    (write(config, door, to, &said, &rung, told, nonce), told)
}

/// Answers a webhook that was answered before as it was then, and does nothing. Who is rung no more by the rules in
/// force is not rung by this either.
pub fn again(
    config: &Config,
    door: &Door,
    to: Whereto<'_>,
    (query, form): (&Form, &Form),
    told: Told,
    nonce: Nonce,
) -> String {
    let said = Said::read(query, form);
    match (told, said.rings(config)) {
        (Told::Notice, _) => notice(config),
        (Told::Apology, _) | (_, Err(_)) => twiml::apology(),
        (told, Ok(rung)) => write(config, door, to, &said, &rung, told, nonce),
    }
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
    let taken = door.limits().dial(now.mono, account, caller);
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

fn apology(now: Now, door: &Door, said: Said, why: Why, followed: bool) {
    counter(door.metrics(), why).add_one();
    warn!(call = ?said.sid, %why, "nobody is rung");
    // A call all the same, and a supervisor wants to know why it came to nothing.
    let Some(sid) = said.sid.filter(|_| followed) else {
        return;
    };
    let from = FromWebhook {
        parties: said.parties,
        customer_id: said.customer,
        ..FromWebhook::default()
    };
    let message = format!("nobody is rung: {why}");
    let status = said.status;
    for deed in [Deed::Webhook { from, status }, Deed::Error { message }] {
        // Where it is one too many it is told of as such.
        let _ = door.registry().act(now, &sid, deed);
    }
}

/// Follows the call that is about to be connected, where that is possible.
fn connect(now: Now, door: &Door, draining: bool, said: &Said, rung: &Rung) -> Told {
    let Some(sid) = &said.sid else {
        warn!("a voice webhook without a CallSid: connected, but not followed");
        return Told::Plain;
    };
    if draining {
        return Told::Plain;
    }
    let from = FromWebhook {
        parties: said.parties.clone(),
        customer_id: said.customer.clone(),
        route_customer: rung.customer.clone(),
        route_agent: rung.agent,
        dialed: Some(rung.target.address().clone()),
    };
    let status = said.status;
    if let Err(why) = door.registry().act(now, sid, Deed::Webhook { from, status }) {
        warn!(call = %sid, %why, "call connected, but not followed");
        return Told::Plain;
    }
    info!(call = %sid, "call connected and followed");
    Told::Followed {
        written_s: u32::try_from(now.wall.unix_ms() / 1000).unwrap_or_default(),
    }
}

fn write(
    config: &Config,
    door: &Door,
    to: Whereto<'_>,
    said: &Said,
    rung: &Rung,
    told: Told,
    nonce: Nonce,
) -> String {
    let rules = &config.dial;
    let answer = VoiceAnswer {
        base: to.base,
        host: to.host,
        notice: &rules.notice,
        language: &rules.notice_language,
        notice_to_both: rules.notice_to == NoticeTo::Both,
        transcription: config.transcription.contains(&Engine::Twilio),
        parameters: &[],
        target: &rung.target,
        caller_id: rung.caller_id.as_ref(),
    };
    let (Some(sid), Told::Followed { written_s }) = (&said.sid, told) else {
        return twiml::without_stream(&answer);
    };
    let whose = Whose {
        accounts: &config.accounts,
        insecure: config.insecure,
        account: said.parties.account_sid.as_deref().unwrap_or_default(),
        call: sid.as_str(),
    };
    let written = UtcTime::from_unix_ms(i64::from(written_s) * 1000);
    let pass = door.passes().write(written, nonce, whose);
    if pass.is_none() && !config.insecure {
        warn!(call = %sid, "the webhook names no account: its stream has no pass, and will be refused");
    }
    let customer = rung.customer.as_deref().or(said.customer.as_deref());
    let parameters: Vec<(&str, &str)> = customer
        .map(|id| ("customer_id", id))
        .into_iter()
        .chain(pass.iter().map(|pass| (pass::PARAMETER, pass.as_str())))
        .collect();
    twiml::voice(&VoiceAnswer {
        parameters: &parameters,
        ..answer
    })
}
