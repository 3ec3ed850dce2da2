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
fn a_setting_of_a_later_version_is_never_ignored() {
    let told = World::insecure()
        .env("PARTYLINE_REDIS", "redis://127.0.0.1")
        .file("channel_prefix = \"x\"")
        .told();
    assert!(
        told.contains("PARTYLINE_REDIS: this setting comes with a later version"),
        "{told}"
    );
    assert!(
        told.contains("relay.toml line 1: `channel_prefix` comes with a later version"),
        "{told}"
    );
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
