//! Byte strings as terminals send them, whole and cut at every place.

use proptest::prelude::*;

use super::*;

const ANSWER: &[u8] = b"\x1b]11;rgb:1e1e/2020/ffff\x1b\\\x1b[?62;22c";

fn all(bytes: &[u8]) -> Vec<Typed> {
    let mut keys = Keys::default();
    let mut typed = keys.on_bytes(0, bytes);
    typed.extend(keys.on_deadline(u64::MAX));
    typed
}

fn plain(code: KeyCode) -> Typed {
    key(code, KeyModifiers::NONE)
}

fn char_key(c: char) -> Typed {
    plain(KeyCode::Char(c))
}

#[test]
fn keys_are_read_as_terminals_send_them() {
    let cases: &[(&[u8], Typed)] = &[
        (b"q", char_key('q')),
        (b"N", key(KeyCode::Char('N'), KeyModifiers::SHIFT)),
        ("ß".as_bytes(), char_key('ß')),
        ("🙂".as_bytes(), char_key('🙂')),
        (b"\r", plain(KeyCode::Enter)),
        (b"\t", plain(KeyCode::Tab)),
        (b"\x1b[Z", key(KeyCode::BackTab, KeyModifiers::SHIFT)),
        (b"\x7f", plain(KeyCode::Backspace)),
        (b"\x08", key(KeyCode::Char('h'), KeyModifiers::CONTROL)),
        (b"\x03", key(KeyCode::Char('c'), KeyModifiers::CONTROL)),
        (b"\x1a", key(KeyCode::Char('z'), KeyModifiers::CONTROL)),
        (b"\x1b", plain(KeyCode::Esc)),
        (b"\x1bx", key(KeyCode::Char('x'), KeyModifiers::ALT)),
        (b"\x1b]", key(KeyCode::Char(']'), KeyModifiers::ALT)),
        (b"\x1b[A", plain(KeyCode::Up)),
        (b"\x1bOB", plain(KeyCode::Down)),
        (b"\x1b[5~", plain(KeyCode::PageUp)),
        (b"\x1b[6~", plain(KeyCode::PageDown)),
        (b"\x1b[H", plain(KeyCode::Home)),
        (b"\x1b[4~", plain(KeyCode::End)),
        (b"\x1b[1;5A", key(KeyCode::Up, KeyModifiers::CONTROL)),
        (b"\x1b[[A", plain(KeyCode::F(1))),
        (b"\x1b[24~", plain(KeyCode::F(12))),
    ];
    for (bytes, expected) in cases {
        assert_eq!(all(bytes), std::slice::from_ref(expected), "{bytes:?}");
    }
    assert_eq!(
        all(b"jj\x1b[Bq"),
        [char_key('j'), char_key('j'), plain(KeyCode::Down), char_key('q')]
    );
    assert_eq!(all(b"\x1b\x1b"), [plain(KeyCode::Esc), plain(KeyCode::Esc)]);
    assert_eq!(
        all(b"\xffq\xc3"),
        [char_key('q')],
        "what is no text is passed over"
    );
}

#[test]
fn an_answer_is_no_key_wherever_it_is_cut() {
    let background = Typed::Background([0x1e, 0x20, 0xff]);
    for cut in 0..=ANSWER.len() {
        let mut keys = Keys::default();
        keys.set_owed(true);
        let (before, after) = ANSWER.split_at(cut);
        let mut typed = keys.on_bytes(0, before);
        // Half a second passes in the middle of it.
        typed.extend(keys.on_deadline(500));
        typed.extend(keys.on_bytes(500, after));
        typed.extend(keys.on_bytes(501, b"q"));
        assert_eq!(
            typed,
            [background.clone(), Typed::Attributes, char_key('q')],
            "cut at {cut}"
        );
        assert_eq!(keys.deadline(), None);
    }
}

#[test]
fn keys_among_answers_are_not_lost() {
    let mut bytes = b"j".to_vec();
    bytes.extend_from_slice(b"\x1b]11;rgb:ff/ff/ff\x07k\x1b[?1;2c\x1b[A");
    assert_eq!(
        all(&bytes),
        [
            char_key('j'),
            Typed::Background([255; 3]),
            char_key('k'),
            Typed::Attributes,
            plain(KeyCode::Up)
        ]
    );
}

#[test]
fn answers_of_every_form_are_understood_or_passed_over() {
    for (text, colour) in [
        ("11;rgb:f/0/8", Some([255, 0, 136])),
        ("11;rgb:0000/8080/ffff", Some([0, 128, 255])),
        ("11;rgba:0000/8080/ffff/ffff", Some([0, 128, 255])),
        ("11;#102030", Some([16, 32, 48])),
        ("11;rgb:zz/00/00", None),
        ("11;rgb:00/00", None),
        ("11;", None),
        ("10;rgb:00/00/00", None),
        ("4;1;rgb:00/00/00", None),
    ] {
        let expected: Vec<Typed> = colour.map(Typed::Background).into_iter().collect();
        assert_eq!(all(format!("\x1b]{text}\x07").as_bytes()), expected, "{text}");
        assert_eq!(all(format!("\x1b]{text}\x1b\\").as_bytes()), expected, "{text}");
    }
    assert_eq!(all(b"\x1b[24;80R\x1b[0n\x1b[>0;1;2c"), []);
}

#[test]
fn an_answer_that_breaks_off_takes_no_later_key_with_it() {
    let mut keys = Keys::default();
    assert_eq!(keys.on_bytes(0, b"\x1b]11;rgb:12"), []);
    assert_eq!(keys.on_deadline(ANSWER_MS), []);
    assert_eq!(keys.on_bytes(ANSWER_MS, b"q"), [char_key('q')]);
    assert_eq!(all(b"\x1b]11;rgb:12\x1b[A"), [plain(KeyCode::Up)]);
}

#[test]
fn escape_alone_waits_for_a_moment_and_longer_while_an_answer_is_owed() {
    let mut keys = Keys::default();
    assert_eq!(keys.on_bytes(10, b"\x1b"), []);
    assert_eq!(keys.deadline(), Some(10 + ESC_MS));
    assert_eq!(keys.on_deadline(10 + ESC_MS - 1), []);
    assert_eq!(keys.on_deadline(10 + ESC_MS), [plain(KeyCode::Esc)]);
    keys.set_owed(true);
    keys.on_bytes(100, b"\x1b");
    assert_eq!(keys.deadline(), Some(100 + OWED_ESC_MS));
    keys.on_bytes(101, b"[?62c\x1b");
    assert_eq!(keys.deadline(), Some(101 + ESC_MS), "it has answered");
}

#[test]
fn pasted_text_is_no_key() {
    let mut keys = Keys::default();
    assert_eq!(keys.on_bytes(0, b"\x1b[200~qu\x1b[Ait\r"), []);
    assert_eq!(
        keys.on_bytes(1, b"!\x1b[201~q"),
        [Typed::Paste("qu\x1b[Ait\r!".to_owned()), char_key('q')]
    );
    let mut long = b"\x1b[200~".to_vec();
    long.extend(std::iter::repeat_n(b'x', 100 * MAX_LONG));
    long.extend_from_slice(b"\x1b[201~q");
    let mut typed = Vec::new();
    for chunk in long.chunks(1000) {
        typed.extend(keys.on_bytes(2, chunk));
        assert!(keys.waiting.len() <= 3 * MAX_LONG);
    }
    assert!(
        matches!(typed.as_slice(), [Typed::Paste(text), last] if text.len() <= 3 * MAX_LONG && *last == char_key('q'))
    );
}

proptest! {
    #[test]
    fn no_bytes_stay_for_ever(bytes: Vec<u8>, cut in 0usize..64) {
        let mut keys = Keys::default();
        let (before, after) = bytes.split_at(cut.min(bytes.len()));
        keys.on_bytes(0, before);
        keys.on_bytes(1, after);
        keys.on_deadline(u64::MAX);
        prop_assert_eq!(keys.deadline(), None);
        prop_assert_eq!(keys.on_bytes(2, b"q"), [char_key('q')]);
    }
}
