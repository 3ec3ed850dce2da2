//! `partyline listen` without `--output`: a call to the loudspeaker. Frames go from the connection straight to
//! the player; here is only what is told, and when it ends.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use partyline_shared::text::clean;
use partyline_shared::track::{PerTrack, Role, Track};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::quiet::Quiet;
use super::report::Report;
use super::stats::Played;
use super::{ALL_MS, Followed, TICK, end_of, stop};
use crate::audio::mix::agent_on;
use crate::cli::{Listen, TrackArg};
use crate::client::backoff::Backoff;
use crate::client::connection::Audio;
use crate::client::relay::Relay;
use crate::client::session::{Session, Update, Want};
use crate::ear::sound::{Sound, Wish};
use crate::event::{Device, Ears, FromSound, Mix, Playing, Sides};
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
    sound: Wish,
    ears: Ears,
) -> Result<(), Failure> {
    let quiet = Quiet::begin();
    let (state_in, state) = watch::channel(Playing::Idle);
    let (devices_in, devices) = mpsc::channel(DEVICES);
    let mut player = Sound::start(sound, move |said| match said {
        FromSound::Playback(playback) => drop(state_in.send_replace(playback.state)),
        // Who does not come to tell ten of them will not miss the eleventh.
        FromSound::Device(device) => drop(devices_in.try_send(device)),
        FromSound::Columns { .. } | FromSound::Devices(_) => {}
    });
    let goodbye = player.goodbye();
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
    let mut hear = sink(player.hear(roles, mix(args.track, ears, roles)));
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
        quiet,
        args,
        ears,
        round_trip_ms: None,
    };
    let result = listener.listen().await;
    let Listener {
        // Outlives the player: whatever closes the card may speak.
        quiet: _quiet,
        connection,
        player,
        mut report,
        args,
        round_trip_ms,
        ..
    } = listener;
    report.reconnects = connection.reconnects;
    let stats = player.stats();
    drop(player);
    connection.connection.close().await;
    if let Some(goodbye) = goodbye {
        goodbye.said().await;
    }
    if matches!(result, Err(Failure::Unread)) {
        return result;
    }
    report.tell_missing()?;
    if result.is_ok() && !came.load(Relaxed) {
        note("no audio came; nothing was played");
    }
    if args.stats {
        let played = Played { stats, round_trip_ms };
        if args.json {
            report.put(&played.json(&report))?;
        } else {
            note(&played.words(&report));
        }
    }
    result
}

struct Listener {
    connection: Followed,
    player: Sound,
    devices: mpsc::Receiver<Device>,
    state: watch::Receiver<Playing>,
    /// What goes to which ear where there are two sides.
    ears: Ears,
    quiet: Quiet,
    report: Report,
    args: Listen,
    /// How long the newest ping took.
    round_trip_ms: Option<u64>,
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
                _ = tick.tick() => {
                    self.report.tell_missing()?;
                    self.quiet.trim();
                }
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
            Update::RoundTrip { ms } => self.round_trip_ms = Some(ms),
            Update::JournalChanged { .. } => note("the relay was restarted, or another one has the call now"),
            _ => {}
        }
    }

    fn set_roles(&self, roles: PerTrack<Role>) {
        self.player.set_roles(self.player.wanted().front, roles);
        self.player.set_mix(mix(self.args.track, self.ears, roles));
    }
}

/// Waits until all of the call was played.
async fn played(state: &mut watch::Receiver<Playing>) {
    // An error means that the player is gone: nothing is left to wait for.
    let _ = state.wait_for(|state| *state == Playing::Over).await;
}

/// One track alone is heard on both ears; two as they are wanted.
fn mix(track: TrackArg, ears: Ears, roles: PerTrack<Role>) -> Mix {
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
        ears: if sides == Sides::Both { ears } else { Ears::Mono },
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
