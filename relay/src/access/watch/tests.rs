//! When the file is read: whole ones at once, half-written ones never.

use std::fs;

use super::*;
use crate::access::Role;
use crate::access::tokens::{Made, file};
use partyline_shared::time::UtcTime;

/// A stamp of some file: three letters in `name`, written there.
fn written(folder: &std::path::Path, name: &str, text: &str) -> Option<Stamp> {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    Stamp::look(&path)
}

#[test]
fn a_replaced_file_is_read_at_once_and_one_that_is_written_when_it_stands_still() {
    let folder = std::env::temp_dir().join(format!("partyline-watch-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let one = written(&folder, "one", "1");
    let two = written(&folder, "two", "2");
    let mut seen = Seen {
        stamp: one,
        done: true,
        wrong: false,
    };
    assert!(!seen.look(one), "nothing has changed");
    assert!(seen.look(two), "another file is there");
    assert!(!seen.look(two), "and was read");
    let half = written(&folder, "two", "22");
    assert!(!seen.look(half), "it is being written");
    let whole = written(&folder, "two", "222");
    assert!(!seen.look(whole), "it still is");
    assert!(seen.look(whole), "it stands still");
    assert!(!seen.look(whole), "and was read");
    assert!(seen.look(None), "it is gone: told once");
    assert!(!seen.look(None));
    assert!(seen.look(whole), "and is there again");
    fs::remove_dir_all(&folder).unwrap();
}

/// SIGHUP reads the file, waits for others, and puts it in force when the watch has read a later one.
#[test]
fn what_was_read_too_early_does_not_stay_in_force() {
    let folder = std::env::temp_dir().join(format!("partyline-outrun-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("tokens.toml");
    for name in ["alice", "bob"] {
        let made = Made::draw(name, Role::User, UtcTime::from_unix_ms(0)).unwrap();
        file::add(&path, &made.token).unwrap();
    }
    let access = Access::new(Some(&path), None).unwrap();
    let mut seen = Seen {
        stamp: lock(&access.file).stamp,
        done: true,
        wrong: false,
    };
    let early = access.read(Some(&path)).unwrap();
    file::remove(&path, |token| token.name == "bob").unwrap();
    access.look(&mut seen);
    assert_eq!(access.tokens(), 1, "bob is out");
    access.apply(early);
    access.look(&mut seen);
    assert_eq!(access.tokens(), 1, "and stays out");

    fs::write(&path, "[[token]]\nname = 7\n").unwrap();
    let told = (0..4).filter(|_| !access.look(&mut seen).is_empty()).count();
    assert_eq!((told, access.tokens()), (1, 1), "what is wrong is told once");
    fs::remove_dir_all(&folder).unwrap();
}
