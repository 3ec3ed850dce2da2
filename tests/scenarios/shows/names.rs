//! What is counted is shown, what is shown is told what it is, what dashboard and rules ask for is there, and nothing
//! that is anybody's.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::guarded::Talk;
use harness::signed::TOKEN;
use harness::twilio::ACCOUNT;
use harness::{Guarded, Numbers, Scratch};
use partyline_relay::metrics::Metrics;

use super::{guarded, shown};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// All files of the relay but its tests and the list of counters, without white space.
fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder can be read").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("tests") || name.starts_with("metrics") {
            continue;
        }
        if path.is_dir() {
            sources(&path, text);
        } else if name.ends_with(".rs") {
            let more = std::fs::read_to_string(&path).expect("a file can be read");
            text.extend(more.chars().filter(|c| !c.is_whitespace()));
        }
    }
}

#[test]
fn every_counter_is_counted_somewhere() {
    let mut text = String::new();
    sources(&root().join("relay/src"), &mut text);
    let counted = |name: &str| {
        let ways = [
            format!(".{name}.add_one()"),
            format!(".{name}.add("),
            format!(".{name}.next()"),
            // Chosen by what happened, and counted by whoever chose it.
            format!("&metrics.{name},"),
            format!("metrics.{name})"),
        ];
        ways.iter().any(|way| text.contains(way))
    };
    let totals = Metrics::default().totals();
    let idle: Vec<&str> = totals
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !counted(name))
        .collect();
    assert!(idle.is_empty(), "never counted: {idle:?}");
    assert!(!counted("frames_dreamt_of") && totals.len() > 50);
}

#[tokio::test]
async fn every_family_says_what_it_is_and_promtool_agrees() {
    let (_relay, admin) = shown().await;
    let numbers = Numbers::read(admin).await;
    for (name, family) in &numbers.families {
        assert!(family.help.len() > 3, "{name} has no help");
        let ours = name.starts_with("partyline_") || name.starts_with("process_");
        let total = name.ends_with("_total") == (family.kind == "counter");
        assert!(ours && total, "{name} is a {}", family.kind);
    }
    for sample in numbers.names() {
        let parts = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|part| sample.strip_suffix(part));
        let known = |name: &str| numbers.families.contains_key(name);
        assert!(
            known(&sample) || parts.into_iter().any(known),
            "{sample} is of no family"
        );
    }
    let folder = Scratch::new();
    let file = folder.write("numbers", &numbers.text);
    let checked = Command::new("promtool")
        .args(["check", "metrics", "--extended"])
        .stdin(std::fs::File::open(file).expect("it was written"))
        .output()
        .expect("promtool can be run; tests/install.sh test installs it");
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
}

#[test]
fn the_rules_are_ones_and_say_what_to_do() {
    let path = root().join("assets/prometheus/partyline.rules.yml");
    let checked = Command::new("promtool")
        .args(["check", "rules", "--lint-fatal"])
        .arg(path)
        .output()
        .expect("promtool can be run; tests/install.sh test installs it");
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
    let rules = read("assets/prometheus/partyline.rules.yml");
    let count = |what: &str| rules.matches(what).count();
    assert_eq!(count("- alert: "), count("          summary: \""));
    assert_eq!(count("- alert: "), count("labels: { severity: "));
}

/// The names of numbers in a text of queries.
fn asked(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = |word: &&str| word.starts_with("partyline_") || word.starts_with("process_");
    words.filter(ours).map(str::to_owned).collect()
}

#[tokio::test]
async fn what_dashboard_and_rules_ask_for_is_there() {
    let (_relay, admin) = shown().await;
    let names = Numbers::read(admin).await.names();
    let rules = read("assets/prometheus/partyline.rules.yml");
    let rules: String = rules
        .lines()
        .filter(|line| line.trim_start().starts_with("expr:"))
        .collect();
    let board: serde_json::Value =
        serde_json::from_str(&read("assets/grafana/partyline.json")).expect("JSON");
    let panels = board["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    let queries: Vec<&str> = targets
        .map(|target| target["expr"].as_str().expect("a query"))
        .collect();
    assert!(queries.len() > 40 && asked(&rules).len() > 10);
    for name in asked(&rules).union(&asked(&queries.join("\n"))) {
        assert!(names.contains(name), "there is no {name}");
    }
    // Panels have numbers of their own, and lie beside one another.
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in panels {
        assert!(
            ids.insert(panel["id"].as_u64().expect("a number")),
            "{}",
            panel["title"]
        );
        let at = |side: &str| panel["gridPos"][side].as_u64().expect("a place");
        for (x, y) in (0..at("w")).flat_map(|x| (0..at("h")).map(move |y| (x, y))) {
            assert!(
                at("x") + x < 24 && taken.insert((at("x") + x, at("y") + y)),
                "{} lies on another",
                panel["title"]
            );
        }
    }
    // The queries themselves are ones: as rules they are read by promtool.
    let folder = Scratch::new();
    let mut text = "groups: [{name: board, rules: [".to_owned();
    for (n, query) in queries.iter().enumerate() {
        let query = query.replace("$instance", ".*");
        text += &format!(
            "{{record: \"board:q{n}\", expr: {}}},",
            serde_json::to_string(&query).expect("a text")
        );
    }
    let file = folder.write("board.yml", &(text + "]}]\n"));
    let checked = Command::new("promtool")
        .args(["check", "rules", "--lint=none"])
        .arg(file)
        .output();
    let checked = checked.expect("promtool can be run");
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}

#[tokio::test]
async fn nothing_in_it_is_anybodys() {
    let relay = Guarded::new();
    let alice = relay
        .token(
            "alice-of-sales",
            &["--role", "user", "--customer", "customer-777"],
        )
        .await;
    let (relay, admin) = guarded(relay).await;
    let (call, stream) = relay.live_call("customer-777").await;
    relay.is_live(call.sid(), &alice).await;
    let mut listener = relay.listen(&alice).await;
    listener.subscribe(call.sid()).await;
    let talk = Talk::begin(stream);
    listener.next_frame("a frame").await;
    let numbers = Numbers::read(admin).await;
    let detail = harness::http::get(admin, "/readyz").await.expect(200);
    for secret in [
        &alice,
        "alice-of-sales",
        "customer-777",
        call.sid().as_str(),
        TOKEN,
        ACCOUNT,
        "2125550100",
        "+1",
    ] {
        for text in [numbers.text.as_str(), detail.text()] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
    talk.end().await;
}
