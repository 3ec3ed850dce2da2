//! `c` in the monitor: what was said lies in a file, sample by sample, with its lines and marks, and on record before;
//! and who may not keep it has nothing on disk.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::guarded::Guarded;
use harness::wait::{SOON, until};
use harness::{Terminal, speech};
use partyline_shared::event::EventKind;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;
use serde_json::{Value, json};

use crate::monitor::sized;

/// Where clips lie below a home folder.
const CLIPS: &str = ".local/share/partyline/clips";

/// Heard before anything is kept, bytes: two seconds.
const ENOUGH: usize = 16_000;

/// The files in a folder, by their names; none where it is not there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// Where in `said` these samples lie, all of them.
fn place(said: &[i16], kept: &[i16]) -> Option<usize> {
    said.windows(kept.len()).position(|piece| piece == kept)
}

/// A terminal with the monitor in it that hears the call.
async fn hears(relay: &Guarded, token: &str, more: &[&str]) -> Terminal {
    let (url, file) = (relay.url(), relay.token_file(token));
    let args = [&["--relay", &url, "--token-file", &file], more].concat();
    let terminal = Terminal::partyline(&args, sized(160, 30)).await;
    terminal.wait_for("cust7").await;
    terminal.keys("\r");
    terminal.wait_for("you listen").await;
    terminal
}

/// Waits until the relay has told the one who listens by this name so much.
async fn heard(relay: &Guarded, admin: &str, name: &str) {
    until(SOON, &format!("{name} to have heard enough"), async || {
        let all = relay.ask(::http::Method::GET, "/api/v1/listeners", admin).await;
        let all = all.expect(200).json();
        let mut listeners = all["listeners"].as_array().into_iter().flatten();
        let hers = listeners.find(|one| one["name"] == name)?;
        (hers["bytes_sent"].as_u64()? > ENOUGH as u64 * 3).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_clip_is_what_was_said_and_on_record_before_it_is_there() {
    let relay = Guarded::new();
    let admin = relay.token("root", &["--role", "admin"]).await;
    let may = ["--role", "user", "--customer", "cust7", "--allow", "save"];
    let alice = relay.token("alice", &may).await;
    let relay = relay.start(&[]).await;
    let (mut call, mut stream) = relay.live_call("cust7").await;
    relay.is_live(call.sid(), &alice).await;
    let (customer, agent) = (speech::mulaw(speech::LONG[0]), speech::mulaw(speech::LONG[1]));
    let said = [customer.clone(), agent.clone()].map(|track| speech::decoded(&track));
    let talks = tokio::spawn(async move { stream.play(&customer, &agent, Duration::from_millis(20)).await });
    let terminal = hears(&relay, &alice, &[]).await;
    heard(&relay, &admin, "alice").await;
    call.says(Track::Inbound, "You will have a refund.", true)
        .await
        .expect(204);
    terminal.wait_for("You will have a refund.").await;
    terminal.keys("M");
    terminal.wait_for("alice marked ").await;
    terminal.keys("c");
    terminal.wait_for("kept: ~/").await;

    let saves: Vec<Value> = relay
        .audit()
        .into_iter()
        .filter(|line| line["event"] == "save")
        .collect();
    let folder = terminal.home().file(CLIPS);
    let files = files(&folder);
    let [sheet, sound] = &files[..] else {
        panic!("{files:?}")
    };
    assert_eq!((mode(&folder), mode(sheet), mode(sound)), (0o700, 0o600, 0o600));
    let name = sound.file_name().and_then(|name| name.to_str()).expect("a name");
    let sid = call.sid().as_str();
    assert!(name.starts_with("partyline-2") && name.ends_with(&format!("Z-{}.wav", &sid[sid.len() - 6..])));
    assert_eq!(sheet, &sound.with_extension("json"));
    let wav = std::fs::read(sound).expect("it can be read");
    let kept = [1, 2].map(|channel| speech::channel(&wav, channel));
    assert!(
        kept[0].len() >= ENOUGH && kept[0].len() == kept[1].len(),
        "{}",
        kept[0].len()
    );
    let places = [place(&said[0], &kept[0]), place(&said[1], &kept[1])];
    assert!(places[0].is_some(), "the customer, left");
    assert_eq!(places[0], places[1], "the agent, right, of the same time");

    let sheet: Value = serde_json::from_slice(&std::fs::read(sheet).expect("a sheet")).expect("JSON");
    assert_eq!(
        (&sheet["call"]["call_sid"], &sheet["call"]["customer_id"]),
        (&json!(sid), &json!("cust7"))
    );
    let lines = sheet["lines"].as_array().expect("lines");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(
        (&lines[0]["text"], &lines[0]["track"]),
        (&json!("You will have a refund."), &json!("inbound"))
    );
    let events = sheet["events"].as_array().expect("events");
    let mark = events
        .iter()
        .find(|event| event["kind"] == EventKind::Mark.as_str());
    assert_eq!(mark.expect("the mark")["detail"]["by"], "alice");
    // What is on record is what was kept.
    assert_eq!(saves.len(), 1, "{saves:?}");
    let save = &saves[0];
    assert_eq!(
        (&save["who"], &save["call_sid"], &save["door"]),
        (&json!("alice"), &json!(sid), &json!("listen"))
    );
    assert_eq!((&save["from"], &save["to"]), (&sheet["from"], &sheet["to"]));
    let time = |key: &str| {
        UtcTime::parse(sheet[key].as_str().expect("a time"))
            .expect("a time")
            .unix_ms()
    };
    let seconds = (time("to") - time("from")) as f64 / 1000.0;
    assert_eq!(save["seconds"].as_f64(), Some(seconds));
    assert_eq!(kept[0].len(), (seconds * 8000.0).round() as usize);
    // It is heard on by the one who heard it, who has neither gone nor come.
    let begins = relay
        .audit()
        .into_iter()
        .filter(|line| line["event"] == "listen_begin");
    assert_eq!(begins.count(), 1);
    assert!(relay.audit().iter().all(|line| line["event"] != "listen_end"));
    terminal.wait_for("you listen").await;
    // A second one is another file.
    terminal.keys("c");
    until(SOON, "another clip", async || {
        (self::files(&folder).len() == 4).then_some(())
    })
    .await;
    assert_eq!(std::fs::read(sound).expect("the first"), wav);
    talks.abort();
}

#[tokio::test]
async fn who_may_not_keep_it_has_nothing_on_disk() {
    let relay = Guarded::new();
    let admin = relay.token("root", &["--role", "admin"]).await;
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "cust7"])
        .await;
    let may = ["--role", "user", "--customer", "cust7", "--allow", "save"];
    let bob = relay.token("bob", &may).await;
    let relay = relay.start(&[]).await;
    let (call, mut stream) = relay.live_call("cust7").await;
    relay.is_live(call.sid(), &alice).await;
    let speech = speech::mulaw(speech::LONG[0]);
    let talks = tokio::spawn(async move { stream.play(&speech, &speech, Duration::from_millis(20)).await });
    let hers = hears(&relay, &alice, &[]).await;
    let reads = hears(&relay, &bob, &["--read-only"]).await;
    heard(&relay, &admin, "alice").await;
    heard(&relay, &admin, "bob").await;
    hers.keys("c");
    hers.wait_for("not kept: keeping audio needs the right save")
        .await;
    reads.keys("c");
    reads.wait_for("read-only: no audio is kept").await;
    let refused = until(SOON, "the refusal on record", async || {
        relay.audit().into_iter().find(|line| line["event"] == "refused")
    })
    .await;
    assert_eq!(
        (&refused["who"], &refused["call_sid"]),
        (&json!("alice"), &json!(call.sid()))
    );
    assert!(relay.audit().iter().all(|line| line["event"] != "save"));
    for terminal in [&hers, &reads] {
        terminal.wait_for("you listen").await;
        assert_eq!(files(&terminal.home().file(CLIPS)), Vec::<PathBuf>::new());
        assert!(!terminal.home().file(CLIPS).exists());
    }
    talks.abort();
}
