//! Back in time in the heard call, and forward to what is said now. What the player will say is shown at once; how
//! far back it can go is its word alone.

use partyline_shared::time::UtcTime;

use super::super::effect::Effect;
use super::super::pending::Sought;
use super::super::seats::REMEMBERED_MS;
use super::super::state::App;
use super::{hear, seats};
use crate::event::{Intent, Playing};

/// How far a key goes, ms: a sentence or two.
const STEP_MS: u32 = 10_000;

/// By how much the player may be nearer to live than was asked for, ms, without having been held: it plays on, half as
/// fast again, until it is asked.
const SLACK_MS: u32 = 3_000;

/// The same of a moment on the wall clock, ms: a relay's clock is not ours.
const CLOCKS_MS: u32 = 10_000;

/// How long the player may go on saying what it said before it was asked, ms.
pub(super) const STALE_MS: u64 = 300;

/// A key of this room was pressed.
pub(super) fn press(app: &mut App, intent: Intent, effects: &mut Vec<Effect>) {
    if app.heard.is_none() {
        return app.say(hear::NOTHING);
    }
    match intent {
        Intent::Back => back(app, effects),
        Intent::Forward => forward(app, effects),
        Intent::Fast => {
            app.replay.fast = !app.replay.fast;
            effects.push(Effect::Fast(app.replay.fast));
            let is_live = app.heard_at().is_none();
            app.say(match (app.replay.fast, is_live) {
                (true, true) => "what lies behind live is played 1.5 times as fast",
                (true, false) => "1.5 times as fast, until it is live",
                (false, _) => "as fast as it was said",
            });
        }
        _ => {
            app.replay.skip_silence = !app.replay.skip_silence;
            effects.push(Effect::SkipSilence(app.replay.skip_silence));
            app.say(if app.replay.skip_silence {
                "of what lies behind live, silence is left out"
            } else {
                "silence is played too"
            });
        }
    }
}

fn back(app: &mut App, effects: &mut Vec<Effect>) {
    if app.playback.state == Playing::Waiting {
        return app.say("there is no audio yet");
    }
    effects.push(Effect::Seek(-STEP_MS.cast_signed()));
    let wanted = app.playback.behind_ms.saturating_add(STEP_MS);
    goes_to(app, wanted, SLACK_MS);
    app.say("10 s back");
}

fn forward(app: &mut App, effects: &mut Vec<Effect>) {
    if app.heard_at().is_none() {
        return app.say("live already");
    }
    effects.push(Effect::Seek(STEP_MS.cast_signed()));
    let left = app.playback.behind_ms.saturating_sub(STEP_MS);
    app.pending.sought = None;
    app.playback.behind_ms = left;
    if left == 0 && app.playback.state == Playing::Behind {
        app.playback.state = Playing::Live;
    }
    app.say(if left == 0 { "live" } else { "10 s forward" });
}

/// What lies so far behind live is played from now on, unless it stands still.
fn goes_to(app: &mut App, behind_ms: u32, slack_ms: u32) {
    let known = u32::try_from(app.remembered_ms()).unwrap_or(u32::MAX);
    app.playback.behind_ms = behind_ms.min(known.max(app.playback.behind_ms));
    if app.playback.state != Playing::Paused {
        app.playback.state = Playing::Behind;
    }
    app.pending.sought = Some(Sought {
        at: app.now.ms,
        least_ms: behind_ms.saturating_sub(slack_ms),
    });
}

/// Plays the line of the transcript that one has moved to; whether there is one to be played.
pub(super) fn play_line(app: &mut App, effects: &mut Vec<Effect>) -> bool {
    let Some(begins) = app.line_to_play().map(|line| line.begins()) else {
        return false;
    };
    if let Some(call) = app.shown.clone() {
        seats::to_front(app, &call, effects);
    }
    if app.playback.state == Playing::Waiting {
        app.say("there is no audio yet");
        return true;
    }
    effects.push(Effect::SeekTo(begins));
    if app.playback.state == Playing::Paused {
        effects.push(Effect::Pause(false));
        app.playback.state = Playing::Behind;
    }
    let behind = behind(app, begins);
    goes_to(app, behind, CLOCKS_MS);
    app.say("from this line on; l goes back to live");
    true
}

fn behind(app: &App, at: UtcTime) -> u32 {
    let behind = app.now.utc.unix_ms().saturating_sub(at.unix_ms()).max(0);
    u32::try_from(behind).unwrap_or(u32::MAX)
}

/// Whether the player may still say where it was before it was asked.
pub(super) fn is_on_its_way(app: &App) -> bool {
    let sought = app.pending.sought.as_ref();
    sought.is_some_and(|sought| app.now.ms < sought.at.saturating_add(STALE_MS))
}

/// The player says where it is: nearer to live than it was asked to go, there is nothing before that.
pub(super) fn arrived(app: &mut App) {
    let now = app.now.ms;
    let due = app
        .pending
        .sought
        .take_if(|sought| now >= sought.at.saturating_add(STALE_MS));
    if due.is_some_and(|sought| app.playback.behind_ms < sought.least_ms) {
        let most = REMEMBERED_MS / 60_000;
        app.say(format!(
            "what is remembered ends here: {most} minutes at most, from when it was heard"
        ));
    }
}
