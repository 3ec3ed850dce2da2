//! Who is rung, from the file; and the sample configuration.

use super::*;
use crate::config::dial::Target;
use crate::config::keys::{DIAL_KEYS, SETTINGS};
use partyline_shared::phone::PhoneNumber;
use partyline_shared::track::Track;

#[test]
fn the_sample_configuration_says_what_the_contract_shows() {
    let config = World::default()
        .file(include_str!("../../../../assets/relay.toml"))
        .good();
    let number = PhoneNumber::new;
    assert_eq!(config.dial.caller_id, Some(number("+12125550100")));
    assert_eq!(
        config.dial.default_dial,
        Some(Target::Client(number("client:alice")))
    );
    assert_eq!(config.dial.dial_allow, [PhoneNumber::new("+1")]);
    let route = &config.dial.routes[0];
    assert_eq!(
        (&route.to, &route.dial),
        (
            &number("+12125550111"),
            &Target::Sip(number("sip:desk@example.com"))
        )
    );
    assert_eq!(
        (route.customer_id.as_deref(), route.agent),
        (Some("777"), Some(Track::Outbound))
    );
    let defaults = World::insecure().good();
    assert_eq!(config.dial.notice, defaults.dial.notice);
    assert_eq!(
        (config.listen, config.retention, config.history),
        (defaults.listen, defaults.retention, defaults.history)
    );
    assert_eq!(
        (config.max_calls, config.max_listeners),
        (defaults.max_calls, defaults.max_listeners)
    );
    assert_eq!(
        (config.attach, config.drain_timeout, config.twilio_api),
        (defaults.attach, defaults.drain_timeout, defaults.twilio_api)
    );
}

/// Whoever looks for a setting looks there.
#[test]
fn the_sample_names_every_setting() {
    let text = include_str!("../../../../assets/relay.toml");
    for (name, _) in SETTINGS.iter().chain(DIAL_KEYS) {
        let key = format!("{name} = ");
        let found = text
            .lines()
            .any(|line| line.starts_with(&key) || line.starts_with(&format!("# {key}")));
        // Named beside those that it stands for.
        assert!(found || *name == "jwt_secret_file", "{name}");
    }
}

#[test]
fn the_samples_examples_can_be_commented_in() {
    let text = include_str!("../../../../assets/relay.toml");
    let mut used = 0;
    let lines = text.lines().map(
        |line| match line.strip_prefix("# ").filter(|l| l.contains(" = ")) {
            Some(example) if example.starts_with(|c: char| c.is_ascii_lowercase()) => {
                used += 1;
                example
            }
            _ => line,
        },
    );
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut world = World::default().file(&text);
    world.files.insert("/etc/partyline/twilio-token", "one\n".into());
    world.files.insert("/etc/partyline/tokens", String::new());
    let config = world.good();
    assert_eq!(used, 18);
    assert_eq!(
        config.public_url.as_ref().unwrap().to_string(),
        "https://calls.example.com"
    );
    assert!(config.allowed_origins[1].matches("https://a.example.com"));
    assert_eq!(tokens(&config, Some(AC1)), ["OLD", "NEW", "one"]);
}

#[test]
fn bad_dial_rules_are_told_with_their_lines() {
    for (text, told) in [
        (
            "caller_id = \"2125550100\"",
            "line 1: `2125550100` cannot be shown as the caller",
        ),
        ("caller_id = \"sip:a@b\"", "cannot be shown as the caller"),
        (
            "default_dial = \"alice\"",
            "`alice` cannot be rung; write a number with its plus",
        ),
        ("default_dial = \"+1 212 555 0100\"", "cannot be rung"),
        ("dial_allow = [\"\"]", "\"+\" permits every number"),
        (
            "dial_allow = [\"1\"]",
            "nothing that can be dialled begins with `1`",
        ),
        (
            "notice_language = \"English!\"",
            "is no language; write a tag such as en-US",
        ),
        (
            "[[routes]]\nto = \"+1212\"",
            "line 1: a route needs both `to` and `dial`",
        ),
        (
            "[[routes]]\nto = \"+1212\"\ndial = \"desk\"",
            "line 3: `desk` cannot be rung",
        ),
        (
            "[[routes]]\nto = \"+1212\"\ndial = \"client:a\"\nagent = \"left\"",
            "line 4: `left` is no track",
        ),
        (
            "[[routes]]\nto = \"+1212\"\ndial = \"client:a\"\n[[routes]]\nto = \"+1212\"\ndial = \"client:b\"",
            "line 4: another route has the same `to`",
        ),
    ] {
        let found = World::insecure().file(text).told();
        assert!(found.contains(told), "{text}\n{found}");
    }
    let longest = "a".repeat(4096);
    let config = World::insecure().file(&format!("notice = \"{longest}\"")).good();
    assert_eq!(config.dial.notice, longest);
    let long = World::insecure().file(&format!("notice = \"{longest}a\"")).told();
    assert!(
        long.contains("has 4097 characters; Twilio says at most 4096"),
        "{long}"
    );
    let silent = World::insecure()
        .file("notice = \"\"\ndial_allow = [\"+\", \"client:\", \"sip:desk@\"]")
        .good();
    assert_eq!(
        (silent.dial.notice.as_str(), silent.dial.dial_allow.len()),
        ("", 3)
    );
}
