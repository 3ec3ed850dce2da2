//! Which webhooks there are: where each is, what it is called, and whether it is answered. What they do is not told here.

use crate::twilio::twiml;

/// Where the relay says what it calls itself, to who can sign as Twilio does: its doctor.
pub const WHO: &str = "/twilio/who";

/// Twilio's five webhooks, and the doctor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hook {
    Voice,
    Notice,
    Status,
    Stream,
    Transcription,
    Who,
}

impl Hook {
    /// The one at this path.
    pub(super) fn at(path: &str) -> Option<Hook> {
        Some(match path {
            "/twilio/voice" => Hook::Voice,
            "/twilio/notice" => Hook::Notice,
            "/twilio/status" => Hook::Status,
            "/twilio/stream" => Hook::Stream,
            "/twilio/transcription" => Hook::Transcription,
            WHO => Hook::Who,
            _ => return None,
        })
    }

    /// As `metrics` names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Hook::Voice => "voice",
            Hook::Notice => "notice",
            Hook::Status => "status",
            Hook::Stream => "stream",
            Hook::Transcription => "transcription",
            Hook::Who => "who",
        }
    }

    /// Of its answer.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Hook::Who => "application/json",
            _ => twiml::CONTENT_TYPE,
        }
    }

    /// Whether there is something to be answered.
    pub(super) fn is_answered(self) -> bool {
        matches!(self, Hook::Voice | Hook::Notice | Hook::Who)
    }
}
