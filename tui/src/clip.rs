//! The last of a heard call as two files: what was said as a WAV, and beside it who, when, the lines and the events of
//! that time as JSON. Whether it may be kept is not decided here.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `sheet` | what stands beside the audio, out of what the monitor knows |
//! | `files` | both files, or none |

mod files;
mod sheet;

use std::path::{Path, PathBuf};

use partyline_shared::audio::wav;
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use partyline_shared::track::PerTrack;

use crate::print;
use crate::record;

pub use sheet::Sheet;

/// How much of a call is kept, ms: long enough for a sentence and what led to it.
pub const CLIP_MS: u32 = 30_000;

/// Characters of a call's name in a file's: calls of one second are told apart by them.
const NAME_CHARS: usize = 6;

/// A clip that is to be written. Printing one shows nothing of the call.
pub struct Clip {
    /// µ-law, 8,000 samples a second, both tracks as long.
    pub tracks: PerTrack<Vec<u8>>,
    /// What stands beside it.
    pub sheet: Sheet,
}

impl std::fmt::Debug for Clip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clip").finish_non_exhaustive()
    }
}

impl Clip {
    /// Writes it into `folder`, which is made where it is not there: the WAV's path. Takes as long as the disk does.
    ///
    /// # Errors
    /// Why it is not kept, for a person; then nothing of it is left.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, String> {
        let PerTrack { inbound, outbound } = &self.tracks;
        let bytes = inbound.len().min(outbound.len()) * 4;
        let mut audio = Vec::with_capacity(wav::HEADER + bytes);
        let size = u32::try_from(bytes).unwrap_or(wav::UNKNOWN_SIZE);
        audio.extend_from_slice(&wav::header(2, size));
        record::stereo(inbound, outbound, &mut audio);
        let mut text = print::json(&self.sheet);
        text.push('\n');
        let name = name(self.sheet.from, self.sheet.call_sid());
        files::write(folder, &name, &audio, text.as_bytes())
            .map_err(|error| format!("cannot write to {}: {error}", folder.display()))
    }
}

/// What both files are called: from when the audio is, in UTC, and of which call. Holds no sign that any system
/// forbids in a name.
fn name(from: UtcTime, call: &CallSid) -> String {
    let at = from.to_string();
    let at: String = at.chars().take(19).filter(|c| *c != ':').collect();
    let signs: Vec<char> = call.as_str().chars().collect();
    let last = signs.iter().skip(signs.len().saturating_sub(NAME_CHARS));
    let last = last.map(|c| if c.is_ascii_alphanumeric() { *c } else { '_' });
    format!("partyline-{at}Z-{}", last.collect::<String>())
}

#[cfg(test)]
mod tests;
