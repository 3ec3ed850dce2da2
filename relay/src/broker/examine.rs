//! Looks once at a Redis that nobody has to share calls over yet: whether it answers, what it is, and whether our user may
//! do what is needed. Changes nothing: what would write is asked of a key that is not there, in a way that does not make it.

use std::sync::Arc;

use redis::{Cmd, Value, cmd};
use tokio::time::timeout;

use super::ask::{self, COMMAND};
use super::dial::{Dialled, NoLink, STEP, Way};
use super::failed::Failed;
use super::hear::Ears;
use super::settings::Settings;
use super::{Subscription, VERSION};

/// What was found.
#[derive(Debug)]
pub(crate) struct Findings {
    /// As it calls itself: `redis 7.0.15`.
    pub(crate) version: String,
    /// Whether it is one that has what we need.
    pub(crate) is_new_enough: bool,
    /// What our user may not do, as its rule is written, and Redis' word for the no; empty where all is well.
    pub(crate) refused: Vec<(&'static str, String)>,
    /// What it throws away once its memory is full, where that is anything, and it says so.
    pub(crate) evicts: Option<String>,
}

/// The least version: XADD NOMKSTREAM, and `&` in the rules of users.
pub(crate) const LEAST: (u32, u32) = (6, 2);

/// The key and channel that are asked for.
const DOCTOR: &str = "doctor";

/// Looks; in a few seconds at the most.
pub(crate) async fn examine(settings: &Settings) -> Result<Findings, NoLink> {
    let (way, dialled) = Way::find(settings).await?.first(settings).await?;
    let (version, is_new_enough) = version(&dialled).await?;
    let mut refused = Vec::new();
    for (rule, needed) in needed(&settings.prefix) {
        if let Some(no) = no(ask::one(&dialled.line, &needed, COMMAND).await)? {
            refused.push((rule, no));
        }
    }
    let channel = Subscription {
        channels: vec![DOCTOR.to_owned()],
        hear: Arc::new(|_, _| {}),
        own_connection: false,
    };
    for ears in Ears::of(&[channel], &format!("{}:{VERSION}:", settings.prefix)) {
        let ears = Arc::new(ears);
        let mut hearing = way.another(settings, Some(ears.clone())).await?;
        let heard = timeout(STEP, hearing.line.subscribe(ears.channels())).await;
        let heard = heard.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()));
        let heard = heard.map(|()| Value::Okay).map_err(Failed::from);
        refused.extend(no(heard)?.map(|no| ("+@pubsub", no)));
    }
    Ok(Findings {
        version,
        is_new_enough,
        refused,
        evicts: evicts(&dialled).await,
    })
}

/// One of each kind that is needed, by what a user's rule calls it.
fn needed(prefix: &str) -> Vec<(&'static str, Cmd)> {
    let key = format!("{prefix}:{VERSION}:{DOCTOR}");
    let on_key = |name: &str, args: &[&str]| {
        let mut one = cmd(name);
        one.arg(&key).arg(args);
        one
    };
    let mut load = cmd("SCRIPT");
    load.arg("LOAD").arg("return 1");
    let mut run = cmd("EVAL");
    run.arg("return 1").arg(0);
    vec![
        ("+@connection", cmd("PING")),
        ("+time", cmd("TIME")),
        ("+@read", on_key("HGETALL", &[])),
        ("+@read", on_key("XRANGE", &["-", "+"])),
        ("+@read", on_key("ZRANGEBYSCORE", &["0", "1"])),
        ("+@write", on_key("DEL", &[])),
        ("+@write", on_key("XADD", &["NOMKSTREAM", "*", "k", "v"])),
        ("+@write", on_key("ZADD", &["XX", "1", "m"])),
        ("+@write", on_key("PEXPIRE", &["1"])),
        ("+@scripting", load),
        ("+@scripting", run),
        ("+@pubsub", on_key("PUBLISH", &[""])),
    ]
}

/// The code of a no, where it is one. That it does not answer is another matter.
fn no(answered: Result<Value, Failed>) -> Result<Option<String>, NoLink> {
    match answered {
        Ok(_) => Ok(None),
        Err(Failed::Refused(no)) => Ok(Some(no.code().to_owned())),
        Err(failed) => Err(NoLink::new("it does not answer", failed)),
    }
}

/// What it is, by its own greeting: no right is needed for that.
async fn version(dialled: &Dialled) -> Result<(String, bool), NoLink> {
    let told = ask::one(&dialled.line, &cmd("HELLO"), COMMAND).await;
    let told = told.map_err(|failed| NoLink::new("it does not answer", failed))?;
    let Value::Map(told) = told else {
        return Err(NoLink::new("it does not say what it is", ""));
    };
    let said = |wanted: &str| {
        let found = told.iter().find(|(key, _)| text(key) == Some(wanted));
        found.and_then(|(_, value)| text(value)).unwrap_or_default()
    };
    let mut numbers = said("version").split('.').map(|part| part.parse::<u32>().ok());
    let found = numbers.next().flatten().zip(numbers.next().flatten());
    let version = format!("{} {}", said("server"), said("version"));
    Ok((version, found.is_some_and(|found| found >= LEAST)))
}

/// What it throws away; `None` where that is nothing, or where our user may not know.
async fn evicts(dialled: &Dialled) -> Option<String> {
    let mut info = cmd("INFO");
    info.arg("memory");
    let told = ask::one(&dialled.line, &info, COMMAND).await.ok()?;
    let said = |name: &str| {
        let line = text(&told)?.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::trim)
    };
    let policy = said("maxmemory_policy:")?;
    (said("maxmemory:")? != "0" && policy != "noeviction").then(|| policy.to_owned())
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}
