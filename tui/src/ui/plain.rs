//! The monitor for ears: what has changed, as short lines in the order of their weight, for a terminal that a
//! screen reader reads. No box, no bar, no repeated line; what only looks different is not said.

mod sound;

use std::collections::HashMap;

use partyline_shared::protocol::server::RelaysState;

use sound::Sound;

use super::glyphs::Glyphs;
use super::help;
use super::picker;
use super::words::{self, Mood};
use crate::app::calls::Row;
use crate::app::state::{App, Link, Pane, RelayView};
use crate::event::{CallKey, RelayId};

/// Calls that are told one by one in a report; of more at once only the number is told.
const CALLS_TOLD: usize = 5;
/// Lines of a transcript told when a call is first shown; the rest can be had with the arrows.
const LINES_TOLD: usize = 3;
/// A mask that can be read out.
const MASK: &str = "masked";

/// What was told so far.
#[derive(Debug, Default)]
pub struct Plain {
    is_begun: bool,
    links: Vec<String>,
    sound: Sound,
    focus: Pane,
    selected: Option<CallKey>,
    calls: HashMap<CallKey, &'static str>,
    privacy: bool,
    notice: Option<(String, u64)>,
    typing: bool,
    help: bool,
    picker: picker::Told,
    filter: String,
    /// The newest line and event told, of each call that was shown or heard.
    told: HashMap<CallKey, (Option<u64>, Option<u64>)>,
    /// The entry of a text that one has moved to.
    at: Option<u64>,
}

impl Plain {
    /// Nothing was told yet.
    pub fn new() -> Plain {
        Plain::default()
    }

    /// All keys that mean something here, a line each.
    pub fn help(app: &App) -> Vec<String> {
        help::spoken(app)
    }

    /// What is new since the last report.
    pub fn report(&mut self, app: &App) -> Vec<String> {
        let mut lines = Vec::new();
        self.relays(app, &mut lines);
        let is_told = self.notice(app, &mut lines);
        self.sound.report(app, is_told, &mut lines);
        self.list(app, &mut lines);
        self.keys(app, &mut lines);
        self.texts(app, &mut lines);
        self.is_begun = true;
        lines
    }

    fn relays(&mut self, app: &App, lines: &mut Vec<String>) {
        let links: Vec<String> = app.relays.iter().map(link).collect();
        for (at, (relay, link)) in app.relays.iter().zip(&links).enumerate() {
            if self.links.get(at) != Some(link) {
                lines.push(format!("relay {}: {link}", relay.name));
            }
        }
        self.links = links;
    }

    /// The newest notice, where it is new.
    fn notice(&mut self, app: &App, lines: &mut Vec<String>) -> bool {
        let Some(notice) = &app.notice else {
            return false;
        };
        let known = (notice.text.clone(), notice.until);
        if self.notice.as_ref() == Some(&known) {
            return false;
        }
        let what = if notice.is_trouble { "trouble: " } else { "" };
        lines.push(format!("{what}{}", notice.text));
        self.notice = Some(known);
        true
    }

    fn list(&mut self, app: &App, lines: &mut Vec<String>) {
        let mut changed: Vec<(&CallKey, String)> = Vec::new();
        for (key, row) in &app.list.calls {
            let word = state(row);
            let known = self
                .calls
                .insert(key.clone(), word)
                .or_else(|| self.known_elsewhere(app, key));
            if known == Some(word) {
                continue;
            }
            let name = words::customer(row, app.privacy);
            let says = match (known, words::is_over(row)) {
                (None, true) => continue,
                (None, false) => format!("new call: {word}, customer {name}"),
                (Some(_), _) => format!("customer {name}: {word}"),
            };
            changed.push((key, says));
        }
        self.calls.retain(|key, _| app.list.calls.contains_key(key));
        if !self.is_begun {
            let live = app.list.calls.values().filter(|row| !words::is_over(row)).count();
            if live > 0 {
                lines.push(count(live, "call"));
            }
        } else if changed.len() > CALLS_TOLD {
            lines.push(format!("{} have changed", count(changed.len(), "call")));
        } else {
            changed.sort();
            lines.extend(changed.into_iter().map(|(_, says)| says));
        }
        if self.filter != app.list.filter {
            self.filter.clone_from(&app.list.filter);
            let (seen, all) = (app.list.order.len(), app.list.calls.len());
            lines.push(match self.filter.as_str() {
                "" => format!("no filter, {}", count(all, "call")),
                filter => format!("filter {filter}: {seen} of {}", count(all, "call")),
            });
        }
        if self.selected != app.list.selected {
            self.selected.clone_from(&app.list.selected);
            let row = self.selected.as_ref().and_then(|key| app.list.calls.get(key));
            if let Some(row) = row {
                lines.push(selection(app, row));
            } else if self.is_begun {
                lines.push("no call is selected".to_owned());
            }
        }
    }

    /// What was said of a call while another relay showed it.
    fn known_elsewhere(&self, app: &App, key: &CallKey) -> Option<&'static str> {
        let relays = (0..).map(RelayId).take(app.relays.len());
        let twins = relays.map(|relay| CallKey {
            relay,
            call: key.call.clone(),
        });
        let mut twins = twins.filter(|twin| app.list.twins.contains_key(twin));
        twins.find_map(|twin| self.calls.get(&twin).copied())
    }

    fn keys(&mut self, app: &App, lines: &mut Vec<String>) {
        if self.focus != app.focus {
            self.focus = app.focus;
            lines.push(
                match app.focus {
                    Pane::Calls => "calls",
                    Pane::Call => "call",
                    Pane::Transcript => "transcript",
                    Pane::Events => "events",
                }
                .to_owned(),
            );
        }
        if self.privacy != app.privacy {
            self.privacy = app.privacy;
            let how = if app.privacy {
                "numbers and words are masked"
            } else {
                "numbers and words are shown"
            };
            lines.push(how.to_owned());
        }
        if self.typing != app.typing.is_some() {
            self.typing = app.typing.is_some();
            match &app.typing {
                Some(typing) if typing.pane == Pane::Calls => {
                    lines.push("type a filter, then Enter".to_owned())
                }
                Some(_) => lines.push("type what to search for, then Enter".to_owned()),
                None => {}
            }
        }
        if self.help != app.help {
            self.help = app.help;
            if app.help {
                lines.extend(Plain::help(app));
            }
        }
        self.picker.report(app.picker.as_ref(), lines);
    }

    /// Words and trouble of the call that is heard, else of the one that is shown.
    fn texts(&mut self, app: &App, lines: &mut Vec<String>) {
        let Some(key) = app.heard.as_ref().or(app.shown.as_ref()) else {
            return;
        };
        self.told.retain(|known, _| app.texts.contains_key(known));
        let Some(texts) = app.texts.get(key) else {
            return;
        };
        let is_first = !self.told.contains_key(key);
        let (line, event) = self.told.entry(key.clone()).or_default();
        let is_new = |id: u64, told: Option<u64>| told.is_none_or(|told| id > told);
        // A partial line is told when it is final: before, it would be read again with each word.
        let fresh = texts
            .lines
            .iter()
            .filter(|said| said.is_final && is_new(said.id, *line));
        let mut fresh: Vec<_> = fresh.collect();
        let newest = fresh.last().map(|said| said.id);
        if is_first {
            fresh.drain(..fresh.len().saturating_sub(LINES_TOLD));
        }
        for said in fresh {
            if said.hole_ms > 0 {
                lines.push(format!("{} not heard", words::short(said.hole_ms)));
            }
            let says = words::words(&said.text, app.privacy, MASK);
            lines.push(format!("{}: {says}", said.side.as_str()));
        }
        *line = newest.or(*line);
        let fresh = texts.events.iter().filter(|happened| is_new(happened.id, *event));
        for happened in fresh.filter(|happened| happened.is_trouble && !is_first) {
            let says = super::events::said(happened, app.privacy, MASK);
            lines.push(format!("trouble: {says}"));
        }
        *event = texts.events.last().map(|happened| happened.id).or(*event);
        self.moved(app, lines);
    }

    /// The entry that one has moved to in a text.
    fn moved(&mut self, app: &App, lines: &mut Vec<String>) {
        let Some(texts) = app.shown_texts() else {
            return;
        };
        let view = match app.focus {
            Pane::Transcript => &texts.lines_view,
            Pane::Events => &texts.events_view,
            Pane::Calls | Pane::Call => return,
        };
        let at = view.found.or(view.bottom);
        if at == self.at {
            return;
        }
        self.at = at;
        let Some(id) = at else {
            lines.push("at the end".to_owned());
            return;
        };
        if app.focus == Pane::Transcript {
            if let Some(said) = texts.lines.iter().find(|said| said.id == id) {
                let says = words::words(&said.text, app.privacy, MASK);
                lines.push(format!(
                    "{} {}: {says}",
                    words::clock(said.at),
                    said.side.as_str()
                ));
            }
        } else if let Some(happened) = texts.events.iter().find(|happened| happened.id == id) {
            let says = super::events::said(happened, app.privacy, MASK);
            lines.push(format!("{} {says}", words::clock(happened.at)));
        }
    }
}

/// `call 2 of 5: live, customer 12345, agent alice, 3 minutes`.
fn selection(app: &App, row: &Row) -> String {
    let place = app.list.index_of(&row.key).map_or(1, |at| at + 1);
    let mut says = format!(
        "call {place} of {}: {}, customer {}, {}",
        app.list.order.len(),
        state(row),
        words::customer(row, app.privacy),
        match row.agent {
            Some(_) => format!("agent {}", words::agent(row, app.privacy)),
            None => "no agent".to_owned(),
        },
    );
    if let Some(ms) = words::lasted(app, row) {
        says.push_str(", ");
        says.push_str(&words::spoken(ms));
    }
    if app.heard.as_ref() == Some(&row.key) {
        says.push_str(", you hear it");
    } else if app.hears_behind(&row.key) {
        says.push_str(", you hear it behind another one");
    }
    says
}

/// A state in a word; that something is wrong is said, since no colour says it.
fn state(row: &Row) -> &'static str {
    let state = words::state(row, &Glyphs::ASCII);
    match (state.mood, state.word) {
        (Mood::Trouble, _) => "trouble, the audio was lost",
        (Mood::Held, _) => "paused by a supervisor",
        (_, "live") => "in progress",
        (_, word) => word,
    }
}

/// A connection without what changes every second.
fn link(relay: &RelayView) -> String {
    match &relay.link {
        Link::Connecting { .. } => "connecting".to_owned(),
        Link::Online { .. } => match relay.shares.map(|shares| shares.state) {
            Some(RelaysState::CutOff) => {
                "online, but cut off from the relays that share its calls".to_owned()
            }
            Some(RelaysState::CatchingUp) => "online, and catching up with other relays".to_owned(),
            _ => "online".to_owned(),
        },
        Link::Away { why, since, .. } => format!("away since {}: {why}", words::clock_short(*since)),
        Link::Refused { why, .. } => format!("refused: {why}"),
    }
}

fn count(many: usize, what: &str) -> String {
    format!("{many} {what}{}", if many == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
