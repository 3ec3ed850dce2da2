//! What a relay needs before it starts: somebody to let in, something to know them by, and a way in that
//! nobody listens on. Judges a configuration that has been read; all that is missing is told with how to make it.

use super::problem::{Fault, Problems};
use super::source::Source;
use super::{Attach, Config, accounts};

/// Nobody is let in by default: a relay without anything to check people by does not start.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    if config.insecure {
        check_insecure(config, problems);
        return;
    }
    // What is there but wrong was told already, and is not missing.
    let unsaid = |name| config.source_of(name) == Some(Source::Default);
    if config.accounts.is_empty() && unsaid("twilio_account") && unsaid("twilio_auth_token_file") {
        let what = "without one nothing shows that a request is Twilio's";
        problems.add(
            "a Twilio auth token is missing",
            Fault::new(what, accounts::how_to_give_a_token()),
        );
    }
    match &config.public_url {
        None if unsaid("public_url") => {
            let what = "Twilio is told to call back there, and its signatures are computed over it";
            problems.add(
                "--public-url is missing",
                Fault::new(what, "give the origin, --public-url https://HOST"),
            );
        }
        Some(url) if !url.is_secure() => {
            let what = format!("{url} is not https, and Twilio streams to https hosts only");
            problems.add("--public-url", Fault::new(what, "write https://HOST"));
        }
        _ => {}
    }
    if ["tokens", "jwks", "jwt_secret_file"].into_iter().all(unsaid) {
        let what = "nobody could listen";
        let fix = "make a token, partyline-relay token add --tokens FILE --name NAME --role admin, and serve with \
                   --tokens FILE; or give --jwks FILE|URL, the keys of a login elsewhere; or, for development, \
                   serve with --insecure on a loopback --listen";
        problems.add("--tokens or --jwks is missing", Fault::new(what, fix));
    }
    if !config.listen.ip().is_loopback() && unsaid("tls_cert") && unsaid("trusted_proxy") {
        let what = format!(
            "{} can be reached from outside, where everybody on the way could read along",
            config.listen
        );
        let fix = "give the certificate, --tls-cert FILE --tls-key FILE, or listen on a loopback address, \
                   127.0.0.1:8080, or name the proxy that has the certificate, --trusted-proxy CIDR: nobody else \
                   is served then";
        problems.add("--listen", Fault::new(what, fix));
    }
}

fn check_insecure(config: &Config, problems: &mut Problems) {
    if !config.listen.ip().is_loopback() {
        let what = format!(
            "lets everybody in, and --listen {} can be reached from outside",
            config.listen
        );
        let fix = "listen on a loopback address, 127.0.0.1:8080 or [::1]:8080";
        problems.add("--insecure", Fault::new(what, fix));
    }
}

/// What is taken and yet does not do what who wrote it may believe.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let said = |name| config.source_of(name) != Some(Source::Default);
    let jwt = config.jwks.is_some() || config.jwt_secret_file.is_some();
    if jwt && config.jwt_audience.is_none() {
        warnings.push(
            "without --jwt-audience a token that was made for another service is taken as well".to_owned(),
        );
    }
    for name in ["jwt_issuer", "jwt_audience"] {
        if !jwt && said(name) {
            let flag = super::source::flag(name);
            warnings.push(format!("{flag} does nothing without --jwks or --jwt-secret-file"));
        }
    }
    if config.audit.is_none() && said("audit_fail") {
        warnings.push("--audit-fail does nothing without --audit FILE".to_owned());
    }
    for name in ["channel_prefix", "redis_rails_prefix"] {
        if config.redis.is_none() && said(name) {
            let flag = super::source::flag(name);
            warnings.push(format!("{flag} does nothing without --redis"));
        }
    }
    if config.attach == Attach::All && config.accounts.is_empty() {
        warnings.push("--attach all does nothing without a Twilio account and its token".to_owned());
    }
    if config.insecure && said("trusted_proxy") {
        warnings.push("--trusted-proxy does nothing under --insecure, which answers no proxy".to_owned());
    }
    for everybody in config.trusted_proxies.iter().filter(|cidr| cidr.is_everybody()) {
        warnings.push(format!(
            "--trusted-proxy {everybody} lets everybody say from where they come; name the proxy's own network"
        ));
    }
    warnings
}
