//! `config check` and `config print`: what `serve` would make of what it is told, told without serving.

use std::path::Path;

use harness::wait::SOON;
use harness::{Finished, Program, Scratch, binaries};

const SECRET: &str = "0123456789abcdefsecret";

async fn config(args: &[&str], env: &[(&str, &str)]) -> Finished {
    let args = [&["config"], args].concat();
    let program = Program::start(&binaries::path(binaries::RELAY), args, env);
    program.finish(SOON).await
}

fn path(folder: &Scratch, name: &str) -> String {
    folder.file(name).display().to_string()
}

/// A folder with all that a relay needs.
fn home() -> (Scratch, String) {
    let folder = Scratch::new();
    folder.write("tokens", "");
    let text = format!(
        "public_url = \"https://calls.example.com\"\ntokens = {:?}\naudit = {:?}\nmax_calls = 7\n\
         dial_allow = [\"+1\"]\ncaller_id = \"+12125550100\"\n\n[[routes]]\nto = \"+12125550111\"\ndial = \"client:alice\"\n",
        path(&folder, "tokens"),
        path(&folder, "audit.jsonl"),
    );
    let file = folder.write("relay.toml", text).display().to_string();
    (folder, file)
}

#[tokio::test]
async fn what_is_right_is_ok_and_nothing_was_made() {
    let (folder, file) = home();
    let done = config(&["check", "--config", &file], &[("TWILIO_AUTH_TOKEN", SECRET)]).await;
    let done = done.expect_code(0);
    assert_eq!(done.text(), "ok: the relay would start\n");
    assert!(!folder.file("audit.jsonl").exists());
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_also_in_the_files_that_are_named() {
    let (folder, file) = home();
    folder.write("tokens", "[[token]]\nnam = \"x\"\n");
    let audit = folder.write("old.jsonl", "a letter\n").display().to_string();
    let gone = path(&folder, "gone/state");
    let secret = folder.write("jwt", "short").display().to_string();
    let args = [
        "check",
        "--config",
        &file,
        "--max-calls",
        "0",
        "--audit",
        &audit,
        "--state",
        &gone,
    ];
    let more = ["--jwt-secret-file", &secret];
    let done = config(&[&args[..], &more].concat(), &[]).await.expect_code(2);
    for told in [
        "--max-calls: `0` is no number of them; write a whole number from 1 on",
        "a Twilio auth token is missing",
        "line 2: ",
        "--jwt-secret-file",
        "is not an audit of a relay: name a new file with --audit",
        "gone/state: it cannot be written",
    ] {
        assert!(done.stderr.contains(told), "{told} is not in\n{}", done.stderr);
    }
    assert_eq!(done.text(), "");
}

#[tokio::test]
async fn what_is_printed_can_be_saved_and_means_the_same() {
    let (folder, file) = home();
    let env = [("TWILIO_AUTH_TOKEN", SECRET), ("PARTYLINE_HISTORY", "3s")];
    let args = ["print", "--config", &file, "--retention", "2h"];
    let first = config(&args, &env).await.expect_code(0).text();
    assert!(!first.contains(SECRET), "{first}");
    for line in [
        "retention = \"2h\"  # flag: --retention",
        "history = \"3s\"  # environment: PARTYLINE_HISTORY",
        "caller_id = \"+12125550100\"  # file: ",
        "# log_level = \"info\"  # default",
        "# twilio_account = any account=…  # environment: TWILIO_AUTH_TOKEN, not shown",
    ] {
        assert!(first.contains(line), "{line} is not in\n{first}");
    }
    let saved = folder.write("saved.toml", &first).display().to_string();
    let second = config(&["print", "--config", &saved], &env[..1])
        .await
        .expect_code(0)
        .text();
    let values = |text: &str| -> Vec<String> {
        let value = |line: &str| line.split("  # ").next().unwrap_or_default().to_owned();
        text.lines().map(value).collect()
    };
    assert_eq!(values(&first), values(&second));
    config(&["check", "--config", &saved], &env[..1])
        .await
        .expect_code(0);
}

#[tokio::test]
async fn what_cannot_be_read_is_not_printed() {
    let (_folder, file) = home();
    let done = config(&["print", "--config", &file, "--history", "long"], &[])
        .await
        .expect_code(2);
    assert!(
        done.stderr.contains("--history: `long` is not a duration"),
        "{}",
        done.stderr
    );
    assert_eq!(done.text(), "");
}

/// Whoever reads may have had enough, and a disk may be full: neither is a fault of the program.
#[tokio::test]
async fn what_cannot_be_shown_is_told_in_a_line() {
    let (_folder, file) = home();
    // Nobody answers there.
    let env = [
        ("TWILIO_AUTH_TOKEN", SECRET),
        ("PARTYLINE_TWILIO_API", "http://127.0.0.1:9"),
        ("PARTYLINE_PUBLIC_URL", "https://127.0.0.1:9"),
    ];
    for (command, told) in [
        (&["config", "print"][..], "it could not be shown: "),
        (&["config", "check"], "it could not be shown: "),
        (&["doctor"], ""),
    ] {
        let relay = binaries::path(binaries::RELAY);
        let to_nowhere = ["-c", "exec \"$0\" \"$@\" > /dev/full", relay.to_str().unwrap()];
        let args = [&to_nowhere, command, &["--config", &file]].concat();
        let program = Program::start(Path::new("/bin/sh"), args, &env);
        let done = program.finish(SOON).await.expect_code(1);
        assert!(
            done.stderr.starts_with(told) && !done.stderr.contains("panicked"),
            "{command:?}: {}",
            done.stderr
        );
    }
}
