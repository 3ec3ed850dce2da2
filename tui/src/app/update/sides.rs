//! One side's own gain and mute, and levelling. What follows for the sound is the player's business.

use std::ops::RangeInclusive;

use super::super::effect::Effect;
use super::super::state::App;
use super::hear::VOLUME_STEP_DB;
use crate::event::{Intent, Side};

/// One side's own gain, dB: from well behind the other to what a bad line needs, beside the volume of both.
pub(super) const SIDE_DB: RangeInclusive<i8> = -20..=12;

/// A key of this room was pressed.
pub(super) fn press(app: &mut App, intent: Intent, effects: &mut Vec<Effect>) {
    let mix = &mut app.mix;
    let notice = match intent {
        Intent::CustomerLouder => step("customer", &mut mix.customer, VOLUME_STEP_DB),
        Intent::CustomerQuieter => step("customer", &mut mix.customer, -VOLUME_STEP_DB),
        Intent::AgentLouder => step("agent", &mut mix.agent, VOLUME_STEP_DB),
        Intent::AgentQuieter => step("agent", &mut mix.agent, -VOLUME_STEP_DB),
        Intent::MuteCustomer => mute("customer", &mut mix.customer),
        Intent::MuteAgent => mute("agent", &mut mix.agent),
        Intent::AutoLevel => {
            mix.auto_level = !mix.auto_level;
            if mix.auto_level {
                "auto-level: who speaks low is made louder, slowly".to_owned()
            } else {
                "no auto-level: back to how they speak, slowly".to_owned()
            }
        }
        _ => return,
    };
    effects.push(Effect::Mix(*mix));
    app.say(notice);
}

fn step(who: &str, side: &mut Side, step: i8) -> String {
    let wanted = side.gain_db.saturating_add(step);
    side.gain_db = wanted.clamp(*SIDE_DB.start(), *SIDE_DB.end());
    // Who turns a side up wants to hear it.
    side.muted &= step < 0;
    gain(who, *side)
}

fn mute(who: &str, side: &mut Side) -> String {
    side.muted = !side.muted;
    gain(who, *side)
}

fn gain(who: &str, side: Side) -> String {
    match side {
        Side { muted: true, .. } => format!("{who} muted"),
        Side { gain_db: 0, .. } => format!("{who} 0 dB"),
        Side { gain_db, .. } => format!("{who} {gain_db:+} dB"),
    }
}
