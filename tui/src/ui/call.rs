//! The shown call: who, how long, what each side sounds like, and what becomes of its sound here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

mod past;
mod sound;
mod truth;

use super::Look;
use super::calls::mood;
use super::pen::{Pen, title};
use super::scroll;
use super::text;
use super::waveform;
use super::words;
use crate::app::calls::Row;
use crate::app::state::{App, Pane};

pub use past::playing;
pub use sound::{side, volume};

/// Rows of each side's waveform beyond which it only looks coarse.
const WAVE_MOST: u16 = 6;

/// Cells in which enough of a name can be read, with what it is the name of.
const NAME_LEAST: u16 = 14;
/// Words of which a part is worth nothing.
const WHOLE: u16 = u16::MAX;

/// Words of a line, each with its style, the most important first.
type Parts = Vec<(String, Style)>;

/// Draws the pane.
pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let row = app.shown.as_ref().and_then(|key| app.list.calls.get(key));
    head(app, look, area, buf, row);
    let Some(row) = row else {
        let words = if app.list.order.is_empty() {
            "A call's parties, sound and words are shown here."
        } else {
            "No call is selected: the arrow keys choose one, Enter listens."
        };
        scroll::draw_words(words, look, area, buf);
        return;
    };
    let rows = area.height.saturating_sub(1);
    // Who and the sound come first, then the waves, then what is true of the sound, then the rest.
    let is_heard = app.hears_shown();
    let truth = if is_heard {
        truth::parts(app, look, row)
    } else {
        Parts::new()
    };
    let has_truth = is_heard && rows >= 5;
    let needed = 5 + u16::from(is_heard);
    let has_parties = rows >= needed;
    let has_talk = rows > needed;
    let words_rows = 2 + [has_truth, has_parties, has_talk]
        .map(u16::from)
        .iter()
        .sum::<u16>();
    let wave = (rows.saturating_sub(words_rows) / 2).min(WAVE_MOST);
    let mut at = 1;
    line(look, area, buf, at, &who(app, look, row), NAME_LEAST);
    at += 1;
    if has_parties {
        line(look, area, buf, at, &parties(app, look, row), WHOLE);
        at += 1;
    }
    for (name, columns, style) in [
        ("C", &app.history.columns.customer, look.theme.customer),
        ("A", &app.history.columns.agent, look.theme.agent),
    ] {
        if wave == 0 {
            continue;
        }
        // The letter stands where silence is.
        let letter = at + waveform::silence(look, wave);
        Pen::new(buf, area, letter, look.glyphs.cut)
            .skip(1)
            .put(name, style);
        let place = Rect {
            x: area.x.saturating_add(3),
            y: area.y.saturating_add(at),
            width: area.width.saturating_sub(4),
            height: wave,
        };
        waveform::draw(columns, look, place, buf, style);
        at += wave;
    }
    let (mut sound, usual) = sound::parts(app, look, row);
    // Without a row of its own, what is true goes before what is as ever.
    let (behind, own) = if has_truth {
        (Parts::new(), truth)
    } else {
        (truth, Parts::new())
    };
    sound.extend(behind.into_iter().chain(usual));
    line(look, area, buf, at, &sound, WHOLE);
    if has_truth {
        at += 1;
        line(look, area, buf, at, &own, WHOLE);
    }
    if has_talk {
        line(look, area, buf, at + 1, &talk(look, row), WHOLE);
    }
}

fn head(app: &App, look: &Look, area: Rect, buf: &mut Buffer, row: Option<&Row>) {
    let theme = &look.theme;
    let mut parts = vec![("Call", theme.strong)];
    let says = if app.hears_shown() {
        let others = match app.behind.len() {
            0 => String::new(),
            count => format!(", {count} behind it"),
        };
        format!(" {} {} you listen{others}", look.glyphs.dot, look.glyphs.heard)
    } else if row.is_some_and(|row| app.hears_behind(&row.key)) {
        format!(" {} {} heard behind", look.glyphs.dot, look.glyphs.behind)
    } else if row.is_some_and(words::is_over) {
        format!(" {} over", look.glyphs.dot)
    } else {
        format!(" {} Enter listens", look.glyphs.dot)
    };
    if row.is_some() {
        parts.push((says.as_str(), theme.text));
    }
    let other = match &app.heard {
        Some(heard) if !app.hears_shown() => {
            format!(
                "{} you listen to {}",
                look.glyphs.heard,
                words::call_name(app, heard)
            )
        }
        _ => String::new(),
    };
    let other = text::fit(&other, usize::from(area.width / 2), look.glyphs.cut);
    title(buf, area, look, app.focus == Pane::Call, &parts, &other);
}

/// Writes as many of the parts as there is room for, with a dot between them; the first one at any rate, and one
/// that is cut where so many cells are left.
fn line(look: &Look, area: Rect, buf: &mut Buffer, at: u16, parts: &Parts, cut_from: u16) {
    let mut pen = Pen::new(buf, area, at, look.glyphs.cut);
    pen.skip(1);
    for (count, (words, style)) in parts.iter().enumerate() {
        if count > 0 {
            let room = pen.room().saturating_sub(3);
            if room < cut_from && !text::fits(words, usize::from(room)) {
                break;
            }
            pen.put(&format!(" {} ", look.glyphs.dot), look.theme.faded);
        }
        pen.put(words, *style);
    }
}

fn who(app: &App, look: &Look, row: &Row) -> Parts {
    let theme = &look.theme;
    let state = words::state(row, &look.glyphs);
    let mut parts = Parts::new();
    let as_of = app.as_of(row);
    let time = words::lasted(app, row).map(words::duration).unwrap_or_default();
    let style = match as_of {
        Some(_) => theme.strong,
        None => mood(look, state.mood, theme.strong),
    };
    let state = format!("{} {} {time}", state.glyph, state.word);
    parts.push((state.trim_end().to_owned(), style));
    parts.push((
        format!("customer {}", words::customer(row, app.privacy)),
        theme.customer.patch(theme.strong),
    ));
    if row.agent.is_some() {
        parts.push((
            format!("agent {}", words::agent(row, app.privacy)),
            theme.agent.patch(theme.strong),
        ));
    } else {
        parts.push(("no agent yet".to_owned(), theme.text));
    }
    if let Some(since) = as_of {
        let words = format!("{} as of {} UTC", look.glyphs.trouble, words::clock_short(since));
        parts.insert(1, (words, theme.trouble));
    }
    if row.paused {
        parts.push(("held back by a supervisor".to_owned(), theme.text));
    }
    parts
}

fn parties(app: &App, look: &Look, row: &Row) -> Parts {
    let theme = &look.theme;
    let mut parts = vec![(words::parties(row, app.privacy, look.glyphs.arrow), theme.text)];
    if let Some(way) = words::way(row) {
        parts.push((way.to_owned(), theme.text));
    }
    if app.relays.len() > 1
        && let Some(relay) = app.relay(row.key.relay)
    {
        parts.push((format!("relay {}", relay.name), theme.text));
    }
    if let Some(at) = row.started_at {
        parts.push((format!("since {} UTC", words::clock(at)), theme.text));
    }
    parts.push((row.key.call.as_str().to_owned(), theme.faded));
    parts
}

fn talk(look: &Look, row: &Row) -> Parts {
    let theme = &look.theme;
    let mut parts = Parts::new();
    if row.lost_ms > 0 {
        parts.push((
            format!("{} {} never came", look.glyphs.trouble, words::short(row.lost_ms)),
            theme.trouble,
        ));
    }
    parts.push(match words::customer_share(row.talk_ms) {
        Some(share) => (
            format!(
                "talk: customer {share} %, agent {} %",
                100_u8.saturating_sub(share)
            ),
            theme.text,
        ),
        None => ("nobody spoke yet".to_owned(), theme.text),
    });
    let count = row.listeners;
    parts.push((
        match count {
            0 => "nobody listens".to_owned(),
            1 => "1 listener".to_owned(),
            _ => format!("{count} listeners"),
        },
        theme.text,
    ));
    let (c, a) = (&row.transcription.customer, &row.transcription.agent);
    let known = |state: &str| if state.is_empty() { "none" } else { state }.to_owned();
    let text = if c == a {
        format!("speech-to-text {}", known(c))
    } else {
        format!("speech-to-text C {}, A {}", known(c), known(a))
    };
    let style = if c == "failed" || a == "failed" {
        theme.trouble
    } else {
        theme.text
    };
    parts.push((text, style));
    parts
}
