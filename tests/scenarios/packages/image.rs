//! The Dockerfile, which cannot be built here: read as Docker reads it, and held to what an image of a relay must be.

use std::path::Path;

use super::asset;

/// Instructions of one stage, `FROM` first: its name and the rest of the line.
type Stage = Vec<(String, String)>;

/// Stages in order. Comments go, and a line that ends in a backslash goes on.
fn stages(dockerfile: &str) -> Vec<Stage> {
    let lines = dockerfile.lines().map(str::trim);
    let joined = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .fold(
            (Vec::new(), false),
            |(mut all, goes_on): (Vec<String>, bool), line| {
                let more = line.ends_with('\\');
                let line = line.trim_end_matches('\\').trim_end();
                match all.last_mut().filter(|_| goes_on) {
                    Some(last) => *last = format!("{last} {line}"),
                    None => all.push(line.to_owned()),
                }
                (all, more)
            },
        );
    let mut stages: Vec<Stage> = Vec::new();
    for line in joined.0 {
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
        if name == "FROM" {
            stages.push(Vec::new());
        }
        let stage = stages.last_mut().expect("FROM comes first");
        stage.push((name.to_owned(), rest.trim().to_owned()));
    }
    stages
}

/// What an instruction says the last time that it stands in a stage.
fn said<'a>(stage: &'a Stage, name: &str) -> &'a str {
    let found = stage.iter().rev().find(|(known, _)| known == name);
    &found.unwrap_or_else(|| panic!("{name} is missing")).1
}

/// The words of an instruction in its JSON form, which needs no shell.
fn words(stage: &Stage, name: &str) -> Vec<String> {
    serde_json::from_str(said(stage, name)).unwrap_or_else(|e| panic!("{name} needs a shell: {e}"))
}

#[test]
fn it_is_built_in_one_stage_and_runs_in_another_without_rights() {
    let text = std::fs::read_to_string(asset("docker/Dockerfile")).expect("a Dockerfile");
    let stages = stages(&text);
    let [build, run] = stages.as_slice() else {
        panic!("two stages, not {}", stages.len())
    };
    assert_eq!(build[0].1.split(" AS ").nth(1), Some("build"));
    assert!(
        build.iter().any(|(_, rest)| rest.contains("--locked")),
        "{build:?}"
    );
    assert_eq!(run[0].1, "scratch", "nothing but the relay");
    let known = [
        "FROM",
        "RUN",
        "WORKDIR",
        "COPY",
        "USER",
        "VOLUME",
        "EXPOSE",
        "STOPSIGNAL",
        "ENTRYPOINT",
        "CMD",
    ];
    for (name, rest) in stages.iter().flatten() {
        assert!(
            known.contains(&name.as_str()) && !rest.is_empty(),
            "{name} {rest}"
        );
    }
    // There is no shell in it that could run anything.
    assert!(run.iter().all(|(name, _)| name != "RUN"), "{run:?}");
    let user: Vec<u32> = said(run, "USER")
        .split(':')
        .map(|id| id.parse().expect("a number"))
        .collect();
    assert!(user.len() == 2 && user.iter().all(|id| *id > 0), "{user:?}");
    assert_eq!(said(run, "STOPSIGNAL"), "SIGTERM");
    assert_eq!(words(run, "ENTRYPOINT"), ["/usr/bin/partyline-relay"]);
    assert_eq!(
        words(run, "CMD"),
        ["serve", "--config", "/etc/partyline/relay.toml"]
    );
    assert_eq!(words(run, "VOLUME"), ["/var/lib/partyline", "/var/log/partyline"]);
    let below_1024 = said(run, "EXPOSE")
        .split(' ')
        .any(|port| port.parse::<u16>().expect("a port") < 1024);
    assert!(!below_1024, "who is not root cannot listen there");
}

#[test]
fn what_it_copies_is_there_and_not_left_out_of_what_docker_is_sent() {
    let text = std::fs::read_to_string(asset("docker/Dockerfile")).expect("a Dockerfile");
    let sent = std::fs::read_to_string(asset("docker/Dockerfile.dockerignore")).expect("a list");
    let sent: Vec<&str> = sent.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // What a build of the workspace reads.
    for part in [
        "Cargo.toml",
        "Cargo.lock",
        "relay",
        "shared",
        "tui",
        "tests",
        "assets",
    ] {
        assert!(sent.contains(&part), "{part} is not sent");
    }
    for part in &sent {
        assert!(source.join(part).exists(), "{part} is not there");
    }
    let stages = stages(&text);
    let copies = stages.iter().flatten().filter(|(name, _)| name == "COPY");
    for (_, what) in copies {
        let from: Vec<_> = what.split(' ').filter(|word| !word.starts_with("--")).collect();
        let (_, from) = from.split_last().expect("a place to copy to");
        assert!(!from.is_empty(), "COPY {what}");
        if what.contains("--from=") {
            assert!(what.contains("--from=build "), "COPY {what}");
            continue;
        }
        for path in from {
            let top = path.split('/').next().unwrap_or_default();
            assert!(*path == "." || sent.contains(&top), "{path} is not sent");
            assert!(source.join(path).exists(), "{path} is not there");
        }
    }
}
