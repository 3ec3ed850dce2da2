//! What the grammar takes, and what it refuses.

use super::*;

fn refused(bytes: impl AsRef<[u8]>) -> String {
    match read(bytes.as_ref()) {
        Err(fault) => fault.why,
        Ok(emitted) => panic!(
            "{:?} is taken: {emitted:?}",
            bytes.as_ref().escape_ascii().to_string()
        ),
    }
}

#[test]
fn a_picture_is_taken() {
    let bytes = "\x1b[?1049h\x1b[2J\x1b[?25l\x1b[?2004h\x1b]11;?\x1b\\\x1b[c\
                 \x1b[?2026h\x1b[0m\x1b[2J\x1b[1;1H\x1b[1m\x1b[38;5;9;49mGrüße 你好 ⣿ 👍 é e\u{301}\x1b[22m\
                 \x1b[39m\x1b[49m\x1b[0m\x1b[?2026l\x1b]52;c;Q0Ex\x07\r\n\
                 \x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?1049l\x1b[?25h";
    let emitted = expect(bytes.as_bytes());
    assert_eq!(emitted.pictures, 1);
    assert_eq!(emitted.copied, ["CA1"]);
    assert_eq!((emitted.asked_background, emitted.asked_attributes), (1, 1));
    let modes: Vec<_> = emitted.modes.into_iter().collect();
    assert_eq!(modes, [(25, true), (1049, false), (2004, false), (2026, false)]);
    assert_eq!(read(b"").unwrap(), Emitted::default());
}

#[test]
fn every_control_but_a_line_end_is_refused() {
    for byte in (0..0x20).chain([0x7f]) {
        let is_end = byte == b'\r' || byte == b'\n';
        assert_eq!(read(&[b'a', byte, b'b']).is_ok(), is_end, "{byte:#04x}");
    }
    for c in '\u{80}'..='\u{9f}' {
        assert!(refused(c.to_string()).starts_with("the character"));
    }
}

#[test]
fn what_hides_or_turns_round_is_refused() {
    for c in "\u{ad}\u{34f}\u{61c}\u{180e}\u{200b}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\
              \u{202d}\u{202e}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{feff}\u{fff9}\u{e000}\u{f8ff}\u{e0001}\
              \u{e0041}\u{e007f}\u{e0100}\u{e01ef}\u{f0000}\u{10fffd}"
        .chars()
    {
        let why = refused(format!("ok {c} ok"));
        assert!(why.starts_with("the character"), "{}: {why}", c.escape_unicode());
    }
    assert!(refused(format!("z{}", "\u{301}".repeat(9))).contains("tower"));
    assert!(refused(format!("ก{}", "\u{e47}".repeat(30))).contains("tower"));
    assert!(read(format!("z{}", "\u{301}".repeat(8)).as_bytes()).is_ok());
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    for bytes in [
        b"\x9b2J".as_slice(),
        b"\xff",
        b"\xc0\x9b",
        b"\xe2\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
    ] {
        assert_eq!(refused(bytes), "not UTF-8");
    }
}

#[test]
fn sequences_that_are_not_listed_are_refused() {
    for sequence in [
        "\x1b",
        "\x1bc",
        "\x1b7",
        "\x1bM",
        "\x1b(0",
        "\x1b#8",
        "\x1bPq\x1b\\",
        "\x1b_Gi=1\x1b\\",
        "\x1b^x\x1b\\",
        "\x1bXx\x1b\\",
        "\x1b\x1b[2J",
        "\x1b]0;owned\x07",
        "\x1b]2;owned\x1b\\",
        "\x1b]8;;http://x\x07",
        "\x1b]10;?\x07",
        "\x1b]11;#fff\x07",
        "\x1b]52;c;?\x07",
        "\x1b]52;c;no base64\x07",
        "\x1b]52;p;Q0Ex\x07",
        "\x1b]52;c;Q0Ex",
        "\x1b]52;c;Q0\u{9c}Ex\x07",
        "\x1b]11;?\x1b[c",
        "\x1b[3J",
        "\x1b[1;2;3H",
        "\x1b[99999H",
        "\x1b[5n",
        "\x1b[6n",
        "\x1b[>c",
        "\x1b[0c",
        "\x1b[21t",
        "\x1b[8;50;50t",
        "\x1b[!p",
        "\x1b[4h",
        "\x1b[?1h",
        "\x1b[?1000h",
        "\x1b[?1004h",
        "\x1b[?47h",
        "\x1b[?1049$p",
        "\x1b[?25;1000h",
        "\x1b[?2026",
        "\x1b[5m",
        "\x1b[8m",
        "\x1b[38;5;16m",
        "\x1b[38;2;1;2;3m",
        "\x1b[48;5m",
        "\x1b[38:5:1m",
        "\x1b[58;5;1m",
        "\x1b[2 q",
        "\x1b[1\x1b[2J",
        "\x1b[2b",
        "\x1b[r",
        "\x1b[L",
        "\x1b[1@",
    ] {
        refused(sequence);
        // Nor in the middle of what is good.
        refused(format!("good{sequence}good\x1b[0m"));
    }
}

#[test]
fn a_question_is_asked_once() {
    assert!(refused("\x1b[c\x1b[c").contains("CSI"));
    assert!(refused("\x1b]11;?\x1b\\\x1b]11;?\x1b\\").contains("again"));
}

#[test]
fn lines_have_no_sequence_at_all() {
    assert!(read_lines("one\ntwo é\n".as_bytes()).is_ok());
    assert_eq!(read_lines(b"one\x1b[0mtwo").unwrap_err().at, 3);
    assert!(read_lines(b"one\x07").is_err());
}

#[test]
fn what_is_beyond_the_screen_is_seen() {
    let picture = b"\x1b]11;?\x1b\\\x1b[c\x1b[?2026h\x1b[2J\x1b[38;5;9mtext\x1b[?2026l";
    assert_eq!(outside(picture, (80, 24)), Outside::default());
    assert_eq!(outside(b"\x1b]52;c;Q0Ex\x07", (80, 24)).copied, ["Q0Ex"]);
    for (bytes, what) in [
        (b"\x1b]0;owned\x07".as_slice(), "owned"),
        (b"\x07", "bell"),
        (b"\x1b[8;10;10t", "size"),
        (b"\x1b]8;;http://x\x07", "OSC"),
        (b"\x1b[>4;1m", "CSI"),
        (b"\x1bH", "escape"),
    ] {
        let other = outside(bytes, (80, 24)).other;
        assert!(other.iter().any(|said| said.contains(what)), "{other:?}");
    }
    assert!(outside(b"\x1b[?1000h", (80, 24)).keys_changed);
    assert!(outside(b"\x1b[?1h", (80, 24)).keys_changed);
}
