//! The picker of the sound card, over the whole screen: two rows for each card, its name and what it offers or why
//! it cannot be opened. The same in lines to be read out is here as well.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use super::help::key;
use super::pen::{Pen, title};
use super::text;
use crate::app::picker::{Choice, Picker};
use crate::event::Intent;

/// Rows of one card.
const EACH: usize = 2;

/// What is said of the card that sound goes to.
const USED: &str = "in use";

/// Draws it into `area`; the cursor's card is always seen.
pub fn draw(picker: &Picker, look: &Look, area: Rect, buf: &mut Buffer) {
    let (theme, glyphs) = (&look.theme, &look.glyphs);
    let fitting = usize::from(area.height.saturating_sub(2)) / EACH;
    let top = (picker.at + 1).saturating_sub(fitting.max(1));
    let below = picker.rows.len().saturating_sub(top + fitting);
    let mut aside = String::new();
    for (glyph, count) in [(glyphs.up, top), (glyphs.down, below)] {
        if count > 0 {
            let gap = if aside.is_empty() { "" } else { " " };
            aside.push_str(&format!("{gap}{glyph}{count}"));
        }
    }
    let looking = if picker.is_looking { ", looking" } else { "" };
    let parts = [("Sound cards", theme.strong), (looking, theme.faded)];
    title(buf, area, look, true, &parts, &aside);
    let shown = picker.rows.iter().enumerate().skip(top).take(fitting);
    for (place, (at, choice)) in shown.enumerate() {
        let is_under = at == picker.at;
        let first = (1 + place * EACH) as u16;
        let mut pen = Pen::new(buf, area, first, glyphs.cut);
        pen.put(if is_under { glyphs.selected } else { " " }, theme.strong);
        pen.put(if choice.is_used { glyphs.heard } else { " " }, theme.strong)
            .skip(1);
        let style = if is_under || choice.is_used {
            theme.strong
        } else {
            theme.text
        };
        let mark = if choice.is_used {
            format!(" {} {USED}", glyphs.dot)
        } else {
            String::new()
        };
        let room = usize::from(pen.room()).saturating_sub(text::width(&mark));
        pen.put(&text::fit(&choice.name, room, glyphs.cut), style)
            .put(&mark, theme.good);
        if let Some(id) = choice.id.as_ref().filter(|id| **id != choice.name) {
            pen.put_whole(&format!("  {id}"), theme.faded);
        }
        if is_under {
            let line = Rect {
                y: area.y.saturating_add(first),
                height: 1,
                ..area
            };
            buf.set_style(line, theme.cursor);
        }
        let mut pen = Pen::new(buf, area, first + 1, glyphs.cut);
        pen.skip(4);
        match &choice.offers {
            None => pen.put(glyphs.cut, theme.faded),
            Some(Ok(offers)) => pen.put(offers, theme.faded),
            Some(Err(why)) => pen.put(&format!("{} {why}", glyphs.trouble), theme.trouble),
        };
    }
    if let Some(last) = area.height.checked_sub(1).filter(|last| *last > 0) {
        let mut pen = Pen::new(buf, area, last, glyphs.cut);
        pen.skip(1);
        for (keys, words) in [
            (key(Intent::Listen), "takes it"),
            (key(Intent::Devices), "again"),
            (key(Intent::Cancel), "leaves"),
        ] {
            pen.put(keys, theme.strong)
                .put(" ", theme.text)
                .put(words, theme.faded)
                .skip(2);
        }
    }
}

/// What was read out of it so far.
#[derive(Debug, Default)]
pub struct Told {
    is_open: bool,
    is_looking: bool,
    at: Option<(usize, Choice)>,
}

impl Told {
    /// What is new, as lines.
    pub fn report(&mut self, picker: Option<&Picker>, lines: &mut Vec<String>) {
        let Some(picker) = picker else {
            *self = Told::default();
            return;
        };
        if !self.is_open {
            let (take, again, leave) = (key(Intent::Listen), key(Intent::Devices), key(Intent::Cancel));
            lines.push(format!(
                "sound cards: Up and Down move, {take} takes one, {again} looks again, {leave} leaves"
            ));
        }
        let is_found = (self.is_looking || !self.is_open) && !picker.is_looking;
        if is_found {
            let count = picker.rows.len();
            lines.push(format!("{count} to choose from"));
        }
        let at = picker.choice().map(|choice| (picker.at, choice.clone()));
        if (is_found || self.at != at)
            && let Some(choice) = picker.choice()
        {
            lines.push(spoken(choice, picker.at, picker.rows.len()));
        }
        *self = Told {
            is_open: true,
            is_looking: picker.is_looking,
            at,
        };
    }
}

/// `2 of 3: USB Headset, in use, 48000 Hz, 2 channels`.
fn spoken(choice: &Choice, at: usize, of: usize) -> String {
    let mut says = format!("{} of {of}: {}", at + 1, choice.name);
    if choice.is_used {
        says.push_str(&format!(", {USED}"));
    }
    match &choice.offers {
        None => {}
        Some(Ok(offers)) => says.push_str(&format!(", {offers}")),
        Some(Err(why)) => says.push_str(&format!(", cannot be opened: {why}")),
    }
    says
}
