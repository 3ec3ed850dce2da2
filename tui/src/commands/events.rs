//! `partyline events`: what happened in a call, or in all live ones.

use std::collections::{HashSet, VecDeque};

use partyline_shared::event::Event;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::server::ErrorCode;
use serde::{Deserialize, Serialize};

use super::transcript::Joined;
use super::{Followed, calls, end_of, refused};
use crate::cli::Events;
use crate::client::api;
use crate::client::backoff::Backoff;
use crate::client::relay::Relay;
use crate::client::session::{Session, Update, Want};
use crate::failure::Failure;
use crate::print::{self, Lines, note};

#[derive(Deserialize)]
struct Answer {
    events: Vec<Event>,
}

/// An event beside those of other calls.
#[derive(Serialize)]
struct OfCall<'a> {
    call_sid: &'a CallSid,
    #[serde(flatten)]
    event: &'a Event,
}

pub(super) async fn run(args: &Events, relay: Relay, backoff: Backoff) -> Result<(), Failure> {
    let mut out = Lines::stdout();
    match (&args.call_sid, args.follow) {
        (Some(call), true) => follow_one(args, call, relay, backoff, &mut out).await,
        (None, true) => follow_all(args, relay, backoff, &mut out).await,
        (Some(call), false) => {
            for event in fetch(&relay, call).await? {
                put(args, call, &event, &mut out)?;
            }
            Ok(())
        }
        (None, false) => print_all(args, &relay, &mut out).await,
    }
}

async fn fetch(relay: &Relay, call: &CallSid) -> Result<Vec<Event>, Failure> {
    let answer: Answer = api::get(
        relay,
        &format!("/api/v1/calls/{call}/events"),
        Some(call.as_str()),
    )
    .await?;
    Ok(answer.events)
}

/// All live calls' events in the order of their times.
async fn print_all(args: &Events, relay: &Relay, out: &mut Lines) -> Result<(), Failure> {
    let mut all = Vec::new();
    for call in calls::fetch(relay, "live").await? {
        match fetch(relay, &call.call_sid).await {
            Ok(events) => {
                // Some of Twilio's times have whole seconds: within a call the numbers are the order.
                let mut latest = None;
                for event in events {
                    latest = latest.max(Some(event.at));
                    all.push((latest, call.call_sid.clone(), event));
                }
            }
            // It was forgotten since it was listed.
            Err(Failure::NoSuchCall(_)) => {}
            Err(failure) => return Err(failure),
        }
    }
    all.sort_by_key(|(at, _, _)| *at);
    for (_, call, event) in &all {
        put(args, call, event, out)?;
    }
    Ok(())
}

async fn follow_one(
    args: &Events,
    call: &CallSid,
    relay: Relay,
    backoff: Backoff,
    out: &mut Lines,
) -> Result<(), Failure> {
    let mut session = Session::new();
    session.subscribe(0, call.clone(), Want::default());
    let mut connection = Followed::open(relay, session, true, backoff);
    let mut joined = Joined::default();
    loop {
        let update = connection.next().await?;
        if let Some(end) = end_of(call, &update) {
            connection.connection.close().await;
            return end;
        }
        joined.watch(&update, "events");
        if let Update::Event { event, .. } = update {
            put(args, call, &event, out)?;
        }
    }
}

/// Follows each call from when it is heard of until it ends; goes on for ever.
async fn follow_all(args: &Events, relay: Relay, backoff: Backoff, out: &mut Lines) -> Result<(), Failure> {
    let mut connection = Followed::open(relay, Session::new(), true, backoff);
    let mut joined = Joined::default();
    let mut followed = HashSet::new();
    // Calls for which the relay has no room on this socket, until another one ends.
    let mut waiting = VecDeque::new();
    loop {
        let update = connection.next().await?;
        joined.watch(&update, "events");
        let heard_of = match update {
            Update::Snapshot(calls) => calls,
            Update::CallChanged(call) => vec![*call],
            Update::Event { call, event } => {
                put(args, &call, &event, out)?;
                continue;
            }
            Update::Ended(call)
            | Update::Missing(call)
            | Update::CallRemoved(call)
            | Update::Unsubscribed(call) => {
                followed.remove(&call);
                waiting.retain(|other| *other != call);
                if let Some(next) = waiting.pop_front() {
                    connection.connection.subscribe(next, Want::default()).await;
                }
                continue;
            }
            // It stays followed: whoever ends makes room for it.
            Update::Refused {
                call,
                code: ErrorCode::TooManySubscriptions,
                ..
            } => {
                if waiting.is_empty() {
                    note(
                        "more calls are live than the relay tells one listener of; the others follow as these end",
                    );
                }
                waiting.push_back(call);
                continue;
            }
            Update::Refused { call, code, message } => {
                followed.remove(&call);
                note(&refused(&call, code, &message).to_string());
                continue;
            }
            _ => continue,
        };
        for call in heard_of {
            if !call.is_ended() && followed.insert(call.call_sid.clone()) {
                connection
                    .connection
                    .subscribe(call.call_sid, Want::default())
                    .await;
            }
        }
    }
}

fn put(args: &Events, call: &CallSid, event: &Event, out: &mut Lines) -> Result<(), Failure> {
    match (args.json, args.call_sid.is_some()) {
        (true, true) => out.json(event),
        (true, false) => out.json(&OfCall {
            call_sid: call,
            event,
        }),
        (false, true) => out.text(&print::event(event)),
        (false, false) => out.text(&format!("{call}  {}", print::event(event))),
    }
}
