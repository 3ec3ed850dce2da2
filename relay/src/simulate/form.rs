//! The forms that Twilio posts, field for field. Pure: times, numbers and names come as arguments.

use partyline_shared::call::CallStatus;
use partyline_shared::track::Track;
use partyline_shared::twilio::form::Form;
use rand::Rng;
use rand::seq::SliceRandom;

use super::clock::Moment;
use super::twiml::{Stream, Transcription};

/// One leg of a call.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    /// `CA…`.
    pub(super) sid: String,
    /// The leg that dialled it.
    pub(super) parent: Option<String>,
    /// `AC…`.
    pub(super) account: String,
    /// Who calls.
    pub(super) from: String,
    /// Who is called.
    pub(super) to: String,
    /// `inbound` or `outbound-dial`.
    pub(super) direction: &'static str,
}

/// A form whose order has no meaning, so that nobody comes to rely on one.
fn shuffled(mut fields: Vec<(String, String)>, random: &mut impl Rng) -> Form {
    fields.shuffle(random);
    Form::from_pairs(fields)
}

fn add(fields: &mut Vec<(String, String)>, name: &str, value: impl Into<String>) {
    fields.push((name.to_owned(), value.into()));
}

impl Leg {
    fn fields(&self, status: CallStatus) -> Vec<(String, String)> {
        let mut fields = Vec::with_capacity(32);
        for (name, value) in [
            ("CallSid", self.sid.as_str()),
            ("AccountSid", &self.account),
            ("From", &self.from),
            ("Caller", &self.from),
            ("To", &self.to),
            ("Called", &self.to),
            ("CallStatus", status.as_str()),
            ("Direction", self.direction),
            ("ApiVersion", "2010-04-01"),
        ] {
            add(&mut fields, name, value);
        }
        for party in ["From", "Caller", "To", "Called"] {
            for place in ["City", "State", "Zip", "Country"] {
                add(&mut fields, &format!("{party}{place}"), "");
            }
        }
        if let Some(parent) = &self.parent {
            add(&mut fields, "ParentCallSid", parent.as_str());
        }
        fields
    }

    /// A request for TwiML, with a softphone's own parameters.
    pub(super) fn voice(&self, status: CallStatus, own: &[(String, String)], random: &mut impl Rng) -> Form {
        let mut fields = self.fields(status);
        fields.extend_from_slice(own);
        shuffled(fields, random)
    }

    /// A status callback; `seconds` is how long a leg talked that is over.
    pub(super) fn status(
        &self,
        status: CallStatus,
        sequence: u32,
        at: Moment,
        seconds: u64,
        random: &mut impl Rng,
    ) -> Form {
        let mut fields = self.fields(status);
        add(&mut fields, "CallbackSource", "call-progress-events");
        add(&mut fields, "SequenceNumber", sequence.to_string());
        add(&mut fields, "Timestamp", at.rfc2822());
        if status.is_final() {
            add(&mut fields, "CallDuration", seconds.to_string());
            // In minutes, begun ones included, next to the seconds.
            add(&mut fields, "Duration", seconds.div_ceil(60).to_string());
        }
        shuffled(fields, random)
    }
}

/// A stream status callback.
pub(super) fn stream(
    leg: &Leg,
    sid: &str,
    stream: &Stream,
    event: &str,
    error: Option<&str>,
    at: Moment,
) -> Form {
    let name = stream.name.as_deref().unwrap_or(sid);
    let mut form = Form::from_pairs([
        ("StreamName", name),
        ("StreamEvent", event),
        ("CallSid", &leg.sid),
        ("Timestamp", &at.iso_nanos()),
        ("AccountSid", &leg.account),
        ("StreamSid", sid),
    ]);
    if let Some(error) = error {
        form.push("StreamError", error);
    }
    form
}

/// What a transcription callback says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    /// It began.
    Started,
    /// Words on a track, to be replaced or to stay.
    Content {
        /// Who spoke.
        track: Track,
        /// What.
        text: String,
        /// Whether it stays; the confidence, 0 to 1, is of those only.
        confidence: Option<f64>,
    },
    /// It ended.
    Stopped,
}

/// A transcription callback, the `sequence`th of its call.
pub(super) fn transcription(
    leg: &Leg,
    sid: &str,
    verb: &Transcription,
    heard: &Heard,
    sequence: u64,
    at: Moment,
    random: &mut impl Rng,
) -> Form {
    let mut fields = Vec::with_capacity(16);
    add(&mut fields, "AccountSid", leg.account.as_str());
    add(&mut fields, "CallSid", leg.sid.as_str());
    add(&mut fields, "TranscriptionSid", sid);
    add(&mut fields, "Timestamp", at.iso_micros());
    add(&mut fields, "SequenceId", sequence.to_string());
    let event = match heard {
        Heard::Started => {
            add(&mut fields, "LanguageCode", verb.language.as_str());
            add(&mut fields, "Track", verb.track.as_str());
            add(&mut fields, "TranscriptionEngine", verb.engine.as_str());
            add(&mut fields, "PartialResults", verb.partial_results.to_string());
            add(
                &mut fields,
                "ProviderConfiguration",
                r#"{"profanityFilter":"true","speechModel":"telephony","enableAutomaticPunctuation":"true"}"#,
            );
            let labels = ["InboundTrackLabel", "OutboundTrackLabel"];
            for (name, label) in labels.iter().zip(&verb.labels) {
                if let Some(label) = label {
                    add(&mut fields, name, label.as_str());
                }
            }
            if let Some(name) = &verb.name {
                add(&mut fields, "Name", name.as_str());
            }
            "transcription-started"
        }
        Heard::Content {
            track,
            text,
            confidence,
        } => {
            add(&mut fields, "LanguageCode", verb.language.as_str());
            add(&mut fields, "Track", format!("{track}_track"));
            let text = serde_json::Value::from(text.as_str());
            let data = match confidence {
                Some(confidence) => format!(r#"{{"transcript":{text},"confidence":{confidence}}}"#),
                None => format!(r#"{{"transcript":{text}}}"#),
            };
            add(&mut fields, "TranscriptionData", data);
            add(&mut fields, "Final", confidence.is_some().to_string());
            "transcription-content"
        }
        Heard::Stopped => "transcription-stopped",
    };
    add(&mut fields, "TranscriptionEvent", event);
    shuffled(fields, random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use partyline_shared::twilio::callback::{StatusCallback, StreamCallback, TranscriptionCallback};
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use std::collections::BTreeSet;

    fn leg() -> Leg {
        Leg {
            sid: "CA22222222222222222222222222222222".into(),
            parent: None,
            account: "AC11111111111111111111111111111111".into(),
            from: "client:agent".into(),
            to: "+15550100002".into(),
            direction: "inbound",
        }
    }

    fn names(form: &Form) -> BTreeSet<String> {
        form.pairs().map(|(k, _)| k.to_owned()).collect()
    }

    #[test]
    fn a_voice_webhook_has_all_its_keys_in_no_order() {
        let mut random = StdRng::seed_from_u64(1);
        let own = [("customer_id".to_owned(), "12345".to_owned())];
        let form = leg().voice(CallStatus::Ringing, &own, &mut random);
        assert_eq!(form.pairs().count(), 9 + 16 + 1);
        assert_eq!(names(&form).len(), 26, "no key twice");
        for (name, value) in [
            ("CallStatus", "ringing"),
            ("Caller", "client:agent"),
            ("Called", "+15550100002"),
            ("CalledZip", ""),
            ("ApiVersion", "2010-04-01"),
            ("customer_id", "12345"),
        ] {
            assert_eq!(form.get(name), Some(value), "{name}");
        }
        let again = leg().voice(CallStatus::Ringing, &own, &mut random);
        assert_eq!(names(&form), names(&again));
        assert_ne!(form.encode(), again.encode());
    }

    #[test]
    fn a_final_status_has_seconds_and_begun_minutes() {
        let mut random = StdRng::seed_from_u64(1);
        let at = Moment::from_unix_ns(1_769_334_799_500_000_000);
        let mut child = leg();
        child.parent = Some("CA1".into());
        let form = child.status(CallStatus::Completed, 3, at, 61, &mut random);
        assert_eq!(
            (form.get("CallDuration"), form.get("Duration")),
            (Some("61"), Some("2"))
        );
        assert_eq!(form.get("Timestamp"), Some("Sun, 25 Jan 2026 09:53:19 +0000"));
        let read = StatusCallback::read(&form).unwrap();
        assert_eq!((read.sequence, read.duration_s), (Some(3), Some(61)));
        assert_eq!(read.parent_call_sid.unwrap().as_str(), "CA1");
        let form = child.status(CallStatus::InProgress, 2, at, 0, &mut random);
        assert_eq!(
            (form.get("CallDuration"), form.get("CallStatus")),
            (None, Some("in-progress"))
        );
    }

    #[test]
    fn a_stream_callback_has_nanoseconds_and_no_parties() {
        let verb = Stream {
            url: super::super::url::Url::parse("wss://h/", &["wss"]).unwrap(),
            name: None,
            tracks: vec![],
            callback: None,
            parameters: vec![],
        };
        let at = Moment::from_unix_ns(1_767_323_045_602_648_368);
        let form = stream(&leg(), "MZ1", &verb, "stream-started", None, at);
        assert_eq!(
            form.encode(),
            "StreamName=MZ1&StreamEvent=stream-started&CallSid=CA22222222222222222222222222222222\
             &Timestamp=2026-01-02T03%3A04%3A05.602648368Z&AccountSid=AC11111111111111111111111111111111&StreamSid=MZ1"
        );
        assert_eq!(StreamCallback::read(&form).unwrap().event, "stream-started");
    }

    #[test]
    fn only_a_final_line_has_a_confidence() {
        let mut random = StdRng::seed_from_u64(1);
        let verb = Transcription {
            name: Some("t".into()),
            track: "both_tracks".into(),
            tracks: Track::BOTH.to_vec(),
            partial_results: true,
            language: "en-US".into(),
            engine: "google".into(),
            labels: [None, Some("customer".into())],
            callback: None,
        };
        let at = Moment::from_unix_ns(1_767_323_045_602_648_368);
        let mut make = |heard: &Heard, n| transcription(&leg(), "GT1", &verb, heard, n, at, &mut random);
        let started = make(&Heard::Started, 1);
        assert_eq!(started.get("Track"), Some("both_tracks"));
        assert_eq!(started.get("OutboundTrackLabel"), Some("customer"));
        assert_eq!(started.get("Timestamp"), Some("2026-01-02T03:04:05.602648Z"));
        let content = |confidence| Heard::Content {
            track: Track::Inbound,
            text: "say \"hi\"".into(),
            confidence,
        };
        let partial = make(&content(None), 2);
        assert_eq!(
            partial.get("TranscriptionData"),
            Some(r#"{"transcript":"say \"hi\""}"#)
        );
        assert_eq!(partial.get("Final"), Some("false"));
        let last = make(&content(Some(0.93)), 3);
        assert_eq!(
            last.get("TranscriptionData"),
            Some(r#"{"transcript":"say \"hi\"","confidence":0.93}"#)
        );
        assert_eq!(
            (last.get("Final"), last.get("Track")),
            (Some("true"), Some("inbound_track"))
        );
        let stopped = make(&Heard::Stopped, 4);
        assert_eq!(
            (stopped.get("SequenceId"), stopped.get("LanguageCode")),
            (Some("4"), None)
        );
        for form in [started, partial, last, stopped] {
            assert!(TranscriptionCallback::read(&form).is_some());
        }
    }
}
