//! Who calls whom, whose call it is, who is heard where. What is known comes from several messages in any
//! order; the answer is derived, so the order does not matter. No clock, no I/O.

use partyline_shared::phone::PhoneNumber;
use partyline_shared::track::{PerTrack, Role, Track, roles};
use partyline_shared::twilio::callback::Parties;
use serde::{Deserialize, Serialize};

/// Longest customer id, characters: it has to fit a TwiML parameter of 500 with its name.
pub const MAX_CUSTOMER_ID: usize = 128;

/// Everything heard about one call's parties, by where it was heard.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    webhook: Parties,
    callback: Parties,
    account: Option<String>,
    route_customer: Option<String>,
    webhook_customer: Option<String>,
    start_customer: Option<String>,
    route_agent: Option<Track>,
    dialed: Option<PhoneNumber>,
    child_to: Option<PhoneNumber>,
    answered: bool,
    maker: Option<String>,
}

/// What a voice webhook adds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FromWebhook {
    /// Who calls whom.
    pub parties: Parties,
    /// `customer_id` of its query or form.
    pub customer_id: Option<String>,
    /// The route's.
    pub route_customer: Option<String>,
    /// Where a route says the agent is.
    pub route_agent: Option<Track>,
    /// Whom the answer rings.
    pub dialed: Option<PhoneNumber>,
}

/// Where a call comes from, for who decides what else belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Whose it is: the Twilio account.
    pub account: Option<String>,
    /// Whether its TwiML is ours.
    pub answered: bool,
}

impl Known {
    /// A voice webhook; a later one replaces an earlier one's.
    pub fn webhook(&mut self, from: FromWebhook) {
        self.answered = true;
        merge(&mut self.webhook, from.parties);
        self.webhook_customer = from.customer_id.or(self.webhook_customer.take());
        // What a route said holds as long as a webhook is routed.
        self.route_customer = from.route_customer;
        self.route_agent = from.route_agent;
        self.dialed = from.dialed.or(self.dialed.take());
    }

    /// A status callback of the call's own leg.
    pub fn callback(&mut self, parties: Parties) {
        merge(&mut self.callback, parties);
    }

    /// A status callback of a leg that the call dialled.
    pub fn child(&mut self, parties: Parties) {
        self.account = parties.account_sid.or(self.account.take());
        self.child_to = parties.to.or(self.child_to.take());
    }

    /// A stream's start.
    pub fn start(&mut self, account: Option<String>, customer_id: Option<String>) {
        self.account = account.or(self.account.take());
        self.start_customer = customer_id.or(self.start_customer.take());
    }

    /// What was known of it before this relay, where nothing newer has been said; `answered` where its TwiML is ours.
    pub fn restored(&mut self, before: FromWebhook, answered: bool) {
        self.answered |= answered;
        let newer = std::mem::replace(&mut self.callback, before.parties);
        merge(&mut self.callback, newer);
        self.start_customer = self.start_customer.take().or(before.customer_id);
        self.route_agent = self.route_agent.or(before.route_agent);
        self.child_to = self.child_to.take().or(before.dialed);
    }

    /// What another relay heard of the same call, where nothing is known here.
    pub fn merge(&mut self, other: &Known) {
        let known = std::mem::replace(&mut self.webhook, other.webhook.clone());
        merge(&mut self.webhook, known);
        let known = std::mem::replace(&mut self.callback, other.callback.clone());
        merge(&mut self.callback, known);
        self.account = self.account.take().or_else(|| other.account.clone());
        self.route_customer = self
            .route_customer
            .take()
            .or_else(|| other.route_customer.clone());
        self.webhook_customer = self
            .webhook_customer
            .take()
            .or_else(|| other.webhook_customer.clone());
        self.start_customer = self
            .start_customer
            .take()
            .or_else(|| other.start_customer.clone());
        self.route_agent = self.route_agent.or(other.route_agent);
        self.dialed = self.dialed.take().or_else(|| other.dialed.clone());
        self.child_to = self.child_to.take().or_else(|| other.child_to.clone());
        self.answered |= other.answered;
        self.maker = self.maker.take().or_else(|| other.maker.clone());
    }

    /// Who publishes its audio, where that is not Twilio: a name of theirs that says nothing to others.
    pub fn made_by(&mut self, maker: String) {
        self.maker = Some(maker);
    }

    /// The same, where it is known.
    pub fn maker(&self) -> Option<&String> {
        self.maker.as_ref()
    }

    /// Any other callback's account.
    pub fn account(&mut self, account: Option<String>) {
        self.account = account.or(self.account.take());
    }

    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        Origin {
            account: self.account_sid().cloned(),
            answered: self.answered,
        }
    }

    /// The account.
    pub fn account_sid(&self) -> Option<&String> {
        let parties = [&self.webhook, &self.callback];
        parties
            .iter()
            .find_map(|p| p.account_sid.as_ref())
            .or(self.account.as_ref())
    }

    /// Whose call: the route's, else the webhook's, else the stream's.
    pub fn customer_id(&self) -> Option<&String> {
        [&self.route_customer, &self.webhook_customer, &self.start_customer]
            .into_iter()
            .find_map(Option::as_ref)
    }

    /// Who called.
    pub fn from(&self) -> Option<&PhoneNumber> {
        self.webhook.from.as_ref().or(self.callback.from.as_ref())
    }

    /// Who was called.
    pub fn to(&self) -> Option<&PhoneNumber> {
        self.webhook.to.as_ref().or(self.callback.to.as_ref())
    }

    /// Twilio's Direction.
    pub fn direction(&self) -> Option<&String> {
        self.webhook
            .direction
            .as_ref()
            .or(self.callback.direction.as_ref())
    }

    /// Whom the call rings.
    pub fn dialed(&self) -> Option<&PhoneNumber> {
        self.dialed.as_ref().or(self.child_to.as_ref())
    }

    /// Which track the agent is on: inbound where an agent's softphone called or a route says so.
    pub fn agent_track(&self) -> Track {
        match self.route_agent {
            Some(track) => track,
            None if self.from().is_some_and(PhoneNumber::is_client) => Track::Inbound,
            None => Track::Outbound,
        }
    }

    /// Who is heard where.
    pub fn roles(&self) -> PerTrack<Role> {
        roles(self.agent_track())
    }

    /// The agent's address, as far as it is known.
    pub fn agent(&self) -> Option<&PhoneNumber> {
        match self.agent_track() {
            Track::Inbound => self.from(),
            Track::Outbound => self.dialed(),
        }
    }
}

/// A customer's id as an operator writes one; what is longer than [`MAX_CUSTOMER_ID`] or has nothing but controls is
/// none.
pub fn customer_id(text: &str) -> Option<String> {
    let cleaned = partyline_shared::text::clean(text).trim().to_owned();
    (!cleaned.is_empty() && cleaned.chars().count() <= MAX_CUSTOMER_ID).then_some(cleaned)
}

/// Newer values over older ones; what is absent leaves what was known.
fn merge(known: &mut Parties, newer: Parties) {
    known.account_sid = newer.account_sid.or(known.account_sid.take());
    known.from = newer.from.or(known.from.take());
    known.to = newer.to.or(known.to.take());
    known.direction = newer.direction.or(known.direction.take());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parties(from: &str, to: &str) -> Parties {
        Parties {
            from: PhoneNumber::non_empty(from),
            to: PhoneNumber::non_empty(to),
            ..Parties::default()
        }
    }

    #[test]
    fn the_order_of_messages_does_not_matter() {
        let steps: [fn(&mut Known); 4] = [
            |k| {
                k.webhook(FromWebhook {
                    parties: parties("client:a", "+1"),
                    customer_id: Some("w".into()),
                    dialed: PhoneNumber::non_empty("+1"),
                    ..FromWebhook::default()
                })
            },
            |k| k.callback(parties("client:other", "+2")),
            |k| k.child(parties("+9", "+3")),
            |k| k.start(Some("AC1".into()), Some("s".into())),
        ];
        let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]];
        let seen = orders.map(|order| {
            let mut known = Known::default();
            order.iter().for_each(|&n: &usize| steps[n](&mut known));
            (
                known.from().cloned(),
                known.to().cloned(),
                known.customer_id().cloned(),
                known.account_sid().cloned(),
                known.dialed().cloned(),
                known.agent_track(),
            )
        });
        assert!(seen.iter().all(|s| *s == seen[0]));
        assert_eq!(seen[0].2.as_deref(), Some("w"));
        assert_eq!(seen[0].5, Track::Inbound);
    }

    #[test]
    fn a_route_decides_and_a_later_webhook_replaces() {
        let mut known = Known::default();
        let webhook = |customer: &str| FromWebhook {
            customer_id: Some(customer.into()),
            ..FromWebhook::default()
        };
        known.webhook(webhook("1"));
        known.webhook(webhook("2"));
        assert_eq!(known.customer_id().map(String::as_str), Some("2"));
        known.webhook(FromWebhook {
            route_customer: Some("777".into()),
            route_agent: Some(Track::Inbound),
            ..webhook("3")
        });
        assert_eq!(known.customer_id().map(String::as_str), Some("777"));
        assert_eq!(known.roles().inbound, Role::Agent);
    }

    #[test]
    fn a_customers_id_is_taken_up_to_its_length_and_a_longer_one_is_none() {
        let fits = "ä".repeat(MAX_CUSTOMER_ID);
        assert_eq!(customer_id(&fits), Some(fits.clone()));
        assert_eq!(customer_id(&format!("{fits}x")), None);
    }
}
