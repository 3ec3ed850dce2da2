//! `token add`, `list` and `remove`: who is given a token, in the file that `serve --tokens` watches. A token's
//! text goes to stdout once, alone, and nowhere else.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args as Arguments, Subcommand};
use partyline_shared::time::UtcTime;

use crate::access::tokens::file::{self, Changed, Unusable};
use crate::access::tokens::{MAX_NAME, Made, Token, is_customer, is_name};
use crate::access::{Right, Role};
use crate::clock::Now;
use crate::config::problem;

use super::FAILED;

/// Who may listen: adds, lists and removes tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Args {
    /// Makes a token and prints it, once; the file keeps its hash.
    ///
    /// Several tokens may have one name: each device its own, or a new one before the old is removed.
    Add(Box<Add>),
    /// Shows who has a token, and which rights it gives.
    List(List),
    /// Removes all tokens of a name, or one by its id; a running relay lets their bearers go within seconds.
    Remove(Remove),
}

#[derive(Debug, Arguments)]
struct Place {
    /// The tokens file.
    #[arg(long = "tokens", value_name = "FILE", env = "PARTYLINE_TOKENS")]
    path: PathBuf,
}

/// What `token add` takes.
#[derive(Debug, Arguments)]
pub(super) struct Add {
    #[command(flatten)]
    place: Place,
    /// Who it is for; shown to listeners and on the record.
    #[arg(long, value_parser = name)]
    name: String,
    /// admin has all rights; user lists, hears and reads the calls of its customers; source publishes audio;
    /// transcriber hears and publishes lines. The last two work for all calls, or for their customers' only.
    #[arg(long, value_name = "admin|user|source|transcriber", value_parser = role)]
    role: Role,
    /// A customer whose calls it is for; repeatable.
    #[arg(long = "customer", value_name = "CUSTOMER", value_parser = customer)]
    customers: Vec<String>,
    /// Rights that are given by name; admins have both.
    #[arg(long, value_name = "save,pause", value_delimiter = ',', value_parser = right)]
    allow: Vec<Right>,
    /// How long it counts, for example 12h or 90d; for ever unless said.
    #[arg(long, value_name = "DURATION", value_parser = life)]
    expires: Option<Duration>,
    /// It may stand in a URL, where proxies and browsers remember it: for clients that can send nothing else.
    #[arg(long)]
    in_url: bool,
}

/// What `token list` takes.
#[derive(Debug, Arguments)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// Those of this name only.
    #[arg(long)]
    name: Option<String>,
}

/// What `token remove` takes.
#[derive(Debug, Arguments)]
pub(super) struct Remove {
    #[command(flatten)]
    place: Place,
    /// All tokens of this name.
    #[arg(long, required_unless_present = "id")]
    name: Option<String>,
    /// The one that `token list` shows under this id.
    #[arg(long)]
    id: Option<String>,
}

/// Runs one of them: 0 done, 1 failed, 2 usage or a file that is wrong.
#[allow(clippy::print_stderr)] // a command's errors
pub(super) fn run(args: Args) -> ExitCode {
    let done = match args {
        Args::Add(args) => add(*args),
        Args::List(args) => list(args),
        Args::Remove(args) => remove(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed { code, why }) => {
            eprintln!("{why}");
            ExitCode::from(code)
        }
    }
}

struct Failed {
    code: u8,
    why: String,
}

impl From<Unusable> for Failed {
    fn from(unusable: Unusable) -> Self {
        let code = if unusable.is_configuration() {
            problem::EXIT_CODE
        } else {
            FAILED
        };
        Failed {
            code,
            why: unusable.to_string(),
        }
    }
}

fn failed(why: impl Into<String>) -> Failed {
    Failed {
        code: FAILED,
        why: why.into(),
    }
}

#[allow(clippy::print_stderr)] // warnings: stdout has the token alone
fn add(args: Add) -> Result<(), Failed> {
    let now = Now::take().wall;
    let mut made = Made::draw(&args.name, args.role, now)
        .map_err(|error| failed(format!("the system gives no random numbers: {error}")))?;
    let Add { name, role, .. } = args;
    made.token.customers = once(args.customers);
    made.token.allow = once(args.allow);
    made.token.expires = args.expires.map(|life| now.plus_ms(life.as_millis() as i64));
    made.token.in_url = args.in_url;
    let Changed {
        value: same,
        was_open,
    } = file::add(&args.place.path, &made.token)?;
    warn_if_open(was_open);
    let tied = !made.token.customers.is_empty();
    match role {
        Role::User if !tied => {
            eprintln!("warning: {name} may hear no call: a user needs --customer, at least one");
        }
        Role::Admin if tied || !made.token.allow.is_empty() => {
            eprintln!(
                "warning: {name} is an admin, who has all rights: --customer and --allow change nothing"
            );
        }
        _ => {}
    }
    let counting = same.iter().filter(|token| !token.is_over(now)).count();
    if counting > 0 {
        eprintln!(
            "note: {name} has {counting} other {} in this file, still good; `token list` shows them, `token remove --id` takes one",
            if counting == 1 { "token" } else { "tokens" }
        );
    }
    print(&format!("{}\n", made.expose())).map_err(|error| {
        let id = &made.token.id;
        failed(format!(
            "the token could not be shown ({error}) and is lost: remove it with --id {id} and add another"
        ))
    })
}

/// Each thing once, in the order given.
fn once<T: PartialEq>(given: Vec<T>) -> Vec<T> {
    given.into_iter().fold(Vec::new(), |mut all, one| {
        if !all.contains(&one) {
            all.push(one);
        }
        all
    })
}

fn list(args: List) -> Result<(), Failed> {
    let tokens = file::read(&args.place.path)?;
    let now = Now::take().wall;
    let meant = |token: &&Token| args.name.as_ref().is_none_or(|name| *name == token.name);
    let mut rows = vec![["ID", "NAME", "ROLE", "CUSTOMERS", "ALLOW", "EXPIRES", "IN URL"].map(str::to_owned)];
    rows.extend(tokens.iter().filter(meant).map(|token| row(token, now)));
    if let (Some(name), 1) = (&args.name, rows.len()) {
        return Err(failed(format!(
            "there is no token of {name} in {}",
            args.place.path.display()
        )));
    }
    print(&table(&rows)).map_err(|error| failed(format!("the list could not be written: {error}")))
}

#[allow(clippy::print_stderr)] // a word to who did it: stdout is for data
fn remove(args: Remove) -> Result<(), Failed> {
    let Remove { place, name, id } = args;
    let is = |wanted: &Option<String>, has: &String| wanted.as_ref().is_none_or(|wanted| wanted == has);
    let meant = |token: &Token| is(&name, &token.name) && is(&id, &token.id);
    let Changed {
        value: gone,
        was_open,
    } = file::remove(&place.path, meant)?;
    warn_if_open(was_open);
    if gone.is_empty() {
        let whose = name.map(|name| format!(" of {name}")).unwrap_or_default();
        let which = id.map(|id| format!(" with the id {id}")).unwrap_or_default();
        let path = place.path.display();
        return Err(failed(format!(
            "there is no token{whose}{which} in {path}; `token list` shows all"
        )));
    }
    for token in gone {
        eprintln!("removed {} of {}", token.id, token.name);
    }
    Ok(())
}

#[allow(clippy::print_stderr)] // a warning: stdout is for data
fn warn_if_open(was: Option<u32>) {
    if let Some(mode) = was {
        eprintln!("warning: others could read or write the file (mode {mode:04o}); it is 0600 now");
    }
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn row(token: &Token, now: UtcTime) -> [String; 7] {
    let all_or = |items: Vec<&str>, none: &str| {
        if items.is_empty() {
            none.to_owned()
        } else {
            items.join(",")
        }
    };
    let (customers, allow) = match token.role {
        Role::Admin => ("all", "all"),
        Role::User => ("none", "-"),
        Role::Source | Role::Transcriber => ("all", "-"),
    };
    let named = token.customers.iter().map(String::as_str).collect();
    let rights = token.allow.iter().map(|right| right.as_str()).collect();
    let admin = token.role == Role::Admin;
    [
        token.id.clone(),
        token.name.clone(),
        token.role.as_str().to_owned(),
        if admin {
            customers.to_owned()
        } else {
            all_or(named, customers)
        },
        if admin {
            allow.to_owned()
        } else {
            all_or(rights, allow)
        },
        match token.expires {
            None => "never".to_owned(),
            Some(end) if token.is_over(now) => format!("{end} (over)"),
            Some(end) => end.to_string(),
        },
        if token.in_url { "yes" } else { "no" }.to_owned(),
    ]
}

/// Columns as wide as what stands in them.
fn table(rows: &[[String; 7]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().enumerate();
        let line: String = cells
            .map(|(at, cell)| format!("{cell:<0$}  ", width(at)))
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn name(text: &str) -> Result<String, String> {
    is_name(text).then(|| text.to_owned()).ok_or_else(|| {
        format!("write letters, digits, single spaces and . _ @ + - ' only, at most {MAX_NAME} of them")
    })
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "write admin, user, source or transcriber".to_owned())
}

fn right(text: &str) -> Result<Right, String> {
    Right::parse(text.trim()).ok_or_else(|| "write save, pause, or save,pause".to_owned())
}

fn customer(text: &str) -> Result<String, String> {
    let taken = is_customer(text).then(|| text.to_owned());
    taken.ok_or_else(|| "write the customer's id: one line of at most 500 characters".to_owned())
}

fn life(text: &str) -> Result<Duration, String> {
    match partyline_shared::duration::parse(text) {
        Ok(Duration::ZERO) => {
            Err("a token has to count for some time; write for example 12h or 90d".to_owned())
        }
        Ok(life) => Ok(life),
        Err(bad) => Err(bad.to_string()),
    }
}
