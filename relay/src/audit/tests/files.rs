//! Real files: what is in them, restarts, rotation, torn ends, two relays.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::audit::head;
use crate::audit::verify::{Failed, Why, verify};

fn field(line: &str, key: &str) -> serde_json::Value {
    serde_json::from_str::<serde_json::Value>(line).unwrap()[key].clone()
}

#[tokio::test]
async fn a_line_has_the_contracts_keys_in_its_order_and_everybody_can_check_its_hash() {
    let folder = Folder::new();
    let path = folder.file("audit.jsonl");
    let (audit, metrics) = open(&path).unwrap();
    audit.write(begin(7)).await.unwrap();
    let from = UtcTime::from_unix_ms(1_795_338_000_000);
    let end = Entry::new(from.plus_ms(1500), Event::ListenEnd).span(from, from.plus_ms(1500), 1.5, 24_000);
    audit.tell(end.because("unsubscribed"));
    assert!(audit.close().await);
    let lines = lines(&path);
    let text = concat!(
        r#"{"seq":2,"at":"2026-11-22T09:00:00.007Z","event":"listen_begin","who":"alice","role":"user","#,
        r#""token_id":"t-1","address":"192.0.2.7","door":"listen","call_sid":"CA00000000000000000000000000000007","#,
        r#""customer_id":"12345","node":"n1","from":null,"to":null,"seconds":null,"bytes":null,"reason":null,"prev":""#,
    );
    let text = format!("{text}{}\"", field(&lines[0], "hash").as_str().unwrap());
    let hash = <sha2::Sha256 as sha2::Digest>::digest(format!("{text}}}"));
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(lines[1], format!("{text},\"hash\":\"{hash}\"}}"));
    assert_eq!(field(&lines[0], "prev"), "0".repeat(64));
    assert_eq!(field(&lines[0], "event"), "started");
    let end = (
        field(&lines[2], "seconds"),
        field(&lines[2], "bytes"),
        field(&lines[2], "from"),
    );
    assert_eq!(
        end,
        (1.5.into(), 24_000.into(), "2026-11-22T09:00:00.000Z".into())
    );
    assert_eq!(field(&lines[2], "reason"), "unsubscribed");
    for name in [&path, &head::path_of(&path)] {
        let mode = std::fs::metadata(name).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", name.display());
    }
    assert_eq!((metrics.audit_written.get(), metrics.audit_lost.get()), (3, 0));
    let verified = verify(&[path]).unwrap();
    assert_eq!((verified.lines, verified.torn, verified.headed), (3, false, true));
}

#[tokio::test]
async fn what_a_client_can_choose_neither_fills_the_disk_nor_breaks_a_line() {
    let folder = Folder::new();
    let path = folder.file("audit.jsonl");
    let (audit, _) = open(&path).unwrap();
    let hostile = "\u{1}\n\",\"hash\":\"".repeat(100_000);
    let mut entry = begin(1)
        .by(&hostile, Role::User, &hostile)
        .because(hostile.clone());
    entry.customer_id = Some(hostile);
    audit.write(entry).await.unwrap();
    let lines = lines(&path);
    assert_eq!(lines.len(), 2);
    assert!(lines[1].len() < crate::audit::chain::MAX_LINE);
    assert_eq!(verify(&[path]).unwrap().lines, 2);
}

#[tokio::test]
async fn many_begins_at_once_share_syncs_and_each_is_there_when_it_is_told() {
    let folder = Folder::new();
    let path = folder.file("audit.jsonl");
    let audit = Arc::new(open(&path).unwrap().0);
    let writes: Vec<_> = (0..2_000)
        .map(|n| {
            let (audit, path) = (audit.clone(), path.clone());
            tokio::spawn(async move {
                audit.write(begin(n)).await.unwrap();
                // One in a hundred looks at once.
                n % 100 != 0
                    || std::fs::read_to_string(path)
                        .unwrap()
                        .contains(&format!("CA{n:032x}"))
            })
        })
        .collect();
    for write in writes {
        assert!(write.await.unwrap());
    }
    assert_eq!(verify(&[path]).unwrap().lines, 2_001);
}

#[tokio::test]
async fn a_restart_goes_on_in_the_file_and_a_rotation_in_the_next() {
    let folder = Folder::new();
    let (path, old) = (folder.file("audit.jsonl"), folder.file("audit.jsonl.1"));
    let (audit, _) = open(&path).unwrap();
    audit.write(begin(1)).await.unwrap();
    shut(audit, &path).await;
    let (audit, _) = open(&path).unwrap();
    audit.write(begin(2)).await.unwrap();
    // SIGHUP without a move changes nothing.
    audit.reopen().await.unwrap();
    std::fs::rename(&path, &old).unwrap();
    // Until the signal comes, what happens goes into the moved file.
    audit.write(begin(3)).await.unwrap();
    audit.reopen().await.unwrap();
    audit.write(begin(4)).await.unwrap();
    assert_eq!((lines(&old).len(), lines(&path).len()), (5, 2));
    assert_eq!(verify(&[&path]).unwrap().lines, 2);
    assert_eq!(verify(&[&old]).unwrap().lines, 5);
    let both = verify(&[&old, &path]).unwrap();
    assert_eq!((both.lines, both.last.unwrap().seq), (7, 7));
    assert!(verify(&[&path, &old]).is_err(), "not in that order");
    // Moved away while no relay ran: the head knows where the chain stood.
    shut(audit, &path).await;
    std::fs::rename(&path, folder.file("audit.jsonl.2")).unwrap();
    let (audit, _) = open(&path).unwrap();
    audit.write(begin(5)).await.unwrap();
    let both = verify(&[folder.file("audit.jsonl.2"), path]).unwrap();
    assert_eq!((both.lines, both.last.unwrap().seq), (4, 9));
}

#[tokio::test]
async fn a_torn_line_is_cut_off_and_one_that_lacks_only_its_end_is_kept() {
    let folder = Folder::new();
    let path = folder.file("audit.jsonl");
    let (audit, _) = open(&path).unwrap();
    audit.write(begin(1)).await.unwrap();
    shut(audit, &path).await;
    // Killed within its next line.
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"seq\":3,\"at\":\"2026-").unwrap();
    assert!(verify(&[&path]).unwrap().torn);
    let (audit, _) = open(&path).unwrap();
    audit.write(begin(2)).await.unwrap();
    let cut = field(&lines(&path)[2], "reason");
    assert_eq!(cut, "goes on in this file; 20 bytes of a torn line were cut off");
    assert_eq!(verify(&[&path]).unwrap().lines, 4);
    shut(audit, &path).await;
    // Killed between a line and its end, and before the head knew of it.
    let text = std::fs::read(&path).unwrap();
    let before = folder.file("before.jsonl");
    std::fs::write(&before, text.strip_suffix(b"\n").unwrap()).unwrap();
    let (audit, _) = open(&before).unwrap();
    audit.write(begin(3)).await.unwrap();
    assert_eq!(verify(&[before]).unwrap().lines, 6);
}

#[tokio::test]
async fn lines_that_went_while_no_relay_ran_are_missed_by_the_next_one() {
    let folder = Folder::new();
    let path = folder.file("audit.jsonl");
    let (audit, _) = open(&path).unwrap();
    for n in 0..3 {
        audit.write(begin(n)).await.unwrap();
    }
    shut(audit, &path).await;
    let kept = lines(&path)[..3].join("\n") + "\n";
    std::fs::write(&path, kept).unwrap();
    assert!(matches!(verify(&[&path]), Err(Failed::Bad(bad)) if bad.why == Why::Ending(4)));
    let (audit, _) = open(&path).unwrap();
    audit.write(begin(9)).await.unwrap();
    let bad = verify(&[&path]).unwrap_err();
    let place = format!("{}: line 4 is bad: seq 5 does not follow 3", path.display());
    assert!(bad.to_string().starts_with(&place), "{bad}");
    let said = field(&lines(&path)[3], "reason");
    assert_eq!(said, "goes on in this file; 1 lines before this one are gone");
}

#[tokio::test]
async fn a_second_relay_is_kept_out_and_a_file_of_somebody_elses_is_left_alone() {
    let folder = Folder::new();
    let path = folder.file("audit.jsonl");
    let (audit, _) = open(&path).unwrap();
    let second = open(&path).err().unwrap();
    assert!(second.to_string().contains("another relay's"), "{second}");
    // Also in the moment between a move and its signal.
    std::fs::rename(&path, folder.file("audit.jsonl.1")).unwrap();
    assert!(matches!(open(&path), Err(OpenFailed::InUse { .. })));
    audit.reopen().await.unwrap();
    for text in ["127.0.0.1 localhost\n", "no line end", "{\"seq\n"] {
        let other = folder.file("hosts");
        std::fs::write(&other, text).unwrap();
        assert!(matches!(open(&other), Err(OpenFailed::Foreign { .. })), "{text}");
        assert_eq!(std::fs::read_to_string(&other).unwrap(), text);
    }
    let nowhere = open(&folder.file("no/such/folder")).err().unwrap();
    assert!(nowhere.to_string().contains("--audit"), "{nowhere}");
}

#[tokio::test]
async fn a_file_that_is_deleted_or_emptied_under_the_relay_is_begun_again() {
    let folder = Folder::new();
    let path = folder.file("audit.jsonl");
    let (audit, _) = open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    audit.write(begin(1)).await.unwrap();
    assert_eq!(verify(&[&path]).unwrap().last.unwrap().seq, 3);
    // As logrotate's copytruncate does.
    std::fs::copy(&path, folder.file("audit.jsonl.1")).unwrap();
    std::fs::write(&path, "").unwrap();
    audit.write(begin(2)).await.unwrap();
    let both = verify(&[folder.file("audit.jsonl.1"), path]).unwrap();
    assert_eq!((both.lines, both.last.unwrap().seq), (4, 5));
}

#[tokio::test]
async fn without_a_file_everything_is_only_logged() {
    let audit = Audit::off();
    assert!(audit.is_open());
    audit.write(begin(1)).await.unwrap();
    audit.tell(begin(2));
    audit.reopen().await.unwrap();
    assert!(audit.close().await);
}
