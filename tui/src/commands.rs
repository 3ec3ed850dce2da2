//! The commands, and what they share.

pub mod calls;
pub mod devices;
pub mod ear;
pub mod events;
pub mod hold;
pub mod info;
pub mod listen;
pub mod login;
pub mod manual;
pub mod monitor;
mod prompt;
pub mod transcript;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use partyline_shared::id::CallSid;
use partyline_shared::protocol::server::ErrorCode;
use partyline_shared::text::clean;
use partyline_shared::time::UtcTime;

use crate::cli::{Cli, Command};
use crate::client::backoff::{Backoff, CEILING, FLOOR};
use crate::client::connection::{Connection, Policy, Signal};
use crate::client::relay::Relay;
use crate::client::session::{Session, Update};
use crate::config::{Config, paths};
use crate::failure::Failure;
use crate::print::{Lines, note};

/// Runs one command line.
///
/// # Errors
/// [`Failure`], with its exit code.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    // Neither needs a configuration, and packagers have none.
    match &cli.command {
        Some(Command::Completions(args)) => return manual::completions(args.shell),
        Some(Command::Man) => return manual::page(),
        Some(Command::Listen(listen)) => listen::check(listen)?,
        _ => {}
    }
    let env = |name: &str| std::env::var(name).ok();
    let config = Config::load(&cli.global, &env, paths::folder())?;
    if cli.global.print_config {
        let mut out = Lines::stdout();
        return config.show()?.iter().try_for_each(|line| out.text(line));
    }
    let backoff = Backoff::new(floor(env("PARTYLINE_BACKOFF_FLOOR_MS"))?, CEILING);
    match cli.command {
        None => monitor::run(&config, backoff).await,
        #[cfg(feature = "demo")]
        Some(Command::Demo) => monitor::demo(&config, backoff).await,
        Some(Command::Login(args)) => login::login(args.url.as_deref(), &config).await,
        Some(Command::Logout(args)) => login::logout(args.url.as_deref(), &config),
        Some(Command::Calls(args)) => until_ctrl_c(calls::run(&args, relay(&config)?, backoff)).await,
        // It has something to finish first.
        Some(Command::Listen(args)) => {
            if config.read_only.value && args.output.is_some() {
                return Err(Failure::Usage(format!(
                    "read-only ({}) keeps no audio: leave --output out to hear the call",
                    config.read_only.source
                )));
            }
            Box::pin(listen::run(args, relay(&config)?, backoff, &config)).await
        }
        Some(Command::Transcript(args)) => {
            until_ctrl_c(transcript::run(&args, relay(&config)?, backoff)).await
        }
        Some(Command::Events(args)) => until_ctrl_c(events::run(&args, relay(&config)?, backoff)).await,
        Some(Command::Pause(args)) => hold::run(&args, true, changed(&config)?).await,
        Some(Command::Resume(args)) => hold::run(&args, false, changed(&config)?).await,
        Some(Command::Ear(args)) => ear::run(&args, &config).await,
        Some(Command::Devices(args)) => devices::run(args.json),
        Some(Command::Info(args)) => info::run(args.json, &config).await,
        // Done above.
        Some(Command::Completions(_) | Command::Man) => Ok(()),
    }
}

/// The relay that a command asks, and a word where its token could be read on the way.
fn relay(config: &Config) -> Result<Relay, Failure> {
    let relay = config.first()?.relay()?;
    warn_if_exposed(&relay);
    Ok(relay)
}

/// The relay that a command changes something at.
fn changed(config: &Config) -> Result<Relay, Failure> {
    if config.read_only.value {
        return Err(Failure::Usage(format!(
            "read-only ({}) changes nothing at a relay",
            config.read_only.source
        )));
    }
    relay(config)
}

fn warn_if_exposed(relay: &Relay) {
    if relay.exposes_token() {
        note(&format!(
            "the token crosses the network to {relay} unencrypted; use https where there is TLS"
        ));
    }
}

/// Ctrl-C is how one stops following; nothing has gone wrong then.
async fn until_ctrl_c(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::select! {
        result = command => result,
        Ok(()) = tokio::signal::ctrl_c() => Ok(()),
    }
}

fn floor(ms: Option<String>) -> Result<Duration, Failure> {
    let Some(text) = ms else { return Ok(FLOOR) };
    let bad = |_| Failure::Usage("PARTYLINE_BACKOFF_FLOOR_MS is a number of milliseconds".to_owned());
    text.trim().parse().map(Duration::from_millis).map_err(bad)
}

/// A connection whose troubles are told on stderr: the caller sees updates, or the end.
struct Followed {
    connection: Connection,
    cut: bool,
    reconnects: u64,
}

impl Followed {
    fn open(relay: Relay, session: Session, persist: bool, backoff: Backoff) -> Self {
        let connection = Connection::open(relay, session, Policy { persist, backoff });
        Followed {
            connection,
            cut: false,
            reconnects: 0,
        }
    }

    /// The next update. Cancelling it loses nothing.
    async fn next(&mut self) -> Result<Update, Failure> {
        loop {
            match self.connection.next().await {
                Some(Signal::Update(update)) => {
                    self.tell(&update);
                    return Ok(update);
                }
                Some(Signal::Cut { why, retry_in }) => {
                    self.cut = true;
                    note(&format!("{why}; again in {:.1} s", retry_in.as_secs_f64()));
                }
                Some(Signal::Failed(failure) | Signal::Refused { failure, .. }) => return Err(failure),
                None => return Err(Failure::Failed("the connection has ended".to_owned())),
            }
        }
    }

    fn tell(&mut self, update: &Update) {
        match update {
            Update::Online { .. } if std::mem::take(&mut self.cut) => {
                self.reconnects += 1;
                note("connected again");
            }
            Update::Error { message, .. } => note(&format!("the relay says: {message}")),
            Update::BadMessage(why) => note(&format!("a message of the relay was skipped: {why}")),
            _ => {}
        }
    }
}

/// What a refused subscription means.
fn refused(call: &CallSid, code: ErrorCode, message: &str) -> Failure {
    match code {
        ErrorCode::NoSuchCall => Failure::NoSuchCall(call.to_string()),
        ErrorCode::NotAllowed => Failure::NotAuthorised(clean(message)),
        _ => Failure::Failed(format!("the relay refused {call}: {}", clean(message))),
    }
}

/// What an update says of the end of following `call`; `None` while it goes on.
fn end_of(call: &CallSid, update: &Update) -> Option<Result<(), Failure>> {
    match update {
        Update::Ended(which) if which == call => Some(Ok(())),
        Update::Missing(which) if which == call => Some(Err(Failure::Failed(format!(
            "the relay no longer knows {call}: what came of it after the connection was cut is missing"
        )))),
        Update::CallRemoved(which) if which == call => {
            note("the relay has forgotten the call");
            Some(Ok(()))
        }
        Update::Refused {
            call: which,
            code,
            message,
        } if which == call => Some(Err(refused(call, *code, message))),
        Update::Unsubscribed(which) if which == call => Some(Err(Failure::NotAuthorised(
            "the relay no longer grants this call".to_owned(),
        ))),
        _ => None,
    }
}

/// The time now.
fn utc_now() -> UtcTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcTime::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
