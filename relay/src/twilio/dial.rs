//! Who may be rung. A relay that dials whatever a request names is a stranger's free telephone, so the rules
//! say yes to a few cases and the apology has all the rest. Pure: what a request said, and a verdict.

use std::fmt;

use partyline_shared::phone::PhoneNumber;
use partyline_shared::track::Track;

use crate::config::dial::DialRules;
pub use crate::config::dial::Target;

#[cfg(test)]
mod tests;

/// What the answer to a voice webhook does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Connects the caller.
    Dial {
        /// With whom.
        target: Target,
        /// The number that is shown to whom is rung; Twilio shows the caller's own where there is none.
        caller_id: Option<PhoneNumber>,
        /// Whose call it is, where a route says so.
        customer_id: Option<String>,
        /// Which track the agent is on, where a route says so.
        agent: Option<Track>,
    },
    /// Apologises and hangs up.
    Apology {
        /// For the operator's log; the caller is not told.
        why: Why,
    },
}

/// Why nobody is rung, and what an operator can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A call from outside, and nothing says who takes it.
    NobodyTakesIt,
    /// The request has no `To`.
    NoTo,
    /// `To` is nothing that can be dialled.
    NotDialable,
    /// `dial_allow` has no beginning of `To`.
    NotAllowed,
    /// A softphone dials, and there is no number to show.
    NoCallerId,
    /// Neither from outside nor from a softphone: no rule is for it.
    NoRule,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::NobodyTakesIt => "a call from outside matches no route: add one, or set default_dial",
            Why::NoTo => "the request names nobody to dial: send To",
            Why::NotDialable => {
                "To cannot be dialled: send a number with its plus, client:NAME or sip:USER@HOST"
            }
            Why::NotAllowed => "dial_allow does not permit To: add its beginning there, or a route",
            Why::NoCallerId => "a softphone needs a number to show: set caller_id",
            Why::NoRule => "neither a call from outside nor a softphone's: add a route for its To",
        })
    }
}

/// Decides who is rung. `direction`, `from` and `to` are the voice webhook's; `insecure` is the flag.
pub fn decide(
    rules: &DialRules,
    insecure: bool,
    direction: Option<&str>,
    from: Option<&PhoneNumber>,
    to: Option<&PhoneNumber>,
) -> Verdict {
    let dial = |target: Target| Verdict::Dial {
        target,
        // Wherever it is set: one rule that holds for every call is one that an operator can rely on.
        caller_id: rules.caller_id.clone(),
        customer_id: None,
        agent: None,
    };
    let apology = |why| Verdict::Apology { why };

    if let Some(route) = rules.routes.iter().find(|route| Some(&route.to) == to) {
        return Verdict::Dial {
            target: route.dial.clone(),
            caller_id: rules.caller_id.clone(),
            customer_id: route.customer_id.clone(),
            agent: route.agent,
        };
    }
    let softphone = from.is_some_and(PhoneNumber::is_softphone);
    // From outside `To` is our own number: to dial it would ring ourselves. `anonymous` and a missing From
    // are outside as well.
    if direction == Some("inbound") && !softphone {
        return rules
            .default_dial
            .clone()
            .map_or(apology(Why::NobodyTakesIt), dial);
    }
    if !softphone && (direction.is_some() || from.is_some()) {
        return apology(Why::NoRule);
    }
    let Some(to) = to else { return apology(Why::NoTo) };
    let Some(target) = Target::parse(to, insecure) else {
        return apology(Why::NotDialable);
    };
    if insecure {
        return dial(target);
    }
    if !rules
        .dial_allow
        .iter()
        .any(|allowed| to.as_str().starts_with(allowed.as_str()))
    {
        return apology(Why::NotAllowed);
    }
    if softphone && rules.caller_id.is_none() {
        return apology(Why::NoCallerId);
    }
    dial(target)
}

/// Which track the agent is on: a route's word, else inbound where an agent's softphone (`client:`) calls,
/// else outbound.
pub fn agent_track(from: Option<&PhoneNumber>, route_agent: Option<Track>) -> Track {
    match route_agent {
        Some(track) => track,
        None if from.is_some_and(PhoneNumber::is_client) => Track::Inbound,
        None => Track::Outbound,
    }
}
