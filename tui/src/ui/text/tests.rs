//! Texts of all sorts, measured, cut, wrapped and searched.

use partyline_shared::text::is_unsafe;
use proptest::prelude::*;

use super::*;

fn wrapped(text: &str, room: usize) -> Vec<&str> {
    wrap(text, room).into_iter().map(|row| &text[row]).collect()
}

#[test]
fn a_cut_text_says_so_and_keeps_wide_characters_whole() {
    assert_eq!(fit("Anna", 4, "…"), "Anna");
    assert_eq!(fit("Annabel", 4, "…"), "Ann…");
    assert_eq!(fit("你好吗", 4, "…"), "你…", "half a character is none");
    assert_eq!(fit("👩\u{fe0f}x", 0, "…"), "…");
    assert_eq!(fit("e\u{301}e\u{301}e\u{301}", 2, "…"), "e\u{301}…");
    assert_eq!(fit("one two", 5, "…"), "one…", "no space before the mark");
    assert_eq!(fit("a\u{1b}[2Jb", 9, "…"), "a[2Jb");
}

#[test]
fn what_scripts_join_is_parted_where_it_is_too_wide() {
    let text = format!("{}क", "क\u{94d}".repeat(3));
    let parts: Vec<_> = graphemes(&text).collect();
    assert_eq!(
        parts,
        [("क\u{94d}", 1), ("क\u{94d}", 1), ("क\u{94d}", 1), ("क", 1)]
    );
    assert_eq!(width("ﾊﾞﾞﾞ"), 4);
    assert!(graphemes("ﾊﾞﾞﾞ👩\u{fe0f}你").all(|(_, cells)| cells <= WIDEST));
    assert_eq!(wrapped(&text, 2).len(), 2);
}

#[test]
fn rows_end_at_spaces_where_there_are_any() {
    assert_eq!(wrapped("I would like to know", 8), ["I would", "like to", "know"]);
    assert_eq!(wrapped("exactly eight", 7), ["exactly", "eight"]);
    assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
    assert_eq!(wrapped("你好世界", 5), ["你好", "世界"]);
    assert_eq!(wrapped("", 5), [""]);
    assert_eq!(wrapped("two  spaces", 4), ["two", "spac", "es"]);
    assert_eq!(wrapped("tail   ", 10), ["tail"]);
}

#[test]
fn a_search_finds_whatever_case_it_is_in() {
    assert_eq!(find("Refund the refund", "refund"), [0..6, 11..17]);
    assert_eq!(find("GRÜSSE", "grü"), std::iter::once(0..4).collect::<Vec<_>>());
    assert_eq!(find("aaa", "aa"), std::iter::once(0..2).collect::<Vec<_>>());
    assert!(find("abc", "").is_empty());
    assert!(find("abc", "bcd").is_empty());
}

proptest! {
    #[test]
    fn nothing_is_wider_than_its_room(text in "\\PC{0,60}|[a-z 你👍\u{301}]{0,60}", room in 1usize..20) {
        let cut = fit(&text, room, "…");
        prop_assert!(width(&cut) <= room, "{cut:?}");
        prop_assert!(!cut.chars().any(is_unsafe));
        for row in wrap(&text, room) {
            let row = &text[row];
            prop_assert!(width(row) <= room || graphemes(row).count() == 1, "{row:?} in {room}");
        }
    }

    #[test]
    fn wrapping_loses_nothing_but_spaces(text in "[a-z 你]{0,60}", room in 1usize..20) {
        let kept: String = wrapped(&text, room).concat().split(' ').collect();
        prop_assert_eq!(kept, text.split(' ').collect::<String>());
    }
}
