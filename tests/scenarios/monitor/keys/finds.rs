//! Finding and showing: filter, search, copy, order, privacy.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use harness::twilio::{new_sid, now as now_utc};
use harness::{Relay, Terminal, TwilioCall, api, wait};
use partyline::event::Intent;
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;

use super::super::eyes::{Seen, now, until};
use super::super::{rings, say, sized, watch};
use super::{keys, untold};

pub(super) const GROUP: &str = "Find and show";

/// Letters of the names that are in no other text of a call: its id is hexadecimal, its agent is anna, bert or
/// carl, its state is ringing or in progress.
const CALLS: [(&str, &str); 3] = [
    ("custzulu", "client:carl"),
    ("custyolk", "client:anna"),
    ("custxyz", "client:bert"),
];

/// Where the list is sorted by each thing in turn: what its title says, and the calls in that order.
const SORTS: [(&str, [usize; 3]); 5] = [
    ("oldest first", [0, 1, 2]),
    ("newest first", [2, 1, 0]),
    ("by customer", [2, 1, 0]),
    ("by agent", [1, 2, 0]),
    ("most heard first", [0, 1, 2]),
];

/// Lines of the first call; all that can be divided by 5 have a refund in them.
const LINES: usize = 20;

struct Scene {
    relay: Relay,
    terminal: Terminal,
    shown: CallSid,
}

#[tokio::test]
async fn every_key_that_finds_or_shows_does_what_it_says() {
    let relay = Relay::start(&[]).await;
    let mut over = rings(&relay, "custover").await;
    over.status("completed", &[]).await.expect(204);
    let mut calls = Vec::new();
    for (customer, from) in CALLS {
        let mut call = TwilioCall::new(&relay);
        call.from = from.to_owned();
        call.webhook(&[("customer_id", customer)]).await.expect(200);
        // The next one is newer, in the milliseconds in which it is told.
        let begun = api::call(relay.addr(), call.sid()).await.started_at;
        wait::until(wait::SOON, "a later time", async || {
            (Some(now_utc()) > begun).then_some(())
        })
        .await;
        calls.push(call);
    }
    let first = &mut calls[0];
    first.status("in-progress", &[]).await.expect(204);
    let leg = new_sid("CA");
    for status in ["ringing", "in-progress"] {
        first.leg_status(&leg, status, &[]).await.expect(204);
    }
    for line in 1..=LINES {
        let refund = if line % 5 == 0 { " of a refund" } else { "" };
        say(first, &format!("line {line:02}{refund}")).await;
    }
    let scene = Scene {
        shown: first.sid().clone(),
        terminal: watch(&relay.url(), sized(160, 40)).await,
        relay,
    };
    for (intent, shown, key) in keys(GROUP) {
        scene.begin().await;
        match intent {
            Intent::Find => scene.finds(&key).await,
            Intent::NextMatch => scene.goes_on(&key, b"N").await,
            Intent::PrevMatch => scene.goes_on(b"n", &key).await,
            Intent::Copy => scene.copies(&key).await,
            Intent::Ended => scene.hides_ended(&key).await,
            Intent::NextSort => scene.sorts(&key, b"<", 1).await,
            Intent::PrevSort => scene.sorts(&key, b">", SORTS.len() - 1).await,
            Intent::Privacy => scene.masks(&key).await,
            _ => untold(shown),
        }
    }
}

/// The entry of a text that is marked as found.
fn found(seen: &Seen, pane: &str) -> Option<String> {
    let row = seen.pane(pane).iter().find(|row| row.starts_with('▶'))?;
    Some(row.clone())
}

/// What was put into the clipboard last: the terminal is told so by OSC 52.
fn clipboard(raw: &[u8]) -> Option<String> {
    const BEGIN: &[u8] = b"\x1b]52;c;";
    let at = raw.windows(BEGIN.len()).rposition(|bytes| bytes == BEGIN)? + BEGIN.len();
    let end = raw[at..].iter().position(|byte| *byte == 0x07)? + at;
    let text = BASE64_STANDARD.decode(&raw[at..end]).expect("OSC 52 is base64");
    Some(String::from_utf8(text).expect("what is copied is text"))
}

/// `09:00:00`.
fn clock(at: UtcTime) -> String {
    at.to_string()[11..19].to_owned()
}

impl Scene {
    async fn until(&self, what: &str, is_so: impl FnMut(&Seen) -> bool) {
        until(&self.terminal, what, is_so).await;
    }

    /// The list has the keys, the first call is shown whole.
    async fn begin(&self) {
        self.terminal.keys("g");
        let last = format!("line {LINES:02}");
        self.until("the list with the keys and the first call", |seen| {
            seen.focus() == Some("Calls")
                && seen.cursor().is_some_and(|(_, at)| at == CALLS[0].0)
                && seen.pane_has("Transcript", &last)
                && seen.customers().len() == 4
        })
        .await;
    }

    async fn go_to(&self, pane: &str, keys: &str) {
        self.terminal.keys(keys);
        self.until(&format!("the keys in {pane}"), |seen| seen.focus() == Some(pane))
            .await;
    }

    /// Esc, and its effect, since what follows it at once would be taken for one key with it; then to the end.
    async fn drops_search(&self, search: &str) {
        self.terminal.keys("\x1b");
        self.until("nothing is searched for", |seen| !seen.has(search))
            .await;
        self.terminal.keys("G");
    }

    /// At each letter what is left of the list; Enter keeps it, Esc drops it.
    async fn finds(&self, key: &[u8]) {
        self.terminal.keys(key);
        self.until("a filter to be typed", |seen| seen.has("filter: /"))
            .await;
        for (letters, left) in [("y", vec!["custyolk", "custxyz"]), ("z", vec!["custxyz"])] {
            self.terminal.keys(letters);
            self.until(&format!("{left:?} are left"), |seen| seen.customers() == left)
                .await;
        }
        self.terminal.keys("\r");
        self.until("the filter is kept", |seen| {
            seen.has("Calls 1/4") && seen.has("/yz") && !seen.has("filter: /")
        })
        .await;
        self.terminal.keys("\x1b");
        self.until("the filter is dropped", |seen| {
            seen.customers().len() == 4 && !seen.has("/yz")
        })
        .await;
        self.begin().await;
        // In a text it is a search, and Esc while it is typed leaves all as it was.
        self.go_to("Transcript", "\t\t").await;
        self.terminal.keys(key);
        for (letters, line) in [("line 0", "line 09"), ("3", "line 03")] {
            self.terminal.keys(letters);
            self.until(&format!("{line} is found"), |seen| {
                found(seen, "Transcript").is_some_and(|row| row.contains(line))
            })
            .await;
        }
        self.terminal.keys("\x1b");
        let last = format!("line {LINES:02}");
        self.until("nothing is searched for", |seen| {
            found(seen, "Transcript").is_none() && !seen.has("/line") && seen.has(&last)
        })
        .await;
        self.go_to("Calls", "\x1b[Z\x1b[Z").await;
    }

    /// From match to match and around the ends, in the transcript and in the events.
    async fn goes_on(&self, next: &[u8], before: &[u8]) {
        self.go_to("Transcript", "\t\t").await;
        self.terminal.keys("/refund\r");
        let at = async |line: &str| {
            self.until(&format!("{line} is found"), |seen| {
                found(seen, "Transcript").is_some_and(|row| row.contains(line))
            })
            .await;
        };
        at("line 20").await;
        for (key, line) in [
            (before, "line 15"),
            (before, "line 10"),
            (next, "line 15"),
            (next, "line 20"),
            (next, "line 05"),
            (before, "line 20"),
        ] {
            self.terminal.keys(key);
            at(line).await;
        }
        self.drops_search("/refund").await;
        self.go_to("Events", "\t").await;
        self.terminal.keys("/status=\r");
        let mut rows: Vec<String> = Vec::new();
        for key in [b"".as_slice(), before, next] {
            let was = rows.last().cloned();
            self.terminal.keys(key);
            self.until("another event is found", |seen| {
                found(seen, "Events").is_some_and(|row| Some(&row) != was.as_ref())
            })
            .await;
            rows.extend(found(&now(&self.terminal), "Events"));
        }
        assert_eq!(rows[0], rows[2], "there and back: {rows:#?}");
        self.drops_search("/status=").await;
        self.go_to("Calls", "\t").await;
    }

    /// A call's id in the list, a line in the transcript, an event in the log.
    async fn copies(&self, key: &[u8]) {
        let copies = async |what: &str| {
            self.terminal.keys(key);
            self.terminal
                .wait_until_written(&format!("{what:?} in the clipboard"), |raw| {
                    clipboard(raw).as_deref() == Some(what)
                })
                .await;
        };
        copies(self.shown.as_str()).await;
        self.until("what was copied is said", |seen| {
            seen.has(&format!("copied {}", self.shown))
        })
        .await;
        self.go_to("Transcript", "\t\t").await;
        let lines = api::lines(self.relay.addr(), &self.shown).await;
        let (last, fifth) = (&lines[LINES - 1], &lines[4]);
        copies(&format!("{} agent: {}", clock(last.at), last.text)).await;
        self.terminal.keys("/line 05\r");
        self.until("the search", |seen| seen.pane_has("Transcript", "/line 05"))
            .await;
        copies(&format!("{} agent: {}", clock(fifth.at), fifth.text)).await;
        self.drops_search("/line 05").await;
        self.go_to("Events", "\t").await;
        let events = api::events(self.relay.addr(), &self.shown).await;
        let last = events.last().expect("something has happened");
        let mut event = format!("{} {}", clock(last.at), last.kind);
        for (key, value) in &last.detail {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            event.push_str(&format!(" {key}={value}"));
        }
        copies(&event).await;
        self.go_to("Calls", "\t").await;
    }

    async fn hides_ended(&self, key: &[u8]) {
        self.terminal.keys(key);
        self.until("the ended call is hidden", |seen| {
            seen.listed("custover").is_none() && seen.has("Calls 3/4") && seen.has("ended hidden")
        })
        .await;
        self.terminal.keys(key);
        self.until("the ended call is shown", |seen| {
            seen.listed("custover").is_some() && seen.has("Calls 4") && !seen.has("ended hidden")
        })
        .await;
    }

    /// Once around with the key, and back with the other; ended calls stay below.
    async fn sorts(&self, key: &[u8], back: &[u8], step: usize) {
        let sorted = async |at: usize| {
            let (title, order) = SORTS[at % SORTS.len()];
            let mut order: Vec<&str> = order.iter().map(|call| CALLS[*call].0).collect();
            order.push("custover");
            self.until(&format!("{title}: {order:?}"), |seen| {
                seen.pane("Calls").first().is_some_and(|row| row.contains(title)) && seen.customers() == order
            })
            .await;
        };
        for times in 1..=SORTS.len() {
            self.terminal.keys(key);
            sorted(times * step).await;
        }
        self.terminal.keys(key);
        sorted(step).await;
        self.terminal.keys(back);
        sorted(0).await;
    }

    async fn masks(&self, key: &[u8]) {
        let (number, words) = ("+15550100002", "of a refund");
        let shown = |seen: &Seen| (seen.has(number), seen.has(words), seen.has(CALLS[0].0));
        self.until("numbers and words", |seen| shown(seen) == (true, true, true))
            .await;
        self.terminal.keys(key);
        self.until("neither numbers nor words", |seen| {
            shown(seen) == (false, false, false)
                && seen.has("…02")
                && seen.has("…lu")
                && seen.pane_has("Transcript", "•••")
        })
        .await;
        self.terminal.keys(key);
        self.until("numbers and words again", |seen| {
            shown(seen) == (true, true, true)
        })
        .await;
    }
}
