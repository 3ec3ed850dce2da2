//! Who is given a token, by the program: it is shown once, and the file keeps what cannot be turned back into it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use harness::program::{Finished, Program};
use harness::wait::SOON;
use harness::{Scratch, binaries};

/// Runs `partyline-relay token …` on a file, to its end.
async fn token(file: &Path, args: &[&str]) -> Finished {
    started(file, args).finish(SOON).await
}

fn started(file: &Path, args: &[&str]) -> Program {
    let (what, rest) = args.split_first().unwrap();
    let file = file.to_str().unwrap();
    let args = [&["token", what, "--tokens", file], rest].concat();
    Program::start(&binaries::path(binaries::RELAY), args, &[])
}

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn a_token_is_shown_once_and_only_its_hash_is_kept() {
    let folder = Scratch::new();
    let file = folder.path().join("secrets/tokens.toml");
    let alice = [
        "add",
        "--name",
        "alice",
        "--role",
        "user",
        "--customer",
        "12345",
        "--customer",
        "777",
    ];
    let rights = ["--allow", "save,pause,save", "--expires", "90d", "--in-url"];
    let made = token(&file, &[&alice[..], &rights].concat()).await.expect_code(0);
    let shown = made.text();
    let secret = shown.strip_suffix('\n').unwrap();
    assert!(
        secret.starts_with("pl_") && secret.len() == 46 && !secret.contains(char::is_whitespace),
        "{shown}"
    );
    assert_eq!(made.stderr, "");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(file.parent().unwrap()) & 0o077, 0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&secret[3..]), "{text}");
    for kept in [
        "name = \"alice\"",
        "customers = [\"12345\", \"777\"]",
        "allow = [\"save\", \"pause\"]",
        "in_url = true",
        "sha256 = ",
    ] {
        assert!(text.contains(kept), "{kept} is not in\n{text}");
    }
    let listed = token(&file, &["list"]).await.expect_code(0).text();
    let row: Vec<&str> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[1..5], ["alice", "user", "12345,777", "save,pause"]);
    assert_eq!(row[6], "yes");
    assert!(!listed.contains(&secret[3..]));
}

#[tokio::test]
async fn who_is_removed_is_gone_and_the_others_stay() {
    let folder = Scratch::new();
    let file = folder.path().join("tokens.toml");
    for _ in 0..2 {
        token(&file, &["add", "--name", "alice", "--role", "admin"])
            .await
            .expect_code(0);
    }
    let third = token(&file, &["add", "--name", "alice", "--role", "source"])
        .await
        .expect_code(0);
    assert!(
        third.stderr.contains("alice has 2 other tokens"),
        "{}",
        third.stderr
    );
    let lone = token(&file, &["add", "--name", "bob", "--role", "user"])
        .await
        .expect_code(0);
    assert!(lone.stderr.contains("bob may hear no call"), "{}", lone.stderr);
    let bobs = token(&file, &["list", "--name", "bob"])
        .await
        .expect_code(0)
        .text();
    assert_eq!(bobs.lines().count(), 2, "{bobs}");
    let alices = token(&file, &["list", "--name", "alice"])
        .await
        .expect_code(0)
        .text();
    let id = alices.lines().nth(1).unwrap().split(' ').next().unwrap();
    token(&file, &["remove", "--id", id, "--name", "bob"])
        .await
        .expect_code(1);
    token(&file, &["remove", "--id", id]).await.expect_code(0);
    let left = token(&file, &["list"]).await.expect_code(0).text();
    assert!(left.lines().count() == 4 && !left.contains(id), "{left}");
    token(&file, &["remove", "--name", "alice"]).await.expect_code(0);
    let again = token(&file, &["remove", "--name", "alice"]).await.expect_code(1);
    assert!(
        again.stderr.contains("there is no token of alice"),
        "{}",
        again.stderr
    );
    token(&file, &["list", "--name", "alice"]).await.expect_code(1);
    let left = token(&file, &["list"]).await.expect_code(0).text();
    assert!(left.lines().count() == 2 && left.contains("bob"), "{left}");
    assert_eq!(mode(&file), 0o600);
}

#[tokio::test]
async fn several_who_add_at_once_lose_nothing() {
    let folder = Scratch::new();
    let file = folder.path().join("tokens.toml");
    let names: Vec<String> = (0..6).map(|n| format!("agent-{n}")).collect();
    let adding: Vec<Program> = names
        .iter()
        .map(|name| started(&file, &["add", "--name", name, "--role", "admin"]))
        .collect();
    let mut secrets = std::collections::HashSet::new();
    for one in adding {
        secrets.insert(one.finish(SOON).await.expect_code(0).text());
    }
    assert_eq!(secrets.len(), names.len());
    let listed = token(&file, &["list"]).await.expect_code(0).text();
    for name in &names {
        assert!(listed.contains(name), "{name} is lost:\n{listed}");
    }
    let beside = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(beside, 1, "the file stands alone");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_word_how() {
    let folder = Scratch::new();
    let file = folder.path().join("tokens.toml");
    let missing = token(&file, &["list"]).await.expect_code(1);
    assert!(missing.stderr.contains("token add"), "{}", missing.stderr);
    for (args, word) in [
        (&["add", "--name", "a"][..], "--role"),
        (&["add", "--name", "a", "--role", "root"], "transcriber"),
        (&["add", "--name", "a\nb", "--role", "admin"], "letters"),
        (
            &["add", "--name", "a", "--role", "admin", "--allow", "sing"],
            "save",
        ),
        (
            &["add", "--name", "a", "--role", "admin", "--expires", "soon"],
            "90d",
        ),
        (
            &["add", "--name", "a", "--role", "admin", "--expires", "0s"],
            "some time",
        ),
        (
            &["add", "--name", "a", "--role", "user", "--customer", ""],
            "customer",
        ),
        (&["remove"], "--name"),
    ] {
        let refused = token(&file, args).await.expect_code(2);
        assert!(
            refused.stderr.contains(word) && refused.text().is_empty(),
            "{args:?}: {}",
            refused.stderr
        );
    }
    assert!(!file.exists());
    std::fs::write(&file, "[[token]]\nnme = \"x\"\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let broken = token(&file, &["add", "--name", "a", "--role", "admin"])
        .await
        .expect_code(2);
    assert!(
        broken
            .stderr
            .contains("line 2: there is no key `nme`; the nearest one is `name`"),
        "{}",
        broken.stderr
    );
    assert!(broken.text().is_empty());
}
