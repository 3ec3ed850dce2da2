//! What holds at any size and for any text.

use partyline_shared::text::is_unsafe;
use proptest::prelude::*;
use ratatui::buffer::{Buffer, CellWidth};

use super::fixture::{busy, call, key, relay, said, with};
use super::{Look, MONO, drawn, rows};
use crate::app::state::{App, Link, Notice, Pane, Typing};
use crate::app::text::Side;
use crate::ui::glyphs::Glyphs;
use crate::ui::theme::Theme;

const PANES: [Pane; 4] = [Pane::Calls, Pane::Call, Pane::Transcript, Pane::Events];

/// Every row is as wide as the screen, and nothing in it does more than show itself.
fn check(buf: &Buffer) {
    for cells in buf.content.chunks(usize::from(buf.area.width.max(1))) {
        let mut at = 0;
        while let Some(cell) = cells.get(at) {
            let symbol = cell.symbol();
            assert!(!symbol.chars().any(is_unsafe), "{symbol:?}");
            let width = usize::from(cell.cell_width());
            assert!(width > 0, "{symbol:?} takes no cell");
            for hidden in cells.iter().skip(at + 1).take(width - 1) {
                assert_eq!(hidden.symbol(), " ", "under {symbol:?}");
            }
            at += width;
        }
        assert_eq!(at, cells.len(), "a wide character stands over the edge");
    }
}

#[test]
fn every_small_size_is_drawn() {
    let mut app = busy();
    for help in [false, true] {
        app.help = help;
        for columns in 0..=45 {
            for rows in 0..=12 {
                for focus in PANES {
                    app.focus = focus;
                    check(&drawn(&app, &MONO, columns, rows));
                }
            }
        }
    }
}

#[test]
fn colour_says_nothing_that_the_words_do_not() {
    let app = busy();
    for (columns, lines) in [(60, 15), (100, 30), (200, 60)] {
        let words = rows(&drawn(&app, &MONO, columns, lines));
        for theme in [Theme::DARK, Theme::LIGHT] {
            let look = Look { theme, ..MONO };
            assert_eq!(rows(&drawn(&app, &look, columns, lines)), words);
        }
    }
    // The cursor, the focus and a match are told apart by more than the style.
    let mut moved = app.clone();
    moved.list.selected = Some(key(0, 3));
    assert_ne!(
        rows(&drawn(&app, &MONO, 100, 30)),
        rows(&drawn(&moved, &MONO, 100, 30))
    );
    let mut turned = app.clone();
    turned.focus = Pane::Transcript;
    assert_ne!(
        rows(&drawn(&app, &MONO, 100, 30)),
        rows(&drawn(&turned, &MONO, 100, 30))
    );
}

/// A monitor that has `text` wherever a text from outside can be.
fn hostile(text: &str) -> App {
    let own = || Some(text.to_owned());
    let mut row = call(0);
    (row.customer_id, row.customer, row.agent) = (own(), own(), own());
    (row.from, row.to, row.direction) = (own(), own(), own());
    row.transcription.customer = text.to_owned();
    let mut app = with(busy(), vec![row]);
    app.heard.clone_from(&app.shown);
    app.relays.push(relay(text));
    app.relays[0].user = Some((text.to_owned(), text.to_owned()));
    app.relays[1].link = Link::Away {
        since: app.now.utc,
        why: text.to_owned(),
        retry_at: 0,
    };
    app.list.filter = text.to_owned();
    let texts = app.texts.get_mut(&key(0, 0)).unwrap();
    texts.lines.push(said(20, "13:04:59", Side::Agent, text));
    texts.lines_view.search = text.to_lowercase();
    if let Some(last) = texts.events.last_mut() {
        last.detail = vec![(text.to_owned(), text.to_owned())];
    }
    app.device = crate::event::Device::Missing { why: text.to_owned() };
    app
}

#[test]
fn ten_thousand_characters_change_nothing() {
    for text in [
        "x".repeat(10_000),
        "好".repeat(10_000),
        format!("e{}", "\u{301}".repeat(10_000)),
        "\u{1b}[2J".repeat(2500),
    ] {
        for (columns, rows) in [(40, 10), (80, 24), (200, 60)] {
            check(&drawn(&hostile(&text), &MONO, columns, rows));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_from_outside_gets_out_of_its_place(
        text in "(\\PC|[\\x00-\\x1f\\x7f-\\x9f\u{200b}-\u{206f}\u{fe00}-\u{fe0f}\u{1f1e6}-\u{1f1ff}a-z 你👍ﾞ\u{301}]){0,80}",
        columns in 0u16..230,
        lines in 0u16..70,
        pane in 0usize..4,
        state in 0u8..4,
    ) {
        let mut app = hostile(&text);
        app.focus = PANES[pane];
        app.privacy = state == 1;
        if state == 2 {
            app.typing = Some(Typing { text: text.clone(), before: String::new(), pane: app.focus });
        }
        if state == 3 {
            app.notice = Some(Notice { text: text.clone(), is_trouble: true, until: u64::MAX });
        }
        let glyphs = if state == 0 { Glyphs::ASCII } else { Glyphs::BRAILLE };
        check(&drawn(&app, &Look { theme: Theme::DARK, glyphs }, columns, lines));
    }
}
