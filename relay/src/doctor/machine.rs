//! What the machine gives: files that may be open at once, room on disks, and files that are the relay's alone.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::{Resource, getrlimit, getuid};

use crate::audit;
use crate::config::Config;
use crate::serve;

use super::verdict::Verdict;

/// Descriptors that a relay needs beside its calls and listeners: sockets that have shown nothing yet, webhooks, files.
const BESIDE: u64 = 512;
/// Room on a disk below which it deserves a word, bytes: a month of an audit of a thousand hearings a day is less.
const ROOM: u64 = 256 << 20;
/// The longest audit that is read through here, bytes: half a second's work.
const QUICK: u64 = 64 << 20;

/// Whether as many can be connected as are let in.
pub(super) fn descriptors(config: &Config) -> Vec<Verdict> {
    const WHAT: &str = "file limit";
    let need = config.max_calls.saturating_add(config.max_listeners) as u64 + BESIDE;
    let limit = getrlimit(Resource::Nofile).current;
    vec![match limit {
        Some(limit) if limit < need => Verdict::warn(
            WHAT,
            format!(
                "{limit} files may be open here, and {} calls with {} listeners need {need}",
                config.max_calls, config.max_listeners
            ),
            format!(
                "LimitNOFILE={need} in the unit, `ulimit -n {need}` in a shell, or lower --max-calls and --max-listeners"
            ),
        ),
        Some(limit) => Verdict::ok(
            WHAT,
            format!("{limit} files may be open, {need} are needed at most"),
        ),
        None => Verdict::ok(WHAT, "as many files may be open as are wanted"),
    }]
}

/// Whether what has to be written can be, by this user and for a while.
pub(super) fn disks(config: &Config) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    if let Some(path) = &config.audit {
        verdicts.extend(disk("audit", path));
        verdicts.extend(chain(path));
    }
    if let Some(path) = &config.state {
        verdicts.extend(disk("state", path));
    }
    verdicts
}

/// Whether secrets in files are kept from others. A file that cannot be read was told with the configuration; the
/// tokens file is not taken as long as others may read it.
pub(super) fn secrets(config: &Config) -> Vec<Verdict> {
    let files = [
        config.accounts.file(),
        config.jwt_secret_file.as_deref(),
        config.tls.as_ref().map(|tls| tls.key.as_path()),
    ];
    let open = files.into_iter().flatten().filter_map(|path| {
        // A group may be let in on purpose: certificates often have one.
        let mode = path.metadata().ok()?.mode() & 0o7777;
        let path = path.display();
        (mode & 0o007 != 0).then(|| {
            let told = format!("everybody on this machine may read {path} (mode {mode:04o})");
            Verdict::warn("secrets", told, format!("chmod o= {path}"))
        })
    });
    open.collect()
}

fn disk(what: &str, path: &Path) -> Vec<Verdict> {
    let shown = path.display();
    if let Err(error) = serve::writable(path) {
        let found = format!("{shown} cannot be written: {error}");
        let fix = "make its folder, and give it to the relay's user";
        return vec![Verdict::fail(what, found, fix)];
    }
    let mut verdicts = Vec::new();
    let there = path.metadata().ok();
    if let Some(found) = there.as_ref().filter(|found| found.is_file()) {
        verdicts.extend(alone(what, path, found));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let on = if there.is_some() {
        path
    } else {
        folder.unwrap_or(Path::new("."))
    };
    match rustix::fs::statvfs(on) {
        Ok(fs) if fs.f_blocks > 0 => {
            let free = fs.f_bavail.saturating_mul(fs.f_frsize);
            let mb = free >> 20;
            verdicts.push(if free < ROOM {
                let fix =
                    "make room, or name a file on another disk; while it is full nobody may begin to listen";
                Verdict::warn(what, format!("{mb} MB are free at {shown}"), fix)
            } else {
                Verdict::ok(what, format!("{shown} can be written, {mb} MB are free"))
            });
        }
        // A device, or a file system that does not say.
        _ => verdicts.push(Verdict::ok(what, format!("{shown} can be written"))),
    }
    verdicts
}

/// Whether it is nobody else's to read or change.
fn alone(what: &str, path: &Path, found: &Metadata) -> Option<Verdict> {
    let path = path.display();
    let mode = found.mode() & 0o7777;
    if mode & 0o077 != 0 {
        let told = format!("others may read or write {path} (mode {mode:04o})");
        return Some(Verdict::warn(what, told, format!("chmod 600 {path}")));
    }
    let me = getuid().as_raw();
    (found.uid() != me && me != 0).then(|| {
        let told = format!("{path} is another user's ({})", found.uid());
        Verdict::warn(
            what,
            told,
            "run this as the relay's user, or chown the file to it",
        )
    })
}

fn chain(path: &Path) -> Option<Verdict> {
    const WHAT: &str = "audit";
    let shown = path.display();
    let length = path.metadata().ok().filter(Metadata::is_file)?.len();
    if length > QUICK {
        let found = format!("{shown} has {} MB, too many to be checked here", length >> 20);
        return Some(Verdict::warn(
            WHAT,
            found,
            format!("partyline-relay audit verify {shown}"),
        ));
    }
    match audit::verify(&[path]) {
        Ok(_) => Some(Verdict::ok(WHAT, "its chain is whole")),
        Err(failed) => {
            let fix = format!("see who changed it; `partyline-relay audit verify {shown}` tells where");
            Some(Verdict::fail(WHAT, failed.to_string(), fix))
        }
    }
}
