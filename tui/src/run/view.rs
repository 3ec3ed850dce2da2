//! What the app looks like on this terminal: a screen, or lines.

use super::canvas::Canvas;
use super::input::Input;
use super::{Glyphs, ThemeChoice};
use crate::app::state::App;
use crate::event::Sizes;
use crate::terminal::keys::Typed;
use crate::terminal::probe::Background;
use crate::terminal::{Manner, Terminal};
use crate::ui::plain::Plain;
use crate::ui::theme::Theme;
use crate::ui::{Look, glyphs, screen};

/// See the module.
pub(super) struct View {
    look: Look,
    /// Whether the terminal's background decides on the colours.
    is_asked: bool,
    size: (u16, u16),
    sort: Sort,
}

enum Sort {
    Screen(Box<Canvas>),
    Lines(Box<Plain>),
}

impl View {
    /// Asks the terminal what it has to ask; what was typed meanwhile comes too. `None` for a terminal that is
    /// gone already.
    pub(super) async fn open(
        terminal: &Terminal,
        input: &mut Input,
        manner: Manner,
        theme: Option<ThemeChoice>,
        glyphs: Glyphs,
    ) -> Option<(View, Vec<Typed>)> {
        let size = terminal.tty().size();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|text| !text.is_empty());
        let theme = theme.or(no_color.then_some(ThemeChoice::Mono));
        let mut typed = Vec::new();
        let chosen = match theme {
            Some(ThemeChoice::Dark) => Theme::DARK,
            Some(ThemeChoice::Light) => Theme::LIGHT,
            Some(ThemeChoice::Mono) => Theme::MONO,
            // Lines have no colours.
            None if manner == Manner::Lines => Theme::MONO,
            None => {
                let background;
                (background, typed) = input.ask(terminal).await?;
                let hint = std::env::var("COLORFGBG").ok();
                theme_on(background.unwrap_or_else(|| Background::hinted(hint.as_deref())))
            }
        };
        let glyphs = match glyphs {
            Glyphs::Braille => glyphs::Glyphs::BRAILLE,
            Glyphs::Block => glyphs::Glyphs::BLOCK,
            Glyphs::Ascii => glyphs::Glyphs::ASCII,
        };
        let sort = match manner {
            Manner::Screen => Sort::Screen(Box::new(Canvas::new(size))),
            Manner::Lines => Sort::Lines(Box::new(Plain::new())),
        };
        let view = View {
            look: Look {
                theme: chosen,
                glyphs,
            },
            is_asked: theme.is_none() && manner == Manner::Screen,
            size,
            sort,
        };
        Some((view, typed))
    }

    /// The background turned out to be this one, late; whether that changes anything.
    pub(super) fn set_background(&mut self, background: Background) -> bool {
        let theme = theme_on(background);
        let is_new = self.is_asked && self.look.theme != theme;
        if is_new {
            self.look.theme = theme;
        }
        is_new
    }

    /// The terminal may show anything by now, and have any size: the next picture is drawn whole.
    pub(super) fn begin_anew(&mut self, terminal: &Terminal) {
        self.size = terminal.tty().size();
        if let Sort::Screen(canvas) = &mut self.sort {
            **canvas = Canvas::new(self.size);
        }
    }

    /// What the app has to know of the layout.
    pub(super) fn sizes(&self, app: &App) -> Sizes {
        screen::sizes(app, &self.look, self.size.0, self.size.1)
    }

    /// The bytes that bring the terminal up to date, possibly none.
    pub(super) fn draw(&mut self, app: &App) -> Vec<u8> {
        match &mut self.sort {
            Sort::Screen(canvas) => canvas.draw(|buf| screen::draw(app, &self.look, buf.area, buf)),
            Sort::Lines(plain) => {
                // In our mode the terminal does not return the carriage by itself.
                let lines = plain.report(app).into_iter().map(|line| line + "\r\n");
                lines.collect::<String>().into_bytes()
            }
        }
    }
}

fn theme_on(background: Background) -> Theme {
    match background {
        Background::Dark => Theme::DARK,
        Background::Light => Theme::LIGHT,
    }
}
