//! `partyline-relay twilio configure` against a stand-in for Twilio's REST API.

use std::collections::BTreeMap;

use harness::rest::{App, Number, Rest};
use harness::signed::{ORIGIN, TOKEN};
use harness::terminal::{Setup, Terminal};
use harness::twilio::ACCOUNT;
use harness::wait::SOON;
use harness::{Finished, Program, Scratch, binaries};

const NUMBER: &str = "+12125550100";
const APP: &str = "AP11111111111111111111111111111111";

fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

/// An account with a number that leads elsewhere, another like it, and an application that is as it should be.
async fn rest() -> Rest {
    let rest = Rest::start().await;
    rest.has_number(Number {
        sid: "PN22222222222222222222222222222222".to_owned(),
        number: format!("{NUMBER}9"),
        ..Number::default()
    });
    rest.has_number(Number {
        sid: "PN11111111111111111111111111111111".to_owned(),
        number: NUMBER.to_owned(),
        fields: fields(&[
            ("voice_url", "https://demo.example/voice"),
            ("voice_method", "GET"),
            ("voice_application_sid", APP),
        ]),
    });
    rest.has_app(App {
        sid: APP.to_owned(),
        fields: fields(&[
            ("voice_url", &format!("{ORIGIN}/twilio/voice")),
            ("voice_method", "POST"),
            ("status_callback", &format!("{ORIGIN}/twilio/status")),
            ("status_callback_method", "POST"),
        ]),
    });
    rest
}

/// The arguments, and what has to live as long as they are used.
struct Command {
    args: Vec<String>,
    _folder: Scratch,
}

fn command(rest: &Rest, args: &[&str]) -> Command {
    let folder = Scratch::new();
    let tokens = folder.write("tokens.toml", "").display().to_string();
    let all = ["twilio", "configure", "--public-url", ORIGIN, "--tokens", &tokens];
    let api = ["--twilio-api".to_owned(), rest.url()];
    let args = all.iter().chain(args).map(|arg| (*arg).to_owned()).chain(api);
    Command {
        args: args.collect(),
        _folder: folder,
    }
}

async fn configure(rest: &Rest, args: &[&str], token: &str) -> Finished {
    let command = command(rest, args);
    let env = [("TWILIO_ACCOUNT_SID", ACCOUNT), ("TWILIO_AUTH_TOKEN", token)];
    let program = Program::start(&binaries::path(binaries::RELAY), &command.args, &env);
    program.finish(SOON).await
}

#[tokio::test]
async fn a_number_is_pointed_here_and_then_nothing_is_left_to_do() {
    let rest = rest().await;
    let args = [
        "--number",
        NUMBER,
        "--fallback",
        "https://static.example/sorry.xml",
        "--yes",
    ];
    let done = configure(&rest, &args, TOKEN).await.expect_code(0);
    for line in [
        format!("the number {NUMBER} (Main line) of {ACCOUNT}"),
        format!("VoiceApplicationSid: {APP} → (none)"),
        format!("VoiceUrl: https://demo.example/voice → {ORIGIN}/twilio/voice"),
        "VoiceMethod: GET → POST".to_owned(),
        format!("StatusCallback: (none) → {ORIGIN}/twilio/status"),
        "done".to_owned(),
    ] {
        assert!(done.text().contains(&line), "{line} is not in\n{}", done.text());
    }
    let now = rest.number(NUMBER);
    assert_eq!(now["voice_url"], format!("{ORIGIN}/twilio/voice"));
    assert_eq!(now["voice_fallback_url"], "https://static.example/sorry.xml");
    assert_eq!(
        (
            now["voice_method"].as_str(),
            now["voice_application_sid"].as_str()
        ),
        ("POST", "")
    );
    assert!(rest.number(&format!("{NUMBER}9")).is_empty(), "another number");
    let asked = rest.asked().len();
    let again = configure(&rest, &["--number", NUMBER], TOKEN)
        .await
        .expect_code(0);
    assert!(
        again.text().contains("nothing is to be changed"),
        "{}",
        again.text()
    );
    assert_eq!(rest.asked().len(), asked + 1, "only looked");
}

#[tokio::test]
async fn an_application_that_is_right_already_is_left_alone() {
    let rest = rest().await;
    let done = configure(&rest, &["--app", APP, "--yes"], TOKEN)
        .await
        .expect_code(0);
    let text = done.text();
    assert!(
        text.contains("VoiceUrl: https://calls.example.com/twilio/voice is right already"),
        "{text}"
    );
    assert!(
        text.contains("there is no fallback") && text.contains("nothing is to be changed"),
        "{text}"
    );
}

#[tokio::test]
async fn it_asks_on_a_terminal_and_changes_nothing_without_a_yes() {
    let rest = rest().await;
    let before = rest.number(NUMBER);
    let without = configure(&rest, &["--number", NUMBER], TOKEN)
        .await
        .expect_code(2);
    assert!(without.stderr.contains("say --yes"), "{}", without.stderr);
    for (keys, code, says) in [
        ("n\n", 1, "nothing was changed"),
        ("\n", 1, "nothing was changed"),
        ("y\n", 0, "done"),
    ] {
        assert_eq!(rest.number(NUMBER), before, "before {keys:?}");
        let command = command(&rest, &["--number", NUMBER]);
        let args: Vec<&str> = command.args.iter().map(String::as_str).collect();
        let env = vec![
            ("TWILIO_ACCOUNT_SID", ACCOUNT.to_owned()),
            ("TWILIO_AUTH_TOKEN", TOKEN.to_owned()),
        ];
        let terminal = Terminal::relay(
            &args,
            Setup {
                env,
                ..Setup::default()
            },
        )
        .await;
        terminal.wait_for("change it? [y/N]").await;
        terminal.keys(keys);
        assert_eq!(terminal.ended().await.exit_code(), code, "{}", terminal.text());
        assert!(terminal.text().contains(says), "{}", terminal.text());
    }
    assert_ne!(rest.number(NUMBER), before);
}

#[tokio::test]
async fn what_cannot_be_done_is_told_with_what_to_do() {
    let rest = rest().await;
    for (args, token, code, says) in [
        (
            vec!["--number", "+13105550199", "--yes"],
            TOKEN,
            1,
            "see which account has it",
        ),
        (
            vec!["--app", "AP99999999999999999999999999999999", "--yes"],
            TOKEN,
            1,
            "see which account has it",
        ),
        (vec!["--number", NUMBER, "--yes"], "another", 1, "are no pair"),
        (vec!["--number", "2125550100"], TOKEN, 2, "+12125550100"),
        (
            vec!["--number", NUMBER, "--app", APP],
            TOKEN,
            2,
            "cannot be used with",
        ),
        (vec![], TOKEN, 2, "--number"),
        (
            vec!["--number", NUMBER, "--fallback", "sorry.xml"],
            TOKEN,
            2,
            "https://HOST/PATH",
        ),
        (
            vec!["--number", NUMBER, "--config", "/nowhere"],
            TOKEN,
            2,
            "it cannot be read",
        ),
    ] {
        let done = configure(&rest, &args, token).await.expect_code(code);
        assert!(done.stderr.contains(says), "{args:?}: {}", done.stderr);
        assert!(!done.stderr.contains(TOKEN), "{args:?}: {}", done.stderr);
    }
    assert!(rest.asked().iter().all(|asked| asked.method == "GET"));
    let nameless = command(&rest, &["--number", NUMBER, "--yes"]);
    let unknown = Program::start(
        &binaries::path(binaries::RELAY),
        &nameless.args,
        &[("TWILIO_AUTH_TOKEN", TOKEN)],
    );
    let done = unknown.finish(SOON).await.expect_code(2);
    assert!(done.stderr.contains("TWILIO_ACCOUNT_SID"), "{}", done.stderr);
}
