//! What was missed while a relay was away. It comes in pieces after the relay is back, and is told as one line:
//! `back after 12 s: missed 4.2 s of audio, 0 lines`.

use partyline_shared::track::{PerTrack, Track};

use super::super::calls::row::FRAME_MS;
use super::super::pending::Back;
use super::super::state::App;
use super::relays::about;
use crate::event::{CallKey, RelayId};

/// How long what was missed is collected, ms: remembered lines and audio come within a round trip or two.
pub(super) const BACK_COLLECT_MS: u64 = 2_000;

/// A relay that was there is not.
pub(super) fn went(app: &mut App, relay: RelayId) {
    app.pending.cut_at.entry(relay).or_insert(app.now.ms);
    app.pending.last_cut.insert(relay, app.now.utc);
    app.pending.back.retain(|back| back.relay != relay);
}

/// It is there again.
pub(super) fn came_back(app: &mut App, relay: RelayId) {
    let Some(cut_at) = app.pending.cut_at.remove(&relay) else {
        return;
    };
    let is_here = |call: &&CallKey| call.relay == relay;
    let begun = |call: &&CallKey| app.texts.get(call).is_some_and(|texts| texts.is_following);
    let looked_at = app.shown.iter().filter(|shown| !app.hears(shown));
    let unheard_of: Vec<CallKey> = looked_at
        .chain(app.heard_calls())
        .filter(is_here)
        .filter(begun)
        .cloned()
        .collect();
    let heard = app.heard_calls().find(is_here).cloned();
    app.pending.back.push(Back {
        relay,
        away_ms: app.now.ms.saturating_sub(cut_at),
        until: app.now.ms.saturating_add(BACK_COLLECT_MS),
        heard,
        frames: PerTrack::default(),
        had_lines: !unheard_of.is_empty(),
        unheard_of,
        is_unsure: false,
        is_audio_unsure: false,
    });
}

/// A call's lines go on.
pub(super) fn confirmed(app: &mut App, call: &CallKey, resumed: bool) {
    for back in &mut app.pending.back {
        if let Some(at) = back.unheard_of.iter().position(|waiting| waiting == call) {
            back.unheard_of.remove(at);
            back.is_unsure |= !resumed;
            back.is_audio_unsure |= !resumed && back.heard.as_ref() == Some(call);
        }
    }
}

/// Audio was lost to the cut.
pub(super) fn missed(app: &mut App, call: &CallKey, track: Track, frames: u32) {
    for back in app
        .pending
        .back
        .iter_mut()
        .filter(|back| back.heard.as_ref() == Some(call))
    {
        let missed = back.frames.get_mut(track);
        *missed = missed.saturating_add(u64::from(frames));
    }
}

/// Tells what was missed, once all of it has had the time to come.
pub(super) fn tell(app: &mut App) {
    let now = app.now.ms;
    let (over, waiting) = std::mem::take(&mut app.pending.back)
        .into_iter()
        .partition(|back| back.until <= now);
    app.pending.back = waiting;
    for back in over {
        let text = about(app, back.relay, &back.text());
        app.say(text);
    }
}

impl Back {
    fn text(&self) -> String {
        let away = format!("back after {}", duration(self.away_ms));
        // Both tracks run at the same time: what is missing of both is missing once.
        let audio_ms = self
            .frames
            .inbound
            .max(self.frames.outbound)
            .saturating_mul(FRAME_MS);
        let is_known = |call: &CallKey| !self.unheard_of.contains(call);
        let is_known = self.heard.as_ref().is_some_and(is_known);
        let at_least = if self.is_audio_unsure { "at least " } else { "" };
        let audio = if is_known && (audio_ms > 0 || !self.is_audio_unsure) {
            format!(
                "{at_least}{}.{} s of audio",
                audio_ms / 1000,
                audio_ms % 1000 / 100
            )
        } else {
            "perhaps some audio".to_owned()
        };
        // A relay that has not taken a call up by now cannot say either.
        let lines = if self.is_unsure || !self.unheard_of.is_empty() {
            "perhaps some lines"
        } else {
            "0 lines"
        };
        match (&self.heard, self.had_lines) {
            (Some(_), true) => format!("{away}: missed {audio}, {lines}"),
            (Some(_), false) => format!("{away}: missed {audio}"),
            (None, true) => format!("{away}: missed {lines}"),
            (None, false) => away,
        }
    }
}

/// `12 s`, `3 min 20 s`, `2 h 5 min`.
fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
