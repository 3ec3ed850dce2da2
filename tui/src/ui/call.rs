//! The shown call: who, how long, what each side sounds like, and what becomes of its sound here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Look;
use super::calls::mood;
use super::pen::{Pen, title};
use super::scroll;
use super::text;
use super::waveform;
use super::words;
use crate::app::calls::Row;
use crate::app::state::{App, Pane, RelayView};
use crate::event::{Mix, Playback, Playing, Sides};

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
    // Who and the sound come first, then the waves, then the rest.
    let has_parties = rows >= 5;
    let has_talk = rows >= 6;
    let words_rows = 2 + u16::from(has_parties) + u16::from(has_talk);
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
    line(look, area, buf, at, &sound(app, look, row), WHOLE);
    if has_talk {
        line(look, area, buf, at + 1, &talk(look, row), WHOLE);
    }
}

fn head(app: &App, look: &Look, area: Rect, buf: &mut Buffer, row: Option<&Row>) {
    let theme = &look.theme;
    let mut parts = vec![("Call", theme.strong)];
    let says = if app.hears_shown() {
        format!(" {} {} you listen", look.glyphs.dot, look.glyphs.heard)
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

/// How the heard call sounds here, if it is this one; else what to do to hear it.
fn sound(app: &App, look: &Look, row: &Row) -> Parts {
    let theme = &look.theme;
    let mut parts = Parts::new();
    if !app.hears_shown() {
        let words = if words::is_over(row) {
            "over: its text can be read"
        } else if row.paused {
            "held back by a supervisor: nobody hears it"
        } else {
            "not listening: waves drawn from levels"
        };
        parts.push((words.to_owned(), theme.text));
        return parts;
    }
    let trouble = app.device.trouble();
    if let Some(why) = &trouble {
        parts.push((format!("{} {why}", look.glyphs.trouble), theme.trouble));
    }
    let playback = &app.playback;
    let style = match playback.state {
        Playing::Live => theme.good.patch(theme.strong),
        _ => theme.strong,
    };
    let is_waiting = playback.state == Playing::Waiting && app.as_of(row).is_some();
    let playing = if is_waiting && app.relay(row.key.relay).is_some_and(RelayView::is_online) {
        "waiting: the relay does not know this call now".to_owned()
    } else if is_waiting {
        "waiting for the relay".to_owned()
    } else {
        playing(playback)
    };
    let is_held = row.paused && matches!(playback.state, Playing::Live | Playing::Waiting);
    let (playing, style) = if is_held {
        ("silent: held back by a supervisor".to_owned(), theme.strong)
    } else {
        (playing, style)
    };
    parts.push((playing, style));
    let (set, usual) = settings(&app.mix);
    parts.extend(set.into_iter().map(|words| (words, theme.strong)));
    // Without a card nothing comes to an ear.
    if let Some(ms) = playback.delay_ms.filter(|_| trouble.is_none()) {
        parts.push((format!("{ms} ms to the ear"), theme.text));
    }
    let rest = usual.into_iter().chain(gaps(playback));
    parts.extend(rest.map(|words| (words, theme.text)));
    parts
}

/// What is set otherwise than at the start, which may be why somebody hears too little; and what is not.
fn settings(mix: &Mix) -> (Vec<String>, Vec<String>) {
    let ears = if mix.stereo { "stereo" } else { "mono" };
    let all = [
        (mix.muted, mix.muted.then(|| "muted".to_owned())),
        (mix.sides != Sides::Both, Some(words::sides(mix.sides).to_owned())),
        (
            mix.volume_db != 0,
            (!mix.muted).then(|| format!("volume {}", volume(mix.volume_db))),
        ),
        (!mix.stereo, Some(ears.to_owned())),
    ];
    let (set, usual): (Vec<_>, Vec<_>) = all.into_iter().partition(|(is_set, _)| *is_set);
    let words =
        |settings: Vec<(bool, Option<String>)>| settings.into_iter().filter_map(|(_, words)| words).collect();
    (words(set), words(usual))
}

/// What the player does, in words.
pub fn playing(playback: &Playback) -> String {
    let behind = words::short(u64::from(playback.behind_ms));
    match playback.state {
        Playing::Idle => "silent".to_owned(),
        Playing::Waiting => "waiting for its audio".to_owned(),
        Playing::Live => "live".to_owned(),
        Playing::Paused if playback.behind_ms == 0 => "paused".to_owned(),
        Playing::Paused => format!("paused, {behind} behind"),
        Playing::Behind => format!("{behind} behind live"),
        Playing::Over => "over, all of it was played".to_owned(),
    }
}

/// A gain.
pub fn volume(db: i8) -> String {
    match db {
        0 => "0 dB".to_owned(),
        db => format!("{db:+} dB"),
    }
}

/// What did not sound as it was said.
fn gaps(playback: &Playback) -> Vec<String> {
    let mut gaps = Vec::new();
    if playback.concealed_ms > 0 {
        gaps.push(format!("{} covered up", words::short(playback.concealed_ms)));
    }
    if playback.dropped_ms > 0 {
        gaps.push(format!("{} skipped", words::short(playback.dropped_ms)));
    }
    match playback.underruns {
        0 => {}
        1 => gaps.push("1 underrun".to_owned()),
        count => gaps.push(format!("{count} underruns")),
    }
    if gaps.is_empty() && playback.state != Playing::Idle && playback.state != Playing::Waiting {
        gaps.push("no gaps".to_owned());
    }
    gaps
}
