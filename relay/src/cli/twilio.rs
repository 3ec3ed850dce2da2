//! `twilio configure`: points a number or an application of Twilio's at this relay, by its REST API. Shows what it
//! changes before it does, and asks; takes the configuration that `serve` takes, so that what Twilio is told is
//! what the relay answers to.

mod change;
mod thing;

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use tokio::runtime::Builder;

use crate::config::{Config, Origin, ServeArgs, problem};
use crate::rest::{Account, Api, Failed};

use change::{Changes, Wanted};
use thing::{Found, Thing};

/// What can be done at Twilio's.
#[derive(Debug, Subcommand)]
pub(super) enum TwilioArgs {
    /// Points a number or an application at this relay: voice URL, fallback and status callback.
    ///
    /// Takes the configuration that `serve` takes, of which it needs the account with its token, and --public-url.
    /// Shows what it would change, and asks.
    Configure(Box<Configure>),
}

/// What `twilio configure` takes beside what `serve` does.
#[derive(Debug, Args)]
pub(super) struct Configure {
    /// The number that is called, +12125550100
    #[arg(long, value_name = "+1…", value_parser = thing::number, required_unless_present = "app", conflicts_with = "app")]
    number: Option<Thing>,
    /// The TwiML application that softphones call by
    #[arg(long, value_name = "AP…", value_parser = thing::app)]
    app: Option<Thing>,
    /// What Twilio asks when the relay does not answer: a page with TwiML elsewhere; stays as it is unless said
    #[arg(long, value_name = "URL", value_parser = change::fallback)]
    fallback: Option<String>,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Why nothing, or not all of it, was done.
struct Stopped {
    code: u8,
    why: String,
}

fn failed(why: impl Into<String>) -> Stopped {
    Stopped {
        code: super::FAILED,
        why: why.into(),
    }
}

fn usage(why: impl Into<String>) -> Stopped {
    Stopped {
        code: problem::EXIT_CODE,
        why: why.into(),
    }
}

/// With Twilio's own words: whoever reads them here has named the number.
fn refused(error: &Failed) -> Stopped {
    match error {
        Failed::Refused(refused) if !refused.message.is_empty() => {
            failed(format!("{error}\nTwilio says: {}", refused.message))
        }
        error => failed(error.to_string()),
    }
}

/// Exits 0 when it is as wanted, 1 when it is not, 2 when what was said is wrong.
#[allow(clippy::print_stderr)] // a command's errors
pub(super) fn run(args: TwilioArgs) -> ExitCode {
    let TwilioArgs::Configure(args) = args;
    super::run_to_end(Builder::new_current_thread(), async move {
        match configure(*args).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(Stopped { code, why }) => {
                eprintln!("{why}");
                ExitCode::from(code)
            }
        }
    })
}

async fn configure(args: Configure) -> Result<(), Stopped> {
    let env = |name: &str| std::env::var(name).ok();
    let config = Config::load(&args.serve, &env, &|path| std::fs::read_to_string(path))
        .map_err(|problems| usage(problems.to_string()))?;
    let thing = args.number.or(args.app);
    let thing = thing.ok_or_else(|| usage("name what is to be configured, --number or --app"))?;
    let (accounts, public_url) = needed(&config)?;
    let found = find(&accounts, &thing).await?;
    let wanted = Wanted {
        public_url,
        fallback: args.fallback.as_deref(),
    };
    let changes = Changes::between(&found, &wanted);
    say(&changes.to_string())?;
    if changes.is_empty() {
        return say("nothing is to be changed\n");
    }
    if !args.yes {
        ask()?;
    }
    let form = changes.form();
    let answer = found.account.post(&found.resource, &form).await;
    let now = answer.map_err(|error| refused(&error))?;
    let left = Changes::between(
        &Found {
            json: now.json,
            ..found
        },
        &wanted,
    );
    if left.is_empty() {
        return say("done\n");
    }
    Err(failed(format!(
        "Twilio took it and shows something else now:\n{left}"
    )))
}

/// The accounts that may have it, and where Twilio is to call.
fn needed(config: &Config) -> Result<(Vec<Account>, &Origin), Stopped> {
    let public_url = config.public_url.as_ref().ok_or_else(|| {
        usage("--public-url is missing: Twilio is told to call there; give the origin, --public-url https://HOST")
    })?;
    let api = Arc::new(Api::new(&config.twilio_api));
    let mut sids: Vec<&str> = config.accounts.all().filter_map(|(account, _)| account).collect();
    sids.dedup();
    let accounts: Vec<Account> = sids
        .into_iter()
        .filter_map(|sid| Account::new(api.clone(), &config.accounts, sid))
        .collect();
    if accounts.is_empty() {
        return Err(usage(
            "no Twilio account is named: set TWILIO_ACCOUNT_SID beside TWILIO_AUTH_TOKEN, or give --twilio-account",
        ));
    }
    Ok((accounts, public_url))
}

/// The first account that has it.
async fn find(accounts: &[Account], thing: &Thing) -> Result<Found, Stopped> {
    for account in accounts {
        if let Some(found) = thing.find(account).await.map_err(|error| refused(&error))? {
            return Ok(found);
        }
    }
    let names: Vec<&str> = accounts.iter().map(Account::sid).collect();
    Err(failed(format!(
        "{} is not of {}; see which account has it in Twilio's console",
        thing.name(),
        names.join(" or ")
    )))
}

#[allow(clippy::print_stderr)] // a question: stdout is for what was asked for
fn ask() -> Result<(), Stopped> {
    if !io::stdin().is_terminal() {
        return Err(usage(
            "nothing was changed: there is no terminal to ask on; say --yes",
        ));
    }
    eprint!("change it? [y/N] ");
    let _ = io::stderr().flush();
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| failed(format!("nothing was changed: {error}")))?;
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(failed("nothing was changed"))
}

fn say(text: &str) -> Result<(), Stopped> {
    let mut out = io::stdout().lock();
    let said = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    said.map_err(|error| failed(format!("it could not be shown: {error}")))
}
