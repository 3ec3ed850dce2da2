//! The characters that are drawn with, in three sets: braille where the font has it, blocks where it has
//! not, ASCII where nothing else can be trusted. Each is one cell wide unless it says otherwise.

/// One set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// How a waveform is drawn.
    pub wave: Wave,
    /// Before the title of the pane that has the keys.
    pub focus: &'static str,
    /// The rule behind that title.
    pub rule_focus: &'static str,
    /// The rule behind any other title.
    pub rule: &'static str,
    /// Between left and right.
    pub divider: &'static str,
    /// The call under the cursor.
    pub selected: &'static str,
    /// The call that is heard.
    pub heard: &'static str,
    /// A call that is heard behind that one.
    pub behind: &'static str,
    /// Before what is not of now.
    pub past: &'static str,
    /// Where in the past one is.
    pub here: &'static str,
    /// So many times.
    pub times: &'static str,
    /// The entry that was found.
    pub found: &'static str,
    /// Before something that went wrong.
    pub trouble: &'static str,
    /// For a text that was cut.
    pub cut: &'static str,
    /// Between things said on one line.
    pub dot: &'static str,
    /// From whom to whom; one or two cells.
    pub arrow: &'static str,
    /// More above.
    pub up: &'static str,
    /// More below.
    pub down: &'static str,
    /// Around what stands between entries; one or two cells.
    pub dash: &'static str,
    /// A word that is masked; three cells.
    pub mask: &'static str,
    /// Where typed letters go.
    pub cursor: &'static str,
    /// Audio flows.
    pub live: &'static str,
    /// It rings, or is being dialled.
    pub ringing: &'static str,
    /// No audio, and none was expected to go on.
    pub quiet: &'static str,
    /// Audio is held back.
    pub paused: &'static str,
    /// Over.
    pub ended: &'static str,
    /// A meter of one cell that has nothing to show.
    pub track: &'static str,
    /// A cell of the talk balance that is the customer's.
    pub share_customer: &'static str,
    /// One that is the agent's.
    pub share_agent: &'static str,
    /// A cell of a bar, from empty to full. It leaves air above and below, so that rows stay apart.
    pub across: &'static [&'static str],
    /// A cell filled from the bottom, from empty to full.
    pub upward: &'static [&'static str],
    /// Top left, top right, bottom left, bottom right, across and down of a box.
    pub frame: [&'static str; 6],
}

/// How a waveform is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wave {
    /// Two columns and four dots a cell, around a middle line.
    Braille,
    /// One column a cell, from the bottom, by [`Glyphs::upward`].
    Bars,
}

impl Glyphs {
    /// For a terminal with a font that has braille: nearly all.
    pub const BRAILLE: Glyphs = Glyphs {
        wave: Wave::Braille,
        focus: "▌",
        rule_focus: "━",
        rule: "─",
        divider: "│",
        selected: ">",
        heard: "♪",
        behind: "♩",
        past: "◂",
        here: "◆",
        times: "×",
        found: "▶",
        trouble: "!",
        cut: "…",
        dot: "·",
        arrow: "→",
        up: "↑",
        down: "↓",
        dash: "—",
        mask: "•••",
        cursor: "▏",
        live: "●",
        ringing: "◌",
        quiet: "○",
        paused: "‖",
        ended: "×",
        track: "·",
        share_customer: "━",
        share_agent: "─",
        across: &["─", "╾", "━"],
        upward: &[" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
        frame: ["┌", "┐", "└", "┘", "─", "│"],
    };

    /// For a font without braille.
    pub const BLOCK: Glyphs = Glyphs {
        wave: Wave::Bars,
        ..Glyphs::BRAILLE
    };

    /// For a terminal that is not known to show UTF-8.
    pub const ASCII: Glyphs = Glyphs {
        wave: Wave::Bars,
        focus: "#",
        rule_focus: "=",
        rule: "-",
        divider: "|",
        selected: ">",
        heard: "*",
        behind: "+",
        past: "<",
        here: "#",
        times: "x",
        found: ">",
        trouble: "!",
        cut: "~",
        dot: "-",
        arrow: "->",
        up: "^",
        down: "v",
        dash: "--",
        mask: "***",
        cursor: "_",
        live: "o",
        ringing: "?",
        quiet: ".",
        paused: "\"",
        ended: "x",
        track: ".",
        share_customer: "=",
        share_agent: "-",
        across: &[".", "-", "="],
        upward: &[" ", ".", ":", "|"],
        frame: ["+", "+", "+", "+", "-", "|"],
    };
}

/// The one of `steps`, from empty to full, that `part` of a cell wants; what is not nothing shows.
pub fn step(steps: &'static [&'static str], part: f32) -> &'static str {
    let most = steps.len().saturating_sub(1);
    let at = (part.clamp(0.0, 1.0) * most as f32).round() as usize;
    steps.get(at.min(most)).copied().unwrap_or(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::buffer::CellWidth;

    #[test]
    fn every_glyph_has_the_width_that_the_layout_counts_with() {
        for set in [Glyphs::BRAILLE, Glyphs::BLOCK, Glyphs::ASCII] {
            let ones = [
                set.focus,
                set.rule_focus,
                set.rule,
                set.divider,
                set.selected,
                set.heard,
                set.behind,
                set.past,
                set.here,
                set.times,
                set.found,
                set.trouble,
                set.cut,
                set.dot,
                set.up,
                set.down,
                set.cursor,
                set.live,
                set.ringing,
                set.quiet,
                set.paused,
                set.ended,
                set.track,
                set.share_customer,
                set.share_agent,
            ];
            for glyph in ones.iter().chain(set.across).chain(set.upward).chain(&set.frame) {
                assert_eq!(glyph.cell_width(), 1, "{glyph:?}");
            }
            assert_eq!(set.mask.cell_width(), 3);
        }
        let ascii = format!("{:?}", Glyphs::ASCII);
        assert!(ascii.is_ascii(), "{ascii}");
    }

    #[test]
    fn a_step_is_chosen_from_empty_to_full() {
        let steps = Glyphs::BRAILLE.across;
        assert_eq!(
            (step(steps, -1.0), step(steps, 0.5), step(steps, 9.0)),
            ("─", "╾", "━")
        );
        assert_eq!(step(&[], 1.0), " ");
    }
}
