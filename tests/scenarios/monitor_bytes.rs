//! Calls, and relays, whose texts want to be more than text: all that is written to the terminal is what our
//! screen is made of, and nothing of the terminal but its screen has changed.

mod any;
mod call;
mod headless;
mod relay;
mod texts;

use harness::Terminal;
use harness::emitted::{self, Emitted, Outside};

/// Sizes at which a screen has one pane, all above each other, and all side by side.
const SIZES: [(u16, u16); 3] = [(40, 10), (80, 24), (200, 60)];

/// All that was written, by the grammar. Where the harness has put its own mark behind it, that is left out.
#[track_caller]
fn emitted(terminal: &Terminal) -> Emitted {
    let raw = terminal.raw();
    let end = raw.windows(4).rposition(|bytes| bytes == b"\x1b]0;");
    let mark = end.map(|at| &raw[at + 4..]);
    let is_mark = mark.is_some_and(|mark| {
        let (last, number) = mark.split_last().expect("a mark ends");
        *last == 7 && number.iter().all(u8::is_ascii_digit)
    });
    let raw = if is_mark {
        &raw[..end.unwrap_or(raw.len())]
    } else {
        &raw
    };
    let outside = emitted::outside(raw, SIZES[2]);
    let emitted = emitted::expect(raw);
    assert_eq!(outside.copied.len(), emitted.copied.len());
    let rest = Outside {
        copied: Vec::new(),
        ..outside
    };
    assert_eq!(rest, Outside::default(), "nothing but the screen has changed");
    emitted
}

/// Where at 200 columns the right half begins: whatever the left shows, the line between them is straight.
const DIVIDER: u16 = 96;

/// Waits until each pane is where it belongs, at 200×60 and with all panes shown.
async fn expect_in_place(terminal: &Terminal) {
    let is_straight = |screen: &vt100::Screen| {
        let (rows, _) = screen.size();
        let cells = (0..rows.get() - 3).map(|row| screen.cell(row, DIVIDER));
        cells.flatten().all(|cell| cell.contents() == "│")
    };
    terminal.wait_until("panes side by side", is_straight).await;
}

/// Puts these keys in, each drawn.
async fn press(terminal: &Terminal, keys: &[&str]) {
    for key in keys {
        terminal.keys(key);
        if key.ends_with('\x1b') {
            // Alone it would be a key of its own only after a moment. Before an answer, which is no key, it is at once.
            terminal.keys("\x1b[?62;22c");
        }
        terminal.keys("?");
        terminal.wait_for("Keys").await;
        terminal.keys("?");
        terminal
            .wait_until("the panes again", |screen| !screen.contents().contains("Keys"))
            .await;
    }
}

/// Leaves the monitor, and looks at all that it wrote.
async fn quit(terminal: &Terminal) -> Emitted {
    press(terminal, &["\x1b"]).await;
    // What is not written when it ends is left out, in the middle of a sequence too.
    terminal
        .wait_until_written("a whole picture", |raw| raw.ends_with(b"\x1b[?2026l"))
        .await;
    terminal.keys("q");
    assert!(terminal.ended().await.success());
    terminal.expect_as_before();
    let emitted = emitted(terminal);
    let modes: Vec<_> = emitted.modes.iter().map(|(mode, on)| (*mode, *on)).collect();
    assert_eq!(modes, [(25, true), (1049, false), (2004, false), (2026, false)]);
    emitted
}
