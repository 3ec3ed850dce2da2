//! What Twilio posts of calls, streams and transcriptions as they go. A callback is taken as far as it can be
//! read. Does not ask whether it is Twilio's: the door does.

use partyline_shared::id::CallSid;
use partyline_shared::twilio::callback::{
    StatusCallback, StreamCallback, TranscriptionCallback, TranscriptionEvent,
};
use partyline_shared::twilio::form::Form;
use tracing::warn;

use crate::calls::call::StatusNote;
use crate::calls::journal::{NewLine, Sequence};
use crate::calls::mirror::Deed;
use crate::calls::registry::Registry;
use crate::calls::transcription::Heard;
use crate::clock::Now;

/// The engine's name as configuration has it; which one Twilio uses behind it is said in the event.
const ENGINE: &str = "twilio";

/// A call status callback; a dialled leg's belongs to the call that dialled it.
pub fn status(now: Now, registry: &Registry, form: &Form) {
    let Some(callback) = StatusCallback::read(form) else {
        return ignored(registry, "status");
    };
    let sid = callback.parent_call_sid.as_ref().unwrap_or(&callback.call_sid);
    let sid = sid.clone();
    let note = StatusNote {
        leg: callback.call_sid,
        parties: callback.parties,
        status: callback.status,
        at: callback.at,
        duration_s: callback.duration_s,
        sip_response_code: callback.sip_response_code,
    };
    act(now, registry, &sid, Deed::Status { note });
}

/// A stream status callback.
pub fn stream(now: Now, registry: &Registry, form: &Form) {
    let Some(callback) = StreamCallback::read(form) else {
        return ignored(registry, "stream");
    };
    let error = (callback.event == "stream-error").then(|| callback.error.unwrap_or_default());
    let deed = Deed::StreamNote {
        account: callback.account_sid,
        stream_sid: callback.stream_sid,
        error,
    };
    act(now, registry, &callback.call_sid, deed);
}

/// A transcription callback.
pub fn transcription(now: Now, registry: &Registry, form: &Form) {
    let Some(callback) = TranscriptionCallback::read(form) else {
        return ignored(registry, "transcription");
    };
    let at = callback.at.unwrap_or(now.wall);
    let source = callback.transcription_sid.unwrap_or_default();
    let heard = match callback.event {
        TranscriptionEvent::Started { engine, track } => Heard::Started {
            engine: ENGINE.to_owned(),
            provider: engine,
            track,
        },
        TranscriptionEvent::Content {
            track,
            text,
            is_final,
            confidence,
        } => Heard::Line(NewLine {
            at,
            start_ms: None,
            end_ms: None,
            track,
            text,
            is_final,
            confidence,
            engine: ENGINE.to_owned(),
            sequence: callback.sequence.map(|number| Sequence {
                source: source.as_str().into(),
                number,
            }),
        }),
        TranscriptionEvent::Unreadable => Heard::Nothing {
            why: Some("a transcription callback cannot be read".into()),
        },
        TranscriptionEvent::Unknown => Heard::Nothing { why: None },
        TranscriptionEvent::Stopped => Heard::Stopped,
        TranscriptionEvent::Failed { code, message } => Heard::Failed { code, message },
    };
    let deed = Deed::Transcribed {
        account: callback.account_sid,
        source,
        sequence: callback.sequence,
        at,
        heard,
    };
    act(now, registry, &callback.call_sid, deed);
}

fn act(now: Now, registry: &Registry, sid: &CallSid, deed: Deed) {
    registry.metrics().callbacks.add_one();
    if let Err(why) = registry.act(now, sid, deed) {
        warn!(call = %sid, %why, "callback ignored");
    }
}

fn ignored(registry: &Registry, kind: &'static str) {
    registry.metrics().callbacks_ignored.add_one();
    warn!(kind, "callback ignored: no valid CallSid");
}
