//! A folder of one story's own, gone with it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new, empty folder; removed when dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one in the system's place for temporary files.
    pub fn new() -> Scratch {
        Scratch::below(&std::env::temp_dir())
    }

    /// Makes one that waits for no disk, where this machine has such: a record that a relay waits for is refused where a disk
    /// that builds write to takes a second for it.
    pub fn in_memory() -> Scratch {
        let memory = Path::new("/dev/shm");
        let may_write = std::fs::metadata(memory).is_ok_and(|found| found.permissions().mode() & 0o002 != 0);
        if may_write {
            Scratch::below(memory)
        } else {
            Scratch::new()
        }
    }

    fn below(folder: &Path) -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("partyline-story-{}-{count}", std::process::id()));
        // Left by an earlier process of the same number that was killed.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap_or_else(|e| panic!("no folder {}: {e}", path.display()));
        Scratch(path)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A name in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file in it with these bytes, which no other user reads; gives its path.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        let written = std::fs::write(&path, bytes)
            .and_then(|()| std::fs::set_permissions(&path, Permissions::from_mode(0o600)));
        written.unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
        path
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
