//! What Twilio does with an answer: TwiML read into the verbs that a monitored call has.

use std::fmt;

use http::Method;
use partyline_shared::track::Track;
use roxmltree::{Document, Node};

use super::url::Url;

/// What to do, in Twilio's words.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Twiml {
    /// What the caller is told first.
    pub(super) says: Vec<String>,
    /// `<Start><Stream>`.
    pub(super) stream: Option<Stream>,
    /// `<Start><Transcription>`.
    pub(super) transcription: Option<Transcription>,
    /// `<Dial>`.
    pub(super) dial: Option<Dial>,
    /// Whether a verb keeps the call alive; without one it ends at the document's end.
    pub(super) goes_on: bool,
}

/// Where to tell something, and how.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Callback {
    /// Where.
    pub(super) url: Url,
    /// POST, or GET with the form as query.
    pub(super) method: Method,
}

/// `<Start><Stream>`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stream {
    /// Without its query, which Twilio drops.
    pub(super) url: Url,
    /// Its own name, where it has one.
    pub(super) name: Option<String>,
    /// Which tracks it carries.
    pub(super) tracks: Vec<Track>,
    /// Told of its start and end.
    pub(super) callback: Option<Callback>,
    /// `<Parameter>`s, in order.
    pub(super) parameters: Vec<(String, String)>,
}

/// `<Start><Transcription>`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Transcription {
    /// Its own name, where it has one.
    pub(super) name: Option<String>,
    /// As configured, `both_tracks` by default.
    pub(super) track: String,
    /// The tracks that this means.
    pub(super) tracks: Vec<Track>,
    /// Whether guesses are told too.
    pub(super) partial_results: bool,
    /// BCP-47.
    pub(super) language: String,
    /// `google` or `deepgram`.
    pub(super) engine: String,
    /// `inboundTrackLabel`, `outboundTrackLabel`.
    pub(super) labels: [Option<String>; 2],
    /// Told of all of it; without one nothing is delivered.
    pub(super) callback: Option<Callback>,
}

/// `<Dial>` and its noun.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dial {
    /// Who is rung: a number, `client:…` or `sip:…`.
    pub(super) to: String,
    /// Shown to whom is rung.
    pub(super) caller_id: Option<String>,
    /// TwiML for the dialled party before it is connected.
    pub(super) notice: Option<Callback>,
    /// Told of the dialled leg.
    pub(super) status: Option<Callback>,
    /// Which of `initiated ringing answered completed` are told.
    pub(super) events: Vec<String>,
}

/// An answer that Twilio would not act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the TwiML cannot be used: {0}")]
pub struct BadTwiml(String);

fn bad(why: impl fmt::Display) -> BadTwiml {
    BadTwiml(why.to_string())
}

/// Reads an answer. `origin` is what relative addresses of callbacks are relative to.
///
/// # Errors
/// [`BadTwiml`] where it is no TwiML, or asks for what Twilio does not do.
pub(super) fn read(text: &str, origin: &Url) -> Result<Twiml, BadTwiml> {
    let document = Document::parse(text).map_err(|e| bad(format_args!("it is no XML ({e}), error 12100")))?;
    let root = document.root_element();
    if root.tag_name().name() != "Response" {
        return Err(bad("its root is not <Response>, error 12200"));
    }
    let mut twiml = Twiml::default();
    for verb in root.children().filter(Node::is_element) {
        match verb.tag_name().name() {
            "Say" => twiml.says.push(verb.text().unwrap_or_default().trim().to_owned()),
            "Start" => start(&mut twiml, verb, origin)?,
            "Dial" => {
                twiml.dial = Some(dial(verb, origin)?);
                twiml.goes_on = true;
            }
            "Connect" => return Err(bad("<Connect> makes a two-way stream, which is not simulated")),
            // What follows is not reached.
            "Hangup" | "Reject" => break,
            _ => twiml.goes_on = true,
        }
    }
    Ok(twiml)
}

fn start(twiml: &mut Twiml, verb: Node<'_, '_>, origin: &Url) -> Result<(), BadTwiml> {
    for noun in verb.children().filter(Node::is_element) {
        let twice = match noun.tag_name().name() {
            "Stream" => twiml.stream.replace(stream(noun, origin)?).is_some(),
            "Transcription" => twiml
                .transcription
                .replace(transcription(noun, origin)?)
                .is_some(),
            _ => false,
        };
        if twice {
            return Err(bad("it starts two of a kind, and one a call is simulated"));
        }
    }
    Ok(())
}

fn stream(noun: Node<'_, '_>, origin: &Url) -> Result<Stream, BadTwiml> {
    let url = noun.attribute("url").ok_or_else(|| bad("<Stream> has no url"))?;
    let url = Url::parse(url, &["wss"]).map_err(|why| bad(format_args!("<Stream url>: {why}")))?;
    let parameters = noun
        .children()
        .filter(|child| child.is_element() && child.tag_name().name() == "Parameter")
        .map(|child| {
            let attribute = |name| child.attribute(name).unwrap_or_default().to_owned();
            (attribute("name"), attribute("value"))
        })
        .collect::<Vec<_>>();
    for (name, value) in &parameters {
        /// Characters of name and value together.
        const MOST: usize = 500;
        if name.is_empty() || name.chars().count() + value.chars().count() > MOST {
            return Err(bad(format_args!(
                "<Parameter> {name:?} has no name, or name and value are over {MOST} characters together"
            )));
        }
    }
    Ok(Stream {
        url: url.without_query(),
        name: text(noun, "name"),
        tracks: tracks(noun.attribute("track").unwrap_or("inbound_track"))?,
        callback: callback(noun, origin, "statusCallback", "statusCallbackMethod")?,
        parameters,
    })
}

fn transcription(noun: Node<'_, '_>, origin: &Url) -> Result<Transcription, BadTwiml> {
    let track = noun.attribute("track").unwrap_or("both_tracks");
    Ok(Transcription {
        name: text(noun, "name"),
        track: track.to_owned(),
        tracks: tracks(track)?,
        partial_results: noun.attribute("partialResults") == Some("true"),
        language: noun.attribute("languageCode").unwrap_or("en-US").to_owned(),
        engine: noun
            .attribute("transcriptionEngine")
            .unwrap_or("google")
            .to_owned(),
        labels: [text(noun, "inboundTrackLabel"), text(noun, "outboundTrackLabel")],
        callback: callback(noun, origin, "statusCallbackUrl", "statusCallbackMethod")?,
    })
}

fn dial(verb: Node<'_, '_>, origin: &Url) -> Result<Dial, BadTwiml> {
    let noun = verb.children().find(Node::is_element);
    let holder = noun.unwrap_or(verb);
    let address = holder.text().unwrap_or_default().trim();
    if address.is_empty() {
        return Err(bad("<Dial> names nobody"));
    }
    let to = match noun.map(|n| n.tag_name().name()) {
        None | Some("Number") => address.to_owned(),
        Some("Client") if address.starts_with("client:") => address.to_owned(),
        Some("Client") => format!("client:{address}"),
        Some("Sip") => address.to_owned(),
        Some(other) => return Err(bad(format_args!("<Dial><{other}> is not simulated"))),
    };
    let events = noun.and_then(|n| n.attribute("statusCallbackEvent"));
    Ok(Dial {
        to,
        caller_id: text(verb, "callerId"),
        notice: noun.map_or(Ok(None), |n| callback(n, origin, "url", "method"))?,
        status: noun.map_or(Ok(None), |n| {
            callback(n, origin, "statusCallback", "statusCallbackMethod")
        })?,
        events: events
            .unwrap_or("completed")
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
    })
}

fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attribute(name).filter(|v| !v.is_empty()).map(str::to_owned)
}

fn tracks(name: &str) -> Result<Vec<Track>, BadTwiml> {
    match name {
        "inbound_track" => Ok(vec![Track::Inbound]),
        "outbound_track" => Ok(vec![Track::Outbound]),
        "both_tracks" => Ok(Track::BOTH.to_vec()),
        other => Err(bad(format_args!("track {other:?} is none, error 31941"))),
    }
}

fn callback(node: Node<'_, '_>, origin: &Url, url: &str, method: &str) -> Result<Option<Callback>, BadTwiml> {
    let Some(address) = text(node, url) else {
        return Ok(None);
    };
    let absolute = if address.starts_with('/') {
        format!("{}://{}{address}", origin.scheme, origin.authority)
    } else {
        address
    };
    let url = Url::parse(&absolute, &["https", "http"]).map_err(|why| bad(format_args!("{url}: {why}")))?;
    let method = match node.attribute(method) {
        Some(m) if m.eq_ignore_ascii_case("GET") => Method::GET,
        _ => Method::POST,
    };
    Ok(Some(Callback { url, method }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CALL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Response><Say language="en-US">Notice &amp; more.</Say>
<Start><Stream url="wss://h.example/cable?x=1" track="both_tracks" name="m" statusCallback="https://h.example/twilio/stream"><Parameter name="customer_id" value="&lt;1&gt;"/></Stream></Start>
<Start><Transcription statusCallbackUrl="https://h.example/twilio/transcription" partialResults="true" inboundTrackLabel="agent"/></Start>
<Dial callerId="+12125550100"><Number url="/twilio/notice" statusCallback="https://h.example/twilio/status" statusCallbackEvent="initiated ringing answered completed"> +1234567890 </Number></Dial></Response>"#;

    fn origin() -> Url {
        Url::parse("https://h.example", &["https"]).unwrap()
    }

    fn refused(text: &str) -> String {
        read(text, &origin()).unwrap_err().to_string()
    }

    #[test]
    fn a_monitored_call_is_read_whole() {
        let twiml = read(CALL, &origin()).unwrap();
        assert_eq!(twiml.says, ["Notice & more."]);
        let stream = twiml.stream.unwrap();
        assert_eq!(stream.url.whole(), "wss://h.example/cable");
        assert_eq!(stream.tracks, Track::BOTH);
        assert_eq!(stream.parameters, [("customer_id".into(), "<1>".into())]);
        assert_eq!(
            stream.callback.unwrap().url.whole(),
            "https://h.example/twilio/stream"
        );
        let transcription = twiml.transcription.unwrap();
        assert!(transcription.partial_results);
        assert_eq!(transcription.track, "both_tracks");
        assert_eq!(transcription.labels, [Some("agent".into()), None]);
        let dial = twiml.dial.unwrap();
        assert_eq!(
            (dial.to.as_str(), dial.caller_id.as_deref()),
            ("+1234567890", Some("+12125550100"))
        );
        assert_eq!(
            dial.notice.unwrap().url.whole(),
            "https://h.example/twilio/notice"
        );
        assert_eq!(dial.events, ["initiated", "ringing", "answered", "completed"]);
    }

    #[test]
    fn defaults_are_twilios() {
        let text =
            r#"<Response><Start><Stream url="wss://h/"/><Transcription/></Start><Dial>+1</Dial></Response>"#;
        let twiml = read(text, &origin()).unwrap();
        assert_eq!(twiml.stream.unwrap().tracks, [Track::Inbound]);
        let transcription = twiml.transcription.unwrap();
        assert_eq!(transcription.tracks, Track::BOTH);
        assert!(!transcription.partial_results && transcription.callback.is_none());
        assert_eq!(twiml.dial.unwrap().events, ["completed"]);
    }

    #[test]
    fn a_refusal_starts_and_dials_nothing() {
        let twiml = read(
            "<Response><Say>Sorry.</Say><Hangup/><Dial>+1</Dial></Response>",
            &origin(),
        )
        .unwrap();
        assert!(twiml.stream.is_none() && twiml.dial.is_none() && !twiml.goes_on);
    }

    #[test]
    fn what_twilio_would_not_take_is_said() {
        let stream = |attributes: &str| format!("<Response><Start><Stream {attributes}/></Start></Response>");
        assert!(refused("nonsense").contains("12100"));
        assert!(refused("<Answer/>").contains("12200"));
        assert!(refused(&stream("url='ws://h/'")).contains("wss"));
        assert!(refused(&stream("url='wss://h/' track='all'")).contains("31941"));
        assert!(refused(&stream("")).contains("no url"));
        assert!(refused("<Response><Dial/></Response>").contains("nobody"));
    }

    proptest! {
        #[test]
        fn no_answer_can_crash_the_reader(at in 0..CALL.len(), byte in 32u8..127) {
            let mut bytes = CALL.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&String::from_utf8(bytes).unwrap(), &origin());
        }
    }
}
