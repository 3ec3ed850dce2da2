//! Processes of their own: one that is killed while it writes, one whose file may not grow. The test starts itself
//! once more for that, and is told by its environment that it is the other one.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};

use super::*;
use crate::audit::AuditFailed;
use crate::audit::verify::verify;

/// Names the file to the process that is started.
const FILE: &str = "PARTYLINE_TEST_AUDIT";
/// And the first number of what it writes.
const FIRST: &str = "PARTYLINE_TEST_FIRST";

/// How often a process is killed.
const KILLS: usize = 50;
/// Numbers that one process has.
const NUMBERS: usize = 1_000_000;
/// Tasks that write at once.
const WRITERS: usize = 8;

/// This test in a process of its own.
fn myself(test: &str, path: &Path, first: usize) -> Child {
    let module = module_path!().split_once("::").unwrap().1;
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("{module}::{test}"),
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FILE, path)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn told_file() -> Option<PathBuf> {
    std::env::var_os(FILE).map(PathBuf::from)
}

#[test]
fn whoever_was_told_that_it_is_on_record_is_on_record_after_a_kill() {
    if let Some(path) = told_file() {
        Runtime::new().unwrap().block_on(write_on_and_on(&path));
    }
    let folder = Folder::new();
    let path = folder.file("audit.jsonl");
    let mut acknowledged = Vec::new();
    for kill in 0..KILLS {
        let test = "whoever_was_told_that_it_is_on_record_is_on_record_after_a_kill";
        let mut child = myself(test, &path, kill * NUMBERS);
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut number = || {
            let line = told.next()?.unwrap();
            Some(line.strip_prefix("told ").map(|n| n.parse::<usize>().unwrap()))
        };
        let enough = rand::random_range(1..60);
        let before = acknowledged.len();
        while acknowledged.len() < before + enough {
            acknowledged.extend(number().expect("it writes until it is killed"));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        while let Some(number) = number() {
            acknowledged.extend(number);
        }
        // As it was left, and with what the one before found and went on from.
        verify(&[&path]).unwrap();
    }
    let written: Vec<String> = lines(&path)
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["call_sid"].to_string())
        .collect();
    let once: HashSet<&str> = written.iter().map(|sid| sid.trim_matches('"')).collect();
    for n in &acknowledged {
        assert!(
            once.contains(format!("CA{n:032x}").as_str()),
            "{n} of {}",
            acknowledged.len()
        );
    }
}

async fn write_on_and_on(path: &Path) {
    let first: usize = std::env::var(FIRST).unwrap().parse().unwrap();
    let audit = Arc::new(open(path).unwrap().0);
    // Behind what the test's own runner wrote.
    println!();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let audit = audit.clone();
            tokio::spawn(async move {
                for n in (first + writer..first + NUMBERS).step_by(WRITERS) {
                    audit.write(begin(n)).await.unwrap();
                    // One write a line: whole or not at all. The test may have ended.
                    let _ = std::io::stdout().write_all(format!("told {n}\n").as_bytes());
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_may_not_grow_refuses_at_once_and_goes_on_when_it_may() {
    if let Some(path) = told_file() {
        return Runtime::new().unwrap().block_on(run_out_of_room(&path));
    }
    let folder = Folder::new();
    let path = folder.file("audit.jsonl");
    let test = "a_file_that_may_not_grow_refuses_at_once_and_goes_on_when_it_may";
    let mut child = myself(test, &path, 0);
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    verify(&[&path]).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let has = |n: usize| text.contains(&format!("CA{n:032x}"));
    assert_eq!(
        [has(1), has(2), has(3), has(4)],
        [true, false, true, true],
        "{text}"
    );
    assert!(text.contains("\"reason\":\"can be written again\""), "{text}");
}

/// SIGXFSZ, which comes where a file may not grow, and ends who does not take it.
#[cfg(target_os = "linux")]
const FILE_SIZE: i32 = 25;

#[cfg(target_os = "linux")]
async fn run_out_of_room(path: &Path) {
    /// For a thread that wakes twice a second.
    const SOON: Duration = Duration::from_secs(20);
    let _taken = signal(SignalKind::from_raw(FILE_SIZE)).unwrap();
    let (audit, metrics) = open(path).unwrap();
    audit.write(begin(1)).await.unwrap();
    let free = getrlimit(Resource::Fsize);
    let length = std::fs::metadata(path).unwrap().len();
    // Half a line more.
    let limit = Rlimit {
        current: Some(length + 200),
        ..free
    };
    setrlimit(Resource::Fsize, limit).unwrap();
    assert!(audit.is_open(), "nobody knows yet");
    assert_eq!(audit.write(begin(2)).await, Err(AuditFailed::Disk));
    assert!(!audit.is_open());
    audit.tell(begin(3));
    assert!(audit.close().await);
    assert!(!audit.is_open());
    assert_eq!(
        std::fs::metadata(path).unwrap().len(),
        length,
        "no half line stays"
    );
    setrlimit(Resource::Fsize, free).unwrap();
    let since = Instant::now();
    while !audit.is_open() {
        assert!(since.elapsed() < SOON, "it did not try again");
        sleep(Duration::from_millis(15)).await;
    }
    audit.write(begin(4)).await.unwrap();
    assert_eq!((metrics.audit_lost.get(), metrics.audit_refused.get()), (0, 1));
}
