//! The quick ways against serde's: what they read is what serde reads, whatever the text.

use proptest::prelude::*;

use super::*;

/// All of a message that the quick ways can tell.
type Told = (Option<u64>, Option<(Option<String>, Option<u64>, String)>);

fn told(message: &Message<'_>) -> Told {
    let media = message.media.as_ref().map(|media| {
        let track = media.track.as_ref().map(ToString::to_string);
        (track, media.timestamp, media.payload.to_string())
    });
    (message.sequence_number, media)
}

/// Whether the quick way took it; where it did, it said what serde says.
fn same(text: &str) -> bool {
    let right = Message::parse_any(text);
    let quick = audio(text);
    if let Some((sequence, media)) = &quick {
        let right = right.as_ref().unwrap_or_else(|e| panic!("{e}: {text}"));
        let quick = (
            *sequence,
            Some((
                media.track.as_ref().map(ToString::to_string),
                media.timestamp,
                media.payload.to_string(),
            )),
        );
        assert_eq!((&*right.event, told(right)), ("media", quick), "{text}");
        assert!(
            right.start.is_none() && right.dtmf.is_none() && right.mark.is_none(),
            "{text}"
        );
        // The two quick ways are one where both take it.
        if let Some((sequence, media)) = usual::media(text) {
            let (other, audio) = scan::media(text).expect("what is usual is among what is any");
            assert_eq!(
                (sequence, media.track, media.timestamp, media.payload),
                (other, audio.track, audio.timestamp, audio.payload)
            );
        }
    }
    match (Message::parse(text), right) {
        (Ok(whole), Ok(right)) => assert_eq!(
            (&whole.event, told(&whole)),
            (&right.event, told(&right)),
            "{text}"
        ),
        (Err(whole), Err(right)) => assert_eq!(whole, right, "{text}"),
        (whole, right) => panic!("{whole:?} is not {right:?}: {text}"),
    }
    quick.is_some()
}

/// White space as JSON has it, mostly none.
fn space() -> impl Strategy<Value = String> {
    prop_oneof![8 => Just(String::new()), 1 => "[ \n\r\t]{1,3}", 1 => Just("\u{b}".into())]
}

/// A string as it is written: plain, escaped, with what has to be escaped and is not.
fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[ !#-\\[\\]-~é\u{1d11e}]{0,60}",
        2 => "[a-z]{0,20}(\\\\[\"\\\\/bfnrtux]|\\\\u00e9|\\\\ud834)[a-z0-9]{0,40}",
        1 => "[a-z]{0,50}[\u{0}-\u{1f}\"\\\\\u{7f}][a-z]{0,30}",
    ]
    .prop_map(|inside| format!("\"{inside}\""))
}

/// A number, right or nearly.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<u64>().prop_map(|n| n.to_string()),
        4 => (0u32..2000).prop_map(|n| n.to_string()),
        1 => "-?0?[0-9]{0,21}",
        2 => "-?[0-9]{1,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,3})?",
    ]
}

/// A counter in every guise.
fn counter() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => number(),
        6 => number().prop_map(|n| format!("\"{n}\"")),
        1 => "\"[+]?[0-9]{0,3}\"",
        1 => prop::sample::select(vec!["null", "\"\"", "true", "[]", "{}"]).prop_map(String::from),
    ]
}

/// Any value, some of it no JSON.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        string(),
        number(),
        prop::sample::select(vec![
            "true", "false", "null", "nul", "[]", "{}", "[,]", "{,}", "[1,]", "{\"a\"}", ""
        ])
        .prop_map(String::from),
    ];
    leaf.prop_recursive(20, 30, 3, |inner| {
        let pair = (string(), space(), inner.clone()).prop_map(|(key, s, value)| format!("{key}{s}:{value}"));
        prop_oneof![
            (space(), prop::collection::vec(inner, 1..3))
                .prop_map(|(s, all)| format!("[{s}{}{s}]", all.join(","))),
            (space(), prop::collection::vec(pair, 1..3))
                .prop_map(|(s, all)| format!("{{{s}{}}}", all.join(","))),
        ]
    })
}

type Fields = Vec<(String, String)>;

/// Fields in any order, each there or not, with some that we do not know and, seldom, one twice.
fn object(known: Vec<(&'static str, BoxedStrategy<String>)>) -> impl Strategy<Value = String> {
    let known: Vec<_> = known
        .into_iter()
        .map(|(key, value)| {
            prop::option::weighted(0.93, value.prop_map(move |value| (format!("\"{key}\""), value)))
        })
        .collect();
    let new = prop_oneof![
        6 => "\"[a-zé]{1,9}\"".prop_map(String::from),
        1 => string(),
        1 => prop::sample::select(vec!["\"start\"", "\"mark\"", "\"\\u0065vent\"", "\"payload\"", "\"streamSid\""]).prop_map(String::from),
    ];
    let new = prop::collection::vec((new, value()), 0..2);
    let all =
        (known, new).prop_map(|(known, new)| known.into_iter().flatten().chain(new).collect::<Fields>());
    (all.prop_shuffle(), [space(), space(), space(), space()]).prop_map(|(fields, [a, b, c, d])| {
        let fields: Vec<String> = fields
            .into_iter()
            .map(|(key, value)| format!("{key}{b}:{c}{value}{d}"))
            .collect();
        format!("{{{a}{}}}", fields.join(&format!(",{a}")))
    })
}

fn message() -> impl Strategy<Value = String> {
    let track = prop_oneof![
        8 => prop::sample::select(vec!["\"inbound\"", "\"outbound\""]).prop_map(String::from),
        1 => string(),
        1 => value(),
    ];
    let payload = prop_oneof![
        8 => "[A-Za-z0-9+/]{0,230}={0,2}".prop_map(|text| format!("\"{text}\"")),
        2 => string(),
        1 => value(),
    ];
    let media = object(vec![
        ("track", track.boxed()),
        ("chunk", counter().boxed()),
        ("timestamp", counter().boxed()),
        ("payload", payload.boxed()),
    ]);
    let event = prop_oneof![
        12 => Just("\"media\"".to_string()),
        1 => prop::sample::select(vec!["\"stop\"", "\"medi\\u0061\"", "\"dtmf\"", "null"]).prop_map(String::from),
    ];
    let whole = object(vec![
        ("event", event.boxed()),
        ("sequenceNumber", counter().boxed()),
        ("media", prop_oneof![12 => media, 1 => value()].boxed()),
        ("streamSid", string().boxed()),
    ]);
    (space(), whole, space()).prop_map(|(before, whole, after)| format!("{before}{whole}{after}"))
}

fn twilios(sequence: u64, track: Track, at: u64, audio: &[u8]) -> String {
    write::media(
        "MZ44444444444444444444444444444444",
        sequence,
        track,
        7,
        at,
        audio,
    )
}

#[test]
fn twilios_own_messages_go_the_quickest_way() {
    for (track, bytes) in [
        (Track::Inbound, 160),
        (Track::Outbound, 160),
        (Track::Inbound, 0),
        (Track::Outbound, 800),
    ] {
        let text = twilios(2, track, 57, &vec![0x3c; bytes]);
        assert!(usual::media(&text).is_some() && same(&text), "{text}");
        assert!(scan::media(&text).is_some(), "{text}");
    }
}

#[test]
fn any_order_spaces_and_new_fields_go_a_quick_way() {
    let deep = format!("{}1{}", "[".repeat(15), "]".repeat(15));
    for text in [
        r#"{"streamSid":"MZ1","media":{"payload":"/w","timestamp":57,"new":[1,{"a":-0.5e+9}]},"sequenceNumber":2,"event":"media","x":null}"#,
        "\n{ \"event\" : \"media\" ,\t\"media\" : { \"payload\" : \"\" } }\r\n",
        r#"{"event":"media","media":{"payload":"é","track":"inbound_track","track2":[],"x":{}},"x":false,"x":true}"#,
        &format!(r#"{{"event":"media","x":{deep},"media":{{"payload":""}}}}"#),
    ] {
        assert!(same(text), "{text}");
    }
}

#[test]
fn what_is_in_doubt_is_left_to_serde() {
    let deep = "[".repeat(10_000);
    for text in [
        r#"{"event":"media","event":"media","media":{"payload":""}}"#,
        r#"{"event":"media","media":{"payload":"a","payload":"b"}}"#,
        r#"{"event":"medi\u0061","media":{"payload":""}}"#,
        r#"{"\u0065vent":"media","media":{"payload":""}}"#,
        r#"{"event":"media","media":{"payload":"\/w=="}}"#,
        r#"{"event":"media","media":{"payload":""},"start":{}}"#,
        r#"{"event":"media","media":{"payload":""},"x":01}"#,
        r#"{"event":"media","media":{"payload":""},"x":1.}"#,
        r#"{"event":"media","media":{"payload":""},"x":nulll}"#,
        r#"{"event":"media","media":{"payload":""}}x"#,
        r#"{"event":"media","media":{"payload":""},}"#,
        r#"{"event":"media","sequenceNumber":01,"media":{"payload":""}}"#,
        r#"{"event":"media","sequenceNumber":1e1,"media":{"payload":""}}"#,
        r#"{"event":"media","sequenceNumber":18446744073709551616,"media":{"payload":""}}"#,
        r#"["media",1]"#,
        &format!(r#"{{"event":"media","media":{{"payload":""}},"x":{deep}"#),
    ] {
        assert!(!same(text), "{text}");
    }
    for control in 0..0x20u8 {
        for before in [0, 3, 8, 20, 41, 60, 100] {
            let (before, control) = ("a".repeat(before), char::from(control));
            let text = format!(r#"{{"event":"media","media":{{"payload":"{before}{control}{before}"}}}}"#);
            assert!(!same(&text), "{text}");
            let text =
                twilios(2, Track::Inbound, 3, &[1; 160]).replace("EBAQEBAQ\"", &format!("{control}\""));
            assert!(!same(&text) || !text.contains(control), "{text}");
        }
    }
}

proptest! {
    #[test]
    fn nearly_any_message_is_read_as_serde_reads_it(text in message()) {
        same(&text);
    }

    #[test]
    fn bent_messages_are_read_as_serde_reads_them(
        text in message(), twilio: bool, sequence: u64, bytes in prop::collection::vec(any::<u8>(), 0..200),
        at: prop::sample::Index, put in prop_oneof!["[\"\\\\{}:, 0]", "\\PC", "[\u{0}-\u{1f}]", Just(String::new())], over in 0usize..3, cut: bool,
    ) {
        let text = if twilio { twilios(sequence, Track::Outbound, sequence >> 8, &bytes) } else { text };
        let mut at = at.index(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let rest: String = if cut { String::new() } else { text[at..].chars().skip(over).collect() };
        same(&format!("{}{put}{rest}", &text[..at]));
    }

    #[test]
    fn any_text_is_read_as_serde_reads_it(text in "\\PC{0,100}|[{}\\[\\]\":,a-z0-9 \\\\]{0,100}") {
        same(&text);
    }
}
