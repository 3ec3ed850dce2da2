//! What the README says how to ask the API is done to the letter, one line after the other.

use harness::program::Program;
use harness::wait::SOON;

use super::*;

/// The commands of the README's section, each with what it is for.
fn commands() -> Vec<(String, String)> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).expect("the README");
    let (_, section) = readme.split_once("### The API\n").expect("its section");
    let (section, _) = section.split_once("\n### ").expect("the next one");
    let rows = section.lines().filter(|line| line.starts_with("| "));
    let spans = rows.flat_map(|row| {
        let what = row.split('|').nth(1).unwrap_or_default().trim().to_owned();
        let code = row
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|code| code.starts_with("curl "));
        let code: Vec<String> = code.map(|code| code.replace("\\|", "|")).collect();
        code.into_iter().map(move |code| (what.clone(), code))
    });
    spans.collect()
}

#[tokio::test]
async fn what_the_readme_says_is_done_to_the_letter() {
    let stage = Stage::set().await;
    let (call, talk) = stage.call().await;
    let source = stage.source().await;
    let _listener = stage.relay.listen(&stage.user).await;
    let all = stage
        .relay
        .ask(Method::GET, "/api/v1/listeners", &stage.admin)
        .await;
    let all = all.expect(200).json();
    let listener = all["listeners"][0]["id"].as_str().unwrap();
    let events = format!("/api/v1/calls/{}/events", call.sid());
    let events = stage
        .relay
        .ask(Method::GET, &events, &stage.admin)
        .await
        .expect(200)
        .json();
    let folder = stage.relay.folder();
    folder.write("speech.ulaw", [0x55; 8_000]);

    let api = format!("{}/api/v1", stage.relay.url());
    let bearer = format!("Authorization: Bearer {}", stage.admin);
    let folder = folder.path().display().to_string();
    let env = [
        ("A", api.as_str()),
        ("T", &bearer),
        ("C", call.sid().as_str()),
        ("S", &source),
        ("L", listener),
        ("J", events["journal"].as_str().unwrap()),
        ("FOLDER", &folder),
    ];
    // Forgotten last, since nothing is to be had of it then.
    let (last, rest): (Vec<_>, Vec<_>) = commands().into_iter().partition(|(what, _)| what == "forget it");
    assert_eq!((last.len(), rest.len()), (1, 16), "commands of the README");
    for (what, command) in rest.into_iter().chain(last) {
        let shell = format!(
            "set -e; cd \"$FOLDER\"; curl() {{ command curl --fail --silent --show-error \"$@\"; }}
            aplay() {{ head -c 4 | grep -q RIFF; }}; {command}"
        );
        let done = Program::start(Path::new("/bin/sh"), ["-c", &shell], &env)
            .finish(SOON)
            .await;
        assert_eq!(done.code, Some(0), "{what}: {command}: {}", done.text());
    }
    talk.end().await;
}
