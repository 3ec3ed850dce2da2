//! App: everything that a screen is drawn from.

use std::collections::HashMap;

use partyline_shared::protocol::server::{Relays, RelaysState};
use partyline_shared::text::clean;
use partyline_shared::time::UtcTime;

use super::calls::{List, Row};
use super::history::History;
use super::pending::Pending;
use super::picker::Picker;
use super::seats::{FollowOn, Replay, Seat};
use super::text::Texts;
use crate::event::{CallKey, Chosen, Device, Mix, Now, Playback, RelayId, Sizes};

/// The whole state of the monitor. All texts in it are clean: what a relay says went through
/// `shared::text::clean` on its way in.
#[derive(Debug, Clone)]
pub struct App {
    /// The relays, by [`RelayId`].
    pub relays: Vec<RelayView>,
    /// All their calls in one list.
    pub list: List,
    /// The call on the right: the selected one, once the selection has rested.
    pub shown: Option<CallKey>,
    /// The call that is played in front.
    pub heard: Option<CallKey>,
    /// Those that are played behind it, the one that was in front last first.
    pub behind: Vec<Seat>,
    /// How what was said before is played, of the call in front.
    pub replay: Replay,
    /// Whose next call is to be heard.
    pub follow_on: Option<FollowOn>,
    /// How it sounds.
    pub mix: Mix,
    /// What becomes of it.
    pub playback: Playback,
    /// Where the sound goes.
    pub device: Device,
    /// Which card it is to go to.
    pub chosen_device: Chosen,
    /// Which cards there are to choose from, while that is asked.
    pub picker: Option<Picker>,
    /// The last seconds of the shown call.
    pub history: History,
    /// Lines and events of calls that are or were shown or heard.
    pub texts: HashMap<CallKey, Texts>,
    /// Which pane has the keys.
    pub focus: Pane,
    /// A filter or search while it is typed.
    pub typing: Option<Typing>,
    /// Whether the keys are shown.
    pub help: bool,
    /// How far the help is scrolled, rows.
    pub help_scroll: u16,
    /// Whether numbers and texts are masked.
    pub privacy: bool,
    /// Nothing is changed at a relay.
    pub read_only: bool,
    /// The newest thing to know, for a while.
    pub notice: Option<Notice>,
    /// The layout, as far as it matters here.
    pub sizes: Sizes,
    /// When the last event was.
    pub now: Now,
    /// What has changed since the last drawing.
    pub dirty: Dirty,
    /// What waits for time to pass; nothing to draw.
    pub pending: Pending,
}

/// How long a notice stays, ms: time to look up and read a short line.
pub const NOTICE_MS: u64 = 4_000;

/// The same where something is wrong, ms: it may have to be read twice.
pub const TROUBLE_MS: u64 = 10_000;

/// How soon a change wants to be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dirty {
    /// Nothing changed.
    #[default]
    Clean,
    /// Durations: with the next second.
    Second,
    /// The list or the meters: at most 5 times a second.
    List,
    /// The waveform: at most 20 times a second.
    Wave,
    /// A key, a line: now.
    Now,
}

/// The panes that keys can go to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Pane {
    /// The list of calls.
    #[default]
    Calls,
    /// Who, how long, waveform.
    Call,
    /// What was said.
    Transcript,
    /// What happened.
    Events,
}

/// One relay, as the status line shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayView {
    /// Its name in config.toml, else its address.
    pub name: String,
    /// Its address.
    pub url: String,
    /// Whether it is there.
    pub link: Link,
    /// Who it takes us for: name and role.
    pub user: Option<(String, String)>,
    /// Whether that may hold calls back.
    pub may_pause: bool,
    /// Its own name; another one after it was restarted.
    pub node: Option<String>,
    /// How long a ping took, ms.
    pub round_trip_ms: Option<u64>,
    /// How it stands with others that share its calls, where there may be some.
    pub shares: Option<Relays>,
}

/// Whether a relay is there.
#[derive(Debug, Clone, PartialEq)]
pub enum Link {
    /// Not yet.
    Connecting {
        /// Since when.
        since: UtcTime,
    },
    /// It is.
    Online {
        /// Since when.
        since: UtcTime,
    },
    /// No longer; it is tried again.
    Away {
        /// Since when.
        since: UtcTime,
        /// Why.
        why: String,
        /// When it is tried next, on [`Now::ms`].
        retry_at: u64,
    },
    /// It refuses us; `why` says what to do.
    Refused {
        /// Since when.
        since: UtcTime,
        /// Why, and what to do.
        why: String,
        /// When it is tried next, on [`Now::ms`]; `None` where only a new token helps.
        retry_at: Option<u64>,
    },
}

/// A text while it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typing {
    /// So far.
    pub text: String,
    /// What stood there before, for who changes their mind.
    pub before: String,
    /// Where it belongs: the list's filter, or a text's search.
    pub pane: Pane,
}

/// Something to know, at the bottom of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The text.
    pub text: String,
    /// Whether something is wrong.
    pub is_trouble: bool,
    /// When it goes, on [`Now::ms`].
    pub until: u64,
}

impl RelayView {
    /// Whether it is there.
    pub fn is_online(&self) -> bool {
        matches!(self.link, Link::Online { .. })
    }

    /// Since when it knows nothing of the relays that share its calls, as far as it can say so itself.
    pub fn cut_off_since(&self) -> Option<UtcTime> {
        let shares = self.shares.filter(|_| self.is_online())?;
        (shares.state == RelaysState::CutOff).then_some(shares.since)
    }
}

impl App {
    /// A monitor of these relays, name and address each, that has heard of nothing yet.
    pub fn new(relays: Vec<(String, String)>, now: Now) -> App {
        let relays: Vec<RelayView> = relays
            .into_iter()
            .map(|(name, url)| RelayView {
                name: clean(&name),
                url: clean(&url),
                link: Link::Connecting { since: now.utc },
                user: None,
                may_pause: false,
                node: None,
                round_trip_ms: None,
                shares: None,
            })
            .collect();
        let names = relays.iter().map(|relay| relay.name.as_str());
        App {
            list: List::new(names),
            relays,
            shown: None,
            heard: None,
            behind: Vec::new(),
            replay: Replay::default(),
            follow_on: None,
            mix: Mix::default(),
            playback: Playback::default(),
            device: Device::default(),
            chosen_device: Chosen::Default,
            picker: None,
            history: History::default(),
            texts: HashMap::new(),
            focus: Pane::default(),
            typing: None,
            help: false,
            help_scroll: 0,
            privacy: false,
            read_only: false,
            notice: None,
            sizes: Sizes::default(),
            now,
            dirty: Dirty::Now,
            pending: Pending::default(),
        }
    }

    /// The relay of that number.
    pub fn relay(&self, id: RelayId) -> Option<&RelayView> {
        self.relays.get(usize::from(id.0))
    }

    /// Whether calls of a relay may be held back from here.
    pub fn may_hold(&self, relay: RelayId) -> bool {
        !self.read_only && self.relay(relay).is_some_and(|relay| relay.may_pause)
    }

    /// Lines and events of the shown call.
    pub fn shown_texts(&self) -> Option<&Texts> {
        self.texts.get(self.shown.as_ref()?)
    }

    /// Whether the call on the right is the one that is played in front.
    pub fn hears_shown(&self) -> bool {
        self.shown.is_some() && self.shown == self.heard
    }

    /// Whether a call's lines and events are asked for.
    pub fn follows(&self, call: &CallKey) -> bool {
        self.shown.as_ref() == Some(call) || self.hears(call)
    }

    /// When the relay last knew of a call, where that is not now: it is away, or is back and has not named the
    /// call since.
    pub fn as_of(&self, row: &Row) -> Option<UtcTime> {
        let relay = self.relay(row.key.relay)?;
        match relay.link {
            Link::Away { since, .. } | Link::Refused { since, .. } => Some(since),
            Link::Connecting { .. } | Link::Online { .. } => self.pending.unconfirmed.get(&row.key).copied(),
        }
    }

    /// The row of a call.
    pub fn row(&self, call: &CallKey) -> Option<&Row> {
        self.list.calls.get(call)
    }

    /// The row of the shown call.
    pub fn shown_row(&self) -> Option<&Row> {
        self.row(self.shown.as_ref()?)
    }

    /// Something changed that wants to be seen so soon.
    pub(super) fn touch(&mut self, dirty: Dirty) {
        self.dirty = self.dirty.max(dirty);
    }

    /// Something to know.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.put_notice(text.into(), false);
    }

    /// Something is wrong.
    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.put_notice(text.into(), true);
    }

    fn put_notice(&mut self, text: String, is_trouble: bool) {
        let stays = if is_trouble { TROUBLE_MS } else { NOTICE_MS };
        self.notice = Some(Notice {
            text: clean(&text),
            is_trouble,
            until: self.now.ms.saturating_add(stays),
        });
        self.touch(Dirty::Now);
    }
}
