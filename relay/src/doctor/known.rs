//! Who may listen: the tokens file, and the keys of a login elsewhere.

use crate::access::jwt::Jwt;
use crate::access::{Role, tokens};
use crate::clock::Now;
use crate::config::Config;
use crate::serve;

use super::verdict::Verdict;

/// Whether somebody can listen by the tokens file. A file that cannot be used was told with the configuration.
pub(super) fn tokens(config: &Config) -> Vec<Verdict> {
    const WHAT: &str = "tokens";
    let Some(path) = &config.tokens else {
        return Vec::new();
    };
    let Ok(all) = tokens::file::read(path) else {
        return Vec::new();
    };
    let path = path.display();
    let now = Now::take().wall;
    let (over, alive): (Vec<_>, Vec<_>) = all.iter().partition(|token| token.is_over(now));
    let mut verdicts = Vec::new();
    let admins = alive.iter().filter(|token| token.role == Role::Admin).count();
    let add = format!("partyline-relay token add --tokens {path} --name NAME --role admin");
    if admins > 0 {
        let count = alive.len();
        verdicts.push(Verdict::ok(
            WHAT,
            format!("{count} in {path}, {admins} of an admin"),
        ));
    } else if alive.is_empty() && config.jwks.is_none() && config.jwt_secret_file.is_none() {
        verdicts.push(Verdict::fail(
            WHAT,
            format!("nobody can listen: {path} has none that counts"),
            add,
        ));
    } else {
        let found = format!("{path} has none of an admin, who hears calls without a customer");
        verdicts.push(Verdict::warn(WHAT, found, add));
    }
    if !over.is_empty() {
        let names: Vec<&str> = over.iter().map(|token| token.name.as_str()).collect();
        let found = format!("{} ended: {}", over.len(), names.join(", "));
        let fix = format!("partyline-relay token remove --tokens {path} --name NAME, or add new ones");
        verdicts.push(Verdict::warn(WHAT, found, fix));
    }
    verdicts
}

/// Whether the keys of a login can be had.
pub(super) async fn keys(config: &Config) -> Vec<Verdict> {
    const WHAT: &str = "keys of a login";
    if config.jwks.is_none() && config.jwt_secret_file.is_none() {
        return Vec::new();
    }
    let nobody = Jwt::new(Default::default());
    let Ok(nobody) = nobody else {
        return Vec::new();
    };
    vec![match nobody.read(serve::login(config)).await {
        Ok(_) => Verdict::ok(WHAT, "they can be had and used"),
        Err(unusable) => Verdict::fail(
            WHAT,
            unusable.to_string(),
            "until it is so nobody is let in by that login",
        ),
    }]
}
