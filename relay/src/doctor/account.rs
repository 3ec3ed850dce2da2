//! What Twilio's console says of the account: whether its tokens are its own, and whether its numbers and applications
//! lead to this relay. Reads only. Numbers are the operator's own, and shown.

use serde_json::Value;

use crate::config::dial::Target;
use crate::config::{Config, Secret};
use crate::rest::{self, Api, Failed, PAGE, is_at};

use super::verdict::Verdict;

const ACCOUNT: &str = "Twilio account";
const NUMBER: &str = "number";
/// Pages of numbers, and of applications, that are read: what is looked at has to end.
const MAX_PAGES: usize = 20;

pub(super) async fn look(config: &Config) -> Vec<Verdict> {
    let mut accounts: Vec<(&str, Vec<&Secret>)> = Vec::new();
    for (account, token) in config.accounts.all() {
        let Some(account) = account else {
            continue;
        };
        match accounts.iter_mut().find(|(known, _)| *known == account) {
            Some((_, tokens)) => tokens.push(token),
            None => accounts.push((account, vec![token])),
        }
    }
    if accounts.is_empty() {
        let found = "it cannot be asked which numbers lead here: no account is named";
        let fix = "set TWILIO_ACCOUNT_SID beside TWILIO_AUTH_TOKEN";
        return vec![Verdict::warn(ACCOUNT, found, fix)];
    }
    let api = Api::new(&config.twilio_api);
    let mut verdicts = Vec::new();
    let mut leads_here = false;
    let mut asked = false;
    for (account, tokens) in accounts {
        let Some(token) = good_token(&api, account, &tokens, &mut verdicts).await else {
            continue;
        };
        match everything(&api, account, token).await {
            Ok((numbers, apps)) => {
                asked = true;
                let (told, here) = judge(config, &numbers, &apps);
                leads_here |= here;
                verdicts.extend(told);
            }
            Err(failed) => verdicts.push(Verdict::told(
                super::Mark::Fail,
                ACCOUNT,
                format!("{account}: {failed}"),
            )),
        }
    }
    if asked && !leads_here {
        let base = base(config);
        let found = format!("no number and no application of the account leads to {base}/twilio/voice");
        verdicts.push(Verdict::fail(
            NUMBER,
            found,
            format!("{} (or --app AP…)", configure(config, "--number +1…")),
        ));
    }
    verdicts
}

/// Tries each token of an account; gives the first that Twilio takes.
async fn good_token<'t>(
    api: &Api,
    account: &str,
    tokens: &[&'t Secret],
    verdicts: &mut Vec<Verdict>,
) -> Option<&'t Secret> {
    let mut good = None;
    for (at, token) in tokens.iter().enumerate() {
        let which = if tokens.len() > 1 {
            format!(", token {}", at + 1)
        } else {
            String::new()
        };
        match api
            .get(
                account,
                token,
                &rest::path(account, "IncomingPhoneNumbers.json?PageSize=1"),
            )
            .await
        {
            Ok(_) => {
                verdicts.push(Verdict::ok(ACCOUNT, format!("{account}{which} is taken")));
                good = good.or(Some(*token));
            }
            Err(Failed::Refused(refused)) if refused.is_credentials() => {
                let found = format!("{account}{which}: Twilio does not take it");
                let fix =
                    "copy Account SID and auth token from Twilio's console; a token that was replaced may go";
                verdicts.push(if tokens.len() > 1 {
                    Verdict::warn(ACCOUNT, found, fix)
                } else {
                    Verdict::fail(ACCOUNT, found, fix)
                });
            }
            Err(failed) => {
                verdicts.push(Verdict::told(
                    super::Mark::Fail,
                    ACCOUNT,
                    format!("{account}: {failed}"),
                ));
                return None;
            }
        }
    }
    good
}

/// The account's numbers and its applications.
async fn everything(api: &Api, account: &str, token: &Secret) -> Result<(Vec<Value>, Vec<Value>), Failed> {
    let all = async |what: &str, list: &str| {
        let mut next = Some(rest::path(account, &format!("{what}.json?PageSize={PAGE}")));
        let (mut found, mut pages) = (Vec::new(), MAX_PAGES);
        while let Some(path) = next {
            let page = api.get(account, token, &path).await?;
            found.extend_from_slice(page.list(list));
            pages -= 1;
            let more = page.text("next_page_uri");
            next = more
                .filter(|more| pages > 0 && !more.is_empty())
                .map(str::to_owned);
        }
        Ok(found)
    };
    Ok((
        all("IncomingPhoneNumbers", "incoming_phone_numbers").await?,
        all("Applications", "applications").await?,
    ))
}

fn base(config: &Config) -> String {
    config.base(config.listen)
}

/// A text of a resource; Twilio leaves out, nulls or empties what is unset.
fn text<'v>(resource: &'v Value, name: &str) -> &'v str {
    resource.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What is to be said of an account's numbers and applications, and whether any of them leads here.
fn judge(config: &Config, numbers: &[Value], apps: &[Value]) -> (Vec<Verdict>, bool) {
    let ours = ours(config);
    let mut verdicts = Vec::new();
    let mut leads_here = false;
    let app_of = |sid: &str| apps.iter().find(|app| text(app, "sid") == sid);
    for number in numbers {
        let called = text(number, "phone_number");
        let app = Some(text(number, "voice_application_sid")).filter(|sid| !sid.is_empty());
        let (leads, how) = match app {
            // What the application says counts, whatever stands at the number.
            Some(sid) => (app_of(sid), format!("--app {sid}")),
            None => (Some(number), format!("--number {called}")),
        };
        let here = leads.is_some_and(|leads| leads_to(config, leads));
        leads_here |= here;
        match leads {
            Some(leads) if here => verdicts.extend(details(config, called, &how, leads)),
            _ if ours.contains(&called) => {
                let found = format!("{called} does not lead to {}/twilio/voice", base(config));
                let fix = configure(config, &format!("--number {called}"));
                verdicts.push(Verdict::fail(NUMBER, found, fix));
            }
            // Another's business.
            _ => {}
        }
    }
    for app in apps.iter().filter(|app| leads_to(config, app)) {
        leads_here = true;
        let sid = text(app, "sid");
        // One that a number has was looked at with it.
        if !numbers
            .iter()
            .any(|number| text(number, "voice_application_sid") == sid)
        {
            verdicts.extend(details(config, sid, &format!("--app {sid}"), app));
        }
    }
    (verdicts, leads_here)
}

/// The numbers that the configuration takes for ours: those that routes answer.
fn ours(config: &Config) -> Vec<&str> {
    let routes = config.dial.routes.iter().map(|route| &route.to);
    let numbers = routes.filter(|to| matches!(Target::parse(to, false), Some(Target::Number(_))));
    numbers.map(|to| to.as_str()).collect()
}

fn leads_to(config: &Config, resource: &Value) -> bool {
    let url = text(resource, "voice_url");
    is_at(url, &format!("{}/twilio/voice", base(config)))
}

/// What points it here, with the configuration that is looked at.
fn configure(config: &Config, how: &str) -> String {
    let file = config.file.as_ref();
    let by = file.map_or_else(String::new, |file| format!(" --config {}", file.display()));
    format!("partyline-relay twilio configure {how}{by}")
}

/// Of one that leads here: whether all else is as it should be.
fn details(config: &Config, name: &str, how: &str, resource: &Value) -> Vec<Verdict> {
    let mend = configure(config, how);
    let mut verdicts = Vec::new();
    let method = text(resource, "voice_method");
    if !method.is_empty() && method != "POST" {
        let found = format!("{name} leads here by {method}, and the relay takes POST");
        verdicts.push(Verdict::fail(NUMBER, found, mend.clone()));
    }
    let status = format!("{}/twilio/status", base(config));
    if !is_at(text(resource, "status_callback"), &status) {
        let found = format!("{name} does not tell {status} how its calls end");
        verdicts.push(Verdict::warn(NUMBER, found, mend.clone()));
    }
    if text(resource, "voice_fallback_url").is_empty() {
        let found = format!("{name} has no fallback: while the relay is away its callers hear an error");
        verdicts.push(Verdict::warn(NUMBER, found, format!("{mend} --fallback URL")));
    }
    if verdicts.is_empty() {
        verdicts.push(Verdict::ok(
            NUMBER,
            format!("{name} leads here, with status callback and fallback"),
        ));
    }
    verdicts
}

#[cfg(test)]
mod tests;
