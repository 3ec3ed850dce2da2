//! One attempt: Twilio is asked to stream a call here, with the parameters that our TwiML would have given it.

use std::sync::Arc;

use tracing::debug;

use super::plan::Outcome;
use crate::calls::call::Call;
use crate::clock::Now;
use crate::config::Config;
use crate::rest::{Account, Api, Failed, NOT_IN_PROGRESS};
use crate::route::Relay;
use crate::twilio::{pass, twiml};

/// What came of it, and why, for a person.
pub(super) struct Asked {
    pub(super) outcome: Outcome,
    pub(super) why: String,
}

/// Asks for a stream of a call; one that was promised before is stopped first, so that there are not two.
pub(super) async fn ask(relay: Arc<Relay>, api: Arc<Api>, call: Arc<Call>, stop: Option<String>) -> Asked {
    let config = relay.config.load_full();
    let sid = call.origin().account.unwrap_or_default();
    let Some(account) = Account::new(api, &config.accounts, &sid) else {
        let why = "there is no token of its account any more".to_owned();
        return Asked {
            outcome: Outcome::Never,
            why,
        };
    };
    let streams = format!("Calls/{}/Streams", call.sid());
    if let Some(stop) = stop.filter(|stop| !stop.is_empty()) {
        let unwanted = format!("{streams}/{stop}.json");
        if let Err(failed) = account.post(&unwanted, &[("Status", "stopped")]).await {
            // It may never have begun, which is as good.
            debug!(call = %call.sid(), %failed, "a stream that did not come could not be stopped");
        }
    }
    let form = form(&relay, &config, &call, &sid);
    let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    match account.post(&format!("{streams}.json"), &fields).await {
        Ok(answer) => {
            let sid = answer.text("sid").filter(|sid| partyline_shared::id::is_id(sid));
            Asked {
                outcome: Outcome::Coming(sid.unwrap_or_default().to_owned()),
                why: String::new(),
            }
        }
        Err(failed) => Asked {
            outcome: outcome(&failed),
            why: failed.to_string(),
        },
    }
}

/// What Twilio's word means for further attempts.
pub(super) fn outcome(failed: &Failed) -> Outcome {
    match failed {
        Failed::Refused(refused) if refused.is_too_many() => Outcome::TooMany(refused.retry_after),
        Failed::Refused(refused) if refused.is_unknown() || refused.code == Some(NOT_IN_PROGRESS) => {
            Outcome::Over
        }
        Failed::Refused(refused) if !refused.is_theirs() => Outcome::Never,
        Failed::Request => Outcome::Never,
        Failed::Refused(_) | Failed::Unanswered(..) | Failed::TooSlow(_) | Failed::NotTwilio(..) => {
            Outcome::Failed
        }
    }
}

/// The fields of the request: what `<Stream>` says in our TwiML.
fn form(relay: &Relay, config: &Config, call: &Call, account: &str) -> Vec<(&'static str, String)> {
    let pass = relay.twilio.pass(Now::take(), config, account, call.sid());
    let customer = call.customer_id().map(|customer| ("customer_id", customer));
    let parameters = customer
        .into_iter()
        .chain(pass.map(|pass| (pass::PARAMETER, pass)));
    let fits =
        |(name, value): &(&str, String)| name.chars().count() + value.chars().count() <= twiml::MAX_PARAMETER;
    let mut fields = vec![
        ("Url", format!("wss://{}/cable", config.host(relay.local))),
        ("Track", "both_tracks".to_owned()),
        (
            "StatusCallback",
            format!("{}/twilio/stream", config.base(relay.local)),
        ),
        ("StatusCallbackMethod", "POST".to_owned()),
    ];
    let names = [
        ("Parameter1.Name", "Parameter1.Value"),
        ("Parameter2.Name", "Parameter2.Value"),
    ];
    for ((name, value), (name_field, value_field)) in parameters.filter(fits).zip(names) {
        fields.push((name_field, name.to_owned()));
        fields.push((value_field, value));
    }
    fields
}
