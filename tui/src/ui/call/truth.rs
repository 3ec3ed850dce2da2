//! What is true of the sound: how late it comes, and what did not sound as it was said.

use super::{Parts, words};
use crate::app::calls::Row;
use crate::app::state::App;
use crate::event::{Playback, Playing};
use crate::ui::Look;

/// The row, the most important first.
pub(super) fn parts(app: &App, look: &Look, row: &Row) -> Parts {
    let (theme, playback) = (&look.theme, &app.playback);
    let round_trip = app.relay(row.key.relay).and_then(|relay| relay.round_trip_ms);
    // Without a card nothing comes to an ear.
    let delay = playback.delay_ms.filter(|_| app.device.trouble().is_none());
    let (first, here) = delay.map_or((None, None), |ms| latency(ms, playback.target_ms, round_trip));
    let losses = losses(playback);
    let is_whole = losses.is_empty() && !matches!(playback.state, Playing::Idle | Playing::Waiting);
    let stretched = (playback.stretched_ms > 0).then(|| words::short(playback.stretched_ms));
    let calm = here
        .into_iter()
        .chain(is_whole.then(|| "nothing lost".to_owned()))
        .chain(stretched.map(|time| format!("{time} stretched")));
    let first = first.into_iter().map(|words| (words, theme.text));
    first
        .chain(losses.into_iter().map(|words| (words, theme.strong)))
        .chain(calm.map(|words| (words, theme.text)))
        .collect()
}

/// From the relay to the ear, ms: half of what a ping takes, and what it takes from there; how much that is of it, and
/// is meant to be. Where no ping has come back, from what came here to the ear.
fn latency(delay_ms: u32, target_ms: u32, ping_ms: Option<u64>) -> (Option<String>, Option<String>) {
    let meant = if target_ms > 0 {
        format!(", meant {target_ms}")
    } else {
        String::new()
    };
    match ping_ms {
        Some(ms) => (
            Some(format!(
                "{} ms relay to ear",
                u64::from(delay_ms).saturating_add(ms / 2)
            )),
            Some(format!("{delay_ms} here{meant}")),
        ),
        None => (Some(format!("{delay_ms} ms to the ear{meant}")), None),
    }
}

/// What did not sound as it was said.
fn losses(playback: &Playback) -> Vec<String> {
    let times = [
        (playback.lost_ms, "lost"),
        (playback.late_ms, "late"),
        (playback.concealed_ms, "covered up"),
        (playback.dropped_ms, "left out"),
    ];
    let times = times.into_iter().filter(|(ms, _)| *ms > 0);
    let mut losses: Vec<String> = times
        .map(|(ms, what)| format!("{} {what}", words::short(ms)))
        .collect();
    match playback.underruns {
        0 => {}
        1 => losses.push("1 underrun".to_owned()),
        count => losses.push(format!("{count} underruns")),
    }
    losses
}
