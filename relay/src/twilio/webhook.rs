//! What Twilio posts: what to do with a call, and how calls, streams and transcriptions go. The voice
//! webhook is answered whatever else is wrong; a callback is taken as far as it can be read.

use std::sync::Arc;

use partyline_shared::twilio::callback::{
    Parties, StatusCallback, StreamCallback, TranscriptionCallback, TranscriptionEvent, call_sid,
};
use partyline_shared::twilio::form::Form;
use tracing::{info, warn};

use super::dial::{self, Verdict};
use super::socket::customer_id;
use super::twiml::{self, VoiceAnswer};
use crate::calls::call::{Call, StatusNote};
use crate::calls::journal::{NewLine, Sequence};
use crate::calls::parties::FromWebhook;
use crate::calls::registry::Registry;
use crate::calls::transcription::Heard;
use crate::clock::Now;
use crate::config::dial::NoticeTo;
use crate::config::{Config, Engine};

/// The engine's name as configuration has it; which one Twilio uses behind it is said in the event.
const ENGINE: &str = "twilio";

/// Where Twilio is to send the call's streams and callbacks.
#[derive(Debug, Clone, Copy)]
pub struct Whereto<'a> {
    /// What callbacks begin with: `https://calls.example.com`.
    pub base: &'a str,
    /// What follows `wss://`.
    pub host: &'a str,
    /// Whether the relay takes new calls at all.
    pub draining: bool,
}

/// Answers the voice webhook: TwiML, always. `query` and `form` are what came with it.
pub fn voice(
    now: Now,
    config: &Config,
    registry: &Registry,
    to: Whereto<'_>,
    query: &Form,
    form: &Form,
) -> String {
    let field = |name: &str| form.filled(name).or_else(|| query.filled(name));
    let mut whole = form.clone();
    for (name, value) in query.pairs().filter(|(name, _)| form.get(name).is_none()) {
        whole.push(name, value);
    }
    let parties = Parties::read(&whole);
    let rules = &config.dial;
    let verdict = dial::decide(
        rules,
        config.insecure,
        parties.direction.as_deref(),
        parties.from.as_ref(),
        parties.to.as_ref(),
    );
    let sid = call_sid(&whole);
    let status = StatusCallback::read(&whole).and_then(|callback| callback.status);
    let customer = field("customer_id").and_then(customer_id);
    let (target, caller_id, route_customer, agent) = match verdict {
        Verdict::Dial {
            target,
            caller_id,
            customer_id,
            agent,
        } => (target, caller_id, customer_id, agent),
        Verdict::Apology { why } => {
            warn!(call = ?sid, %why, "nobody is rung");
            // A call all the same, and a supervisor wants to know why it came to nothing.
            if let Some(call) = sid.and_then(|sid| registry.open(now, &sid).ok()) {
                let from = FromWebhook {
                    parties,
                    customer_id: customer,
                    ..FromWebhook::default()
                };
                call.webhook(now, from, status);
                call.error(now, &format!("nobody is rung: {why}"));
            }
            return twiml::apology();
        }
    };
    let from = FromWebhook {
        parties,
        customer_id: customer,
        route_customer,
        route_agent: agent,
        dialed: Some(target.address().clone()),
    };
    let customer = from.route_customer.clone().or_else(|| from.customer_id.clone());
    let parameters: Vec<(&str, &str)> = customer.iter().map(|id| ("customer_id", id.as_str())).collect();
    let answer = VoiceAnswer {
        base: to.base,
        host: to.host,
        notice: &rules.notice,
        language: &rules.notice_language,
        notice_to_both: rules.notice_to == NoticeTo::Both,
        transcription: config.transcription.contains(&Engine::Twilio),
        parameters: &parameters,
        target: &target,
        caller_id: caller_id.as_ref(),
    };
    let Some(sid) = sid else {
        warn!("a voice webhook without a CallSid: connected, but not followed");
        return twiml::without_stream(&answer);
    };
    if to.draining {
        return twiml::without_stream(&answer);
    }
    match registry.open(now, &sid) {
        Ok(call) => {
            call.webhook(now, from, status);
            info!(call = %sid, "call connected and followed");
            twiml::voice(&answer)
        }
        Err(why) => {
            warn!(call = %sid, %why, "call connected, but not followed");
            twiml::without_stream(&answer)
        }
    }
}

/// The notice alone, for who was dialled.
pub fn notice(config: &Config) -> String {
    twiml::notice_only(&config.dial.notice, &config.dial.notice_language)
}

/// A call status callback; a dialled leg's belongs to the call that dialled it.
pub fn status(now: Now, registry: &Registry, form: &Form) {
    let Some(callback) = StatusCallback::read(form) else {
        return ignored(registry, "status");
    };
    let sid = callback.parent_call_sid.as_ref().unwrap_or(&callback.call_sid);
    let Some(call) = open(now, registry, sid) else {
        return;
    };
    call.status(
        now,
        StatusNote {
            leg: callback.call_sid,
            parties: callback.parties,
            status: callback.status,
            at: callback.at,
            duration_s: callback.duration_s,
            sip_response_code: callback.sip_response_code,
        },
    );
}

/// A stream status callback.
pub fn stream(now: Now, registry: &Registry, form: &Form) {
    let Some(callback) = StreamCallback::read(form) else {
        return ignored(registry, "stream");
    };
    let Some(call) = open(now, registry, &callback.call_sid) else {
        return;
    };
    let error = (callback.event == "stream-error").then(|| callback.error.unwrap_or_default());
    call.stream_note(
        now,
        callback.account_sid,
        callback.stream_sid.as_deref(),
        error.as_deref(),
    );
}

/// A transcription callback.
pub fn transcription(now: Now, registry: &Registry, form: &Form) {
    let Some(callback) = TranscriptionCallback::read(form) else {
        return ignored(registry, "transcription");
    };
    let Some(call) = open(now, registry, &callback.call_sid) else {
        return;
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
            why: Some("a transcription callback cannot be read"),
        },
        TranscriptionEvent::Unknown => Heard::Nothing { why: None },
        TranscriptionEvent::Stopped => Heard::Stopped,
        TranscriptionEvent::Failed { code, message } => Heard::Failed { code, message },
    };
    call.transcribed(now, callback.account_sid, &source, callback.sequence, (at, heard));
}

fn open(now: Now, registry: &Registry, sid: &partyline_shared::id::CallSid) -> Option<Arc<Call>> {
    registry.metrics().callbacks.add_one();
    registry
        .open(now, sid)
        .inspect_err(|why| warn!(call = %sid, %why, "callback ignored"))
        .ok()
}

fn ignored(registry: &Registry, kind: &'static str) {
    registry.metrics().callbacks_ignored.add_one();
    warn!(kind, "callback ignored: no valid CallSid");
}
