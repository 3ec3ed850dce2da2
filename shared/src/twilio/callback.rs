//! Twilio's form posts as values: the voice webhook, and the callbacks for status, stream and
//! transcription. What is missing or odd is `None`, not an error: a callback must never fail a call.

use serde::{Deserialize, Serialize};

use super::form::Form;
use crate::call::CallStatus;
use crate::id::{CallSid, is_id};
use crate::phone::PhoneNumber;
use crate::text;
use crate::time::UtcTime;
use crate::track::Track;

/// Which call a form is about: its CallSid, where it has a valid one.
pub fn call_sid(form: &Form) -> Option<CallSid> {
    form.get("CallSid").and_then(|sid| CallSid::parse(sid).ok())
}

fn id(form: &Form, name: &str) -> Option<String> {
    form.get(name).filter(|v| is_id(v)).map(str::to_owned)
}

fn number<T: std::str::FromStr>(form: &Form, name: &str) -> Option<T> {
    form.get(name).and_then(|v| v.trim().parse().ok())
}

/// Who calls whom, in the voice webhook and in status callbacks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parties {
    /// `AC…`.
    pub account_sid: Option<String>,
    /// Who calls.
    pub from: Option<PhoneNumber>,
    /// Who is called.
    pub to: Option<PhoneNumber>,
    /// `inbound`, `outbound-api`, `outbound-dial`.
    pub direction: Option<String>,
}

impl Parties {
    /// Reads `From` or `Caller`, `To` or `Called`, `Direction`, `AccountSid`.
    pub fn read(form: &Form) -> Parties {
        let party = |name, other| {
            form.filled(name)
                .or_else(|| form.filled(other))
                .map(text::clean)
                .and_then(|a| PhoneNumber::non_empty(&a))
        };
        Parties {
            account_sid: id(form, "AccountSid"),
            from: party("From", "Caller"),
            to: party("To", "Called"),
            direction: id(form, "Direction"),
        }
    }
}

/// A call status callback (or what a voice webhook says of the status).
#[derive(Debug, Clone, PartialEq)]
pub struct StatusCallback {
    /// The leg it is about.
    pub call_sid: CallSid,
    /// The leg that dialled this one.
    pub parent_call_sid: Option<CallSid>,
    /// Who calls whom.
    pub parties: Parties,
    /// Where that leg stands.
    pub status: Option<CallStatus>,
    /// When, RFC 2822 from Twilio; ISO 8601 is taken as well.
    pub at: Option<UtcTime>,
    /// Counts a leg's callbacks from 0.
    pub sequence: Option<u64>,
    /// Seconds of talk, with a final status. (`Duration` beside it is in minutes and not read.)
    pub duration_s: Option<u64>,
    /// With a final status of a SIP or failed leg.
    pub sip_response_code: Option<u16>,
}

impl StatusCallback {
    /// Reads a form; `None` without a valid CallSid.
    pub fn read(form: &Form) -> Option<Self> {
        Some(StatusCallback {
            call_sid: call_sid(form)?,
            parent_call_sid: form.get("ParentCallSid").and_then(|sid| CallSid::parse(sid).ok()),
            parties: Parties::read(form),
            status: form.get("CallStatus").and_then(CallStatus::parse),
            at: form.get("Timestamp").and_then(UtcTime::parse),
            sequence: number(form, "SequenceNumber"),
            duration_s: number(form, "CallDuration"),
            sip_response_code: number(form, "SipResponseCode"),
        })
    }
}

/// A stream status callback.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamCallback {
    /// Whose stream.
    pub call_sid: CallSid,
    /// `MZ…`.
    pub stream_sid: Option<String>,
    /// `AC…`.
    pub account_sid: Option<String>,
    /// `stream-started`, `stream-stopped`, `stream-error`.
    pub event: String,
    /// With `stream-error`: opaque.
    pub error: Option<String>,
    /// When.
    pub at: Option<UtcTime>,
}

impl StreamCallback {
    /// Reads a form; `None` without a valid CallSid.
    pub fn read(form: &Form) -> Option<Self> {
        Some(StreamCallback {
            call_sid: call_sid(form)?,
            stream_sid: id(form, "StreamSid"),
            account_sid: id(form, "AccountSid"),
            event: id(form, "StreamEvent").unwrap_or_default(),
            error: form.filled("StreamError").map(text::clean),
            at: form.get("Timestamp").and_then(UtcTime::parse),
        })
    }
}

/// What a transcription callback says.
#[derive(Debug, Clone, PartialEq)]
pub enum TranscriptionEvent {
    /// It began.
    Started {
        /// `google`, `deepgram` …
        engine: Option<String>,
        /// One track, or both where `None`.
        track: Option<Track>,
    },
    /// Something was said.
    Content {
        /// By whom.
        track: Track,
        /// What, cleaned.
        text: String,
        /// Whether it stays.
        is_final: bool,
        /// 0 to 1.
        confidence: Option<f64>,
    },
    /// It ended.
    Stopped,
    /// It failed.
    Failed {
        /// Twilio's number, where it gives one.
        code: Option<String>,
        /// Its text, cleaned.
        message: Option<String>,
    },
    /// Content whose data, or whose track, cannot be read.
    Unreadable,
    /// An event of a later version.
    Unknown,
}

/// A transcription callback.
#[derive(Debug, Clone, PartialEq)]
pub struct TranscriptionCallback {
    /// Whose transcription.
    pub call_sid: CallSid,
    /// `GT…`: one numbering of SequenceId.
    pub transcription_sid: Option<String>,
    /// `AC…`.
    pub account_sid: Option<String>,
    /// Grows by one over all events and tracks, from 1; may arrive out of order.
    pub sequence: Option<u64>,
    /// When, ISO 8601.
    pub at: Option<UtcTime>,
    /// What.
    pub event: TranscriptionEvent,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    transcript: String,
    #[serde(default)]
    confidence: Option<f64>,
}

impl TranscriptionCallback {
    /// Reads a form; `None` without a valid CallSid.
    pub fn read(form: &Form) -> Option<Self> {
        Some(TranscriptionCallback {
            call_sid: call_sid(form)?,
            transcription_sid: id(form, "TranscriptionSid"),
            account_sid: id(form, "AccountSid"),
            sequence: number(form, "SequenceId"),
            at: form.get("Timestamp").and_then(UtcTime::parse),
            event: TranscriptionEvent::read(form),
        })
    }
}

impl TranscriptionEvent {
    fn read(form: &Form) -> Self {
        match form.get("TranscriptionEvent").unwrap_or_default() {
            "transcription-started" => TranscriptionEvent::Started {
                engine: id(form, "TranscriptionEngine"),
                track: form.get("Track").and_then(Track::parse),
            },
            "transcription-content" => Self::content(form).unwrap_or(TranscriptionEvent::Unreadable),
            "transcription-stopped" => TranscriptionEvent::Stopped,
            "transcription-error" => {
                let first = |a, b| form.filled(a).or_else(|| form.filled(b)).map(text::clean);
                TranscriptionEvent::Failed {
                    code: first("TranscriptionErrorCode", "ErrorCode"),
                    message: first("TranscriptionError", "ErrorMessage"),
                }
            }
            _ => TranscriptionEvent::Unknown,
        }
    }

    fn content(form: &Form) -> Option<Self> {
        let data: Data = serde_json::from_str(form.get("TranscriptionData")?).ok()?;
        Some(TranscriptionEvent::Content {
            track: Track::parse(form.get("Track")?)?,
            text: text::clean(&data.transcript).trim().to_owned(),
            is_final: form.get("Final").is_some_and(|v| v.eq_ignore_ascii_case("true")),
            confidence: data.confidence.filter(|c| c.is_finite()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_final_line_as_twilio_posts_it() {
        let form = Form::parse(b"LanguageCode=en-US&TranscriptionSid=GT33333333333333333333333333333333&TranscriptionEvent=transcription-content&CallSid=CA22222222222222222222222222222222&TranscriptionData=%7B%22transcript%22%3A%22+hello+there%22%2C%22confidence%22%3A0.98%7D&Timestamp=2026-01-02T03%3A04%3A09.181203Z&Final=true&AccountSid=AC11111111111111111111111111111111&Track=inbound_track&SequenceId=2");
        let callback = TranscriptionCallback::read(&form).unwrap();
        assert_eq!(callback.sequence, Some(2));
        assert_eq!(callback.at.unwrap().to_string(), "2026-01-02T03:04:09.181Z");
        let TranscriptionEvent::Content {
            track,
            text,
            is_final,
            confidence,
        } = callback.event
        else {
            panic!()
        };
        assert_eq!(
            (track, text.as_str(), is_final, confidence),
            (Track::Inbound, "hello there", true, Some(0.98))
        );
    }

    #[test]
    fn what_cannot_be_read_still_has_its_call_and_its_number() {
        let event = |event: &str, data: &str| {
            let form = Form::from_pairs([
                ("CallSid", "CA1"),
                ("SequenceId", "7"),
                ("TranscriptionEvent", event),
                ("TranscriptionData", data),
                ("Track", "inbound_track"),
            ]);
            let callback = TranscriptionCallback::read(&form).unwrap();
            assert_eq!((callback.call_sid.as_str(), callback.sequence), ("CA1", Some(7)));
            callback.event
        };
        assert_eq!(
            event("transcription-content", r#"{"transcript":"broken"#),
            TranscriptionEvent::Unreadable
        );
        assert_eq!(event("transcription-dreamt", "{}"), TranscriptionEvent::Unknown);
    }

    #[test]
    fn minutes_are_not_taken_for_seconds() {
        let form = Form::parse(b"CallSid=CA1&ParentCallSid=CA0&CallStatus=completed&Duration=1&CallDuration=49&Timestamp=Sun%2C+25+Jan+2026+09%3A53%3A19+%2B0000&SequenceNumber=3&From=anonymous");
        let callback = StatusCallback::read(&form).unwrap();
        assert_eq!((callback.duration_s, callback.sequence), (Some(49), Some(3)));
        assert_eq!(callback.parent_call_sid.unwrap().as_str(), "CA0");
        assert_eq!(callback.at.unwrap().unix_ms(), 1_769_334_799_000);
        assert_eq!(callback.parties.from.unwrap().as_str(), "anonymous");
    }

    proptest! {
        #[test]
        fn no_form_can_crash_a_reader(pairs in prop::collection::vec(("CallSid|TranscriptionEvent|TranscriptionData|Track|Timestamp|SequenceId|From|CallStatus|StreamEvent", "CA1|transcription-content|inbound|\\PC{0,40}"), 0..12)) {
            let form = Form::from_pairs(pairs);
            let _ = (StatusCallback::read(&form), StreamCallback::read(&form), TranscriptionCallback::read(&form));
        }
    }
}
