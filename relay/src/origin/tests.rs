//! What a browser, a proxy, a script and Twilio send, and who of them may go on.

use super::*;
use crate::config::ServeArgs;
use http::HeaderName;

fn insecure(allowed: &[&str]) -> Config {
    let args = ServeArgs {
        insecure: Some("true".into()),
        public_url: Some("https://calls.example.com".into()),
        allowed_origin: allowed.iter().map(|o| (*o).to_owned()).collect(),
        ..ServeArgs::default()
    };
    Config::load(&args, &|_| None, &|_| unreachable!("there is no file")).unwrap()
}

/// The same without --insecure, which this version does not serve but already judges.
fn secure(allowed: &[&str]) -> Config {
    let mut config = insecure(allowed);
    config.insecure = false;
    config
}

fn ask(config: &Config, headers: &[(&str, &str)]) -> Result<(), Refused> {
    let pairs = headers.iter().map(|(name, value)| {
        (
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        )
    });
    let mut map = HeaderMap::new();
    pairs.for_each(|(name, value)| {
        map.append(name, value);
    });
    check(config, &map)
}

#[test]
fn a_missing_origin_is_allowed() {
    assert_eq!(ask(&secure(&[]), &[("host", "calls.example.com")]), Ok(()));
    assert_eq!(ask(&insecure(&[]), &[("host", "127.0.0.1:8080")]), Ok(()));
}

#[test]
fn a_present_one_must_be_the_public_urls() {
    for good in ["https://calls.example.com", "https://Calls.Example.com:443"] {
        assert_eq!(ask(&secure(&[]), &[("origin", good)]), Ok(()), "{good}");
    }
    for foreign in [
        "https://evil.example",
        "http://calls.example.com",
        "https://calls.example.com:8443",
        "https://calls.example.com.evil.example",
        "https://x.calls.example.com",
        "null",
        "",
        "calls.example.com",
        "http://localhost:8080",
        "https://calls.example.com/path",
        "file://",
    ] {
        assert_eq!(
            ask(&secure(&[]), &[("origin", foreign)]),
            Err(Refused::Origin),
            "{foreign}"
        );
    }
}

#[test]
fn or_match_the_list_exactly_or_as_a_whole() {
    let config = secure(&["https://desk.example.com", r"/https://[a-z]+\.example\.org/"]);
    for good in ["https://desk.example.com", "https://a.example.org"] {
        assert_eq!(ask(&config, &[("origin", good)]), Ok(()), "{good}");
    }
    for foreign in [
        "https://desk.example.com:1",
        "https://a.example.org.evil.example",
        "xhttps://a.example.org",
    ] {
        assert_eq!(
            ask(&config, &[("origin", foreign)]),
            Err(Refused::Origin),
            "{foreign}"
        );
    }
    assert_eq!(
        ask(&secure(&["/.*/"]), &[("origin", "null")]),
        Err(Refused::Origin)
    );
    assert_eq!(
        ask(&secure(&["/.*/"]), &[("origin", "chrome-extension://abc")]),
        Ok(())
    );
}

#[test]
fn two_origins_are_none_of_ours() {
    let ours = ("origin", "https://calls.example.com");
    assert_eq!(ask(&secure(&[]), &[ours, ours]), Err(Refused::Origin));
    assert_eq!(
        ask(&secure(&["/.*/"]), &[("origin", "https://\u{e4}.example")]),
        Err(Refused::Origin)
    );
}

#[test]
fn insecure_also_takes_a_loopback_origin_on_any_port() {
    let host = ("host", "localhost:8080");
    for good in [
        "http://localhost:3000",
        "https://127.0.0.1",
        "http://[::1]:5173",
        "https://calls.example.com",
    ] {
        assert_eq!(ask(&insecure(&[]), &[host, ("origin", good)]), Ok(()), "{good}");
    }
    for foreign in [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
    ] {
        assert_eq!(
            ask(&insecure(&[]), &[host, ("origin", foreign)]),
            Err(Refused::Origin),
            "{foreign}"
        );
    }
    let listed = insecure(&["https://desk.example.com"]);
    assert_eq!(
        ask(&listed, &[host, ("origin", "https://desk.example.com")]),
        Ok(())
    );
}

#[test]
fn insecure_answers_to_loopback_names_only() {
    for good in [
        "localhost",
        "LocalHost:8080",
        "127.0.0.1",
        "127.8.9.1:1",
        "[::1]",
        "[::1]:8080",
    ] {
        assert_eq!(ask(&insecure(&[]), &[("host", good)]), Ok(()), "{good}");
    }
    for foreign in [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "192.168.0.1:8080",
        "0.0.0.0:8080",
        "[::]:8080",
        "[::1].evil.example",
        "::1",
        "",
        "calls.example.com",
        "localhost:8080x",
        "localhost@evil.example",
        "evil.example@localhost",
        "127.1",
        "2130706433",
        "[127.0.0.1]",
        "[::ffff:127.0.0.1]",
    ] {
        assert_eq!(
            ask(&insecure(&[]), &[("host", foreign)]),
            Err(Refused::Host),
            "{foreign}"
        );
    }
    assert_eq!(ask(&insecure(&[]), &[]), Err(Refused::Host));
    assert_eq!(
        ask(&insecure(&[]), &[("host", "localhost"), ("host", "localhost")]),
        Err(Refused::Host)
    );
    assert_eq!(ask(&secure(&[]), &[("host", "anything.example")]), Ok(()));
}

#[test]
fn insecure_answers_no_proxy() {
    let host = ("host", "127.0.0.1:8080");
    for name in [
        "Forwarded",
        "X-Forwarded-For",
        "x-forwarded-proto",
        "X-Forwarded-Host",
        "X-Forwarded-Anything",
    ] {
        assert_eq!(
            ask(&insecure(&[]), &[host, (name, "")]),
            Err(Refused::Forwarded),
            "{name}"
        );
        assert_eq!(ask(&secure(&[]), &[host, (name, "")]), Ok(()), "{name}");
    }
    assert_eq!(ask(&insecure(&[]), &[host, ("x-forwardedness", "1")]), Ok(()));
}

#[test]
fn a_refusal_says_what_to_do() {
    assert_eq!(Refused::STATUS, 403);
    assert!(Refused::Origin.to_string().contains("--allowed-origin"));
    assert!(Refused::Host.to_string().contains("localhost"));
    assert!(Refused::Forwarded.to_string().contains("proxy"));
}
