//! Things in words: durations, clocks, states, parties; and the masks over them where privacy is on. What is
//! drawn and what is read out come from here, so that they say the same.

use std::borrow::Cow;

use partyline_shared::call::{CallStatus, StreamState};
use partyline_shared::time::UtcTime;

use super::glyphs::Glyphs;
use crate::app::calls::{PerSide, Row, Sort};
use crate::app::mask::mask_address;
use crate::app::seats::FollowOn;
use crate::app::state::{App, Link};
use crate::app::text::Side;
use crate::event::{CallKey, Ears, Sides};

/// `m:ss`, or `h:mm:ss` from an hour on.
pub fn duration(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if h > 0 {
        format!("{h}:{m:02}:{s:02}")
    } else {
        format!("{m}:{s:02}")
    }
}

/// The same to be read out: `3 minutes`, `1 hour 5 minutes`, `12 seconds`.
pub fn spoken(ms: i64) -> String {
    let many = |n: i64, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
    let seconds = ms.max(0) / 1000;
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => many(seconds, "second"),
        (0, m) => many(m, "minute"),
        (h, 0) => many(h, "hour"),
        (h, m) => format!("{} {}", many(h, "hour"), many(m, "minute")),
    }
}

/// What goes to which ear.
pub fn ears(ears: Ears) -> &'static str {
    match ears {
        Ears::Stereo => "customer left, agent right",
        Ears::Wide => "each on one ear alone",
        Ears::Mono => "both sides on both ears",
    }
}

/// `12 s`, `3 min`, `2 h`: how long something has been so.
pub fn rough(ms: i64) -> String {
    match ms.max(0) / 1000 {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds @ 100..6_000 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// `4.2 s`, `840 ms`, `3:20`: a loss or a lag.
pub fn short(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => duration(i64::try_from(ms).unwrap_or(i64::MAX)),
    }
}

/// `09:00:00`, in UTC.
pub fn clock(at: UtcTime) -> String {
    let seconds = at.unix_ms().div_euclid(1000).rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// `09:00`, in UTC.
pub fn clock_short(at: UtcTime) -> String {
    let minutes = at.unix_ms().div_euclid(60_000).rem_euclid(1440);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// How a state is to be seen at a glance; the word says it all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// People talk, and can be heard.
    Good,
    /// Neither good nor bad.
    Plain,
    /// Held back by somebody, which everybody should see.
    Held,
    /// Something is wrong.
    Trouble,
    /// Over.
    Over,
}

/// A call's state: a word of at most nine cells, a glyph, and what to make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The word.
    pub word: &'static str,
    /// The glyph.
    pub glyph: &'static str,
    /// What to make of it.
    pub mood: Mood,
}

/// Whether a call is over.
pub fn is_over(row: &Row) -> bool {
    row.ended_at.is_some() || row.status.is_final()
}

/// The state of a call.
pub fn state(row: &Row, glyphs: &Glyphs) -> State {
    let made = |word, glyph, mood| State { word, glyph, mood };
    match row.status {
        CallStatus::Busy => made("busy", glyphs.ended, Mood::Over),
        CallStatus::NoAnswer => made("no answer", glyphs.ended, Mood::Over),
        CallStatus::Failed => made("failed", glyphs.trouble, Mood::Over),
        CallStatus::Canceled => made("canceled", glyphs.ended, Mood::Over),
        CallStatus::Completed => made("ended", glyphs.ended, Mood::Over),
        _ if row.ended_at.is_some() => made("ended", glyphs.ended, Mood::Over),
        _ if row.paused => made("PAUSED", glyphs.paused, Mood::Held),
        CallStatus::Queued | CallStatus::Initiated => made("dialling", glyphs.ringing, Mood::Plain),
        CallStatus::Ringing => made("ringing", glyphs.ringing, Mood::Plain),
        CallStatus::InProgress | CallStatus::Unknown => match row.stream {
            StreamState::Live => made("live", glyphs.live, Mood::Good),
            StreamState::None => made("no stream", glyphs.quiet, Mood::Plain),
            StreamState::Stopped => made("stopped", glyphs.quiet, Mood::Plain),
            StreamState::Lost => made("lost", glyphs.trouble, Mood::Trouble),
            StreamState::Unknown => made("unknown", glyphs.quiet, Mood::Plain),
        },
    }
}

/// Since when a relay that was there is not.
pub fn away_since(link: &Link) -> Option<UtcTime> {
    match link {
        Link::Away { since, .. } | Link::Refused { since, .. } => Some(*since),
        Link::Connecting { .. } | Link::Online { .. } => None,
    }
}

/// How long a call has lasted, ms: since it was answered, else since it is known, to its end, or to when it was
/// last heard of.
pub fn lasted(app: &App, row: &Row) -> Option<i64> {
    let from = row.answered_at.or(row.started_at)?;
    let to = row.ended_at.or_else(|| app.as_of(row)).unwrap_or(app.now.utc);
    Some(to.unix_ms().saturating_sub(from.unix_ms()).max(0))
}

/// How much of the talk is the customer's, percent; `None` before anybody has spoken.
pub fn customer_share(talk: PerSide<u64>) -> Option<u8> {
    let all = u128::from(talk.customer) + u128::from(talk.agent);
    let percent = (u128::from(talk.customer) * 100 + all / 2).checked_div(all)?;
    u8::try_from(percent).ok()
}

/// The customer of a call: its number with the operator, else its address.
pub fn customer(row: &Row, privacy: bool) -> Cow<'_, str> {
    let known = row.customer_id.as_deref().or(row.customer.as_deref());
    known.map_or(Cow::Borrowed("unknown"), |name| number(name, privacy))
}

/// The agent of a call. A softphone's name is no number, and is not masked.
pub fn agent(row: &Row, privacy: bool) -> Cow<'_, str> {
    let Some(address) = row.agent.as_deref() else {
        return Cow::Borrowed("no agent");
    };
    match address.strip_prefix("sip:") {
        Some(phone) if !privacy => Cow::Borrowed(phone),
        _ => agent_name(row, privacy),
    }
}

/// The same where there is little room: of a desk phone's address what stands before its company's domain. That is
/// masked only if it may be a number.
pub fn agent_name(row: &Row, privacy: bool) -> Cow<'_, str> {
    let address = row.agent.as_deref();
    address.map_or(Cow::Borrowed("no agent"), |address| name_of(address, privacy))
}

fn name_of(address: &str, privacy: bool) -> Cow<'_, str> {
    let Some(phone) = address.strip_prefix("sip:") else {
        return match address.strip_prefix("client:") {
            Some(name) => Cow::Borrowed(name),
            None => number(address, privacy),
        };
    };
    let name = phone.split('@').next().unwrap_or(phone);
    let is_number = name.chars().any(|c| c.is_ascii_digit());
    number(name, privacy && is_number)
}

/// Whose next call is to be heard: `agent alice`, `customer 12345`.
pub fn whose(next: &FollowOn, privacy: bool) -> String {
    match next.whom {
        Side::Agent => format!("agent {}", name_of(&next.name, privacy)),
        Side::Customer => format!("customer {}", number(&next.name, privacy)),
    }
}

/// Whose next call is waited for.
pub fn waits(app: &App) -> Option<String> {
    let next = app.follow_on.as_ref().filter(|next| next.waits)?;
    Some(format!("waits for the next call of {}", whose(next, app.privacy)))
}

/// From whom and to whom.
pub fn parties(row: &Row, privacy: bool, arrow: &str) -> String {
    let party = |address: &Option<String>| match address {
        Some(address) if Some(address) == row.agent.as_ref() => agent_name(row, privacy).into_owned(),
        Some(address) => number(address, privacy).into_owned(),
        None => "unknown".to_owned(),
    };
    format!("{} {arrow} {}", party(&row.from), party(&row.to))
}

/// Who called whom, as the people in the call would say it: Twilio's word is seen from Twilio, where a call that an
/// agent's softphone places comes in.
pub fn way(row: &Row) -> Option<&str> {
    match &row.from {
        Some(_) if row.from == row.agent => Some("outgoing"),
        Some(_) if row.from == row.customer => Some("incoming"),
        _ => row.direction.as_deref(),
    }
}

/// A number or address; with privacy all but its last two characters are masked, and all of a short one.
pub fn number(text: &str, privacy: bool) -> Cow<'_, str> {
    if !privacy {
        return Cow::Borrowed(text.strip_prefix("client:").unwrap_or(text));
    }
    Cow::Owned(mask_address(text))
}

/// Words; with privacy a mask for each.
pub fn words<'a>(text: &'a str, privacy: bool, mask: &str) -> Cow<'a, str> {
    if !privacy {
        return Cow::Borrowed(text);
    }
    let count = text.split_whitespace().count();
    Cow::Owned(vec![mask; count].join(" "))
}

/// Keys of an event's detail whose values say nothing about people.
const HARMLESS: [&str; 14] = [
    "status",
    "leg",
    "track",
    "tracks",
    "reason",
    "state",
    "engine",
    "from_chunk",
    "to_chunk",
    "frames",
    "ms",
    "code",
    "mode",
    "side",
];

/// A value of an event's detail; with privacy it is masked unless its key is known to be harmless.
pub fn detail<'a>(key: &str, value: &'a str, privacy: bool, mask: &str) -> Cow<'a, str> {
    if !privacy || HARMLESS.contains(&key) {
        return Cow::Borrowed(value);
    }
    if value.chars().any(|c| c.is_ascii_digit()) && !value.contains(' ') {
        number(value, true)
    } else {
        words(value, true, mask)
    }
}

/// A call in a word: its customer.
pub fn call_name(app: &App, key: &CallKey) -> String {
    match app.list.calls.get(key) {
        Some(row) => customer(row, app.privacy).into_owned(),
        None => "a call that is gone".to_owned(),
    }
}

/// By what the list is sorted.
pub fn sort(sort: Sort) -> &'static str {
    match sort {
        Sort::Oldest => "oldest first",
        Sort::Newest => "newest first",
        Sort::Customer => "by customer",
        Sort::Agent => "by agent",
        Sort::Listeners => "most heard first",
    }
}

/// Who is heard.
pub fn sides(sides: Sides) -> &'static str {
    match sides {
        Sides::Both => "both sides",
        Sides::Customer => "only customer",
        Sides::Agent => "only agent",
    }
}

#[cfg(test)]
mod tests;
