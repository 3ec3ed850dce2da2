//! A disk that fails: nothing half-written stays, nothing that was acknowledged goes, and it works again by itself.

use std::io;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::audit::AuditFailed;
use crate::audit::book::Book;
use crate::audit::chain::Line;
use crate::audit::disk::{Disk, Found, Last};
use crate::audit::head::Head;

/// What the next append, sync and cut do.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Append(usize),
    Sync,
    AppendAndCut(usize),
}

/// Keeps what it is given; fails once for each fault.
#[derive(Debug, Default)]
struct Memory {
    bytes: Vec<u8>,
    fault: Option<Fault>,
    cut_fails: bool,
}

impl Disk for Memory {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.fault {
            Some(Fault::Append(part) | Fault::AppendAndCut(part)) => {
                self.cut_fails = matches!(self.fault, Some(Fault::AppendAndCut(_)));
                self.fault = None;
                self.bytes.extend_from_slice(&bytes[..part.min(bytes.len())]);
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => {
                self.bytes.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.fault.take() {
            Some(_) => Err(io::ErrorKind::Other.into()),
            None => Ok(()),
        }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if std::mem::take(&mut self.cut_fails) {
            return Err(io::ErrorKind::Other.into());
        }
        self.bytes.truncate(length as usize);
        Ok(())
    }
}

fn fault() -> impl Strategy<Value = Option<Fault>> {
    prop_oneof![
        Just(None),
        (0usize..900).prop_map(|n| Some(Fault::Append(n))),
        Just(Some(Fault::Sync)),
        (0usize..900).prop_map(|n| Some(Fault::AppendAndCut(n))),
    ]
}

proptest! {
    #[test]
    fn the_chain_stays_whole_whatever_the_disk_does(faults in prop::collection::vec(fault(), 1..30)) {
        let empty = Found { length: 0, torn: 0, unended: false, last: Last::None };
        let mut book = Book::new(Memory::default(), &empty, Head::default(), "n1".into());
        let (mut acknowledged, mut owed) = (Vec::new(), Vec::new());
        for (n, fault) in faults.into_iter().enumerate() {
            book.disk.fault = fault;
            let (waits, told) = (Arc::new(begin(n)), Arc::new(begin(1000 + n)));
            let before = book.link();
            match book.commit(waits.at, &[&waits, &told]) {
                Ok(_) => acknowledged.extend([n, 1000 + n]),
                Err(_) => {
                    prop_assert_eq!(book.link(), before);
                    prop_assert!(book.owe(told));
                    owed.push(1000 + n);
                }
            }
        }
        book.disk.fault = None;
        book.disk.cut_fails = false;
        book.commit(begin(0).at, &[]).unwrap();
        let text = String::from_utf8(book.disk.bytes).unwrap();
        let mut checker = crate::audit::verify::Checker::default();
        checker.begin_file(None);
        for line in text.lines() {
            prop_assert_eq!(checker.line(line.as_bytes()), Ok(()), "{}", text);
        }
        prop_assert!(text.ends_with('\n'));
        for n in acknowledged.into_iter().chain(owed) {
            let call = format!("CA{n:032x}");
            prop_assert_eq!(text.matches(&call).count(), 1, "{}", call);
        }
    }
}

#[test]
fn what_found_no_place_is_told_in_the_file() {
    let empty = Found {
        length: 0,
        torn: 0,
        unended: false,
        last: Last::None,
    };
    let mut book = Book::new(Memory::default(), &empty, Head::default(), "n1".into());
    book.disk.fault = Some(Fault::Append(3));
    let entry = Arc::new(begin(1));
    assert!(book.commit(entry.at, &[]).is_err());
    let kept = (0..crate::audit::book::MAX_OWED + 5)
        .filter(|_| book.owe(entry.clone()))
        .count();
    assert_eq!(kept, crate::audit::book::MAX_OWED);
    assert_eq!(book.commit(entry.at, &[]).unwrap(), kept as u64 + 1);
    let first = book.disk.bytes.split(|byte| *byte == b'\n').next().unwrap();
    let reason = Line::read(first).unwrap().reason.unwrap();
    assert_eq!(reason, "a new chain; 5 entries were lost meanwhile");
}

/// A device that is always full is no reason not to start, and nobody may listen.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_full_disk_nobody_may_begin_unless_that_was_allowed() {
    let (audit, metrics) = open(Path::new("/dev/full")).unwrap();
    assert!(!audit.is_open());
    assert_eq!(audit.write(begin(1)).await, Err(AuditFailed::Disk));
    audit.tell(begin(2));
    assert_eq!((metrics.audit_refused.get(), metrics.audit_lost.get()), (1, 0));
    assert!(metrics.audit_failures.get() > 0);

    let metrics = Arc::<Metrics>::default();
    let full = PathBuf::from("/dev/full");
    drop(audit);
    let audit = loop {
        // Until the other one's thread has let go.
        match Audit::open(full.clone(), "n1".into(), OnFailure::LetIn, metrics.clone()) {
            Ok(audit) => break audit,
            Err(OpenFailed::InUse { .. }) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(other) => panic!("{other}"),
        }
    };
    assert!(audit.is_open());
    assert_eq!(audit.write(begin(3)).await, Ok(()));
    assert_eq!(
        (metrics.audit_unrecorded.get(), metrics.audit_refused.get()),
        (1, 0)
    );
}
