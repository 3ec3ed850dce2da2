//! Whether an audit could be opened, found out without opening it: nothing is made, locked or written, so a relay that
//! runs does not notice.

use std::fs::File;
use std::io;
use std::path::Path;

use super::disk::find;
use super::error::OpenFailed;

/// Looks whether a relay would take this file; one that is not there yet is fine.
///
/// # Errors
/// When it cannot be read, or is no audit.
pub fn look(path: &Path) -> Result<(), OpenFailed> {
    let failed = OpenFailed::io(path);
    let length = match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        // A device has no beginning.
        Ok(found) if !found.is_file() => return Ok(()),
        Ok(found) => found.len(),
    };
    let found = File::open(path).and_then(|file| find(&file, length));
    match found.map_err(&failed)? {
        Some(_) => Ok(()),
        None => Err(OpenFailed::Foreign {
            path: path.to_owned(),
        }),
    }
}
