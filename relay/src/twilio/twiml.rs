//! The XML that we answer Twilio with. Says what was decided elsewhere ([`super::dial`]); decides nothing
//! and reads no configuration.

use partyline_shared::phone::PhoneNumber;

pub mod xml;

#[cfg(test)]
mod tests;

use super::dial::Target;
use crate::config::dial::MAX_SAY;
use xml::Element;

/// What the answer's `Content-Type` says.
pub const CONTENT_TYPE: &str = "text/xml";

/// Name and value of one `<Parameter>` together, characters; Twilio takes no more.
pub const MAX_PARAMETER: usize = 500;

/// What whom we ring tells us about, in Twilio's words; by default it tells only the end.
const STATUS_EVENTS: &str = "initiated ringing answered completed";

/// What a caller hears whom nobody is rung for. It is ours and English, whatever language the notice is in.
const APOLOGY: &str = "We are sorry, this call cannot be connected. Goodbye.";
const APOLOGY_LANGUAGE: &str = "en-US";

/// The answer to a voice webhook that connects the caller.
#[derive(Debug, Clone, Copy)]
pub struct VoiceAnswer<'a> {
    /// What callbacks begin with: `https://calls.example.com`, without a slash at the end.
    pub base: &'a str,
    /// What follows `wss://`: `calls.example.com`.
    pub host: &'a str,
    /// Said first; nothing where it is empty.
    pub notice: &'a str,
    /// The language of the notice and of the transcript.
    pub language: &'a str,
    /// Whether the dialled party hears the notice too, before being connected.
    pub notice_to_both: bool,
    /// Whether Twilio writes the transcript.
    pub transcription: bool,
    /// What the stream's `start` shall carry; a pair over [`MAX_PARAMETER`] or without a name is left out.
    pub parameters: &'a [(&'a str, &'a str)],
    /// Who is rung.
    pub target: &'a Target,
    /// Which number is shown to them.
    pub caller_id: Option<&'a PhoneNumber>,
}

/// Notice, stream, transcription, dial.
pub fn voice(answer: &VoiceAnswer<'_>) -> String {
    Element::new("Response")
        .children(say(answer.notice, answer.language))
        .child(Element::new("Start").child(stream(answer)))
        .children(
            answer
                .transcription
                .then(|| Element::new("Start").child(transcription(answer))),
        )
        .child(dial(answer))
        .document()
}

/// The same for a relay that takes no further stream, draining or full: the caller is connected all the same.
/// The notice stays, since a stream may be attached to the call later.
pub fn without_stream(answer: &VoiceAnswer<'_>) -> String {
    Element::new("Response")
        .children(say(answer.notice, answer.language))
        .child(dial(answer))
        .document()
}

/// The notice alone, for the dialled party; nothing is said, and the call connected, where it is empty.
pub fn notice_only(notice: &str, language: &str) -> String {
    Element::new("Response")
        .children(say(notice, language))
        .document()
}

/// What a caller hears whom nobody is rung for.
pub fn apology() -> String {
    Element::new("Response")
        .children(say(APOLOGY, APOLOGY_LANGUAGE))
        .child(Element::new("Hangup"))
        .document()
}

fn say(text: &str, language: &str) -> Option<Element> {
    let text: String = text.chars().take(MAX_SAY).collect();
    let heard = !text.trim().is_empty();
    heard.then(|| Element::new("Say").attribute("language", language).text(text))
}

fn stream(answer: &VoiceAnswer<'_>) -> Element {
    let fits = |(name, value): &&(&str, &str)| {
        !name.is_empty() && name.chars().count() + value.chars().count() <= MAX_PARAMETER
    };
    let parameters = answer.parameters.iter().filter(fits);
    Element::new("Stream")
        .attribute("url", format!("wss://{}/cable", answer.host))
        .attribute("track", "both_tracks")
        .attribute("statusCallback", format!("{}/twilio/stream", answer.base))
        .attribute("statusCallbackMethod", "POST")
        .children(parameters.map(|(name, value)| {
            Element::new("Parameter")
                .attribute("name", *name)
                .attribute("value", *value)
        }))
}

fn transcription(answer: &VoiceAnswer<'_>) -> Element {
    Element::new("Transcription")
        .attribute("track", "both_tracks")
        .attribute("partialResults", "true")
        .attribute("languageCode", answer.language)
        .attribute(
            "statusCallbackUrl",
            format!("{}/twilio/transcription", answer.base),
        )
        .attribute("statusCallbackMethod", "POST")
}

fn dial(answer: &VoiceAnswer<'_>) -> Element {
    let address = answer.target.address().as_str();
    let (noun, address) = match answer.target {
        Target::Number(_) => ("Number", address),
        Target::Client(_) => ("Client", address.strip_prefix("client:").unwrap_or(address)),
        Target::Sip(_) => ("Sip", address),
    };
    let notice_url = (answer.notice_to_both && !answer.notice.trim().is_empty())
        .then(|| format!("{}/twilio/notice", answer.base));
    let noun = Element::new(noun)
        .attribute("statusCallback", format!("{}/twilio/status", answer.base))
        .attribute("statusCallbackEvent", STATUS_EVENTS)
        .attribute("statusCallbackMethod", "POST")
        .maybe("url", notice_url)
        .text(address);
    Element::new("Dial")
        .maybe("callerId", answer.caller_id.map(PhoneNumber::as_str))
        .child(noun)
}
