//! `partyline listen` without `--output`: a call to the loudspeaker. Frames go from the connection straight to
//! the player; here is only what is told, and when it ends.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use partyline_shared::text::clean;
use partyline_shared::track::{PerTrack, Role, Track};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::report::Report;
use super::{ALL_MS, Followed, TICK, end_of, stop};
use crate::audio::mix::agent_on;
use crate::audio::player::{self, Player, Spread, Stats};
use crate::cli::{Listen, TrackArg};
use crate::client::backoff::Backoff;
use crate::client::connection::Audio;
use crate::client::relay::Relay;
use crate::client::session::{Session, Update, Want};
use crate::event::{Device, FromSound, Mix, Playing, Sides};
use crate::failure::Failure;
use crate::print::note;
use crate::record::Kept;
use crate::run::sink::sink;

/// What the player says of devices and waits to be told: more than a cable that comes and goes in a second.
const DEVICES: usize = 16;

pub(super) async fn run(
    args: Listen,
    relay: Relay,
    backoff: Backoff,
    sound: player::Settings,
) -> Result<(), Failure> {
    let (state_in, state) = watch::channel(Playing::Idle);
    let (devices_in, devices) = mpsc::channel(DEVICES);
    let player = Player::start(sound, move |said| match said {
        FromSound::Playback(playback) => drop(state_in.send_replace(playback.state)),
        // Who does not come to tell ten of them will not miss the eleventh.
        FromSound::Device(device) => drop(devices_in.try_send(device)),
        FromSound::Columns { .. } => {}
    });
    let connection = Followed::open(relay, Session::new(), args.wait, backoff);
    let want = Want {
        audio: true,
        save: false,
        replay_ms: if args.wait {
            ALL_MS
        } else {
            args.replay.as_millis().min(u128::from(ALL_MS)) as u64
        },
        wait: args.wait,
    };
    let roles = PerTrack {
        inbound: Role::Unknown,
        outbound: Role::Unknown,
    };
    let mut hear = sink(player.hear(roles, mix(args.track, roles)));
    let came = Arc::new(AtomicBool::new(false));
    let comes = came.clone();
    let sink = Box::new(move |audio| {
        if matches!(audio, Audio::Frame { .. }) {
            comes.store(true, Relaxed);
        }
        hear(audio);
    });
    connection
        .connection
        .hear(args.call_sid.clone(), want, sink)
        .await;
    let mut listener = Listener {
        report: Report::new(args.json, false),
        connection,
        player,
        devices,
        state,
        args,
    };
    let result = listener.listen().await;
    let Listener {
        connection,
        player,
        mut report,
        args,
        ..
    } = listener;
    report.reconnects = connection.reconnects;
    connection.connection.close().await;
    if matches!(result, Err(Failure::Unread)) {
        return result;
    }
    report.tell_missing()?;
    if result.is_ok() && !came.load(Relaxed) {
        note("no audio came; nothing was played");
    }
    if args.stats {
        tell_stats(&report, args.json, &player.stats())?;
    }
    result
}

struct Listener {
    connection: Followed,
    player: Player,
    devices: mpsc::Receiver<Device>,
    state: watch::Receiver<Playing>,
    report: Report,
    args: Listen,
}

impl Listener {
    /// Until the call has ended and was heard to its end, or we are told to stop.
    async fn listen(&mut self) -> Result<(), Failure> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = stop();
        tokio::pin!(stop);
        // What came of the call, once nothing more comes.
        let mut end = None;
        loop {
            tokio::select! {
                update = self.connection.next(), if end.is_none() => {
                    let update = update?;
                    end = end_of(&self.args.call_sid, &update);
                    self.on_update(update);
                }
                Some(device) = self.devices.recv() => tell_device(&device),
                () = played(&mut self.state), if end.is_some() => return end.unwrap_or(Ok(())),
                _ = tick.tick() => self.report.tell_missing()?,
                () = &mut stop => return Ok(()),
            }
            if let Some(Err(_)) = &end {
                return end.unwrap_or(Ok(()));
            }
        }
    }

    fn on_update(&mut self, update: Update) {
        match update {
            Update::Snapshot(calls) => {
                let ours = calls.iter().find(|call| call.call_sid == self.args.call_sid);
                if let Some(call) = ours {
                    self.set_roles(call.roles);
                }
            }
            Update::CallChanged(call) if call.call_sid == self.args.call_sid => self.set_roles(call.roles),
            Update::Missed {
                track,
                from,
                to,
                reason,
                ..
            } if Kept::from(self.args.track).has(track) => {
                self.report.missed(track, u64::from(to - from) + 1, reason);
            }
            Update::JournalChanged { .. } => note("the relay was restarted, or another one has the call now"),
            _ => {}
        }
    }

    fn set_roles(&self, roles: PerTrack<Role>) {
        self.player.set_roles(roles);
        self.player.set_mix(mix(self.args.track, roles));
    }
}

/// Waits until all of the call was played.
async fn played(state: &mut watch::Receiver<Playing>) {
    // An error means that the player is gone: nothing is left to wait for.
    let _ = state.wait_for(|state| *state == Playing::Over).await;
}

/// One track alone is heard on both ears; of two the customer is left.
fn mix(track: TrackArg, roles: PerTrack<Role>) -> Mix {
    let side = |track: Track| {
        if agent_on(roles) == track {
            Sides::Agent
        } else {
            Sides::Customer
        }
    };
    let sides = match track {
        TrackArg::Both => Sides::Both,
        TrackArg::Inbound => side(Track::Inbound),
        TrackArg::Outbound => side(Track::Outbound),
    };
    Mix {
        sides,
        stereo: sides == Sides::Both,
        ..Mix::default()
    }
}

fn tell_device(device: &Device) {
    match device {
        Device::Open { name, rate } => note(&format!("playing on {}, {rate} Hz", clean(name))),
        Device::Off => note("no sound: this program was built without, or told not to play"),
        Device::Missing { .. } => {
            note(&format!(
                "{}; it is tried again",
                clean(&device.trouble().unwrap_or_default())
            ));
        }
        Device::Unknown | Device::Ready { .. } => {}
    }
}

fn tell_stats(report: &Report, as_json: bool, stats: &Stats) -> Result<(), Failure> {
    let playback = &stats.playback;
    if as_json {
        let delay = |spread: &Spread| json!({"frames": spread.frames, "p50": spread.p50_ms, "p95": spread.p95_ms, "max": spread.max_ms});
        return report.put(&json!({
            "type": "stats",
            "missing": report.missing_so_far(),
            "reconnects": report.reconnects,
            "delay_ms": delay(&stats.all),
            "settled_delay_ms": delay(&stats.settled),
            "concealed_ms": playback.concealed_ms,
            "dropped_ms": playback.dropped_ms,
            "underruns": playback.underruns,
            "drift_ppm": stats.drift_ppm.round(),
        }));
    }
    // What the first seconds were like says little of a long call.
    let delay = if stats.settled.frames > 0 {
        &stats.settled
    } else {
        &stats.all
    };
    note(&format!(
        "{} frames played live, {} ms after they came, 95 of 100 within {} ms; {} ms concealed, {} ms left out, \
         {} underruns, {} reconnects",
        stats.all.frames,
        delay.p50_ms,
        delay.p95_ms,
        playback.concealed_ms,
        playback.dropped_ms,
        playback.underruns,
        report.reconnects
    ));
    Ok(())
}
