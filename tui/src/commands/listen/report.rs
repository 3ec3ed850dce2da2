//! What a listener says beside the audio: missing frames when they are missed, and sums at the end.

use std::collections::BTreeMap;

use partyline_shared::track::{PerTrack, Track};
use serde_json::{Value, json};

use crate::client::session::MissedReason;
use crate::failure::Failure;
use crate::print::{self, Lines, note};

#[derive(Debug, Default)]
pub(super) struct Report {
    json: bool,
    /// Whether stdout is the audio, and JSON therefore goes to stderr.
    beside_audio: bool,
    /// Not told yet.
    missing: PerTrack<BTreeMap<MissedReason, u64>>,
    total: BTreeMap<MissedReason, u64>,
    pub(super) frames: u64,
    pub(super) bytes: u64,
    pub(super) late: u64,
    pub(super) reconnects: u64,
}

impl Report {
    pub(super) fn new(json: bool, beside_audio: bool) -> Self {
        Report {
            json,
            beside_audio,
            ..Report::default()
        }
    }

    pub(super) fn missed(&mut self, track: Track, frames: u64, reason: MissedReason) {
        *self.missing.get_mut(track).entry(reason).or_default() += frames;
        *self.total.entry(reason).or_default() += frames;
    }

    /// Tells what was missed since the last time; a second of losses is a line, not fifty.
    pub(super) fn tell_missing(&mut self) -> Result<(), Failure> {
        for track in Track::BOTH {
            for (reason, frames) in std::mem::take(self.missing.get_mut(track)) {
                let reason = reason.as_str();
                note(&print::missing(frames, track, reason));
                if self.json && !self.beside_audio {
                    self.put(&json!({"type": "missed", "track": track, "frames": frames, "reason": reason}))?;
                }
            }
        }
        Ok(())
    }

    /// Frames missed so far, by reason.
    pub(super) fn missing_so_far(&self) -> BTreeMap<&'static str, u64> {
        let total = self.total.iter();
        total.map(|(reason, n)| (reason.as_str(), *n)).collect()
    }

    pub(super) fn tell_stats(&self) -> Result<(), Failure> {
        let missing = self.missing_so_far();
        if self.json {
            return self.put(
                &json!({"type": "stats", "frames": self.frames, "missing": missing, "late": self.late,
                "bytes": self.bytes, "reconnects": self.reconnects}),
            );
        }
        let reasons: Vec<String> = missing
            .iter()
            .map(|(reason, n)| format!("{n} {reason}"))
            .collect();
        let sum: u64 = missing.values().sum();
        let why = if reasons.is_empty() {
            String::new()
        } else {
            format!(" ({})", reasons.join(", "))
        };
        note(&format!(
            "{} frames, {sum} missing{why}, {} late, {} bytes, {} reconnects",
            self.frames, self.late, self.bytes, self.reconnects
        ));
        Ok(())
    }

    pub(super) fn put(&self, value: &Value) -> Result<(), Failure> {
        if self.beside_audio {
            Lines::new(std::io::stderr()).json(value)
        } else {
            Lines::stdout().json(value)
        }
    }
}
