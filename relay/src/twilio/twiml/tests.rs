//! The answers as Twilio reads them, and that nothing a request carries can change their shape.

use super::*;
use proptest::prelude::*;
use roxmltree::{Document, Node};

const NOTICE: &str = "This call is being monitored.";

fn number(text: &str) -> Target {
    Target::Number(PhoneNumber::new(text))
}

fn answer<'a>(target: &'a Target, parameters: &'a [(&'a str, &'a str)]) -> VoiceAnswer<'a> {
    VoiceAnswer {
        base: "https://calls.example.com",
        host: "calls.example.com",
        notice: NOTICE,
        language: "en-US",
        notice_to_both: true,
        transcription: true,
        parameters,
        target,
        caller_id: None,
    }
}

const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
const SAY: &str = r#"<Say language="en-US">This call is being monitored.</Say>"#;
const STREAM: &str = r#"<Start><Stream url="wss://calls.example.com/cable" track="both_tracks" statusCallback="https://calls.example.com/twilio/stream" statusCallbackMethod="POST"><Parameter name="customer_id" value="1"/></Stream></Start>"#;
const TRANSCRIPTION: &str = r#"<Start><Transcription track="both_tracks" partialResults="true" languageCode="en-US" statusCallbackUrl="https://calls.example.com/twilio/transcription" statusCallbackMethod="POST"/></Start>"#;
const DIAL: &str = r#"<Dial><Number statusCallback="https://calls.example.com/twilio/status" statusCallbackEvent="initiated ringing answered completed" statusCallbackMethod="POST" url="https://calls.example.com/twilio/notice">+1234567890</Number></Dial>"#;

#[test]
fn the_answer_is_pinned() {
    let target = number("+1234567890");
    let parameters = [("customer_id", "1")];
    let answer = answer(&target, &parameters);
    assert_eq!(
        voice(&answer),
        format!("{DECLARATION}<Response>{SAY}{STREAM}{TRANSCRIPTION}{DIAL}</Response>")
    );
    assert_eq!(
        without_stream(&answer),
        format!("{DECLARATION}<Response>{SAY}{DIAL}</Response>")
    );
    let silent = VoiceAnswer {
        transcription: false,
        ..answer
    };
    assert_eq!(
        voice(&silent),
        format!("{DECLARATION}<Response>{SAY}{STREAM}{DIAL}</Response>")
    );
}

#[test]
fn the_notice_and_the_apology_stand_alone() {
    assert_eq!(
        notice_only(NOTICE, "en-US"),
        format!("{DECLARATION}<Response>{SAY}</Response>")
    );
    assert_eq!(
        notice_only(" ", "en-US"),
        format!("{DECLARATION}<Response></Response>")
    );
    let apology = apology();
    assert!(
        apology.starts_with(&format!(r#"{DECLARATION}<Response><Say language="en-US">"#)),
        "{apology}"
    );
    assert!(
        apology.ends_with("</Say><Hangup/></Response>") && !apology.contains("Start"),
        "{apology}"
    );
}

#[test]
fn every_target_has_its_noun_and_the_caller_id_where_set() {
    for (target, noun, text) in [
        (number("+12125550100"), "Number", "+12125550100"),
        (
            Target::Client(PhoneNumber::new("client:alice")),
            "Client",
            "alice",
        ),
        (
            Target::Sip(PhoneNumber::new("sip:desk@example.com")),
            "Sip",
            "sip:desk@example.com",
        ),
    ] {
        let ours = PhoneNumber::new("+12125550199");
        let answer = VoiceAnswer {
            caller_id: Some(&ours),
            notice_to_both: false,
            ..answer(&target, &[])
        };
        let xml = voice(&answer);
        let document = Document::parse(&xml).unwrap();
        let dial = document.descendants().find(|n| n.has_tag_name("Dial")).unwrap();
        assert_eq!(dial.attribute("callerId"), Some("+12125550199"));
        let rung = dial.first_element_child().unwrap();
        assert_eq!((rung.tag_name().name(), rung.text()), (noun, Some(text)));
        assert_eq!(rung.attribute("url"), None);
        assert_eq!(
            rung.attribute("statusCallback"),
            Some("https://calls.example.com/twilio/status")
        );
    }
}

#[test]
fn without_a_notice_nothing_is_said_to_anybody() {
    let target = number("+12125550100");
    let xml = voice(&VoiceAnswer {
        notice: "",
        ..answer(&target, &[])
    });
    assert!(!xml.contains("<Say") && !xml.contains("/twilio/notice"), "{xml}");
}

#[test]
fn what_twilio_would_refuse_is_left_out_or_cut() {
    let target = number("+12125550100");
    let (fits, over) = ("ü".repeat(499), "ü".repeat(500));
    let long = "ä".repeat(MAX_SAY + 1);
    let parameters = [
        ("a", fits.as_str()),
        ("b", over.as_str()),
        ("", "unnamed"),
        ("c", ""),
    ];
    let xml = voice(&VoiceAnswer {
        notice: &long,
        ..answer(&target, &parameters)
    });
    let document = Document::parse(&xml).unwrap();
    let names: Vec<_> = document
        .descendants()
        .filter_map(|n| n.attribute("name"))
        .collect();
    assert_eq!(names, ["a", "c"]);
    let say = document.descendants().find(|n| n.has_tag_name("Say")).unwrap();
    assert_eq!(say.text().unwrap().chars().count(), MAX_SAY);
}

/// An element as a test expects it: name, attributes, text, children.
#[derive(Debug, PartialEq)]
struct Tree(String, Vec<(String, String)>, String, Vec<Tree>);

fn tree(name: &str, attributes: &[(&str, &str)], text: &str, children: Vec<Tree>) -> Tree {
    let attributes = attributes
        .iter()
        .map(|(name, value)| ((*name).to_owned(), kept(value)))
        .collect();
    Tree(name.to_owned(), attributes, kept(text), children)
}

/// What XML can carry of a text; written out here, so that the writer is not its own witness.
fn kept(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(u32::from(*c), 0..=8 | 11 | 12 | 14..=31 | 0xfffe | 0xffff))
        .collect()
}

fn parsed(node: Node<'_, '_>) -> Tree {
    assert!(
        node.children().all(|n| n.is_element() || n.is_text()),
        "neither comment nor instruction"
    );
    Tree(
        node.tag_name().name().to_owned(),
        node.attributes()
            .map(|a| (a.name().to_owned(), a.value().to_owned()))
            .collect(),
        node.children()
            .filter_map(|n| n.text().filter(|_| n.is_text()))
            .collect(),
        node.children().filter(Node::is_element).map(parsed).collect(),
    )
}

/// Texts that somebody would send who wants to add a verb.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\"".to_owned()),
        Just("'/><Dial>+19005550100</Dial>".to_owned()),
        Just("</Number></Dial><Redirect>https://evil.example</Redirect>".to_owned()),
        Just("]]>".to_owned()),
        Just("<![CDATA[".to_owned()),
        Just("<!-- ".to_owned()),
        Just("<?xml ?>".to_owned()),
        Just("&lt;&#60;&amp;&evil;".to_owned()),
        Just("\r\n\t \u{0}\u{1b}\u{7f}\u{85}\u{2028}\u{fffe}\u{ffff}".to_owned()),
        any::<String>(),
        "[a-z0-9+]{0,8}",
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_a_request_carries_can_add_an_element_or_attribute(
        to in hostile(), from in hostile(), customer in hostile(), name in hostile(), notice in hostile(),
        language in hostile(), caller in hostile(), host in hostile(), kind in 0..3, transcription: bool, both: bool,
    ) {
        let address = PhoneNumber::new(&to);
        let (target, noun) = match kind {
            0 => (Target::Number(address), "Number"),
            1 => (Target::Client(address), "Client"),
            _ => (Target::Sip(address), "Sip"),
        };
        let caller_id = PhoneNumber::new(&caller);
        let base = format!("https://{host}");
        let parameters = [("From", from.as_str()), ("customer_id", customer.as_str()), (name.as_str(), to.as_str())];
        let answer = VoiceAnswer {
            base: &base, host: &host, notice: &notice, language: &language, notice_to_both: both, transcription,
            parameters: &parameters, target: &target, caller_id: Some(&caller_id),
        };

        let spoken: String = notice.chars().take(4096).collect();
        let say = || (!spoken.trim().is_empty()).then(|| tree("Say", &[("language", &language)], &spoken, vec![]));
        let parameters = parameters.iter()
            .filter(|(n, v)| !n.is_empty() && n.chars().count() + v.chars().count() <= 500)
            .map(|(n, v)| tree("Parameter", &[("name", n), ("value", v)], "", vec![]))
            .collect();
        let post = ("statusCallbackMethod", "POST");
        let url = |path: &str| format!("{base}/twilio/{path}");
        let stream = tree("Stream", &[
            ("url", &format!("wss://{host}/cable")), ("track", "both_tracks"),
            ("statusCallback", &url("stream")), post,
        ], "", parameters);
        let rtt = tree("Transcription", &[
            ("track", "both_tracks"), ("partialResults", "true"), ("languageCode", &language),
            ("statusCallbackUrl", &url("transcription")), post,
        ], "", vec![]);
        let (status, notice_url) = (url("status"), url("notice"));
        let mut noun_attributes = vec![
            ("statusCallback", status.as_str()), ("statusCallbackEvent", "initiated ringing answered completed"), post,
        ];
        if both && say().is_some() {
            noun_attributes.push(("url", &notice_url));
        }
        let whole = target.address().as_str();
        let rung = if kind == 1 { whole.strip_prefix("client:").unwrap_or(whole) } else { whole };
        let dial = || tree("Dial", &[("callerId", caller_id.as_str())], "",
            vec![tree(noun, &noun_attributes, rung, vec![])]);

        let mut verbs: Vec<Tree> = say().into_iter().collect();
        verbs.push(tree("Start", &[], "", vec![stream]));
        if transcription {
            verbs.push(tree("Start", &[], "", vec![rtt]));
        }
        verbs.push(dial());
        let xml = voice(&answer);
        let document = Document::parse(&xml).unwrap();
        prop_assert_eq!(parsed(document.root_element()), tree("Response", &[], "", verbs));

        let xml = without_stream(&answer);
        let document = Document::parse(&xml).unwrap();
        let verbs = say().into_iter().chain([dial()]).collect();
        prop_assert_eq!(parsed(document.root_element()), tree("Response", &[], "", verbs));

        let xml = notice_only(&notice, &language);
        let document = Document::parse(&xml).unwrap();
        prop_assert_eq!(parsed(document.root_element()), tree("Response", &[], "", say().into_iter().collect()));
    }
}
