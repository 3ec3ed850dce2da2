//! Where in time one is in the heard call: how far behind live, on a bar of all that is remembered, and how it is
//! played.

use super::{Parts, words};
use crate::app::seats::REMEMBERED_MS;
use crate::app::state::App;
use crate::event::{Playback, Playing};
use crate::ui::Look;

/// Cells of the bar: a quarter of a minute each.
const BAR: usize = 20;

/// What the player does, in words.
pub fn playing(playback: &Playback) -> String {
    let behind = words::duration(i64::from(playback.behind_ms));
    match playback.state {
        Playing::Idle => "silent".to_owned(),
        Playing::Waiting => "waiting for its audio".to_owned(),
        Playing::Live => "live".to_owned(),
        Playing::Paused if playback.behind_ms == 0 => "paused".to_owned(),
        Playing::Paused => format!("paused, {behind} behind live"),
        Playing::Behind => format!("{behind} behind live"),
        Playing::Over => "over, all of it was played".to_owned(),
    }
}

/// The same with a mark where it is not of now.
pub(super) fn shown(app: &App, look: &Look) -> String {
    let words = playing(&app.playback);
    match app.playback.state {
        Playing::Behind => format!("{} {words}", look.glyphs.past),
        _ => words,
    }
}

/// How what lies behind live is played.
pub(super) fn parts(app: &App, look: &Look) -> Parts {
    let mut parts = Parts::new();
    if app.heard_at().is_none() {
        return parts;
    }
    let theme = &look.theme;
    if app.replay.fast {
        parts.push((format!("1.5{}", look.glyphs.times), theme.strong));
    }
    if app.replay.skip_silence {
        parts.push(("silence skipped".to_owned(), theme.strong));
    }
    parts
}

/// All that may be remembered, live at its right: what is not, what was heard, where one is, what is still to come.
pub(super) fn bar(app: &App, look: &Look) -> Option<String> {
    app.heard_at()?;
    let glyphs = &look.glyphs;
    let cells = |ms: u64| usize::try_from(ms.saturating_mul(BAR as u64) / REMEMBERED_MS).unwrap_or(BAR);
    let behind = cells(u64::from(app.playback.behind_ms)).min(BAR - 1);
    let place = BAR - 1 - behind;
    let known = cells(app.remembered_ms()).clamp(behind, BAR - 1);
    let cell = |at: usize| match at {
        _ if at == place => glyphs.here,
        _ if at > place => glyphs.share_customer,
        _ if at + known + 1 >= BAR => glyphs.share_agent,
        _ => glyphs.track,
    };
    Some((0..BAR).map(cell).collect())
}
