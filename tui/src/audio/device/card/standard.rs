//! What the system's default device is, as far as it can be seen without opening one: where another is it
//! by now, the stream is opened anew, there.
//!
//! | system | what moves a stream to the new default |
//! | --- | --- |
//! | PipeWire, PulseAudio | their own server, without a gap; the device is `alsa:default` all the time |
//! | ALSA alone | the default is what its files say: where one of them changes, we open anew |
//! | macOS | CoreAudio itself, and a moment later we, so that the name and the rate are right |
//! | Windows | we: WASAPI ends the stream |

use std::path::PathBuf;
use std::time::SystemTime;

use cpal::traits::{DeviceTrait, HostTrait};

use super::host;

/// The default as it is seen now; another one differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standard {
    id: Option<String>,
    /// When each of ALSA's files was written last, and its length; `None` for one that is not there.
    files: Vec<Option<(SystemTime, u64)>>,
}

impl Standard {
    /// As it is now. Costs a look at four files and a word with the system: nothing is opened.
    pub(super) fn now() -> Standard {
        let device = host().ok().and_then(|host| host.default_output_device());
        Standard {
            id: device
                .and_then(|device| device.id().ok())
                .map(|id| id.to_string()),
            files: files().iter().map(written).collect(),
        }
    }
}

fn written(path: &PathBuf) -> Option<(SystemTime, u64)> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// Where ALSA reads what its default is; a variable puts files of its own in the place of all others.
fn files() -> Vec<PathBuf> {
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    if let Some(own) = std::env::var_os("ALSA_CONFIG_PATH").filter(|own| !own.is_empty()) {
        return std::env::split_paths(&own).collect();
    }
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = folder("HOME");
    let settings = folder("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
    let mut files = vec![PathBuf::from("/etc/asound.conf")];
    files.extend(home.map(|home| home.join(".asoundrc")));
    files.extend(settings.map(|settings| settings.join("alsa/asoundrc")));
    files
}
