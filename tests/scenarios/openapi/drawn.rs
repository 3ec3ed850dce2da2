//! What schemathesis draws, good and bad, against a relay with people on the phone: no fault of the relay's, no answer
//! that the document does not know, and each operation answered well at least once.

use harness::program::Program;
use std::time::Duration;

use super::*;

/// Requests drawn for each operation, beside those that every schema asks for; more with PARTYLINE_DRAWN.
const DRAWN: &str = "10";
/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(300);
/// The same are drawn each time.
const SEED: &str = "20260101";

#[tokio::test]
async fn nothing_is_answered_that_is_not_said() {
    // A source that says nothing for long is lost, so what takes long comes first.
    let drawer = python("st");
    let stage = Stage::set().await;
    let (read, talk) = stage.call().await;
    let (held, other) = stage.call().await;
    let (erased, another) = stage.call().await;
    let (source, complete) = (stage.source().await, stage.source().await);
    let mut listener = stage.relay.listen(&stage.user).await;
    listener.subscribe(read.sid()).await;
    // Who does not read what it hears is ended before it is asked for.
    let _reads = tokio::spawn(async move {
        while !listener.has_ended() {
            listener.next("anything").await;
        }
    });
    let all = stage
        .relay
        .ask(Method::GET, "/api/v1/listeners", &stage.admin)
        .await;
    let id = all.expect(200).json()["listeners"][0]["id"].take();

    let by = |sid: &str| json!({ "call_sid": sid });
    let mut names = json!({
        "eraseCall": by(erased.sid().as_str()),
        "pauseCall": by(held.sid().as_str()),
        "resumeCall": by(held.sid().as_str()),
        "streamAudio": by(&source),
        "completeCallStream": by(&complete),
        "endListener": { "listener_id": id },
    });
    for operation in [
        "getCall",
        "getTranscript",
        "getEvents",
        "listCallListeners",
        "addLine",
        "markCall",
        "showCall",
    ] {
        names[operation] = by(read.sid().as_str());
    }
    let counts = stage.relay.folder().file("counts.json");
    let seen = run(&drawer, &stage, &names, &counts).await;
    for (operation, item) in operations(&stage).filter(|(operation, _)| !BY_HAND.contains(operation)) {
        let good = item["responses"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|status| status.starts_with('2'));
        let met = good
            .filter(|status| seen[operation][status.as_str()].as_u64().is_some())
            .count();
        assert!(
            met > 0,
            "{operation} was never answered well: {}",
            seen[operation]
        );
    }
    for talk in [talk, other, another] {
        talk.end().await;
    }
}

/// The answer to the first has no end; the second is what all others are drawn from.
const BY_HAND: [&str; 2] = [HEARS, "getOpenapi"];
const HEARS: &str = "hearCall";

fn operations(stage: &Stage) -> impl Iterator<Item = (&str, &Value)> {
    let items = stage.paths().flat_map(|(_, item)| item.iter());
    items.filter_map(|(_, operation)| Some((operation.get("operationId")?.as_str()?, operation)))
}

/// How each operation was answered, and how often.
async fn run(drawer: &Path, stage: &Stage, names: &Value, counts: &Path) -> Value {
    let bearer = format!("Authorization: Bearer {}", stage.admin);
    let document = format!("{}{DOCUMENT}", stage.relay.url());
    let drawn = std::env::var("PARTYLINE_DRAWN").unwrap_or_else(|_| DRAWN.to_owned());
    let config = beside("schemathesis.toml");
    let args = [
        "--config-file",
        &config,
        "run",
        &document,
        "--header",
        &bearer,
        "--seed",
        SEED,
        "--max-examples",
        &drawn,
        "--exclude-operation-id",
        HEARS,
        "--no-color",
    ];
    let names = names.to_string();
    let (counts_at, hooks) = (counts.display().to_string(), beside(""));
    let env = [
        ("PARTYLINE_NAMES", names.as_str()),
        ("PARTYLINE_COUNTS", &counts_at),
        ("PYTHONPATH", &hooks),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("SCHEMATHESIS_HOOKS", "hooks"),
    ];
    let finished = Program::start(drawer, args, &env).finish(LIMIT).await;
    assert_eq!(finished.code, Some(0), "{}", finished.text());
    let counted = std::fs::read_to_string(counts).expect("it counts");
    serde_json::from_str(&counted).expect("JSON")
}
