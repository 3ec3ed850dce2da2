//! Configurations for the tests of other rooms.

use super::{Config, ServeArgs};

/// One without --insecure, with a token for any account, `https://calls.example.com` and an empty token file.
pub(crate) fn secure(listen: &str, trusted: &[&str]) -> Config {
    let args = ServeArgs {
        listen: Some(listen.into()),
        public_url: Some("https://calls.example.com".into()),
        tokens: Some("tokens".into()),
        trusted_proxy: trusted.iter().map(|cidr| (*cidr).to_owned()).collect(),
        ..ServeArgs::default()
    };
    let env = |name: &str| (name == "TWILIO_AUTH_TOKEN").then(|| "token".to_owned());
    Config::load(&args, &env, &|_| Ok(String::new())).unwrap_or_else(|problems| panic!("{problems}"))
}
