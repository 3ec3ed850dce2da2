//! The file on disk: its mode, its lock, and what a running relay makes of its changes.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;

/// Longer than any change may take; nothing is measured by it.
const SOON: Duration = Duration::from_secs(20);

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn told(path: &Path) -> String {
    file::read(path).unwrap_err().to_string()
}

#[test]
fn it_is_the_owners_alone() {
    let folder = Folder::new("mode");
    let (text, token) = folder.add("alice", |_| {});
    let path = folder.file();
    assert_eq!(mode(&path), 0o600);
    assert!(!fs::read_to_string(&path).unwrap().contains(&text));
    for open in [0o640, 0o604, 0o620, 0o666] {
        set_mode(&path, open);
        let told = told(&path);
        assert!(
            told.contains("others may read or write it") && told.contains("chmod 600"),
            "{told}"
        );
    }
    let bob = Made::draw("bob", Role::Admin, at(0)).unwrap();
    assert_eq!(file::add(&path, &bob.token).unwrap().was_open, Some(0o666));
    assert_eq!(mode(&path), 0o600);
    set_mode(&path, 0o644);
    assert_eq!(file::remove(&path, |_| false).unwrap().was_open, Some(0o644));
    assert_eq!(
        (mode(&path), file::read(&path).unwrap()),
        (0o600, vec![token, bob.token])
    );
}

#[test]
fn what_is_no_tokens_file_is_told_and_left_alone() {
    let folder = Folder::new("wrong");
    let path = folder.file();
    assert!(told(&path).contains("make it with `partyline-relay token add`"));
    assert!(file::remove(&path, |_| true).is_err() && !path.exists());
    assert!(told(&folder.0).contains("no plain file"));
    fs::write(&path, [0xff, 0xfe]).unwrap();
    set_mode(&path, 0o600);
    assert!(told(&path).contains("UTF-8"));
    fs::write(&path, "[[token]]\nnam = \"x\"\n").unwrap();
    let why = told(&path);
    assert!(
        why.lines()
            .all(|line| line.starts_with(&format!("{} line ", path.display()))),
        "{why}"
    );
    let made = Made::draw("a", Role::User, at(0)).unwrap();
    assert!(file::add(&path, &made.token).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "[[token]]\nnam = \"x\"\n");
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len((16 << 20) + 1)
        .unwrap();
    assert!(told(&path).contains("too large"));
    assert_eq!(
        fs::read_dir(&folder.0).unwrap().count(),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn a_link_stays_one() {
    let folder = Folder::new("link");
    let real = folder.0.join("real.toml");
    fs::write(&real, "").unwrap();
    set_mode(&real, 0o600);
    symlink(&real, folder.file()).unwrap();
    let (_, token) = folder.add("alice", |_| {});
    assert!(fs::symlink_metadata(folder.file()).unwrap().is_symlink());
    assert_eq!(file::read(&real).unwrap(), [token]);
}

#[test]
fn many_who_add_and_remove_at_once_lose_nothing() {
    let folder = Folder::new("at-once");
    let (keep, gone): (Vec<_>, Vec<_>) = (0..8)
        .map(|n| folder.add(&format!("old{n}"), |_| {}).1)
        .partition(|t| t.name.as_str() < "old4");
    let folder = &folder;
    std::thread::scope(|threads| {
        for n in 0..8 {
            threads.spawn(move || (0..5).for_each(|m| drop(folder.add(&format!("new{n}-{m}"), |_| {}))));
        }
        for token in &gone {
            threads.spawn(move || file::remove(&folder.file(), |known| known.id == token.id).unwrap());
        }
    });
    let left: Vec<String> = file::read(&folder.file())
        .unwrap()
        .into_iter()
        .map(|token| token.name)
        .collect();
    assert_eq!(left.len(), keep.len() + 40);
    for n in 0..8 {
        let here = left
            .iter()
            .filter(|name| name.starts_with(&format!("new{n}-")))
            .count();
        assert_eq!(here, 5);
    }
}

#[tokio::test]
async fn a_running_relay_follows_the_file_and_keeps_what_it_had_when_it_breaks() {
    let folder = Folder::new("follows");
    let path = folder.file();
    let (alice, token) = folder.add("alice", |_| {});
    let access = Access::new(Some(&path), None).unwrap();
    let (tell, mut news) = mpsc::channel(100);
    let watch = tokio::spawn(access.clone().watch(move |one| tell.try_send(one).unwrap()));
    let mut next = async || {
        timeout(SOON, news.recv())
            .await
            .expect("the change is seen")
            .unwrap()
    };
    let (bob, _) = folder.add("bob", |_| {});
    assert_eq!(names(&[next().await]), ["+bob"]);
    assert!(access.bearer(&bob, at(0)).await.is_some());
    let good = fs::read_to_string(&path).unwrap();
    fs::write(&path, good.replacen("role", "rule", 1)).unwrap();
    match next().await {
        News::Kept(why) => assert!(
            why.to_string()
                .contains("there is no key `rule`; the nearest one is `role`"),
            "{why}"
        ),
        other => panic!("{other:?}"),
    }
    assert!(access.bearer(&alice, at(0)).await.is_some() && access.bearer(&bob, at(0)).await.is_some());
    fs::write(&path, &good).unwrap();
    file::remove(&path, |known| known.id == token.id).unwrap();
    assert_eq!(names(&[next().await]), ["-alice"]);
    assert!(access.bearer(&alice, at(0)).await.is_none() && access.bearer(&bob, at(0)).await.is_some());
    fs::remove_file(&path).unwrap();
    assert_eq!(names(&[next().await]), ["?"]);
    assert!(access.bearer(&bob, at(0)).await.is_some());
    folder.add("carol", |_| {});
    assert_eq!(names(&[next().await, next().await]), ["-bob", "+carol"]);
    watch.abort();
}
