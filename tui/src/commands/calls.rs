//! `partyline calls`: the list, once or kept up to date.

use std::collections::{HashMap, HashSet};

use partyline_shared::call::Call;
use partyline_shared::id::CallSid;
use serde::Deserialize;
use serde_json::json;

use super::{Followed, utc_now};
use crate::cli::Calls;
use crate::client::api;
use crate::client::backoff::Backoff;
use crate::client::relay::Relay;
use crate::client::session::{Session, Update};
use crate::failure::Failure;
use crate::print::{self, CallLine, Lines};

/// Calls asked for at a time; the relay's own limit.
const PAGE: usize = 200;

/// Pages asked for at most: live and ended calls of the largest relay are some 100.
const MAX_PAGES: usize = 1000;

#[derive(Deserialize)]
struct Page {
    calls: Vec<Call>,
}

pub(super) async fn run(args: &Calls, relay: Relay, backoff: Backoff) -> Result<(), Failure> {
    let mut out = Lines::stdout();
    if args.watch {
        return watch(args, relay, backoff, &mut out).await;
    }
    for call in fetch(&relay, if args.all { "all" } else { "live" }).await? {
        if args.json {
            out.json(&call)?;
        } else {
            out.text(&text(&call))?;
        }
    }
    Ok(())
}

/// All calls of a status. By HTTP, since the socket's snapshot has only the newest 500 ended ones.
pub(super) async fn fetch(relay: &Relay, status: &str) -> Result<Vec<Call>, Failure> {
    let mut all = Vec::new();
    let mut seen: HashSet<CallSid> = HashSet::new();
    let mut before = String::new();
    for _ in 0..MAX_PAGES {
        let page: Page = api::get(
            relay,
            &format!("/api/v1/calls?status={status}&limit={PAGE}{before}"),
            None,
        )
        .await?;
        let full = page.calls.len() >= PAGE;
        let oldest = page.calls.iter().filter_map(|call| call.started_at).min();
        let known = seen.len();
        all.extend(
            page.calls
                .into_iter()
                .filter(|call| seen.insert(call.call_sid.clone())),
        );
        let Some(oldest) = oldest.filter(|_| full && seen.len() > known) else {
            break;
        };
        // A millisecond later, so that calls which began together are not parted; those seen are skipped.
        before = format!("&before={}", oldest.plus_ms(1));
    }
    Ok(all)
}

pub(super) fn text(call: &Call) -> String {
    print::call(call).with_duration(duration_ms(call))
}

fn duration_ms(call: &Call) -> i64 {
    let end = call.ended_at.unwrap_or_else(utc_now).unix_ms();
    call.started_at.map_or(0, |start| end - start.unix_ms())
}

/// What was printed of the calls that are shown; one that has ended is forgotten once that is printed.
struct Shown {
    all: bool,
    json: bool,
    lines: HashMap<CallSid, (Call, CallLine)>,
    ended: HashSet<CallSid>,
}

async fn watch(args: &Calls, relay: Relay, backoff: Backoff, out: &mut Lines) -> Result<(), Failure> {
    let mut connection = Followed::open(relay, Session::new(), true, backoff);
    let mut shown = Shown {
        all: args.all,
        json: args.json,
        lines: HashMap::new(),
        ended: HashSet::new(),
    };
    loop {
        match connection.next().await? {
            Update::Snapshot(calls) => shown.replace(calls, out)?,
            Update::CallChanged(call) => shown.change(*call, out)?,
            Update::CallRemoved(call) => shown.remove(&call, out)?,
            _ => {}
        }
    }
}

impl Shown {
    /// After a cut only what has changed meanwhile is printed.
    fn replace(&mut self, calls: Vec<Call>, out: &mut Lines) -> Result<(), Failure> {
        let there: HashSet<CallSid> = calls.iter().map(|call| call.call_sid.clone()).collect();
        let gone: Vec<CallSid> = self
            .lines
            .keys()
            .filter(|call| !there.contains(*call))
            .cloned()
            .collect();
        for call in gone {
            self.remove(&call, out)?;
        }
        // Ended calls that the list no longer reaches are nothing to tell; they will not come again.
        self.ended.retain(|call| there.contains(call));
        for call in calls {
            self.change(call, out)?;
        }
        Ok(())
    }

    fn change(&mut self, call: Call, out: &mut Lines) -> Result<(), Failure> {
        let line = print::call(&call);
        let known = self.lines.get(&call.call_sid);
        let same =
            known.is_some_and(|(before, text)| if self.json { *before == call } else { *text == line });
        // An ended call is news where it was live before, or where all are asked for.
        let old = call.is_ended() && known.is_none() && (!self.all || self.ended.contains(&call.call_sid));
        if same || old {
            return Ok(());
        }
        if self.json {
            out.json(&json!({"type": "call", "call": call}))?;
        } else {
            out.text(&line.with_duration(duration_ms(&call)))?;
        }
        if call.is_ended() {
            self.lines.remove(&call.call_sid);
            self.ended.insert(call.call_sid);
        } else {
            self.ended.remove(&call.call_sid);
            self.lines.insert(call.call_sid.clone(), (call, line));
        }
        Ok(())
    }

    fn remove(&mut self, call: &CallSid, out: &mut Lines) -> Result<(), Failure> {
        let ended = self.ended.remove(call);
        if self.lines.remove(call).is_none() && !(ended && self.all) {
            return Ok(());
        }
        if self.json {
            out.json(&json!({"type": "call_removed", "call_sid": call}))
        } else {
            out.text(&format!("removed     {call}"))
        }
    }
}
