//! The configuration as a file: what it says, and that it means the same when it is read back.

use super::*;
use crate::config::keys;

/// Everything that can be said, by all three layers.
fn full() -> World {
    let mut world = World::default()
        .file(
            "public_url = \"https://calls.example.com\"\ntokens = \"tokens\"\njwks = \"https://login.example/keys\"\n\
             jwt_secret_file = \"se\\\"cret\"\njwt_issuer = \"a\\tb\"\njwt_audience = \"'''\"\nretention = \"90s\"\n\
             trusted_proxy = [\"10.0.0.0/8\", \"::1\"]\nmax_listeners = 7\ntls_cert = \"c.pem\"\ntls_key = \"k.pem\"\n\
             allowed_origin = [\"https://a.example\", \"/https://[a-z]{1,2}\\\\.example/\"]\ninsecure = false\n\
             caller_id = \"+12125550100\"\ndefault_dial = \"client:alice\"\ndial_allow = [\"+1\"]\nnotice = \"\"\n\
             notice_to = \"caller\"\ntranscription = \"none\"\n\
             [[routes]]\nto = \"+12125550111\"\ndial = \"sip:desk@example.com\"\ncustomer_id = \"777\"\nagent = \"outbound\"\n",
        )
        .env("PARTYLINE_COALESCE", "20ms")
        .env("PARTYLINE_HISTORY", "1h30m")
        .env("TWILIO_AUTH_TOKEN", "topsecret,topsecret2")
        .args(|args| {
            args.listen = Some("[::1]:0".into());
            args.drain_timeout = Some("1m1ms".into());
        });
    for name in ["tokens", "se\"cret"] {
        world.files.insert(name, String::new());
    }
    world
}

/// The settings alone: what they are and no word on where from.
fn values(printed: &str) -> Vec<String> {
    let mut lines: Vec<String> = printed
        .lines()
        .filter(|line| line.contains(" = "))
        .map(|line| {
            line.rsplit_once("  # ")
                .map_or(line, |(value, _)| value)
                .to_owned()
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn each_setting_is_told_once_with_where_it_came_from() {
    let printed = full().good().print();
    for line in [
        "listen = \"[::1]:0\"  # flag: --listen",
        "coalesce = \"20ms\"  # environment: PARTYLINE_COALESCE",
        "history = \"90m\"  # environment: PARTYLINE_HISTORY",
        "retention = \"90s\"  # file: relay.toml line 7",
        "drain_timeout = \"60001ms\"  # flag: --drain-timeout",
        "# max_calls = 10000  # default",
        "# twilio_account = any account=… (2 tokens)  # environment: TWILIO_AUTH_TOKEN, not shown",
        "# audit is not set",
        "[[routes]]  # relay.toml line 20",
        "customer_id = \"777\"",
        "transcription = [\"none\"]  # file: relay.toml line 19",
    ] {
        assert!(
            printed.lines().any(|told| told == line),
            "{line} is not in\n{printed}"
        );
    }
    for (name, _) in keys::SETTINGS.iter().chain(keys::DIAL_KEYS) {
        let of = |line: &&str| {
            let line = line.trim_start_matches("# ");
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '))
        };
        assert_eq!(printed.lines().filter(of).count(), 1, "{name} in\n{printed}");
    }
    assert!(!printed.contains("topsecret"), "{printed}");
}

#[test]
fn read_back_it_is_the_same_configuration() {
    for world in [
        full(),
        World::insecure(),
        World::insecure().env("PARTYLINE_LISTEN", "[::1]:9"),
    ] {
        let first = world.good();
        let printed = first.print();
        let mut again = World {
            files: world.files.clone(),
            ..World::default()
        }
        .file(&printed);
        // What the print leaves out.
        again.env.extend(
            world
                .env
                .get_key_value("TWILIO_AUTH_TOKEN")
                .map(|(n, v)| (*n, *v)),
        );
        let second = again.good();
        assert_eq!(values(&printed), values(&second.print()));
        assert_eq!(first.dial, second.dial);
        assert_eq!(first.warnings, second.warnings);
    }
}

#[test]
fn a_key_to_the_keys_is_not_shown() {
    let world = World::insecure().env("PARTYLINE_JWKS", "https://login.example/keys?key=topsecret");
    let printed = world.good().print();
    assert!(!printed.contains("topsecret"), "{printed}");
    assert!(
        printed.contains("# jwks = Url(https://login.example/…)  # environment: PARTYLINE_JWKS, not shown"),
        "{printed}"
    );
}

#[test]
fn who_we_are_to_redis_is_not_shown() {
    let world = World::insecure().env("REDIS_URL", "rediss://alice:topsecret@r.example/2");
    let printed = world.good().print();
    assert!(
        !printed.contains("topsecret") && !printed.contains("alice"),
        "{printed}"
    );
    let line = "# redis = rediss://…@r.example:6379/2  # environment: REDIS_URL, not shown";
    assert!(printed.contains(line), "{printed}");
    let world = World::insecure()
        .env("PARTYLINE_REDIS", "redis://localhost")
        .env("PARTYLINE_REDIS_RAILS_PREFIX", "smart_production");
    let printed = world.good().print();
    let again = World::insecure().file(&printed).good();
    assert!(
        again.redis == world.good().redis && again.redis.is_some(),
        "{printed}"
    );
    assert_eq!(again.redis_rails_prefix.as_deref(), Some("smart_production"));
    assert_eq!(again.channel_prefix, "partyline");
}

#[test]
fn a_file_of_a_strange_name_cannot_end_the_comment() {
    let mut world = World::insecure();
    world.args.config = Some("a\nmax_calls = 1\r".into());
    world
        .files
        .insert("a\nmax_calls = 1\r", "retention = \"2s\"".to_owned());
    let again = World::insecure().file(&world.good().print());
    assert_eq!(again.good().max_calls, world.good().max_calls);
}

#[test]
fn the_file_of_auth_tokens_is_named_and_not_quoted() {
    let mut world = World::insecure().args(|args| args.twilio_auth_token_file = Some("tok".into()));
    world.files.insert("tok", "topsecret\n".to_owned());
    let printed = world.good().print();
    let line = "twilio_auth_token_file = \"tok\"  # flag: --twilio-auth-token-file";
    assert!(
        printed.contains(line) && !printed.contains("topsecret"),
        "{printed}"
    );
}
