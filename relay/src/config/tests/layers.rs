//! Which layer wins, and how everything wrong is told.

use super::*;
use crate::config::dial::NoticeTo;

#[test]
fn defaults_are_the_contracts() {
    let config = World::insecure().good();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!((config.retention.as_secs(), config.history.as_secs()), (3600, 10));
    assert_eq!((config.max_calls, config.max_listeners), (10_000, 10_000));
    assert_eq!(config.transcription, [Engine::Twilio]);
    assert_eq!(
        (config.log_format, config.log_level.as_str()),
        (LogFormat::Text, "info")
    );
    assert!(config.public_url.is_none() && config.accounts.is_empty() && config.allowed_origins.is_empty());
    assert_eq!(config.dial, DialRules::default());
    assert_eq!(
        config.dial.notice,
        "This call is being monitored and transcribed for quality assurance purposes."
    );
    assert_eq!(
        (config.dial.notice_language.as_str(), config.dial.notice_to),
        ("en-US", NoticeTo::Both)
    );
    assert!(config.warnings.is_empty());
}

#[test]
fn flag_beats_environment_beats_file_beats_default_and_the_winner_is_known() {
    let text = "retention = \"3m\"\nhistory = \"3s\"\nmax_calls = 3\nnotice = \"Hi\"\n";
    let config = World::insecure()
        .file(text)
        .env("PARTYLINE_RETENTION", "2m")
        .env("PARTYLINE_HISTORY", "2s")
        .env("PARTYLINE_MAX_LISTENERS", "")
        .args(|a| a.retention = Some("1m".into()))
        .good();
    assert_eq!(
        (config.retention.as_secs(), config.source_of("retention")),
        (60, Some(Source::Flag))
    );
    assert_eq!(
        (config.history.as_secs(), config.source_of("history")),
        (2, Some(Source::Environment))
    );
    assert_eq!(
        (config.max_calls, config.source_of("max_calls")),
        (3, Some(Source::File))
    );
    assert_eq!(
        (config.max_listeners, config.source_of("max_listeners")),
        (10_000, Some(Source::Default))
    );
    assert_eq!(
        (config.dial.notice.as_str(), config.source_of("notice")),
        ("Hi", Some(Source::File))
    );
    assert_eq!(config.source_of("nonsense"), None);
    for (name, _) in keys::SETTINGS.iter().chain(keys::DIAL_KEYS) {
        assert!(
            config.source_of(name).is_some(),
            "{name} does not know where it came from"
        );
    }
}

#[test]
fn a_list_is_an_array_in_the_file_and_comma_separated_elsewhere_and_is_not_merged() {
    let world = World::insecure().file("allowed_origin = [\"https://file.example\"]\n");
    assert_eq!(world.good().allowed_origins.len(), 1);
    let world = world.env(
        "PARTYLINE_ALLOWED_ORIGIN",
        "https://a.example, /https://[a-z]{1,2}/",
    );
    let config = world.good();
    assert_eq!(config.allowed_origins.len(), 2);
    assert!(config.allowed_origins[1].matches("https://ab"));
    assert!(
        !config
            .allowed_origins
            .iter()
            .any(|o| o.matches("https://file.example"))
    );
}

#[test]
fn the_file_may_be_named_by_the_environment() {
    let mut world = World::insecure().env("PARTYLINE_CONFIG", "other.toml");
    world.files.insert("other.toml", "max_calls = 7\n".into());
    assert_eq!(world.good().max_calls, 7);
    world.files.clear();
    assert!(
        world.told().contains("other.toml: it cannot be read"),
        "{}",
        world.told()
    );
}

#[test]
fn dial_keys_are_the_files_alone() {
    let config = World::insecure()
        .env("PARTYLINE_CALLER_ID", "+12125550100")
        .good();
    assert_eq!(
        (config.dial.caller_id, config.sources["caller_id"].clone()),
        (None, (Source::Default, String::new()))
    );
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place_and_remedy() {
    let told = World::insecure()
        .file("retension = \"1h\"\nhistory = \"soon\"\nnotice_to = \"all\"\n")
        .env("PARTYLINE_MAX_CALLS", "many")
        .args(|a| a.log_level = Some("inof".into()))
        .args(|a| a.listen = Some("here".into()))
        .told();
    for line in [
        "relay.toml line 1: there is no key `retension`; the nearest one is `retention`",
        "relay.toml line 2: `soon` is not a duration; write for example 10s, 5m, 1h30m or 90d",
        "relay.toml line 3: `all` hears no notice; write \"caller\" or \"both\"",
        "PARTYLINE_MAX_CALLS: `many` is no number of them; write a whole number from 1 on",
        "--log-level: there is no log level `inof`; write one of error, warn, info, debug, trace, off; the nearest is info",
        "--listen: `here` is no address to listen on; write IP:PORT, for example 127.0.0.1:8080 or [::1]:8080",
    ] {
        assert!(told.contains(&format!("\n  {line}")), "{line}\nis not in\n{told}");
    }
    assert_eq!(told.lines().count(), 7, "{told}");
    assert_eq!(problem::EXIT_CODE, 2);
}

#[test]
fn the_address_of_redis_may_be_where_other_programs_read_it() {
    let at = |world: &World| {
        let config = world.good();
        let host = config.redis.as_ref().map(|url| url.host.clone());
        (host.unwrap_or_default(), config.place_of("redis").to_owned())
    };
    let told = |host: &str, place: &str| (host.to_owned(), place.to_owned());
    let world = World::insecure();
    assert_eq!(at(&world), told("", ""));
    let world = world.file("redis = \"redis://127.0.0.1\"\n");
    assert_eq!(at(&world), told("127.0.0.1", "relay.toml line 1"));
    let world = world.env("REDIS_URL", "redis://127.0.0.2");
    assert_eq!(at(&world), told("127.0.0.2", "REDIS_URL"));
    let world = world.env("PARTYLINE_REDIS", "redis://127.0.0.3");
    assert_eq!(at(&world), told("127.0.0.3", "PARTYLINE_REDIS"));
    let world = world.args(|a| a.redis = Some(Secret::new("redis://127.0.0.4")));
    assert_eq!(at(&world), told("127.0.0.4", "--redis"));
    assert!(world.good().warnings.is_empty());

    let told = World::insecure()
        .env("REDIS_URL", "redis+sentinel://s3cret")
        .env("PARTYLINE_CHANNEL_PREFIX", "a b")
        .args(|a| a.redis_rails_prefix = Some("*".into()))
        .told();
    for line in [
        "REDIS_URL: Redis Sentinel is not supported; give the address of one server",
        "PARTYLINE_CHANNEL_PREFIX: that is no prefix; write 1 to 64 letters",
        "--redis-rails-prefix: that is no prefix",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
    assert!(!told.contains("s3cret"), "{told}");
}

#[test]
fn what_is_risky_about_redis_is_told_and_what_does_nothing_too() {
    let secret = |url: &str| Some(Secret::new(url));
    let warned = |world: World| world.good().warnings.join("\n");
    let told = warned(World::insecure().args(|a| a.redis = secret("rediss://:s3cret@r.example")));
    assert!(
        told.starts_with("--redis puts a password") && !told.contains("s3cret"),
        "{told}"
    );
    let told = warned(World::insecure().env("REDIS_URL", "redis://u:s3cret@r.example"));
    assert!(
        told.contains("goes to r.example:6379 unencrypted") && !told.contains("s3cret"),
        "{told}"
    );
    assert_eq!(
        warned(World::insecure().env("REDIS_URL", "redis://u:s3cret@localhost")),
        ""
    );
    let told = warned(
        World::insecure()
            .env("PARTYLINE_CHANNEL_PREFIX", "p")
            .env("PARTYLINE_REDIS_RAILS_PREFIX", "smart_production"),
    );
    let expected =
        "--channel-prefix does nothing without --redis\n--redis-rails-prefix does nothing without --redis";
    assert_eq!(told, expected);
}

#[test]
fn what_twilio_is_told_is_the_public_url_or_the_address() {
    let address = "127.0.0.1:4567".parse().unwrap();
    let config = World::insecure().good();
    assert_eq!(
        (config.host(address), config.base(address)),
        ("127.0.0.1:4567".into(), "http://127.0.0.1:4567".into())
    );
    let config = World::insecure()
        .args(|a| a.public_url = Some("https://A.example/".into()))
        .good();
    assert_eq!(
        (config.host(address), config.base(address)),
        ("a.example".into(), "https://a.example".into())
    );
    let six = "[::1]:80".parse().unwrap();
    assert_eq!(World::insecure().good().host(six), "[::1]:80");
}
