//! What a user sets up before there is a call: relays, tokens, devices; and what helps to help.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::program::{Ended, end};
use super::standin::{StandIn, nobody};

/// A user with a home folder of their own, removed with them.
struct User(std::path::PathBuf);

impl User {
    fn new() -> User {
        let n: u64 = rand::random();
        let home = std::env::temp_dir().join(format!("partyline-user-{n:016x}"));
        std::fs::create_dir_all(home.join("config/partyline")).unwrap();
        User(home)
    }

    fn with_config(text: &str) -> User {
        let user = User::new();
        std::fs::write(user.0.join("config/partyline/config.toml"), text).unwrap();
        user
    }

    async fn runs(&self, args: &[&str], env: &[(&str, &str)], stdin: &str) -> Ended {
        let mut child = Command::new(env!("CARGO_BIN_EXE_partyline"))
            .args(args)
            .env_clear()
            .env("HOME", &self.0)
            .env("XDG_CONFIG_HOME", self.0.join("config"))
            .env("XDG_STATE_HOME", self.0.join("state"))
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // A program that does not ask for a token does not read it either.
        let _ = pipe.write_all(stdin.as_bytes());
        drop(pipe);
        end(child).await
    }

    async fn says(&self, args: &[&str], stdin: &str) -> Ended {
        self.runs(args, &[], stdin).await
    }

    fn credentials(&self) -> std::path::PathBuf {
        self.0.join("config/partyline/credentials.toml")
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn list(standin: &StandIn, status: u16, body: &str) {
    standin.answer("/api/v1/calls?limit=1", status, body);
    standin.answer("/api/v1/calls?status=live&limit=200", status, body);
}

const NO_CALLS: &str = r#"{"calls":[]}"#;

#[tokio::test]
async fn a_token_is_tried_kept_used_and_forgotten() {
    let user = User::new();
    let standin = StandIn::start().await;
    list(&standin, 200, NO_CALLS);
    let url = format!("{}/", standin.url);
    let ended = user.says(&["login", &url], "s3cret\n").await;
    assert_eq!((ended.code, ended.stdout.len()), (Some(0), 0), "{}", ended.stderr);
    assert!(ended.stderr.contains("credentials.toml") && !ended.stderr.contains("s3cret"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(user.credentials())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Now that relay is the one that is meant, as whom the token says.
    let ended = user.says(&["calls"], "").await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let heads = standin.say.lock().unwrap().heads.clone();
    assert_eq!(heads.len(), 2);
    assert!(
        heads
            .iter()
            .all(|head| head.contains("authorization: Bearer s3cret")),
        "{heads:?}"
    );
    let ended = user.says(&["--print-config"], "").await;
    let printed = ended.lines().join("\n");
    assert!(
        printed.contains(&standin.url) && printed.contains("# token: login"),
        "{printed}"
    );
    assert!(!printed.contains("s3cret"));

    let ended = user.says(&["logout"], "").await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!user.credentials().exists());
    let ended = user.says(&["logout", &url], "").await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("none is stored"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_token_that_the_relay_does_not_take_is_not_kept() {
    let user = User::new();
    let standin = StandIn::start().await;
    for (status, body, code, says) in [
        (
            401,
            r#"{"error":{"code":"x","message":"no"}}"#,
            3,
            "does not take this token",
        ),
        (403, "", 3, "does not take this token"),
        (404, "", 1, "no Partyline relay"),
        (200, "hello", 1, "does not answer as a Partyline relay"),
    ] {
        list(&standin, status, body);
        let ended = user.says(&["login", &standin.url], "s3cret").await;
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(
            ended.stderr.contains(says) && ended.stderr.contains("nothing is stored"),
            "{}",
            ended.stderr
        );
        assert!(!user.credentials().exists());
    }
    let (_held, gone) = nobody();
    let ended = user.says(&["login", &gone], "s3cret").await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("cannot reach"), "{}", ended.stderr);
    assert!(!user.credentials().exists());
    for (url, token, says) in [
        ("relay.example.com", "s3cret", "https://relay.example.com"),
        (&*standin.url, "", "no token"),
        (&*standin.url, "two s3crets", "no token"),
    ] {
        let ended = user.says(&["login", url], token).await;
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(
            ended.stderr.contains(says) && !ended.stderr.contains("s3cret"),
            "{}",
            ended.stderr
        );
    }
}

#[tokio::test]
async fn a_login_that_something_beats_says_so() {
    let standin = StandIn::start().await;
    list(&standin, 200, NO_CALLS);
    let user = User::with_config("[[relay]]\nname = \"other\"\nurl = \"http://127.0.0.1:9\"\n");
    let ended = user.says(&["login", &standin.url], "s3cret").await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("add it to config.toml"), "{}", ended.stderr);
    let env = [
        ("PARTYLINE_TOKEN", "another"),
        ("PARTYLINE_RELAY", standin.url.as_str()),
    ];
    let ended = user.runs(&["login"], &env, "s3cret").await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("PARTYLINE_TOKEN beats it"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn a_configuration_that_cannot_be_meant_is_told_by_line() {
    let user = User::with_config("them = \"dark\"\n\n[[relay]]\nname = \"a\"\nurl = \"a\"\n");
    let ended = user.says(&["calls"], "").await;
    assert_eq!((ended.code, ended.stdout.len()), (Some(2), 0));
    let path = Path::new("partyline").join("config.toml");
    for says in [
        "line 1: there is no key `them`; the nearest one is `theme`",
        "line 5: url: ",
        path.to_str().unwrap(),
    ] {
        assert!(ended.stderr.contains(says), "{says}: {}", ended.stderr);
    }
    std::fs::remove_file(user.0.join("config/partyline/config.toml")).unwrap();
    std::fs::write(user.credentials(), "token = 's3cret'\nrelay = 5").unwrap();
    let ended = user.says(&["calls"], "").await;
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("log in again") && !ended.stderr.contains("s3cret"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn what_is_configured_is_printed_with_who_said_it() {
    let user = User::with_config(
        "theme = \"light\"\n[[relay]]\nname = \"home\"\nurl = \"https://home.example.com\"\n",
    );
    let env = [("PARTYLINE_TOKEN", "s3cret")];
    let ended = user
        .runs(&["--print-config", "--glyphs", "block", "calls"], &env, "")
        .await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let printed = ended.lines().join("\n");
    for says in [
        "theme = \"light\"",
        "# config.toml line 1",
        "glyphs = \"block\"",
        "# flag",
        "name = \"home\"",
        "# token: PARTYLINE_TOKEN",
    ] {
        assert!(printed.contains(says), "{says}: {printed}");
    }
    assert!(!printed.contains("s3cret"));
}

#[tokio::test]
async fn information_is_told_for_people_and_for_programs_and_without_secrets() {
    let standin = StandIn::start().await;
    standin.answer("/healthz", 200, "");
    list(&standin, 200, NO_CALLS);
    let user = User::new();
    let env = [
        ("PARTYLINE_TOKEN", "s3cret"),
        ("LANG", "C.UTF-8"),
        ("TERM", "xterm-256color"),
    ];
    let args = ["--relay", standin.url.as_str(), "info", "--json"];
    let ended = user.runs(&args, &env, "").await;
    assert_eq!(
        (ended.code, ended.lines().len()),
        (Some(0), 1),
        "{}",
        ended.stderr
    );
    let info: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let relay = &info["relays"][0];
    assert_eq!(
        (relay["url"].as_str(), relay["state"].as_str()),
        (Some(standin.url.as_str()), Some("reachable"))
    );
    assert_eq!(
        (relay["token"].as_str(), relay["from"].as_str()),
        (Some("PARTYLINE_TOKEN"), Some("flag"))
    );
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (&info["terminal"]["utf8"], &info["terminal"]["colours"]),
        (&Value::Bool(true), &Value::from("256"))
    );
    assert!(info["log"].as_str().unwrap().contains("state/partyline"));
    list(&standin, 401, "");
    let ended = user.runs(&["--relay", &standin.url, "info"], &env, "").await;
    let told = ended.lines().join("\n");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        told.contains("does not take this token") && told.contains("256"),
        "{told}"
    );
    let all = format!("{info}{told}{}", ended.stderr);
    assert!(!all.contains("s3cret"), "{all}");
}

#[tokio::test]
async fn devices_are_listed_or_it_is_said_what_helps() {
    let user = User::new();
    let ended = user.says(&["devices", "--json"], "").await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let devices: Vec<Value> = ended
        .lines()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        devices
            .iter()
            .all(|device| device["id"].is_string() && device["default"].is_boolean())
    );
    let opens = devices.iter().any(|device| device["offers"].is_string());
    assert_eq!(opens, ended.stderr.is_empty(), "{}", ended.stderr);
    let ended = user.says(&["devices"], "").await;
    assert_eq!((ended.code, ended.lines().len()), (Some(0), devices.len()));
}

#[tokio::test]
async fn the_manual_and_the_completions_know_every_command() {
    let user = User::with_config("this is = no TOML, and nobody needs it here");
    let man = user.says(&["man"], "").await;
    let page = man.lines().join("\n");
    assert_eq!(man.code, Some(0), "{}", man.stderr);
    assert!(page.contains(".TH partyline 1"), "{page}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = user.says(&["completions", shell], "").await;
        assert_eq!(script.code, Some(0), "{}", script.stderr);
        let script = script.lines().join("\n");
        for command in [
            "login",
            "logout",
            "calls",
            "listen",
            "transcript",
            "events",
            "devices",
            "info",
        ] {
            assert!(script.contains(command), "{shell} {command}");
            assert!(
                page.contains(&format!("PARTYLINE {}", command.to_uppercase())),
                "{command}"
            );
        }
    }
    assert!(page.contains("credentials.toml") && page.contains("\\-\\-replay"));
}
