//! The relay's own certificate and the one that the public URL shows: for that name, and for how long. Whether it is
//! trusted is for the handshake to say. Files that cannot be used were told with the configuration.

use partyline_shared::time::UtcTime;
use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::clock::Now;
use crate::config::Config;
use crate::tls;

use super::verdict::Verdict;

/// What these verdicts are about.
pub(super) const WHAT: &str = "certificate";

/// How long before its end a certificate is told of: Let's Encrypt's are renewed thirty days before, so that something
/// is wrong by then.
const ENDS_SOON_MS: i64 = 14 * 86_400_000;

/// The files of the relay's own.
pub(super) fn own(config: &Config) -> Vec<Verdict> {
    let Some(files) = &config.tls else {
        return Vec::new();
    };
    let Ok(tls) = tls::Server::read(files) else {
        return Vec::new();
    };
    let (facts, path) = (tls.facts(), files.cert.display());
    let host = config.public_url.as_ref().map(|url| url.host().to_owned());
    let verdict = match host {
        Some(host) if !facts.names.iter().any(|name| is_for(name, &host)) => {
            let names = facts.names.join(", ");
            Verdict::fail(
                WHAT,
                format!("{path} is for {names}, and not for {host}"),
                format!("have one made for {host}, or correct --public-url"),
            )
        }
        _ => how_long(
            &format!("{path} and its key belong together"),
            Now::take().wall,
            facts.not_after,
        ),
    };
    vec![verdict]
}

/// The one that was shown; its chain and its name were checked before.
pub(super) fn shown(der: &CertificateDer<'_>) -> Option<Verdict> {
    let ends = X509Certificate::from_der(der).ok()?.1.validity().not_after;
    let ends = UtcTime::from_unix_ms(ends.timestamp().saturating_mul(1000));
    Some(how_long(
        "the public URL shows one that is trusted, for its name",
        Now::take().wall,
        ends,
    ))
}

/// Whether a name of a certificate, `*.` for one label, is this host's.
fn is_for(name: &str, host: &str) -> bool {
    let wild = |rest: &str| {
        let under = host.split_once('.').map(|(_, under)| under);
        under.is_some_and(|under| under.eq_ignore_ascii_case(rest))
    };
    name.eq_ignore_ascii_case(host) || name.strip_prefix("*.").is_some_and(wild)
}

fn how_long(good: &str, now: UtcTime, ends: UtcTime) -> Verdict {
    let left = ends.unix_ms() - now.unix_ms();
    let fix = "renew it, and see why that was not done by itself (certbot renew, the proxy's log)";
    if left <= 0 {
        return Verdict::fail(WHAT, format!("it ended at {ends}"), fix);
    }
    if left < ENDS_SOON_MS {
        let days = left / 86_400_000;
        return Verdict::warn(WHAT, format!("it ends at {ends}, in {days} days"), fix);
    }
    Verdict::ok(WHAT, format!("{good}, until {ends}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Mark;

    #[test]
    fn two_weeks_before_its_end_a_certificate_is_told_of() {
        let (now, day) = (UtcTime::from_unix_ms(0), 86_400_000);
        let mark = |days: i64| how_long("", now, now.plus_ms(days * day)).mark;
        assert_eq!(
            [14, 13, 1, 0, -1].map(mark),
            [Mark::Ok, Mark::Warn, Mark::Warn, Mark::Fail, Mark::Fail]
        );
    }

    #[test]
    fn a_star_is_one_label() {
        for (name, host, good) in [
            ("a.example.com", "A.example.com", true),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "b.a.example.com", false),
            ("b.example.com", "a.example.com", false),
        ] {
            assert_eq!(is_for(name, host), good, "{name} {host}");
        }
    }
}
