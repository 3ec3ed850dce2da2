//! Two files that belong together: both are there, whole, or neither is. They are written beside their places and moved
//! there, over nothing, and are for this user alone.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::config::paths;

/// Clips of one call that begin in the same second: nobody presses a key so often, and who asks for more is told so.
const SAME_NAME: u32 = 100;

/// A file that goes when this is dropped, unless it is to stay.
struct Draft {
    path: PathBuf,
    stays: bool,
}

impl Draft {
    /// A file of this name, where there is none yet.
    fn new(path: PathBuf) -> io::Result<(Draft, File)> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok((Draft { path, stays: false }, file))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.stays {
            // Where even that fails, nothing is left that could be done.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Writes `NAME.wav` and `NAME.json`, with a number behind the name where it is taken; the first one's path.
pub(super) fn write(folder: &Path, name: &str, wav: &[u8], json: &[u8]) -> io::Result<PathBuf> {
    write_with(
        folder,
        name,
        |file| file.write_all(wav),
        |file| file.write_all(json),
    )
}

fn write_with(
    folder: &Path,
    name: &str,
    wav: impl FnOnce(&mut File) -> io::Result<()>,
    json: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<PathBuf> {
    paths::make_private(folder)?;
    let draft = format!(".{name}.{:08x}", rand::random::<u32>());
    let sound = filled(folder.join(format!("{draft}.wav")), wav)?;
    let sheet = filled(folder.join(format!("{draft}.json")), json)?;
    let (mut wav, mut json) = places(folder, name)?;
    // The sheet first: whoever sees the audio finds it.
    std::fs::rename(&sheet.path, &json.path)?;
    std::fs::rename(&sound.path, &wav.path)?;
    (wav.stays, json.stays) = (true, true);
    Ok(wav.path.clone())
}

/// A file with all of that in it, on disk.
fn filled(path: PathBuf, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<Draft> {
    let (draft, mut file) = Draft::new(path)?;
    fill(&mut file)?;
    file.sync_all()?;
    Ok(draft)
}

/// Both places, which were free and are taken now.
fn places(folder: &Path, name: &str) -> io::Result<(Draft, Draft)> {
    for nth in 1..=SAME_NAME {
        let name = if nth == 1 {
            name.to_owned()
        } else {
            format!("{name}-{nth}")
        };
        let place = |end: &str| Draft::new(folder.join(format!("{name}.{end}")));
        match place("wav").and_then(|(wav, _)| Ok((wav, place("json")?.0))) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            both => return both,
        }
    }
    Err(io::Error::new(
        ErrorKind::AlreadyExists,
        "too many clips of one second are there",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let name = format!("partyline-clips-{name}-{:08x}", rand::random::<u32>());
            Folder(std::env::temp_dir().join(name))
        }

        fn names(&self) -> Vec<String> {
            let entries = std::fs::read_dir(&self.0).unwrap();
            let mut names: Vec<String> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn both_files_are_this_user_s_alone_and_never_over_others() {
        let folder = Folder::new("both");
        let path = write(&folder.0, "a", b"RIFF", b"{}").unwrap();
        assert_eq!(path, folder.0.join("a.wav"));
        std::fs::write(folder.0.join("a-2.json"), "mine").unwrap();
        assert_eq!(
            write(&folder.0, "a", b"RIFF2", b"[]").unwrap(),
            folder.0.join("a-3.wav")
        );
        assert_eq!(
            folder.names(),
            ["a-2.json", "a-3.json", "a-3.wav", "a.json", "a.wav"]
        );
        let read = |name: &str| std::fs::read_to_string(folder.0.join(name)).unwrap();
        assert_eq!(
            ["a.wav", "a.json", "a-2.json", "a-3.wav", "a-3.json"].map(read),
            ["RIFF", "{}", "mine", "RIFF2", "[]"]
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&folder.0), 0o700);
            assert_eq!((mode(&path), mode(&folder.0.join("a.json"))), (0o600, 0o600));
        }
    }

    #[test]
    fn a_disk_that_fills_up_leaves_nothing() {
        let folder = Folder::new("full");
        let full = || io::Error::from(ErrorKind::StorageFull);
        let half = |file: &mut File| file.write_all(b"RI").and_then(|()| Err(full()));
        let whole = |file: &mut File| file.write_all(b"{}");
        let error = write_with(&folder.0, "a", half, whole).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert!(write_with(&folder.0, "a", whole, half).is_err());
        assert_eq!(folder.names(), [""; 0]);
        // Nor does a folder that is none.
        std::fs::write(folder.0.join("file"), "").unwrap();
        assert!(write(&folder.0.join("file"), "a", b"", b"").is_err());
        assert_eq!(folder.names(), ["file"]);
    }
}
