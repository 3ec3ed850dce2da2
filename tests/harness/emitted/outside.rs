//! What else a terminal has besides its screen, by another reader than the grammar: an emulator that tells of
//! all that reaches beyond its cells.

use super::nonzero;

/// What of a terminal outlives what stands on it, as `(sort, content)`, in order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outside {
    /// Clipboards written to.
    pub copied: Vec<String>,
    /// Titles, bells, sizes, pastes, and whatever the emulator does not know.
    pub other: Vec<String>,
    /// A mode that changes what keys or the mouse send, at the end.
    pub keys_changed: bool,
}

/// All of it that these bytes do to a terminal of that size.
pub fn outside(bytes: &[u8], (cols, rows): (u16, u16)) -> Outside {
    let mut parser = vt100::Parser::new_with_callbacks(nonzero(rows), nonzero(cols), 0, Outside::default());
    parser.process(bytes);
    let screen = parser.screen();
    let keys_changed = screen.application_keypad()
        || screen.application_cursor()
        || screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
    Outside {
        keys_changed,
        ..parser.callbacks().clone()
    }
}

impl Outside {
    fn note(&mut self, what: &str, content: &[u8]) {
        self.other.push(format!("{what} {}", content.escape_ascii()));
    }
}

impl vt100::Callbacks for Outside {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.note("bell", b"");
    }

    fn visual_bell(&mut self, _: &mut vt100::Screen) {
        self.note("bell", b"");
    }

    fn resize(&mut self, _: &mut vt100::Screen, (rows, cols): (u16, u16)) {
        self.note("size", format!("{cols}x{rows}").as_bytes());
    }

    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, name: &[u8]) {
        self.note("icon", name);
    }

    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.note("title", title);
    }

    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.copied.push(data.escape_ascii().to_string());
    }

    fn paste_from_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8]) {
        self.note("paste", b"");
    }

    fn unhandled_char(&mut self, _: &mut vt100::Screen, c: char) {
        // What stands for a character that is none shows itself.
        if c == '\u{fffd}' {
            return;
        }
        self.note("character", c.escape_unicode().to_string().as_bytes());
    }

    fn unhandled_control(&mut self, _: &mut vt100::Screen, byte: u8) {
        self.note("control", &[byte]);
    }

    fn unhandled_escape(&mut self, _: &mut vt100::Screen, _: Option<u8>, _: Option<u8>, byte: u8) {
        // The end of a command, which was told already.
        if byte != b'\\' {
            self.note("escape", &[byte]);
        }
    }

    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        intermediate: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        letter: char,
    ) {
        // What a picture is wrapped in, and the question for the sort of terminal.
        let is_known = match (intermediate, letter) {
            (Some(b'?'), 'h' | 'l') => params == [[2026].as_slice()],
            (None, 'c') => true,
            _ => false,
        };
        if !is_known {
            self.note("CSI", format!("{intermediate:?} {params:?} {letter}").as_bytes());
        }
    }

    fn unhandled_osc(&mut self, _: &mut vt100::Screen, params: &[&[u8]]) {
        if params != [b"11".as_slice(), b"?"] {
            self.note("OSC", &params.join(&b';'));
        }
    }
}
