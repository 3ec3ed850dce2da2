//! The operator's rules on whom to ring and what to say, checked. `twilio/dial` applies them.

use partyline_shared::phone::{MAX_ADDRESS, PhoneNumber};
use partyline_shared::track::Track;

use super::problem::Fault;
use super::source::Layers;

/// Fewest and most digits of a number that is dialled. 15 is E.164's most; the shortest are national
/// service numbers.
const DIGITS: std::ops::RangeInclusive<usize> = 3..=15;

/// The longest text of one `<Say>` that Twilio takes, characters.
pub const MAX_SAY: usize = 4096;

/// What is said where the operator says nothing.
const NOTICE: &str = "This call is being monitored and transcribed for quality assurance purposes.";

/// Somebody who can be rung. Its prints are masked, as those of a [`PhoneNumber`] are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A number.
    Number(PhoneNumber),
    /// An agent's softphone, with its `client:`.
    Client(PhoneNumber),
    /// A SIP address, with its `sip:` or `sips:`.
    Sip(PhoneNumber),
}

impl Target {
    /// What `address` is. A number needs its plus unless `bare_digits`; no formatting is taken out of it,
    /// since what is dialled must be what the rules were asked about. `None` where it cannot be rung.
    pub fn parse(address: &PhoneNumber, bare_digits: bool) -> Option<Target> {
        let text = address.as_str();
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        if let Some(name) = text.strip_prefix("client:") {
            return (!name.is_empty()).then(|| Target::Client(address.clone()));
        }
        if let Some(rest) = text.strip_prefix("sip:").or_else(|| text.strip_prefix("sips:")) {
            return (!rest.is_empty()).then(|| Target::Sip(address.clone()));
        }
        let digits = match text.strip_prefix('+') {
            Some(digits) => digits,
            None if bare_digits => text,
            None => return None,
        };
        let is_number = DIGITS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| Target::Number(address.clone()))
    }

    /// The whole address: `+1…`, `client:alice`, `sip:desk@example.com`.
    pub fn address(&self) -> &PhoneNumber {
        match self {
            Target::Number(address) | Target::Client(address) | Target::Sip(address) => address,
        }
    }
}

/// Who hears the notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeTo {
    /// Only who called.
    Caller,
    /// The dialled party too, before being connected.
    Both,
}

/// One `[[routes]]`: a call to `to` rings `dial`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The number or address that was called.
    pub to: PhoneNumber,
    /// Who is rung for it.
    pub dial: Target,
    /// Whose call it is.
    pub customer_id: Option<String>,
    /// Which track the agent is on.
    pub agent: Option<Track>,
}

/// Whom to ring, as whom, and what is said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialRules {
    /// Our number, shown to who is rung.
    pub caller_id: Option<PhoneNumber>,
    /// Who is rung for a call from outside that no route matches.
    pub default_dial: Option<Target>,
    /// What the `To` of a softphone's call may begin with; nothing may be dialled where it is empty.
    pub dial_allow: Vec<PhoneNumber>,
    /// Said before anybody is connected; nothing is said where it is empty. At most [`MAX_SAY`] characters.
    pub notice: String,
    /// In which language, BCP 47; the transcript's language too.
    pub notice_language: String,
    /// To whom.
    pub notice_to: NoticeTo,
    /// Asked in this order, before anything else.
    pub routes: Vec<Route>,
}

impl Default for DialRules {
    fn default() -> Self {
        DialRules {
            caller_id: None,
            default_dial: None,
            dial_allow: Vec::new(),
            notice: NOTICE.to_owned(),
            notice_language: "en-US".to_owned(),
            notice_to: NoticeTo::Both,
            routes: Vec::new(),
        }
    }
}

impl DialRules {
    pub(super) fn read(layers: &mut Layers<'_>) -> DialRules {
        let default = DialRules::default();
        DialRules {
            caller_id: layers.one("caller_id", None, |text| caller_id(text).map(Some)),
            default_dial: layers.one("default_dial", None, |text| target(text).map(Some)),
            dial_allow: layers
                .list("dial_allow", prefix)
                .map(|(_, list)| list)
                .unwrap_or_default(),
            notice: layers.one("notice", default.notice, notice),
            notice_language: layers.one("notice_language", default.notice_language, language),
            notice_to: layers.one("notice_to", default.notice_to, |text| match text {
                "caller" => Ok(NoticeTo::Caller),
                "both" => Ok(NoticeTo::Both),
                _ => Err(Fault::new(
                    format!("`{text}` hears no notice"),
                    "write \"caller\" or \"both\"",
                )),
            }),
            routes: routes(layers),
        }
    }
}

fn routes(layers: &mut Layers<'_>) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for (line, values) in std::mem::take(&mut layers.file.routes) {
        let place = layers.file.place(line);
        let problems = &mut layers.problems;
        let get = |key: &str| {
            values
                .get(key)
                .map(|v| v.texts.first().cloned().unwrap_or_default())
        };
        let (to, dial) = (get("to"), get("dial"));
        if to.is_none() || dial.is_none() {
            let fix = "write to = \"+1…\" (who was called) and dial = \"client:…\" (who is rung)";
            problems.add(&place, Fault::new("a route needs both `to` and `dial`", fix));
        }
        let to = to.map(|text| called(&text)).transpose();
        let dial = dial.map(|text| target(&text)).transpose();
        let agent = get("agent")
            .map(|text| {
                let fix = "write \"inbound\" or \"outbound\"";
                Track::parse(&text).ok_or_else(|| Fault::new(format!("`{text}` is no track"), fix))
            })
            .transpose();
        let customer_id = get("customer_id").filter(|id| !id.is_empty());
        match (to, dial, agent) {
            (Ok(Some(to)), Ok(Some(dial)), Ok(agent)) => {
                if routes.iter().any(|route| route.to == to) {
                    let fix = "the first one is always taken: remove one";
                    problems.add(&place, Fault::new("another route has the same `to`", fix));
                }
                routes.push(Route {
                    to,
                    dial,
                    customer_id,
                    agent,
                });
            }
            (to, dial, agent) => {
                for (key, fault) in [("to", to.err()), ("dial", dial.err()), ("agent", agent.err())] {
                    if let Some(fault) = fault {
                        let line = values.get(key).map_or(line, |v| v.line);
                        problems.add(layers.file.place(line), fault);
                    }
                }
            }
        }
    }
    routes
}

/// An address as somebody configures it. (Configured numbers are the operator's own and are shown to the
/// operator in full.)
fn address(text: &str) -> Option<PhoneNumber> {
    PhoneNumber::non_empty(text).filter(|a| text.chars().count() <= MAX_ADDRESS && a.as_str() == text)
}

fn target(text: &str) -> Result<Target, Fault> {
    let fix = "write a number with its plus (+12125550100), client:NAME or sip:USER@HOST";
    address(text)
        .and_then(|address| Target::parse(&address, false))
        .ok_or_else(|| Fault::new(format!("`{text}` cannot be rung"), fix))
}

/// What a route matches can be anything that Twilio sends as `To`.
fn called(text: &str) -> Result<PhoneNumber, Fault> {
    let fix = "write it as Twilio sends it: +12125550111, client:NAME or sip:USER@HOST";
    address(text).ok_or_else(|| Fault::new(format!("`{text}` is never called"), fix))
}

fn caller_id(text: &str) -> Result<PhoneNumber, Fault> {
    match target(text) {
        Ok(Target::Number(number) | Target::Client(number)) => Ok(number),
        _ => Err(Fault::new(
            format!("`{text}` cannot be shown as the caller"),
            "write one of your Twilio numbers with its plus, +12125550100",
        )),
    }
}

/// A whole number may stand there, so it is kept as one.
fn prefix(text: &str) -> Result<PhoneNumber, Fault> {
    let begins = |other: &str| text.starts_with(other) || other.starts_with(text);
    let number = text
        .strip_prefix('+')
        .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    if !text.is_empty() && (number || begins("client:") || begins("sip:") || begins("sips:")) {
        return Ok(PhoneNumber::new(text));
    }
    Err(Fault::new(
        format!("nothing that can be dialled begins with `{text}`"),
        "write the beginning of a number with its plus, \"+1\"; \"+\" permits every number",
    ))
}

fn notice(text: &str) -> Result<String, Fault> {
    match text.chars().count() {
        long if long > MAX_SAY => Err(Fault::new(
            format!("the notice has {long} characters"),
            format!("Twilio says at most {MAX_SAY}: shorten it"),
        )),
        _ => Ok(text.trim().to_owned()),
    }
}

fn language(text: &str) -> Result<String, Fault> {
    let part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if text.len() >= 2 && text.split('-').all(part) {
        return Ok(text.to_owned());
    }
    Err(Fault::new(
        format!("`{text}` is no language"),
        "write a tag such as en-US or pt-BR",
    ))
}
