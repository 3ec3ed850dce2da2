//! `partyline transcript`: what was said, once or as it is said.

use std::collections::HashSet;

use partyline_shared::call::Call;
use partyline_shared::id::CallSid;
use partyline_shared::line::Line;
use partyline_shared::track::{PerTrack, Role};
use serde::Deserialize;

use super::{Followed, end_of};
use crate::cli::Transcript;
use crate::client::api;
use crate::client::backoff::Backoff;
use crate::client::relay::Relay;
use crate::client::session::{Session, Update, Want};
use crate::failure::Failure;
use crate::print::{self, Lines, note};

#[derive(Deserialize)]
struct Answer {
    transcript: Vec<Line>,
}

pub(super) async fn run(args: &Transcript, relay: Relay, backoff: Backoff) -> Result<(), Failure> {
    let call = &args.call_sid;
    let mut out = Lines::stdout();
    if args.follow {
        return follow(args, relay, backoff, &mut out).await;
    }
    let path = format!("/api/v1/calls/{call}");
    let shown: Call = api::get(&relay, &path, Some(call.as_str())).await?;
    let answer: Answer = api::get(&relay, &format!("{path}/transcript"), Some(call.as_str())).await?;
    for line in &answer.transcript {
        put(args, line, Some(&shown.roles), &mut out)?;
    }
    Ok(())
}

async fn follow(args: &Transcript, relay: Relay, backoff: Backoff, out: &mut Lines) -> Result<(), Failure> {
    let call = &args.call_sid;
    let mut session = Session::new();
    session.subscribe(0, call.clone(), Want::default());
    let mut connection = Followed::open(relay, session, true, backoff);
    let mut roles: Option<PerTrack<Role>> = None;
    let mut joined = Joined::default();
    loop {
        let update = connection.next().await?;
        if let Some(end) = end_of(call, &update) {
            connection.connection.close().await;
            return end;
        }
        joined.watch(&update, "lines");
        match update {
            Update::Snapshot(calls) => {
                roles = calls
                    .iter()
                    .find(|c| c.call_sid == *call)
                    .map(|c| c.roles)
                    .or(roles);
            }
            Update::CallChanged(changed) if changed.call_sid == *call => roles = Some(changed.roles),
            Update::Line { line, .. } => put(args, &line, roles.as_ref(), out)?,
            _ => {}
        }
    }
}

/// As text only what stays is printed: a line on paper cannot be taken back.
fn put(
    args: &Transcript,
    line: &Line,
    roles: Option<&PerTrack<Role>>,
    out: &mut Lines,
) -> Result<(), Failure> {
    if args.json {
        out.json(line)
    } else if line.is_final {
        out.text(&print::line(line, roles))
    } else {
        Ok(())
    }
}

/// Says on stderr where a printed journal cannot be whole.
#[derive(Debug, Default)]
pub(super) struct Joined {
    calls: HashSet<CallSid>,
    /// Those that no socket since the last cut has confirmed.
    cut: HashSet<CallSid>,
    renumbered: bool,
}

impl Joined {
    pub(super) fn watch(&mut self, update: &Update, what: &str) {
        match update {
            Update::Online { .. } => self.cut.clone_from(&self.calls),
            Update::JournalChanged { call, .. } => {
                self.renumbered = true;
                note(&format!(
                    "the relay numbers the {what} of {call} anew; what follows is of another journal"
                ));
            }
            Update::Subscribed { call, resumed, .. } => {
                self.calls.insert(call.clone());
                // Another stream is confirmed too, and says nothing of lines.
                let rejoined = self.cut.remove(call);
                if rejoined && !resumed && !std::mem::take(&mut self.renumbered) {
                    note(&format!(
                        "away for so long that some {what} of {call} may be forgotten"
                    ));
                }
            }
            Update::Ended(call) | Update::Missing(call) | Update::CallRemoved(call) => {
                self.calls.remove(call);
            }
            _ => {}
        }
    }
}
