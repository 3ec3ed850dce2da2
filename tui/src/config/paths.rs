//! Where this program's files lie, by the rules of the platform.

use std::io;
use std::path::{Path, PathBuf};

/// The config folder of this platform, `partyline/` included; `None` where the user has no home.
pub fn folder() -> Option<PathBuf> {
    let base = if cfg!(windows) {
        var("APPDATA")
    } else if cfg!(target_os = "macos") {
        below_home("Library/Application Support")
    } else {
        var("XDG_CONFIG_HOME").or_else(|| below_home(".config"))
    };
    base.map(|base| base.join("partyline"))
}

/// Where the monitor's log goes; `None` where the user has no home.
pub fn log() -> Option<PathBuf> {
    let base = if cfg!(windows) {
        var("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        below_home("Library/Logs")
    } else {
        var("XDG_STATE_HOME").or_else(|| below_home(".local/state"))
    };
    base.map(|base| base.join("partyline").join("partyline.log"))
}

/// Where clips go; `None` where the user has no home.
pub fn clips() -> Option<PathBuf> {
    let base = if cfg!(windows) {
        var("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        below_home("Library/Application Support")
    } else {
        var("XDG_DATA_HOME").or_else(|| below_home(".local/share"))
    };
    base.map(|base| base.join("partyline").join("clips"))
}

/// A path as people write it: below their home it begins with `~`.
pub fn shown(path: &Path) -> String {
    let home = var("HOME").filter(|home| home.components().count() > 1);
    let below = home.and_then(|home| path.strip_prefix(home).map(Path::to_owned).ok());
    match below {
        Some(below) => Path::new("~").join(below).display().to_string(),
        None => path.display().to_string(),
    }
}

fn var(name: &str) -> Option<PathBuf> {
    // A relative one is not meant by anybody: it would be another folder in each place.
    std::env::var_os(name)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

fn below_home(path: &str) -> Option<PathBuf> {
    var("HOME").map(|home| home.join(path))
}

/// Makes a folder, and those above it, for this user alone. One that is there stays as it is.
///
/// # Errors
/// Whatever the system says.
pub fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
