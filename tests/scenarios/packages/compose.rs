//! Two relays, Redis and Caddy by Docker Compose, which cannot be run here: the file is read as Compose reads it, and each
//! part of it is tried by the program that it is for.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use harness::network::quiet_port;
use harness::wait::SOON;
use harness::{Program, Scratch, binaries};
use serde_json::Value;

use super::{asset, told};

/// The file, with its aliases followed and its merges made.
fn compose() -> Value {
    let read = "require 'yaml'; require 'json'; puts YAML.load_file(ARGV[0], aliases: true).to_json";
    let json = told(Command::new("ruby").args(["-e", read]).arg(asset("compose.yaml")));
    serde_json::from_str(&json).expect("JSON")
}

fn texts(value: &Value) -> Vec<&str> {
    let list = value.as_array().unwrap_or_else(|| panic!("no list: {value}"));
    list.iter().map(|one| one.as_str().expect("a text")).collect()
}

#[test]
fn two_relays_are_told_the_same_and_each_has_its_own_record() {
    let compose = compose();
    let relays = ["relay-1", "relay-2"].map(|name| &compose["services"][name]);
    let image = std::fs::read_to_string(asset("docker/Dockerfile")).expect("a Dockerfile");
    let mut own = BTreeSet::new();
    for relay in relays {
        for (name, value) in relay.as_object().expect("a service") {
            assert!(name == "volumes" || *value == relays[0][name], "{name} differs");
        }
        for volume in texts(&relay["volumes"]) {
            let (from, to) = volume.split_once(':').expect("a place in the container");
            if from.starts_with('/') {
                assert_eq!(to, "/etc/partyline:ro", "what is mounted cannot be written");
                continue;
            }
            assert!(own.insert(from), "{from} is shared");
            assert!(compose["volumes"].get(from).is_some(), "{from} is not declared");
            assert!(
                image.contains(&format!("\"{to}\"")),
                "{to} is no volume of the image"
            );
        }
        let build = asset("").join(relay["build"]["context"].as_str().expect("a folder"));
        let dockerfile = relay["build"]["dockerfile"].as_str().expect("a file");
        assert!(build.join(dockerfile).exists(), "{dockerfile}");
        // It drains for as long as it may, and is not killed before.
        assert_eq!(relay["stop_grace_period"], "16m");
    }
    assert_eq!(own.len(), 4);
}

#[test]
fn a_relay_takes_what_it_is_told() {
    let folder = Scratch::new();
    let compose = compose();
    let relay = &compose["services"]["relay-1"];
    let command = texts(&relay["command"]);
    assert_eq!(command[0], "serve");
    let toml = std::fs::read_to_string(asset("systemd/relay.toml")).expect("a configuration");
    let toml = toml
        .replace("# public_url", "public_url")
        .replace("/var/lib/partyline/", "/nowhere/");
    let config = folder.write("relay.toml", toml);
    let tokens = folder.write("tokens", "");
    told(Command::new("chmod").arg("600").arg(&tokens));
    let flags = command[1..].iter().map(|flag| match flag.split_once('=') {
        Some(("--config", _)) => format!("--config={}", config.display()),
        Some(("--tokens", _)) => format!("--tokens={}", tokens.display()),
        Some((name @ ("--audit" | "--state"), _)) => format!("{name}={}", folder.file(&name[2..]).display()),
        _ => (*flag).to_owned(),
    });
    let mut check = Command::new(binaries::path(binaries::RELAY));
    check
        .args(["config", "check"])
        .args(flags)
        .env("TWILIO_AUTH_TOKEN", "0".repeat(32));
    check.env("TWILIO_ACCOUNT_SID", format!("AC{}", "0".repeat(32)));
    told(check.env("REDIS_URL", "redis://:secret@redis:6379"));
    let trusted = format!("--trusted-proxy={}", address(&compose));
    assert!(command.contains(&&*trusted), "{trusted}");
}

/// Where Caddy is for the relays.
fn address(compose: &Value) -> &str {
    let address = &compose["services"]["caddy"]["networks"]["partyline"]["ipv4_address"];
    address.as_str().expect("an address")
}

#[tokio::test]
async fn redis_takes_its_settings_and_asks_for_the_password() {
    let compose = compose();
    let redis = &compose["services"]["redis"];
    let entrypoint = texts(&redis["entrypoint"]);
    // Compose has two for one.
    let script = entrypoint[2].replace("$$", "$");
    let settings = redis["environment"]["REDIS_CONFIG"].as_str().expect("settings");
    let port = quiet_port().port().to_string();
    let settings = format!("{settings}bind 127.0.0.1\nport {port}\n");
    let env = [("REDIS_PASSWORD", "pass"), ("REDIS_CONFIG", &*settings)];
    let program = Program::start(Path::new(entrypoint[0]), [entrypoint[1], &script], &env);
    let ready = "Ready to accept connections";
    program.line(SOON, ready, |line| line.contains(ready)).await;
    let ask = |password: &str, setting: &str| {
        let mut asked = Command::new("redis-cli");
        asked
            .args(["-p", &port, "CONFIG", "GET", setting])
            .env("REDISCLI_AUTH", password);
        told(&mut asked)
    };
    assert!(ask("", "save").contains("NOAUTH"));
    assert_eq!(
        ask("pass", "maxmemory-policy").trim(),
        "maxmemory-policy\nnoeviction"
    );
    assert_eq!(ask("pass", "save").trim(), "save");
    let buffers = ask("pass", "client-output-buffer-limit");
    assert!(buffers.contains("pubsub 67108864 16777216 10"), "{buffers}");
    drop(program);
}

#[test]
fn caddy_leads_to_both_relays_and_asks_whether_they_are_ready() {
    let folder = Scratch::new();
    let compose = compose();
    let caddy = &compose["services"]["caddy"];
    let mounted = texts(&caddy["volumes"])
        .into_iter()
        .find(|volume| volume.ends_with("/etc/caddy/Caddyfile:ro"));
    let (file, _) = mounted.expect("a Caddyfile").split_once(':').expect("a place");
    let file = asset("").join(file);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let place = folder.path().display().to_string();
    let text = text.replace("/var/log/caddy", &place);
    let caddyfile = folder.write("Caddyfile", text);
    let caddy = |what: &str| {
        let mut caddy = Command::new("/usr/bin/caddy");
        caddy
            .args([what, "--adapter", "caddyfile", "--config"])
            .arg(&caddyfile);
        caddy.env("HOST", "calls.example.org").env("HOME", &place);
        told(&mut caddy)
    };
    caddy("validate");
    let adapted: Value = serde_json::from_str(&caddy("adapt")).expect("JSON");
    let route = &adapted["apps"]["http"]["servers"]["srv0"]["routes"][0];
    assert_eq!(route["match"][0]["host"][0], "calls.example.org");
    let proxy = &route["handle"][0]["routes"][0]["handle"][0];
    let upstreams: Vec<&Value> = proxy["upstreams"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["dial"])
        .collect();
    assert_eq!(upstreams, ["relay-1:8080", "relay-2:8080"]);
    for upstream in ["relay-1", "relay-2"] {
        assert!(compose["services"].get(upstream).is_some());
    }
    assert_eq!(proxy["health_checks"]["active"]["uri"], "/readyz");
}
