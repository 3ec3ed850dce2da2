//! The last rows: relays and who we are there, the sound, the newest notice, or what is being typed.
//! Trouble comes first and may take a second row, since it says what to do.

use partyline_shared::protocol::server::RelaysState;
use partyline_shared::text::clean;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Look;
use super::help;
use super::pen::Pen;
use super::text;
use super::words;
use crate::app::state::{App, Link, Notice, Pane, RelayView, Typing};
use crate::event::{Device, Intent};

/// Rows of the terminal from which the keys have a row of their own.
const WITH_KEYS: u16 = 18;
/// Rows from which trouble may take a second one.
const WITH_TROUBLE: u16 = 20;

/// Cells from which a part of what is wrong is worth reading.
const WORTH_CUTTING: u16 = 20;

/// What stands there while numbers and words are masked.
const PRIVACY: &str = " privacy ";

/// Rows that the status takes of a screen of that size.
pub fn rows(app: &App, look: &Look, columns: u16, rows: u16) -> u16 {
    let mut taken = 1;
    if rows >= WITH_KEYS {
        taken += 1;
    }
    if rows >= WITH_TROUBLE && is_long(app, look, columns) {
        taken += 1;
    }
    taken
}

fn is_long(app: &App, look: &Look, columns: u16) -> bool {
    let (words, _, is_trouble) = relays(app, look);
    is_trouble && !text::fits(&words, usize::from(columns.saturating_sub(2)))
}

/// Draws it.
pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let says = match (&app.typing, &app.notice) {
        (Some(typing), _) => Some(prompt(app, look, typing)),
        (None, Some(notice)) if notice.until > app.now.ms => Some(notice_words(look, notice)),
        _ => None,
    };
    let Some(says) = says else {
        let keys = area.height > 1;
        let place = Rect {
            height: area.height - u16::from(keys),
            ..area
        };
        state(app, look, place, buf);
        if keys {
            let mut pen = Pen::new(buf, area, area.height - 1, look.glyphs.cut);
            hints(app, look, &mut pen);
        }
        return;
    };
    let last = area.height - 1;
    if last > 0 {
        let place = Rect { height: last, ..area };
        state(app, look, place, buf);
    }
    let mut pen = Pen::new(buf, area, last, look.glyphs.cut);
    pen.skip(1);
    for (words, style) in &says {
        pen.put(words, *style);
    }
}

fn prompt(app: &App, look: &Look, typing: &Typing) -> Vec<(String, Style)> {
    let theme = &look.theme;
    let dot = look.glyphs.dot;
    let (what, after) = match typing.pane {
        Pane::Calls => {
            let (seen, all) = (app.list.order.len(), app.list.calls.len());
            (
                "filter",
                format!(" {dot} {seen} of {all} {dot} Enter keeps, Esc undoes"),
            )
        }
        pane => {
            let view = app.shown_texts().map(|texts| match pane {
                Pane::Events => &texts.events_view,
                _ => &texts.lines_view,
            });
            let is_nowhere = view.is_some_and(|view| !view.search.is_empty() && view.found.is_none());
            let found = if is_nowhere { "nothing matches, " } else { "" };
            let what = match pane {
                Pane::Events => "search the events",
                _ => "search the transcript",
            };
            (what, format!(" {dot} {found}Enter keeps, Esc undoes"))
        }
    };
    // The end of a long text is what is being typed.
    let count = typing.text.chars().count();
    let tail: String = typing.text.chars().skip(count.saturating_sub(30)).collect();
    vec![
        (format!("{what}: /"), theme.text),
        (clean(&tail), theme.strong),
        (look.glyphs.cursor.to_owned(), theme.strong),
        (after, theme.faded),
    ]
}

fn notice_words(look: &Look, notice: &Notice) -> Vec<(String, Style)> {
    if notice.is_trouble {
        let words = format!("{} {}", look.glyphs.trouble, notice.text);
        vec![(words, look.theme.trouble)]
    } else {
        vec![(notice.text.clone(), look.theme.strong)]
    }
}

/// Relays, user, sound: what is wrong is whole, of the rest what there is room for.
fn state(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    let theme = &look.theme;
    let (words, style, is_trouble) = relays(app, look);
    if area.height > 1 && is_trouble {
        let room = usize::from(area.width.saturating_sub(2));
        let words = text::safe(&words, room * usize::from(area.height));
        let ranges = text::wrap(&words, room);
        let most = usize::from(area.height);
        for (at, range) in ranges.iter().take(most).enumerate() {
            // The last row takes all that is left, and is cut.
            let end = if at + 1 == most { words.len() } else { range.end };
            let part = words.get(range.start..end).unwrap_or_default();
            let indent = if at == 0 { 1 } else { 3 };
            let mut pen = Pen::new(buf, area, at as u16, look.glyphs.cut);
            if at > 0 && app.privacy {
                pen.keep_right(PRIVACY.len() as u16).put(PRIVACY, theme.cursor);
            }
            pen.skip(indent).put(part, style);
        }
        return;
    }
    let is_last = area.height == 1 && area.y.saturating_add(1) == buf.area.bottom();
    let mut pen = Pen::new(buf, area, 0, look.glyphs.cut);
    pen.skip(1);
    let hint = format!("{} keys", help::key(Intent::Help));
    let help = if is_last { hint.as_str() } else { "" };
    let kept = text::width(help) as u16 + 2;
    if !help.is_empty() && pen.room() > kept + 20 {
        pen.keep_right(kept).skip(1).put(help, theme.faded);
    }
    if app.privacy {
        pen.put(PRIVACY, theme.cursor).skip(1);
    }
    pen.put(&words, style);
    for (words, style) in rest(app, look) {
        let room = pen.room().saturating_sub(3);
        // Trouble is said as far as there is room for more than its mark; the rest is whole, or is spared.
        let is_cut = words.starts_with(look.glyphs.trouble) && room >= WORTH_CUTTING;
        if !text::fits(&words, usize::from(room)) && !is_cut {
            continue;
        }
        pen.put(&format!(" {} ", look.glyphs.dot), theme.faded)
            .put(&words, style);
    }
}

/// The relays in one sentence, and whether it is trouble: the only one, or how many are there and the worst.
fn relays(app: &App, look: &Look) -> (String, Style, bool) {
    let theme = &look.theme;
    let worst = app.relays.iter().max_by_key(|relay| match relay.link {
        Link::Refused { .. } => 3,
        Link::Away { .. } => 2,
        Link::Connecting { .. } => 1,
        Link::Online { .. } => 0,
    });
    let Some(worst) = worst else {
        return ("no relay".to_owned(), theme.trouble, true);
    };
    let (words, is_trouble) = link(app, look, worst);
    let is_online = matches!(worst.link, Link::Online { .. });
    let style = match (is_trouble, is_online) {
        (true, _) => theme.trouble,
        (false, true) => theme.good,
        (false, false) => theme.text,
    };
    if app.relays.len() == 1 {
        return (words, style, is_trouble);
    }
    let online = app
        .relays
        .iter()
        .filter(|relay| matches!(relay.link, Link::Online { .. }))
        .count();
    let all = app.relays.len();
    if is_online {
        (
            format!("{} all {all} relays online", look.glyphs.live),
            style,
            false,
        )
    } else {
        (
            format!("{online} of {all} online {} {words}", look.glyphs.dot),
            style,
            is_trouble,
        )
    }
}

/// One relay's connection in words, and whether it is trouble.
pub fn link(app: &App, look: &Look, relay: &RelayView) -> (String, bool) {
    let glyphs = &look.glyphs;
    let name = relay.name.as_str();
    // Of an address that is a name, how it is spoken to is what can be spared.
    let name = ["https://", "http://"]
        .iter()
        .find_map(|scheme| name.strip_prefix(scheme))
        .unwrap_or(name);
    let clock = words::clock_short;
    match &relay.link {
        Link::Connecting { since } => (
            format!("{} {name} connecting since {} UTC", glyphs.ringing, clock(*since)),
            false,
        ),
        Link::Online { since } => (
            format!("{} {name} online since {} UTC", glyphs.live, clock(*since)),
            false,
        ),
        Link::Away { since, why, retry_at } => {
            let (since, wait, why) = (clock(*since), wait(app, *retry_at), reason(relay, why));
            (
                format!("{} {name} away since {since} UTC, {wait}: {why}", glyphs.trouble),
                true,
            )
        }
        Link::Refused { since, why, retry_at } => {
            let (since, why) = (clock(*since), reason(relay, why));
            let wait = retry_at.map_or_else(String::new, |at| format!(", {}", wait(app, at)));
            (
                format!("{} {name} refuses since {since} UTC{wait}: {why}", glyphs.trouble),
                true,
            )
        }
    }
}

/// When the next attempt is. It stands before the reason, which may be cut.
fn wait(app: &App, retry_at: u64) -> String {
    match retry_at.saturating_sub(app.now.ms).div_ceil(1000) {
        0 => "trying now".to_owned(),
        seconds => format!("next try in {seconds} s ({}: now)", help::key(Intent::Retry)),
    }
}

/// Why, without the address where that is the relay's name and was said before, and without the system's number.
fn reason(relay: &RelayView, why: &str) -> String {
    let mut why = why.to_owned();
    if relay.name == relay.url {
        why = why.replace(&format!(" at {}", relay.url), "");
    }
    if let Some((before, rest)) = why.split_once(" (os error ")
        && let Some((_, after)) = rest.split_once(')')
    {
        why = format!("{before}{after}");
    }
    why
}

/// What is known besides, the most important first.
fn rest(app: &App, look: &Look) -> Vec<(String, Style)> {
    let theme = &look.theme;
    let mut parts = Vec::new();
    parts.extend(app.relays.iter().filter_map(|relay| {
        let name = (app.relays.len() > 1).then_some(relay.name.as_str());
        shares(app, look, relay, name)
    }));
    if let Some(waits) = words::waits(app).filter(|_| app.heard.is_none()) {
        parts.push((waits, theme.strong));
    }
    match &app.device {
        Device::Missing { .. } | Device::Off => {
            let why = app.device.trouble().unwrap_or_default();
            parts.push((format!("{} {why}", look.glyphs.trouble), theme.trouble));
        }
        Device::Open { name, rate } => {
            parts.push((
                format!("{} {name} {} kHz", look.glyphs.heard, f64::from(*rate) / 1000.0),
                theme.text,
            ));
        }
        Device::Ready { name } => parts.push((format!("sound: {name}"), theme.text)),
        Device::Unknown => {}
    }
    if let [relay] = app.relays.as_slice() {
        if let Some(ms) = relay.round_trip_ms {
            parts.push((format!("ping {ms} ms"), theme.text));
        }
        if let Some((user, role)) = &relay.user {
            parts.push((format!("user {user} ({role})"), theme.text));
        }
    } else {
        let slowest = app.relays.iter().filter_map(|relay| relay.round_trip_ms).max();
        if let Some(ms) = slowest {
            parts.push((format!("slowest ping {ms} ms"), theme.text));
        }
    }
    parts
}

/// How a relay stands with those that share its calls, where there is something to say: what comes to others is not
/// seen while it is cut off.
fn shares(app: &App, look: &Look, relay: &RelayView, name: Option<&str>) -> Option<(String, Style)> {
    let of = name.map_or_else(String::new, |name| format!("{name}: "));
    let shares = relay.shares.filter(|_| relay.is_online())?;
    match shares.state {
        RelaysState::CutOff => {
            let since = app.now.utc.unix_ms().saturating_sub(shares.since.unix_ms());
            let words = format!(
                "{} {of}relays cut off for {}",
                look.glyphs.trouble,
                words::rough(since)
            );
            Some((words, look.theme.trouble))
        }
        RelaysState::CatchingUp => Some((format!("{of}relays catching up"), look.theme.text)),
        RelaysState::Shared if shares.relays > 1 => {
            Some((format!("{of}{} relays", shares.relays), look.theme.text))
        }
        RelaysState::Shared | RelaysState::Unknown => None,
    }
}

/// The keys that are of most use now, as many as fit.
fn hints(app: &App, look: &Look, pen: &mut Pen<'_>) {
    let theme = &look.theme;
    pen.skip(1);
    for (keys, words) in help::hints(app) {
        let keys = help::written(keys, look);
        if usize::from(pen.room()) < text::width(&keys) + text::width(words) + 2 {
            break;
        }
        pen.put(&keys, theme.strong)
            .put(" ", theme.text)
            .put(words, theme.faded)
            .skip(2);
    }
}
