//! The audit on real files of a folder, and on a disk that fails when told.

mod failing;
mod files;
mod killed;
mod tampered;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;

use super::{Audit, Entry, Event, OnFailure, OpenFailed};
use crate::access::Role;
use crate::metrics::Metrics;

/// A folder of one test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("partyline-audit-{}-{count}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(path: &Path) -> Result<(Audit, Arc<Metrics>), OpenFailed> {
    let metrics = Arc::<Metrics>::default();
    let audit = Audit::open(path.to_owned(), "n1".into(), OnFailure::Refuse, metrics.clone())?;
    Ok((audit, metrics))
}

/// Lets go of the file for good, so that it can be opened again at once.
async fn shut(audit: Audit, path: &Path) {
    assert!(audit.close().await);
    drop(audit);
    let file = std::fs::File::open(path).unwrap();
    let freed = move || rustix::fs::flock(file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    tokio::task::spawn_blocking(freed).await.unwrap();
    let head = std::fs::File::open(super::head::path_of(path)).unwrap();
    let freed = move || rustix::fs::flock(head, rustix::fs::FlockOperation::LockExclusive).unwrap();
    tokio::task::spawn_blocking(freed).await.unwrap();
}

fn begin(n: usize) -> Entry {
    let call = CallSid::parse(&format!("CA{n:032x}")).unwrap();
    Entry::new(
        UtcTime::from_unix_ms(1_795_338_000_000 + n as i64),
        Event::ListenBegin,
    )
    .by("alice", Role::User, "t-1")
    .through("listen", [192, 0, 2, 7].into())
    .of_call(call, Some("12345"))
}

/// Nobody writes: what is told waits, up to the bound.
#[test]
fn so_many_entries_wait_and_the_next_is_lost_and_counted() {
    let (audit, kept) = super::tests_support::kept();
    let lost = || audit.desk.as_ref().unwrap().metrics.audit_lost.get();
    (0..super::QUEUE).for_each(|n| audit.tell(begin(n)));
    assert_eq!(lost(), 0);
    audit.tell(begin(super::QUEUE));
    assert_eq!((lost(), kept.take().len()), (1, super::QUEUE));
    audit.tell(begin(0));
    assert_eq!((lost(), kept.take().len()), (1, 1), "there is room again");
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}
