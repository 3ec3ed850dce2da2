//! Who is let in: --insecure, what is missing without it, and Twilio accounts with their tokens.

use super::*;

#[test]
fn insecure_is_for_loopback_only() {
    for listen in ["0.0.0.0:8080", "[::]:8080", "192.168.0.1:80"] {
        let told = World::insecure().args(|a| a.listen = Some(listen.into())).told();
        assert!(
            told.contains("--insecure: lets everybody in") && told.contains("127.0.0.1:8080"),
            "{told}"
        );
    }
    for listen in ["127.9.9.9:0", "[::1]:8080"] {
        World::insecure().args(|a| a.listen = Some(listen.into())).good();
    }
    let config = World::default().env("PARTYLINE_INSECURE", "true").good();
    assert_eq!(
        (config.insecure, config.source_of("insecure")),
        (true, Some(Source::Environment))
    );
}

#[test]
fn without_insecure_all_that_is_missing_is_told() {
    let told = World::default().told();
    for missing in [
        "Twilio auth token is missing",
        "--public-url is missing",
        "--tokens or --jwks is missing",
    ] {
        assert!(told.contains(missing), "{told}");
    }
    for remedy in [
        "TWILIO_AUTH_TOKEN",
        "--public-url https://HOST",
        "partyline-relay token add --tokens FILE",
        "--jwks FILE|URL",
        "--insecure on a loopback --listen",
    ] {
        assert!(told.contains(remedy), "{told}");
    }
    let told = World::default()
        .env("TWILIO_AUTH_TOKEN", "secret")
        .args(|a| a.public_url = Some("https://a.example".into()))
        .args(|a| a.listen = Some("0.0.0.0:443".into()))
        .told();
    assert!(
        !told.contains("--public-url is missing") && !told.contains("auth token is missing"),
        "{told}"
    );
    assert!(
        told.contains("--tokens or --jwks") && told.contains("--tls-cert"),
        "{told}"
    );
    let told = World::default()
        .args(|a| a.public_url = Some("http://a.example".into()))
        .told();
    assert!(told.contains("http://a.example is not https"), "{told}");
}

/// What serves without --insecure, on loopback.
fn secure() -> World {
    let mut world = World::default().env("TWILIO_AUTH_TOKEN", "secret").args(|a| {
        a.public_url = Some("https://a.example".into());
        a.tokens = Some("tokens".into());
    });
    world.files.insert("tokens", String::new());
    world
}

#[test]
fn with_all_that_is_needed_it_starts_and_nobody_is_let_in_unasked() {
    let config = secure().good();
    assert!(
        !config.insecure && config.warnings.is_empty(),
        "{:?}",
        config.warnings
    );
    assert_eq!(config.tokens.as_deref(), Some(Path::new("tokens")));
    assert_eq!(
        (config.foreign_streams, config.audit_fail),
        (Foreign::Deny, AuditFail::Closed)
    );
    assert!(config.trusted_proxies.is_empty() && !config.only_proxies());
    for (name, value) in [("jwks", "keys.json"), ("jwt_secret_file", "secret")] {
        let mut world = secure().file(&format!("{name} = {value:?}\njwt_audience = \"partyline\"\n"));
        world.args.tokens = None;
        world.files.insert(value, "{}".into());
        assert!(world.good().warnings.is_empty(), "{name}");
    }
}

#[test]
fn beyond_loopback_it_needs_a_proxy_and_serves_nobody_else() {
    for listen in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80"] {
        let open = secure().args(|a| a.listen = Some(listen.into()));
        let told = open.told();
        assert!(
            told.contains("--listen: ") && told.contains("--trusted-proxy CIDR") && told.lines().count() == 2,
            "{told}"
        );
        let config = open.env("PARTYLINE_TRUSTED_PROXY", "10.0.0.0/8, fd00::/8").good();
        assert!(config.only_proxies());
        assert_eq!(config.trusted_proxies.len(), 2);
    }
    let told = secure()
        .args(|a| a.listen = Some("0.0.0.0:80".into()))
        .args(|a| a.trusted_proxy = vec!["10.0.0.0/33".into()])
        .told();
    assert_eq!(
        told.lines().count(),
        2,
        "it is wrong, and not missing too: {told}"
    );
}

#[test]
fn a_file_that_is_not_there_is_told_with_how_to_make_it() {
    type Set = fn(&mut ServeArgs);
    let cases: [(Set, &str, &str); 3] = [
        (
            |a| a.tokens = Some("gone".into()),
            "--tokens",
            "token add --tokens FILE",
        ),
        (|a| a.jwks = Some("gone".into()), "--jwks", "key set"),
        (
            |a| a.jwt_secret_file = Some("gone".into()),
            "--jwt-secret-file",
            "secret",
        ),
    ];
    for (set, flag, remedy) in cases {
        for world in [secure(), World::insecure()] {
            let told = world.args(set).told();
            assert!(
                told.contains(&format!("{flag}: `gone` cannot be read")) && told.contains(remedy),
                "{told}"
            );
            assert_eq!(told.lines().count(), 2, "{told}");
        }
    }
}

#[test]
fn keys_come_from_a_file_or_a_url_that_nobody_can_change_on_the_way() {
    for url in [
        "https://login.example/.well-known/jwks.json",
        "https://login.example:8443/keys?for=us",
        "http://127.0.0.1:9/keys",
        "http://localhost/keys",
        "http://[::1]:9/keys",
    ] {
        let config = secure().args(|a| a.jwks = Some(url.into())).good();
        assert_eq!(config.jwks, Some(JwksSource::Url(url.into())));
    }
    for url in [
        "http://login.example/keys",
        "http://localhost.example/keys",
        "https://name:topsecret@login.example/keys",
        "https://login.example/keys#topsecret",
        "file:///etc/keys",
        "ftp://login.example",
        "https://",
        "",
    ] {
        let told = secure().args(|a| a.jwks = Some(url.into())).told();
        assert!(
            told.contains("--jwks: ") && !told.contains("topsecret"),
            "{url}: {told}"
        );
    }
}

#[test]
fn what_does_less_than_it_seems_is_warned_of() {
    let warned = |world: World| world.good().warnings.join("\n");
    let mut keys = secure().args(|a| a.jwks = Some("keys".into()));
    keys.files.insert("keys", "{}".into());
    assert!(warned(keys).contains("--jwt-audience"));
    let alone = secure().env("PARTYLINE_JWT_ISSUER", "https://login.example");
    assert!(warned(alone).contains("--jwt-issuer does nothing without --jwks"));
    let fail = secure().args(|a| a.audit_fail = Some("open".into()));
    assert!(warned(fail).contains("--audit-fail does nothing without --audit"));
    let all = secure().args(|a| a.trusted_proxy = vec!["0.0.0.0/0".into()]);
    assert!(warned(all).contains("lets everybody say from where they come"));
    let insecure = World::insecure().args(|a| a.trusted_proxy = vec!["10.0.0.1".into()]);
    assert!(warned(insecure).contains("--trusted-proxy does nothing under --insecure"));
}

#[test]
fn what_is_wrong_is_not_told_as_missing_too() {
    let told = World::default()
        .args(|a| a.public_url = Some("a.example".into()))
        .env("PARTYLINE_TWILIO_ACCOUNT", "SK1=t")
        .told();
    assert!(told.contains("--public-url: `a.example` is no origin"), "{told}");
    assert!(
        told.contains("PARTYLINE_TWILIO_ACCOUNT: that is no Twilio account"),
        "{told}"
    );
    assert!(
        !told.contains("url is missing") && !told.contains("token is missing"),
        "{told}"
    );
}

#[test]
fn an_empty_token_is_a_missing_one() {
    let commas = World::default().env("TWILIO_AUTH_TOKEN", " , ").told();
    let empty = World::default().file("twilio_account = []").told();
    for told in [commas, empty] {
        assert!(told.contains("a Twilio auth token is missing"), "{told}");
    }
}

#[test]
fn account_and_token_are_a_pair() {
    let config = World::insecure()
        .args(|a| {
            a.twilio_account = vec![
                Secret::new(format!("{AC1}=one,two")),
                Secret::new(format!("{AC2}=three")),
            ]
        })
        .env("TWILIO_AUTH_TOKEN", "left-over")
        .good();
    assert_eq!(tokens(&config, Some(AC1)), ["one", "two"]);
    assert_eq!(tokens(&config, Some(AC2)), ["three"]);
    assert_eq!(tokens(&config, Some("AC3")), Vec::<String>::new());
    assert!(config.accounts.is_ours(AC1) && !config.accounts.is_ours("AC3"));
    assert!(
        config.warnings[0].contains("--twilio-account puts a token"),
        "{:?}",
        config.warnings
    );
    assert!(!format!("{config:?}").contains("three"));
    assert_eq!(config.source_of("twilio_account"), Some(Source::Flag));
}

#[test]
fn a_token_alone_takes_any_account_and_with_a_sid_that_one() {
    let alone = World::insecure().env("TWILIO_AUTH_TOKEN", "one, two");
    assert_eq!(tokens(&alone.good(), Some("AC9")), ["one", "two"]);
    assert_eq!(tokens(&alone.good(), None), ["one", "two"]);
    let paired = alone.env("TWILIO_ACCOUNT_SID", AC1).good();
    assert_eq!(tokens(&paired, Some(AC1)), ["one", "two"]);
    assert!(tokens(&paired, Some(AC2)).is_empty() && !paired.accounts.is_ours(AC2));
    assert_eq!(paired.source_of("twilio_account"), Some(Source::Environment));
    let sid_alone = World::insecure().env("TWILIO_ACCOUNT_SID", AC1).good();
    assert!(sid_alone.accounts.is_empty());
    let both = World::insecure()
        .env(
            "PARTYLINE_TWILIO_ACCOUNT",
            "AC11111111111111111111111111111111=a,b,AC22222222222222222222222222222222=c",
        )
        .good();
    assert_eq!(
        (tokens(&both, Some(AC1)), tokens(&both, Some(AC2))),
        (vec!["a".into(), "b".into()], vec!["c".into()])
    );
}

#[test]
fn a_token_file_is_read_and_its_trouble_told() {
    let mut world = World::insecure().args(|a| a.twilio_auth_token_file = Some("token".into()));
    assert!(
        world
            .told()
            .contains("--twilio-auth-token-file: `token` cannot be read"),
        "{}",
        world.told()
    );
    world.files.insert("token", "one\ntwo\n".into());
    assert_eq!(tokens(&world.good(), Some("AC9")), ["one", "two"]);
    assert!(world.good().warnings.is_empty());
    world.files.insert("token", "\n".into());
    assert!(world.told().contains("has no auth token"), "{}", world.told());
}

#[test]
fn a_bad_account_is_told_without_its_token() {
    for text in [
        "topsecret",
        "topsecret=AC1",
        "AC1=",
        "=topsecret",
        "AC1=top secret",
        "",
        "SK1=topsecret",
    ] {
        let told = World::insecure()
            .args(|a| a.twilio_account = vec![Secret::new(text)])
            .told();
        assert!(
            told.contains("--twilio-account: ") && !told.contains("secret"),
            "{told}"
        );
    }
    let told = World::insecure()
        .env("TWILIO_AUTH_TOKEN", "t")
        .env("TWILIO_ACCOUNT_SID", "topsecret")
        .told();
    assert!(
        told.contains("TWILIO_ACCOUNT_SID: that is no Twilio account") && !told.contains("topsecret"),
        "{told}"
    );
    let short = World::insecure().env("PARTYLINE_TWILIO_ACCOUNT", "AC1=t").good();
    assert!(
        short.warnings[0].contains("AC1 has 3 characters"),
        "{:?}",
        short.warnings
    );
}
