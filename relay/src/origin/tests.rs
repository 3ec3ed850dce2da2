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

/// The same without --insecure.
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

/// Forty Origins against one public URL, one listed exactly and one pattern; without --insecure and with it.
#[test]
fn forty_origins() {
    let listed = ["https://desk.example.com:8443", r"/https://[a-z]+\.example\.org/"];
    let (secure, insecure) = (secure(&listed), insecure(&listed));
    // The Origin, whether it may connect, and whether it may under --insecure as well.
    let cases = [
        ("https://calls.example.com", true, true),
        ("https://calls.example.com:443", true, true),
        ("HTTPS://CALLS.EXAMPLE.COM", true, true),
        ("https://calls.example.com/", true, true),
        ("https://desk.example.com:8443", true, true),
        ("https://DESK.example.com:8443", true, true),
        ("https://app.example.org", true, true),
        // Scheme and port are part of it.
        ("http://calls.example.com", false, false),
        ("wss://calls.example.com", false, false),
        ("https://calls.example.com:80", false, false),
        ("https://calls.example.com:8443", false, false),
        ("https://calls.example.com:", false, false),
        ("https://calls.example.com:443x", false, false),
        ("https://desk.example.com", false, false),
        ("calls.example.com", false, false),
        ("//calls.example.com", false, false),
        // More than the name, before and behind.
        ("https://calls.example.com.evil.example", false, false),
        ("https://calls.example.comevil.example", false, false),
        ("https://evilcalls.example.com", false, false),
        ("https://evil.calls.example.com", false, false),
        ("https://calls.example.com.", false, false),
        ("https://calls.example.com@evil.example", false, false),
        ("https://evil.example@calls.example.com", false, false),
        ("https://calls.example.com/evil", false, false),
        ("https://calls.example.com?evil", false, false),
        ("https://calls.example.com#evil", false, false),
        ("https://calls.example.com, https://evil.example", false, false),
        ("https://evil.example https://calls.example.com", false, false),
        // The pattern is for the whole, and as it is written.
        ("https://app.example.org.evil.example", false, false),
        ("https://evil.example/https://app.example.org", false, false),
        ("https://appXexample.org", false, false),
        ("https://APP.example.org", false, false),
        ("https://a1.example.org", false, false),
        // Names beyond ASCII, as they are and as browsers send them.
        ("https://c\u{e4}lls.example.com", false, false),
        ("https://xn--clls-gra.example.com", false, false),
        ("https://\u{441}alls.example.com", false, false),
        ("https://calls\u{3002}example.com", false, false),
        // None at all.
        ("null", false, false),
        ("NULL", false, false),
        ("", false, false),
        ("*", false, false),
        ("file://", false, false),
        ("chrome-extension://calls.example.com", false, false),
        // This machine's own pages, which are foreign unless it is for development.
        ("http://localhost:3000", false, true),
        ("https://127.0.0.1", false, true),
        ("http://[::1]:5173", false, true),
        ("http://localhost.evil.example", false, false),
        ("http://127.0.0.1.evil.example", false, false),
        ("http://0.0.0.0:8080", false, false),
        ("http://192.168.0.1", false, false),
    ];
    let verdict = |good: bool| if good { Ok(()) } else { Err(Refused::Origin) };
    for (origin, good, good_here) in cases {
        assert_eq!(ask(&secure, &[("origin", origin)]), verdict(good), "{origin}");
        let here = [("host", "127.0.0.1:8080"), ("origin", origin)];
        assert_eq!(ask(&insecure, &here), verdict(good_here), "--insecure: {origin}");
    }
    assert_eq!(ask(&secure, &[]), Ok(()), "none is what programs send");
}

/// Forty Hosts under --insecure. Without it none matters: what Twilio signs is --public-url.
#[test]
fn forty_hosts() {
    let cases = [
        ("localhost", true),
        ("localhost:8080", true),
        ("LOCALHOST:1", true),
        ("localhost:", true),
        ("127.0.0.1", true),
        ("127.0.0.1:65535", true),
        ("127.255.255.254", true),
        ("[::1]", true),
        ("[::1]:8080", true),
        ("[0:0:0:0:0:0:0:1]:8080", true),
        // Names that a foreign page can have, whatever they resolve to.
        ("evil.example", false),
        ("evil.example:8080", false),
        ("calls.example.com", false),
        ("127.0.0.1.evil.example", false),
        ("127.0.0.1.nip.io", false),
        ("localhost.evil.example", false),
        ("localhost.", false),
        ("localhost.localdomain", false),
        ("evil.localhost", false),
        ("localhosts", false),
        ("xlocalhost", false),
        ("[::1].evil.example", false),
        ("evil.example@localhost", false),
        ("localhost@evil.example", false),
        ("localhost:8080@evil.example", false),
        ("localhost:8080x", false),
        ("localhost:80:80", false),
        ("localhost, evil.example", false),
        ("localhost evil.example", false),
        ("localhost/evil", false),
        ("loc\u{e4}lhost", false),
        // Other ways to write an address, and other addresses of this machine.
        ("127.1", false),
        ("2130706433", false),
        ("0x7f000001", false),
        ("0177.0.0.1", false),
        ("127.0.0.01", false),
        ("0.0.0.0", false),
        ("[::]", false),
        ("::1", false),
        ("[127.0.0.1]", false),
        ("[::ffff:127.0.0.1]", false),
        ("[::1", false),
        ("10.0.0.1", false),
        ("192.168.0.1:8080", false),
        ("169.254.169.254", false),
        ("", false),
        (":8080", false),
    ];
    for (host, good) in cases {
        let verdict = if good { Ok(()) } else { Err(Refused::Host) };
        assert_eq!(ask(&insecure(&[]), &[("host", host)]), verdict, "{host}");
        assert_eq!(ask(&secure(&[]), &[("host", host)]), Ok(()), "{host}");
    }
}

#[test]
fn a_refusal_says_what_to_do() {
    assert_eq!(Refused::STATUS, 403);
    assert!(Refused::Origin.to_string().contains("--allowed-origin"));
    assert!(Refused::Host.to_string().contains("localhost"));
    assert!(Refused::Forwarded.to_string().contains("proxy"));
}
