//! When the file is read: whole ones at once, half-written ones never.

use std::fs;

use super::*;

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
