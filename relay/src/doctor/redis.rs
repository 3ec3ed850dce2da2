//! Whether the Redis that calls are to be shared over answers, is new enough, and lets us do what is needed. Shows neither
//! user nor password.

use crate::broker::examine::{LEAST, examine};
use crate::config::Config;
use crate::serve;

use super::verdict::Verdict;

pub(super) async fn look(config: &Config) -> Vec<Verdict> {
    const WHAT: &str = "Redis";
    // No relay of this name runs: connections are called by it while this looks.
    let Some(settings) = serve::redis(config, "doctor") else {
        return Vec::new();
    };
    let place = settings.place();
    let found = match examine(&settings).await {
        Ok(found) => found,
        Err(no) => {
            let detail = if no.detail.is_empty() {
                String::new()
            } else {
                format!(" ({})", no.detail)
            };
            let fix = "see that it runs, that --redis names it and who we are there, and that no firewall is between";
            return vec![Verdict::fail(WHAT, format!("{place}: {}{detail}", no.why), fix)];
        }
    };
    let mut verdicts = Vec::new();
    let (major, minor) = LEAST;
    verdicts.push(if found.is_new_enough {
        Verdict::ok(WHAT, format!("{place} answers: {}", found.version))
    } else {
        let what = format!("{place} is {}, and {major}.{minor} is the least", found.version);
        Verdict::fail(WHAT, what, "update it")
    });
    let mut rules: Vec<(&str, String)> = Vec::new();
    for (rule, code) in found.refused {
        if !rules.iter().any(|(known, _)| *known == rule) {
            rules.push((rule, code));
        }
    }
    if rules.is_empty() {
        let prefix = &config.channel_prefix;
        verdicts.push(Verdict::ok(
            WHAT,
            format!("our user may do what is needed on {prefix}:v1:*"),
        ));
    }
    for (rule, code) in rules {
        let prefix = &config.channel_prefix;
        let what = format!("our user may not do what is needed: {rule} ({code})");
        let fix = format!(
            "give it that by ACL SETUSER, with ~{prefix}:v1:* and &{prefix}:v1:* (README: several relays)"
        );
        verdicts.push(Verdict::fail(WHAT, what, fix));
    }
    if let Some(policy) = found.evicts {
        let what =
            format!("what relays share is thrown away once its memory is full (maxmemory-policy {policy})");
        verdicts.push(Verdict::warn(
            WHAT,
            what,
            "set maxmemory-policy noeviction, and give it room",
        ));
    }
    verdicts
}

#[cfg(test)]
mod tests;
