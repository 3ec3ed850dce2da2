//! What comes over a wire meets noise where it is read: property tests beside each reader, at length and
//! with a fresh seed by `make fuzz`. Here it is only checked that none of them is lost on the way.

use std::path::Path;

/// What reads a wire, and the property that nothing crashes it.
const READERS: [(&str, &str, &str); 18] = [
    (
        "Twilio's stream messages",
        "shared/src/twilio/media/tests.rs",
        "no_text_can_crash_the_parser",
    ),
    (
        "bent ones",
        "shared/src/twilio/media/tests.rs",
        "no_bent_start_can_crash_the_parser",
    ),
    (
        "Twilio's audio messages, the quick way",
        "shared/src/twilio/media/tests/same.rs",
        "nearly_any_message_is_read_as_serde_reads_it",
    ),
    (
        "WebSocket frames",
        "relay/src/ws/reader/tests.rs",
        "no_bytes_can_crash_it_and_pieces_change_nothing",
    ),
    (
        "a whole stream of them",
        "relay/src/twilio/stream/tests.rs",
        "no_text_can_crash_a_stream",
    ),
    (
        "forms",
        "shared/src/twilio/form.rs",
        "no_bytes_can_crash_the_parser",
    ),
    (
        "callbacks",
        "shared/src/twilio/callback.rs",
        "no_form_can_crash_a_reader",
    ),
    (
        "partyline.v1, both ways",
        "shared/src/protocol/codec/tests.rs",
        "no_text_can_crash_either_side",
    ),
    (
        "bent ones",
        "shared/src/protocol/codec/tests.rs",
        "no_bent_text_can_crash_either_side",
    ),
    (
        "audio frames",
        "shared/src/audio/frame.rs",
        "no_bytes_can_crash_the_decoder",
    ),
    ("WAV", "shared/src/audio/wav.rs", "no_file_can_crash_the_reader"),
    (
        "what a listener says",
        "relay/src/listen/session/tests.rs",
        "no_text_can_crash_a_session",
    ),
    (
        "what a relay says",
        "tui/src/client/session/tests.rs",
        "no_relay_can_crash_it",
    ),
    (
        "who wants to be let in at an ear",
        "tui/src/ear/pair/tests.rs",
        "no_bytes_can_crash_the_door",
    ),
    (
        "what is typed as a code",
        "tui/src/ear/code.rs",
        "no_text_can_crash_the_reader_of_codes",
    ),
    (
        "sealed pieces",
        "tui/src/ear/link/tests.rs",
        "no_bytes_can_crash_the_link",
    ),
    (
        "what a monitor and its ear say",
        "tui/src/ear/wire/tests.rs",
        "no_bytes_can_crash_either_end",
    ),
    (
        "bent messages of theirs",
        "tui/src/ear/wire/tests.rs",
        "no_bent_message_can_crash_either_end",
    ),
];

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn every_reader_of_a_wire_meets_noise() {
    for (what, path, property) in READERS {
        let source = text(path);
        let Some((_, properties)) = source.split_once("proptest!") else {
            panic!("{what}: {path} has no property")
        };
        assert!(
            properties.contains(&format!("fn {property}(")),
            "{what}: {path} has no {property}"
        );
        // Cases or a seed of its own would win over what `make fuzz` asks for.
        assert!(!source.contains("proptest_config"), "{what}: {path}");
    }
}

/// The libraries are where the properties are; a seed that is printed is one that can be given.
#[test]
fn fuzzing_goes_deeper_and_elsewhere_each_time() {
    let makefile = text("Makefile");
    let fuzz = makefile.split("\nfuzz: ").skip(1).collect::<String>();
    for needed in [
        "/dev/urandom",
        "PROPTEST_CASES=$(CASES)",
        "PROPTEST_RNG_SEED=$(SEED)",
        "test --workspace --lib",
    ] {
        assert!(fuzz.contains(needed), "make fuzz has no {needed}");
    }
    let test = makefile.split("\ntest: ").nth(1).unwrap_or_default();
    assert!(
        test.contains("PROPTEST_RNG_SEED=$(SEED)"),
        "make test has no seed"
    );
}
