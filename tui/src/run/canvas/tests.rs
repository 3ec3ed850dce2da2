//! Pictures, as a terminal shows them that joins no characters.

use std::num::NonZero;

use partyline_shared::text::clean;
use proptest::prelude::*;
use ratatui::style::Style as Dress;

use super::*;
use crate::ui::pen::Pen;

fn terminal(columns: u16, rows: u16) -> vt100::Parser {
    vt100::Parser::new(NonZero::new(rows).unwrap(), NonZero::new(columns).unwrap(), 0)
}

/// Rows of words from the left, and a mark at the right edge of each.
fn picture(rows: &'static [&str]) -> impl Fn(&mut Buffer) {
    move |buf: &mut Buffer| {
        let red = Dress::new().fg(Color::LightRed).add_modifier(Modifier::BOLD);
        for (y, row) in (0..).zip(rows) {
            buf.set_string(0, y, row, red);
            let edge = buf.area.right() - 1;
            buf.set_string(edge, y, "|", Dress::new());
        }
    }
}

#[test]
fn only_what_has_changed_is_written() {
    let mut canvas = Canvas::new((10, 3));
    let first = canvas.draw(picture(&["", "one"]));
    let text = String::from_utf8(first).unwrap();
    assert!(text.contains("\x1b[2J"), "what stood there goes");
    assert!(text.contains("\x1b[2;1H\x1b[0;1;91mone"), "{text:?}");
    assert_eq!(canvas.draw(picture(&["", "one"])), b"");
    let second = canvas.draw(picture(&["", "onx"]));
    let text = String::from_utf8(second).unwrap();
    assert_eq!(text, "\x1b[?2026h\x1b[2;3H\x1b[0;1;91mx\x1b[0m\x1b[?2026l");
    assert_eq!(canvas.draw(picture(&["", "onx"])), b"");
}

#[test]
fn an_empty_first_picture_clears_and_one_without_cells_is_none() {
    assert_eq!(
        Canvas::new((10, 3)).draw(|_| {}),
        b"\x1b[?2026h\x1b[0m\x1b[2J\x1b[0m\x1b[?2026l"
    );
    let mut none = Canvas::new((0, 0));
    none.draw(|_| {});
    assert_eq!(none.draw(|_| {}), b"");
}

/// What a terminal makes of clusters is its own affair; what stands beside and behind them is ours.
#[test]
fn whatever_a_cluster_is_drawn_as_its_neighbours_stand_where_they_belong() {
    const PICTURES: [&[&str]; 5] = [
        &["ab🇩🇪🇺🇦cd", "1️⃣☎️x", "👍🏽e\u{301}y", "好世ﾊz", "12345678🇩🇪"],
        &["abcdefghij", "----------", "zzzzzzzz", "", "x"],
        &["🇩🇪🇺🇦🇩🇪🇺🇦", "x", "", "👍🏽👍🏽👍🏽", "123456👍🏽👍🏽"],
        &["", "", "", "", ""],
        &["🇩🇪", "a☎️", "☎️☎️☎️☎️☎️", "🏳️🌈", "1234567☎️"],
    ];
    let mut canvas = Canvas::new((11, 5));
    let mut shown = terminal(11, 5);
    for rows in PICTURES.iter().chain(PICTURES.iter().rev()) {
        shown.process(&canvas.draw(picture(rows)));
        for (y, row) in (0..).zip(*rows) {
            let cell = |x| shown.screen().cell(y, x).unwrap();
            assert_eq!(
                cell(10).contents(),
                "|",
                "the edge of {row:?}:\n{}",
                shown.screen().contents()
            );
            if row.is_ascii() {
                let line: String = (0..10).map(|x| cell(x).contents()).collect();
                assert_eq!(line.trim_end(), *row, "nothing is left of what stood there");
            }
        }
    }
}

#[test]
fn at_the_edge_nothing_goes_on_in_the_next_row() {
    let mut canvas = Canvas::new((4, 2));
    let mut shown = terminal(4, 2);
    shown.process(&canvas.draw(|buf| {
        buf.set_string(0, 0, "ab🇩🇪", Dress::new());
        buf.set_string(0, 1, "ab🇩🇪", Dress::new());
    }));
    let rows: Vec<_> = shown
        .screen()
        .rows(0, 4)
        .map(|row| row.trim_end().to_owned())
        .collect();
    assert_eq!(rows, ["ab", "ab"]);
}

#[test]
fn styles_are_whole_and_of_sixteen_colours() {
    let mut canvas = Canvas::new((4, 1));
    let bytes = canvas.draw(|buf| {
        let all = Modifier::all();
        buf.set_string(
            0,
            0,
            "a",
            Dress::new().fg(Color::White).bg(Color::Blue).add_modifier(all),
        );
        buf.set_string(
            1,
            0,
            "b",
            Dress::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(200)),
        );
        buf.set_string(2, 0, "c", Dress::new().fg(Color::DarkGray));
    });
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.contains("\x1b[0;1;2;3;4;7;9;97;44ma\x1b[0mb\x1b[0;90mc\x1b[0m"),
        "{text:?}"
    );
}

fn line(text: &str) -> impl Fn(&mut Buffer) {
    move |buf: &mut Buffer| {
        let area = buf.area;
        Pen::new(buf, area, 0, "…").put(text, Dress::new());
    }
}

/// Whatever was shown before, the same picture looks the same.
fn expect_nothing_left(texts: &[&str]) {
    let mut canvas = Canvas::new((30, 1));
    let mut shown = terminal(30, 1);
    for text in texts {
        shown.process(&canvas.draw(line(text)));
        let mut fresh = terminal(30, 1);
        fresh.process(&Canvas::new((30, 1)).draw(line(text)));
        let cells = |parser: &vt100::Parser| -> Vec<String> {
            let cell = |x| parser.screen().cell(0, x).unwrap().contents().trim().to_owned();
            (0..30).map(cell).collect()
        };
        assert_eq!(cells(&shown), cells(&fresh), "{text:?} of {texts:?}");
    }
}

#[test]
fn nothing_is_left_of_any_script() {
    expect_nothing_left(&[
        "pa18 你好世界，ｆｕｌｌ ﾊﾟﾊﾞ 한국어",
        "pa23 \\u001b[2J",
        "",
        "ﾊﾞﾞﾞ",
        "x",
    ]);
    expect_nothing_left(&[
        "®0🕨\u{1133f}",
        "0\u{1afb5}",
        "0\u{113d7}\u{bca}",
        "x",
        "aaa® A\u{bc6}",
        "aa",
    ]);
    expect_nothing_left(&["a<\u{fffd}\u{113c5}", "a<", "a \u{fffd}𑵆0", "®A\u{fffd}"]);
    expect_nothing_left(&[
        "pa19 👩🚀👨👩👧👦🇩🇪🇺🇦1️⃣👍🏽☎️🏳️🌈",
        "pa20 שלום עולם مرحبا",
        "pa19 👩🚀",
        "",
    ]);
}

proptest! {
    #[test]
    fn nothing_is_left_of_anything(
        texts in prop::collection::vec("([a-c ]|[你ﾊﾞ☎👍🏽🇩🇪🇺\u{fe0f}\u{301}क\u{94d}ᄀ\u{1161}]|\\PC){0,40}", 1..6)
    ) {
        let texts: Vec<String> = texts.iter().map(|text| clean(text)).collect();
        expect_nothing_left(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
