//! What is wrong with a configuration is told without what stands there, where that may be a secret; nor does a
//! print of the configuration show it.

use std::path::Path;

use harness::wait::SOON;
use harness::{Program, Scratch, binaries};
use partyline_relay::config::{Config, ServeArgs};

const CANARY: &str = "canary5ecret";

/// Runs `partyline-relay` to its end; fails where it shows the canary.
async fn told(args: &[&str], env: &[(&str, &str)], code: i32) -> String {
    let program = Program::start(&binaries::path(binaries::RELAY), args, env);
    let done = program.finish(SOON).await.expect_code(code);
    let told = format!("{}{}", done.text(), done.stderr);
    assert!(!told.contains(CANARY), "{args:?} {env:?}:\n{told}");
    assert!(!told.is_empty(), "{args:?}");
    told
}

#[tokio::test]
async fn a_wrong_flag_or_variable_is_told_without_its_secret() {
    let account = format!("AC11111111111111111111111111111111={CANARY}");
    for args in [
        &["--twilio-acount", &account][..],
        &[&format!("--twilio-acount={account}")],
        &[&account],
        &[CANARY],
        &["--twilio-account", &account, CANARY],
        &["--twilio-account", &format!("{CANARY}={CANARY}")],
        &["--twilio-account", CANARY],
        &["--twilio-account", "--insecure", &account],
        &[
            "--public-url",
            &format!("https://user:{CANARY}@calls.example.com"),
        ],
        &["--jwks", &format!("https://user:{CANARY}@login.example.com/keys")],
        &["--jwks", &format!("http://login.example.com/keys?key={CANARY}")],
        &["--jwks", &format!("ftp://login.example.com/{CANARY}")],
        &["--allowed-origin", &format!("https://user:{CANARY}@example.com")],
        &["--redis", &format!("redis://:{CANARY}@127.0.0.1/")],
        &[&format!("--redis=redis://:{CANARY}@127.0.0.1/")],
        &["--redis", CANARY],
        &["--redis", &format!("redis://{CANARY}:{CANARY}@127.0.0.1:x")],
        &["--redis", &format!("redis+sentinel://:{CANARY}@127.0.0.1")],
        &["--redis", &format!("redis://:{CANARY}/@127.0.0.1")],
    ] {
        told(&[&["serve"], args].concat(), &[], 2).await;
    }
    for (name, value) in [
        ("PARTYLINE_TWILIO_ACCOUNT", CANARY),
        ("PARTYLINE_TWILIO_ACCOUNT", &format!("{CANARY}=x")),
        ("TWILIO_AUTH_TOKEN", CANARY),
        ("PARTYLINE_REDIS", &format!("redis://:{CANARY}@127.0.0.1/")),
        ("REDIS_URL", &format!("redis://{CANARY}@127.0.0.1/")),
        ("PARTYLINE_PUBLIC_URL", &format!("https://u:{CANARY}@x")),
        ("PARTYLINE_JWKS", &format!("http://x/?{CANARY}")),
    ] {
        told(&["serve"], &[(name, value)], 2).await;
    }
    let both = [
        ("TWILIO_AUTH_TOKEN", CANARY),
        ("TWILIO_ACCOUNT_SID", "no account"),
    ];
    told(&["serve"], &both, 2).await;
}

#[tokio::test]
async fn a_wrong_file_is_told_without_what_stands_in_it() {
    let folder = Scratch::new();
    for text in [
        format!("twilio_account = [\"AC1={CANARY}\n"),
        format!("twilio_account = AC1={CANARY}\n"),
        format!("twilio_account = [\"{CANARY}\"]\n"),
        format!("twilio_account = {{ AC1 = \"{CANARY}\" }}\n"),
        format!("twilio_acount = \"AC1={CANARY}\"\n"),
        format!("redis = \"redis://:{CANARY}@x\"\n"),
        format!("jwks = \"https://x:{CANARY}@y/\"\n"),
        format!("public_url = \"https://x:{CANARY}@y/\"\n"),
        format!("\"{CANARY}\"\n"),
    ] {
        let file = folder.write("relay.toml", &text);
        let file = file.to_str().expect("a path in UTF-8");
        told(&["serve", "--config", file], &[], 2).await;
    }
    let enough = [("TWILIO_AUTH_TOKEN", "0123456789abcdef")];
    let public = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        "https://calls.example.com",
    ];
    for (flag, text) in [
        ("--twilio-auth-token-file", format!("to ken {CANARY} \u{7}\n")),
        ("--jwt-secret-file", CANARY.to_owned()),
        (
            "--jwks",
            format!("{{\"keys\":[{{\"kty\":\"oct\",\"k\":\"{CANARY}\"}}]}}"),
        ),
        ("--jwks", format!("{{\"{CANARY}")),
        (
            "--tokens",
            format!("[[token]]\nname = \"a\"\nsha256 = \"{CANARY}\"\n"),
        ),
        (
            "--tokens",
            format!("[[token]]\nname = \"a\"\ntoken = \"pl_{CANARY}\"\n"),
        ),
        ("--tokens", format!("pl_{CANARY}\n")),
        ("--tokens", format!("{CANARY} = \"\n")),
    ] {
        let file = folder.write("file", &text);
        let file = file.to_str().expect("a path in UTF-8");
        let program = [&public[..], &[flag, file]].concat();
        let done = Program::start(&binaries::path(binaries::RELAY), &program, &enough)
            .finish(SOON)
            .await;
        let told = format!("{}{}", done.text(), done.stderr);
        assert!(matches!(done.code, Some(1 | 2)), "{flag} {text}: {told}");
        // A name of a key is told, since it may be a slip.
        assert!(
            !told.contains(CANARY) || text.starts_with(CANARY),
            "{flag} {text}: {told}"
        );
    }
}

#[tokio::test]
async fn help_shows_no_value_of_the_environment() {
    let number = "+12125550199";
    let env = [
        ("TWILIO_AUTH_TOKEN", CANARY),
        ("PARTYLINE_TWILIO_ACCOUNT", CANARY),
        ("PARTYLINE_JWKS", CANARY),
        ("PARTYLINE_FROM", number),
        ("PARTYLINE_TO", number),
        ("PARTYLINE_CUSTOMER_ID", number),
        ("PARTYLINE_RELAY", CANARY),
        ("PARTYLINE_PUBLIC_URL", CANARY),
    ];
    for command in [
        &["serve"][..],
        &["simulate"],
        &["token", "add"],
        &["audit", "verify"],
    ] {
        let help = told(&[command, &["--help"]].concat(), &env, 0).await;
        assert!(!help.contains(number), "{help}");
    }
}

#[test]
fn a_print_of_a_configuration_shows_no_secret_and_no_number() {
    let args = ServeArgs {
        config: Some("relay.toml".into()),
        listen: Some("127.0.0.1:0".into()),
        public_url: Some("https://calls.example.com".into()),
        tokens: Some("tokens".into()),
        jwks: Some(format!("https://login.example.com/{CANARY}?key={CANARY}")),
        twilio_account: vec![
            format!("AC11111111111111111111111111111111={CANARY}")
                .parse()
                .expect("a text"),
        ],
        redis: Some(
            format!("redis://{CANARY}:{CANARY}@127.0.0.1/")
                .parse()
                .expect("a text"),
        ),
        ..ServeArgs::default()
    };
    let rules = "caller_id = \"+12125550199\"\ndefault_dial = \"+12125550199\"\ndial_allow = [\"+12125550199\"]\n\
                 [[routes]]\nto = \"+12125550198\"\ndial = \"sip:2125550199@example.com\"\n";
    let config = Config::load(&args, &|_| None, &|_: &Path| Ok(rules.to_owned()));
    let config = config.unwrap_or_else(|problems| panic!("{problems}"));
    let prints = [
        format!("{config:?}"),
        format!("{config:#?}"),
        format!("{args:?}"),
        config.warnings.join("\n"),
    ];
    for print in prints {
        assert!(!print.contains(CANARY) && !print.contains("21255501"), "{print}");
    }
}
