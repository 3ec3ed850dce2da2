//! Colours: the terminal's own background and letters, and a few of its 16 colours on them, so that the
//! user's palette is respected. A colour never says what no word or glyph says.

use ratatui::style::{Color, Modifier, Style};

/// What things look like, by what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Ordinary text.
    pub text: Style,
    /// What the eye should find first.
    pub strong: Style,
    /// What is over, not yet final, or only a label; a word or a place says so too.
    pub faded: Style,
    /// Rules and dividers, which say nothing.
    pub line: Style,
    /// The title of the pane that has the keys, and its rule.
    pub focus: Style,
    /// The customer's side.
    pub customer: Style,
    /// The agent's side.
    pub agent: Style,
    /// Audio flows, a relay is there.
    pub good: Style,
    /// Something is wrong.
    pub trouble: Style,
    /// The row under the cursor, over all other styles.
    pub cursor: Style,
    /// What was searched for.
    pub found: Style,
}

const PLAIN: Style = Style::new();
const BOLD: Style = PLAIN.add_modifier(Modifier::BOLD);
const DIM: Style = PLAIN.add_modifier(Modifier::DIM);
/// Letters and background change places, whatever colours were there.
const REVERSED: Style = PLAIN
    .fg(Color::Reset)
    .bg(Color::Reset)
    .add_modifier(Modifier::REVERSED)
    .remove_modifier(Modifier::DIM);

impl Theme {
    /// Light letters on dark. Blue, magenta and the dark red and yellow are too dark on it in common palettes.
    pub const DARK: Theme = Theme {
        text: PLAIN,
        strong: BOLD,
        faded: DIM,
        line: DIM,
        focus: BOLD.fg(Color::Cyan),
        customer: PLAIN.fg(Color::Cyan),
        agent: PLAIN.fg(Color::LightYellow),
        good: PLAIN.fg(Color::Green),
        trouble: BOLD.fg(Color::LightRed),
        cursor: REVERSED,
        found: REVERSED,
    };

    /// Dark letters on light. Of the 16 only blue and red are dark enough there in all common palettes.
    pub const LIGHT: Theme = Theme {
        focus: BOLD.fg(Color::Blue),
        customer: PLAIN.fg(Color::Blue),
        agent: PLAIN,
        good: PLAIN,
        trouble: BOLD.fg(Color::Red),
        ..Theme::DARK
    };

    /// No colour at all, as `NO_COLOR` asks for.
    pub const MONO: Theme = Theme {
        focus: BOLD,
        customer: PLAIN,
        agent: PLAIN,
        good: PLAIN,
        trouble: BOLD,
        ..Theme::DARK
    };

    /// All styles that words are written in.
    pub fn all(&self) -> [Style; 10] {
        [
            self.text,
            self.strong,
            self.faded,
            self.focus,
            self.customer,
            self.agent,
            self.good,
            self.trouble,
            self.cursor,
            self.found,
        ]
    }
}

#[cfg(test)]
mod tests;
