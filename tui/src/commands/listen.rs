//! `partyline listen`: a call to the loudspeaker, into a file, or down a pipe.

mod output;
mod play;
pub(super) mod quiet;
mod report;
mod stats;

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::{Followed, end_of};
use crate::cli::{FormatArg, Listen, TrackArg};
use crate::client::backoff::Backoff;
use crate::client::relay::Relay;
use crate::client::session::{Session, Update, Want};
use crate::config::Config;
use crate::failure::Failure;
use crate::print::note;
use crate::record::{Kept, Recorder};

use output::Output;
use report::Report;

/// How often the header is set right and missing audio is told: what a killed recorder's file may lack.
const TICK: Duration = Duration::from_secs(1);

/// "All that is remembered", as milliseconds of replay: longer than any call.
const ALL_MS: u64 = 86_400_000;

/// What the command line cannot mean, before anything is connected.
pub(super) fn check(args: &Listen) -> Result<(), Failure> {
    let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
    match args {
        Listen {
            output: None,
            format: Some(_),
            ..
        } => usage("--format is of what is written: add --output FILE, or leave it out to hear the call"),
        Listen {
            format: Some(FormatArg::Raw),
            track: TrackArg::Both,
            ..
        } => usage("raw is one track: add --track inbound or --track outbound, or write a wav"),
        _ => Ok(()),
    }
}

pub(super) async fn run(
    args: Listen,
    relay: Relay,
    backoff: Backoff,
    config: &Config,
) -> Result<(), Failure> {
    match args.output.clone() {
        Some(path) => write(args, path, relay, backoff).await,
        None => {
            let sound = super::ear::sound(config).await?;
            play::run(args, relay, backoff, sound, config.ears.value).await
        }
    }
}

async fn write(args: Listen, path: PathBuf, relay: Relay, backoff: Backoff) -> Result<(), Failure> {
    let kept = Kept::from(args.track);
    let recorder = Recorder::new(args.format.unwrap_or(FormatArg::Wav).into(), kept);
    let output = Output::new(path);
    output.check()?;
    let replay_ms = if args.wait {
        ALL_MS
    } else {
        args.replay.as_millis().min(u128::from(ALL_MS)) as u64
    };
    let mut session = Session::new();
    let want = Want {
        audio: true,
        save: true,
        replay_ms,
        wait: args.wait,
    };
    session.subscribe(0, args.call_sid.clone(), want);
    let mut listener = Listener {
        connection: Followed::open(relay, session, args.wait, backoff),
        recorder,
        report: Report::new(args.json, output.is_pipe()),
        output,
        args,
        kept,
    };
    let result = listener.listen().await;
    let Listener {
        connection,
        mut recorder,
        mut output,
        mut report,
        args,
        ..
    } = listener;
    report.reconnects = connection.reconnects;
    connection.connection.close().await;
    if matches!(result, Err(Failure::Unread)) {
        return result;
    }
    // Whatever ended it, what was heard is kept; a call that was not heard leaves no file, and what stood
    // there before.
    if result.is_ok() && !output.is_open() {
        note("no audio came; nothing was written");
    }
    if output.is_open() {
        recorder.finish();
        let written = output.finish(&mut recorder).await;
        report.bytes = output.bytes();
        report.frames = recorder.frames();
        report.late = recorder.late();
        report.tell_missing()?;
        if args.stats {
            report.tell_stats()?;
        }
        return result.and(written);
    }
    result
}

struct Listener {
    connection: Followed,
    recorder: Recorder,
    output: Output,
    report: Report,
    args: Listen,
    kept: Kept,
}

impl Listener {
    /// Until the call ends, or we are told to stop.
    async fn listen(&mut self) -> Result<(), Failure> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = stop();
        tokio::pin!(stop);
        loop {
            let update = tokio::select! {
                update = self.connection.next() => update?,
                _ = tick.tick() => {
                    self.report.tell_missing()?;
                    self.output.settle(&self.recorder).await?;
                    continue;
                }
                () = &mut stop => return Ok(()),
            };
            if let Some(end) = end_of(&self.args.call_sid, &update) {
                return end;
            }
            // A reader of our pipe that waits must not keep us from stopping.
            tokio::select! {
                done = on_update(update, self.kept, &mut self.recorder, &mut self.output, &mut self.report) => done?,
                () = &mut stop => return Ok(()),
            }
        }
    }
}

async fn on_update(
    update: Update,
    kept: Kept,
    recorder: &mut Recorder,
    output: &mut Output,
    report: &mut Report,
) -> Result<(), Failure> {
    match update {
        Update::Subscribed {
            new_stream, zero_at, ..
        } => {
            // Whoever reads the pipe waits for a header; a file waits for the first frame.
            if output.is_pipe() {
                output.open(recorder).await?;
            }
            if new_stream {
                recorder.on_stream(zero_at);
            }
        }
        Update::Frame { frame, .. } => {
            output.open(recorder).await?;
            recorder.on_frame(&frame);
        }
        Update::Missed {
            track,
            from,
            to,
            reason,
            ..
        } if kept.has(track) => {
            recorder.on_missed(track, to);
            report.missed(track, u64::from(to - from) + 1, reason);
        }
        Update::JournalChanged { .. } => note("the relay was restarted, or another one has the call now"),
        _ => return Ok(()),
    }
    if output.is_open() {
        output.write(recorder).await
    } else {
        Ok(())
    }
}

/// Ctrl-C, or a polite kill.
pub(super) async fn stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut hup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = term.recv() => {}
            _ = hup.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
