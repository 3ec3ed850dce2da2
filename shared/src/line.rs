//! A transcript line (contract 4, `Line`).

use serde::{Deserialize, Serialize};

use crate::time::UtcTime;
use crate::track::Track;

/// What was said, or the guess so far: a partial is replaced by the next of its track and closed by a
/// final. `seq` counts the lines of one journal from 1, partial or final, and may skip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its number in the call's journal.
    pub seq: u64,
    /// When it was heard of: the engine's own time where it gives one.
    pub at: UtcTime,
    /// Where in the stream it begins, ms of media time.
    #[serde(default)]
    pub start_ms: Option<u64>,
    /// Where it ends.
    #[serde(default)]
    pub end_ms: Option<u64>,
    /// Who spoke.
    pub track: Track,
    /// The words, cleaned of controls.
    pub text: String,
    /// Whether it stays.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// 0 to 1.
    #[serde(default)]
    pub confidence: Option<f64>,
    /// Who wrote it.
    #[serde(default)]
    pub engine: Option<String>,
    /// Missing audio before it that no engine heard, in ms.
    #[serde(default)]
    pub hole_ms: Option<u64>,
}
