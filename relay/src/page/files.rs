//! The page's files, as they are in `assets/monitoring`, in the program itself: a relay is one file to install.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// The page.
pub(super) const PAGE: &[u8] = include_bytes!("../../../assets/monitoring/index.html");

/// HTML's type.
pub(super) const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Of a file's SHA-256, bytes in its tag: enough that no two versions share one.
const TAG_BYTES: usize = 12;

/// One file.
pub(super) struct File {
    /// Below `assets/monitoring`, and in the address.
    pub(super) name: &'static str,
    /// Its Content-Type.
    pub(super) kind: &'static str,
    /// What is in it.
    pub(super) bytes: &'static [u8],
    /// Its ETag, in its quotes.
    pub(super) tag: String,
}

macro_rules! files {
    ($($kind:ident $name:literal,)*) => {
        [$(($name, $kind, include_bytes!(concat!("../../../assets/monitoring/", $name)) as &[u8]),)*]
    };
}

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let files = files![
        SVG "icon.svg",
        CSS "style.css",
        SCRIPT "hold.js",
        SCRIPT "link.js",
        SCRIPT "link/backoff.js",
        SCRIPT "link/chunks.js",
        SCRIPT "link/close.js",
        SCRIPT "link/frame.js",
        SCRIPT "link/journals.js",
        SCRIPT "link/patience.js",
        SCRIPT "link/subscription.js",
        SCRIPT "link/ticket.js",
        SCRIPT "main.js",
        SCRIPT "sound.js",
        SCRIPT "sound/conceal.js",
        SCRIPT "sound/drift.js",
        SCRIPT "sound/jitter.js",
        SCRIPT "sound/lane.js",
        SCRIPT "sound/mixer.js",
        SCRIPT "sound/mulaw.js",
        SCRIPT "sound/peaks.js",
        SCRIPT "sound/player.js",
        SCRIPT "sound/policy.js",
        SCRIPT "sound/resample.js",
        SCRIPT "sound/spread.js",
        SCRIPT "sound/worklet.js",
        SCRIPT "transcript.js",
        SCRIPT "view/call.js",
        SCRIPT "view/dom.js",
        SCRIPT "view/events.js",
        SCRIPT "view/help.js",
        SCRIPT "view/list.js",
        SCRIPT "view/signin.js",
        SCRIPT "view/state.js",
        SCRIPT "view/transcript.js",
        SCRIPT "view/wave.js",
        SCRIPT "view/words.js",
    ];
    files
        .into_iter()
        .map(|(name, kind, bytes)| File {
            name,
            kind,
            bytes,
            tag: tag(bytes),
        })
        .collect()
});

/// The file of this name.
pub(super) fn find(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

fn tag(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash
        .iter()
        .take(TAG_BYTES)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

/// Their names.
#[cfg(test)]
pub(super) fn names() -> Vec<&'static str> {
    FILES.iter().map(|file| file.name).collect()
}
