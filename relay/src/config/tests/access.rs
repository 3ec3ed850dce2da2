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
