//! What is read out of the sound: which calls are heard, how far behind live, how fast, how they are mixed.

use crate::app::seats::Replay;
use crate::app::state::App;
use crate::event::{CallKey, Device, Mix, Playback, Playing};
use crate::ui::call::{playing, side, volume};
use crate::ui::words;

/// What was told so far.
#[derive(Debug, Default)]
pub(super) struct Sound {
    device: Device,
    heard: Option<CallKey>,
    behind: Vec<CallKey>,
    playing: Playing,
    replay: Replay,
    waits: Option<String>,
    mix: Mix,
}

impl Sound {
    /// What is new; `is_told`, that a notice has just said what a key did.
    pub(super) fn report(&mut self, app: &App, is_told: bool, lines: &mut Vec<String>) {
        self.device(app, lines);
        self.calls(app, lines);
        self.time(app, is_told, lines);
        self.mix(app, is_told, lines);
    }

    fn device(&mut self, app: &App, lines: &mut Vec<String>) {
        if self.device == app.device {
            return;
        }
        match (&app.device, app.device.trouble()) {
            (_, Some(why)) => lines.push(why),
            (Device::Open { name, .. }, None) if self.device.trouble().is_some() => {
                lines.push(format!("sound again: {name}"));
            }
            _ => {}
        }
        self.device = app.device.clone();
    }

    fn calls(&mut self, app: &App, lines: &mut Vec<String>) {
        if self.heard != app.heard {
            match &app.heard {
                Some(key) => lines.push(format!("you hear customer {}", words::call_name(app, key))),
                None => lines.push("you hear nothing".to_owned()),
            }
            self.heard.clone_from(&app.heard);
            self.playing = Playing::Idle;
            self.replay = app.replay;
        }
        let behind: Vec<CallKey> = app.behind.iter().map(|seat| seat.call.clone()).collect();
        if self.behind != behind {
            let names: Vec<_> = behind.iter().map(|key| words::call_name(app, key)).collect();
            lines.push(match names.as_slice() {
                [] => "no other call is heard".to_owned(),
                _ => format!("behind it, more quietly: customer {}", names.join(", customer ")),
            });
            self.behind = behind;
        }
        let waits = words::waits(app);
        if self.waits != waits {
            lines.extend(waits.clone());
            self.waits = waits;
        }
    }

    fn time(&mut self, app: &App, is_told: bool, lines: &mut Vec<String>) {
        if self.playing != app.playback.state {
            self.playing = app.playback.state;
            if app.heard.is_some() {
                lines.push(format!("sound: {}", spoken(&app.playback)));
            }
        }
        let was = std::mem::replace(&mut self.replay, app.replay);
        if is_told || app.heard.is_none() {
            return;
        }
        if was.fast != app.replay.fast {
            let how = if app.replay.fast {
                "1.5 times as fast"
            } else {
                "as fast as it was said"
            };
            lines.push(how.to_owned());
        }
        if was.skip_silence != app.replay.skip_silence {
            let how = if app.replay.skip_silence {
                "without silence"
            } else {
                "with silence"
            };
            lines.push(how.to_owned());
        }
    }

    fn mix(&mut self, app: &App, is_told: bool, lines: &mut Vec<String>) {
        let was = std::mem::replace(&mut self.mix, app.mix);
        // The notice of the key that changed it says the same.
        if was == app.mix || is_told {
            return;
        }
        if was.muted != app.mix.muted {
            lines.push(if app.mix.muted { "muted" } else { "no longer muted" }.to_owned());
        }
        if was.volume_db != app.mix.volume_db {
            lines.push(format!("volume {}", volume(app.mix.volume_db)));
        }
        if was.sides != app.mix.sides {
            lines.push(format!("you hear {}", words::sides(app.mix.sides)));
        }
        for (who, was, is) in [
            ("customer", was.customer, app.mix.customer),
            ("agent", was.agent, app.mix.agent),
        ] {
            if was != is {
                lines.push(format!("{who} {}", side(is).unwrap_or_else(|| volume(0))));
            }
        }
        if was.auto_level != app.mix.auto_level {
            let how = if app.mix.auto_level { "on" } else { "off" };
            lines.push(format!("auto-level {how}"));
        }
        if was.ears != app.mix.ears {
            lines.push(words::ears(app.mix.ears).to_owned());
        }
    }
}

/// What the player does. How far behind live it is changes all the time while it is paused, and is not said then.
fn spoken(playback: &Playback) -> String {
    match playback.state {
        Playing::Behind => {
            let behind = words::spoken(i64::from(playback.behind_ms));
            format!("{behind} behind live")
        }
        _ => playing(&Playback {
            behind_ms: 0,
            ..*playback
        }),
    }
}
