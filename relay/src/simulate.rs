//! `partyline-relay simulate`: Twilio's whole part, played against a relay over the network as Twilio
//! would: voice webhook, stream, callbacks. It meets the relay through sockets alone and imports nothing
//! of it, so what it tests is what Twilio meets. `--via api` plays a source at the relay's API instead, and meets that
//! the same way.
//!
//! On stdout, a line each: `CA… started` when the relay has answered a call with TwiML that goes on,
//! `CA… ended` when it is over, `CA… failed` when something of it went wrong (stderr says what, at the
//! end). Nothing else is printed there.

mod args;
mod call;
mod check;
mod clock;
mod conversation;
mod dial;
mod error;
mod form;
mod http;
mod notes;
mod plan;
mod resample;
mod schedule;
mod script;
mod sid;
mod source;
mod stream;
mod transcription;
mod twiml;
mod url;
mod voice;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::sync::{Arc, Once};
use std::time::Duration;

use partyline_shared::id::CallSid;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use args::{Account, Args, Chunks, Via};
pub use check::{ListenError, Lost};
pub use conversation::Conversation;
pub use error::{CallError, Error, Failures};
pub use http::HttpError;
pub use notes::Problems;
pub use script::BadScript;
pub use stream::StreamError;
pub use twiml::BadTwiml;

use plan::Plan;

/// Between the starts of two calls. No office's calls begin in the same millisecond, and spread like
/// this their frames do not all fall into the same one either.
const SPREAD: Duration = Duration::from_millis(47);

/// What becomes of the calls, as it happens.
#[derive(Debug)]
pub enum Progress<'a> {
    /// The relay took the call.
    Started(&'a CallSid),
    /// It is over, and all of it worked.
    Ended(&'a CallSid),
    /// Its words are not written: the relay does not let this token.
    Unwritten(&'a CallSid),
    /// It is over, or never began.
    Failed(&'a CallSid, &'a CallError),
}

/// Runs the command: plays the calls until they are over or Ctrl-C (or SIGTERM) ends them properly; a
/// second one ends at once. Progress goes to stdout; the account comes from `TWILIO_ACCOUNT_SID` and
/// `TWILIO_AUTH_TOKEN`.
///
/// # Errors
/// [`Error`]: what was asked for cannot be played, or something of a call went wrong.
pub async fn run(args: Args) -> Result<(), Error> {
    let stop = CancellationToken::new();
    let told = Once::new();
    let calls = play(args, Account::from_env(), stop.clone(), move |progress| {
        let (call, what) = match progress {
            Progress::Unwritten(_) => return told.call_once(unwritten),
            Progress::Started(call) => (call, "started"),
            Progress::Ended(call) => (call, "ended"),
            Progress::Failed(call, _) => (call, "failed"),
        };
        // Whoever closed our stdout does not want to know; the call goes on.
        let _ = writeln!(std::io::stdout().lock(), "{call} {what}");
    });
    tokio::pin!(calls);
    tokio::select! {
        over = &mut calls => return over,
        () = interrupt() => stop.cancel(),
    }
    tokio::select! {
        over = &mut calls => over,
        () = interrupt() => Err(Error::Interrupted),
    }
}

#[allow(clippy::print_stderr)] // a command's words; the calls go on
fn unwritten() {
    eprintln!(
        "no words are written: lines are for tokens of the role transcriber or admin, and this one is neither"
    );
}

/// Plays the calls that `args` describe until they are over, or `stop` ends them as people hang up.
/// `report` is told what becomes of each.
///
/// # Errors
/// As [`run`].
pub async fn play(
    args: Args,
    account: Account,
    stop: CancellationToken,
    report: impl Fn(Progress<'_>) + Send + Sync + 'static,
) -> Result<(), Error> {
    let plan = Arc::new(Plan::new(args, account).await?);
    let report = Arc::new(report);
    let mut calls = JoinSet::new();
    for number in 0..plan.calls {
        let (plan, stop, report) = (plan.clone(), stop.clone(), report.clone());
        calls.spawn(async move {
            let begin = tokio::time::sleep(SPREAD * number);
            // Hung up before it began: nothing of it can fail.
            stop.run_until_cancelled(begin).await?;
            let (sid, played) = match plan.via {
                Via::Twilio => {
                    let sid = sid::call();
                    let started = || report(Progress::Started(&sid));
                    let played = Box::pin(call::play(&plan, &sid, &stop, &started)).await;
                    (sid, played)
                }
                Via::Api => Box::pin(source::play(&plan, &stop, &*report)).await,
            };
            match played {
                Ok(()) => {
                    report(Progress::Ended(&sid));
                    None
                }
                Err(why) => {
                    report(Progress::Failed(&sid, &why));
                    Some((sid, why))
                }
            }
        });
    }
    let mut failed = Vec::new();
    while let Some(call) = calls.join_next().await {
        // A call's panic is a fault of this program: it goes where panics go.
        failed.extend(call.unwrap_or_else(|fault| match fault.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => None,
        }));
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Error::Calls(Failures {
            failed,
            played: plan.calls,
        }))
    }
}

/// Waits for Ctrl-C, or SIGTERM where there is such a thing.
async fn interrupt() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                Ok(()) = tokio::signal::ctrl_c() => return,
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a way to hear of it the calls just play to their end.
        std::future::pending::<()>().await;
    }
}
