//! A door as tests need one.

use std::sync::Arc;
use std::time::Duration;

use super::door::Door;
use crate::broker::commons::Commons;
use crate::calls::registry::{Registry, Settings};
use crate::config::{Config, ServeArgs};
use crate::limits::{Budget, Limits};

/// Two accounts, each with a token.
pub(super) const OURS: &str = "AC11111111111111111111111111111111";
pub(super) const SECOND: &str = "AC22222222222222222222222222222222";
pub(super) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub(super) const SECOND_TOKEN: &str = "fedcba9876543210fedcba9876543210";
pub(super) const CALL: &str = "CA22222222222222222222222222222222";

/// A configuration as `serve` checks it.
pub(super) fn config(accounts: &str, insecure: bool) -> Config {
    let args = ServeArgs {
        insecure: Some(insecure.to_string()),
        tokens: Some("tokens".into()),
        config: Some("relay.toml".into()),
        public_url: Some("https://calls.example.com".into()),
        ..ServeArgs::default()
    };
    let env = |name: &str| {
        let wanted = name == "PARTYLINE_TWILIO_ACCOUNT" && !accounts.is_empty();
        wanted.then(|| accounts.to_owned())
    };
    let file = |_: &std::path::Path| Ok("dial_allow = [\"+1\"]\ncaller_id = \"+12125550100\"".to_owned());
    Config::load(&args, &env, &file).unwrap()
}

/// Both accounts.
pub(super) fn two_accounts() -> Config {
    config(&format!("{OURS}={TOKEN},{SECOND}={SECOND_TOKEN}"), false)
}

/// A door to no calls.
pub(super) fn door() -> Arc<Door> {
    door_sharing(Arc::new(Commons::alone()))
}

/// The same, of a relay that is one of several.
pub(super) fn door_sharing(commons: Arc<Commons>) -> Arc<Door> {
    let settings = Settings {
        retention: Duration::from_secs(3600),
        history: Duration::from_secs(10),
        max_calls: 100_000,
    };
    let registry = Arc::new(Registry::new("n".into(), settings, Arc::default()));
    let limits = Limits::new(false, Budget::of_this_process(10), Arc::default());
    Arc::new(Door::new(registry, Arc::new(limits), commons))
}
