//! What may reach a terminal. Caller names and transcripts are an attacker's text: an escape sequence
//! in one can clear the screen, set the title or write the clipboard; a bidi control can turn the line
//! around. The relay cleans what it takes in, and the client cleans again what it shows.

use unicode_width::UnicodeWidthChar;

/// Longest text of a line or name kept, in characters.
pub const MAX_TEXT: usize = 4096;

/// Combining marks kept on one character; more is no writing but a tower that covers its neighbours.
const MAX_MARKS: usize = 4;

/// The same for scripts that build a syllable of what takes no cell of its own: Burmese and Tibetan need six.
const MAX_STACKED: usize = 8;

/// Whether `c` changes how a terminal behaves or what surrounds it, instead of showing itself:
/// C0, DEL, C1, line and paragraph separators, bidi and zero-width controls, tags, variation
/// selectors' supplement, Egyptian formatting, and what is no character at all.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e000}'..='\u{f8ff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{13430}'..='\u{1343f}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}'
            | '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe
}

fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036f}' | '\u{0483}'..='\u{0489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}' | '\u{fe00}'..='\u{fe0f}')
}

/// `text` without what [`is_unsafe`] names (a tab or line break becomes a space), at most
/// [`MAX_TEXT`] characters, four combining marks on a character, and eight of whatever takes no cell.
pub fn clean(text: &str) -> String {
    let mut marks = 0;
    text.chars()
        .map(|c| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c })
        .filter(|&c| !is_unsafe(c))
        .filter(|&c| {
            let most = match c {
                _ if is_mark(c) => MAX_MARKS,
                _ if c.width() == Some(0) => MAX_STACKED,
                _ => {
                    marks = 0;
                    return true;
                }
            };
            marks += 1;
            marks <= most
        })
        .take(MAX_TEXT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_and_controls_are_gone_and_writing_stays() {
        assert_eq!(clean("\u{1b}]0;owned\u{7}ok"), "]0;ownedok");
        assert_eq!(clean("a\u{202e}b\u{200b}c\u{9b}d"), "abcd");
        assert_eq!(clean("one\ntwo\tthree"), "one two three");
        assert_eq!(
            clean("Grüße, 你好, привет, שלום e\u{301}"),
            "Grüße, 你好, привет, שלום e\u{301}"
        );
        assert_eq!(clean(&format!("z{}", "\u{301}".repeat(50))).chars().count(), 5);
        assert_eq!(clean(&format!("ก{}", "\u{e47}".repeat(50))).chars().count(), 9);
        assert_eq!(clean("မြွှို့ བསྒྲུབས"), "မြွှို့ བསྒྲུབས");
        assert_eq!(clean("\u{1fffe}a\u{fdd0}b\u{13430}c"), "abc");
        let hidden = "\u{301}\u{200b}".repeat(50);
        assert_eq!(
            clean(&format!("z{hidden}")).chars().count(),
            5,
            "what is removed parts no marks"
        );
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let fits = "ü".repeat(MAX_TEXT);
        assert_eq!(clean(&fits), fits);
        assert_eq!(clean(&format!("{fits}x")), fits);
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in "\\PC*|[\\x00-\\x1f\\x7f-\\x9f\u{200b}-\u{206f}a-z]*") {
            let cleaned = clean(&text);
            prop_assert!(!cleaned.chars().any(is_unsafe));
            prop_assert_eq!(clean(&cleaned), cleaned);
        }
    }
}
