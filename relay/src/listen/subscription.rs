//! One call that a listener hears or reads: what it has to be told first, and what follows.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use partyline_shared::protocol::client::Subscribe;
use partyline_shared::protocol::codec::to_text;
use partyline_shared::protocol::server::ServerMessage;

use crate::access::Grant;
use crate::calls::call::{Call, SeatGuard, Subscription};
use crate::calls::fanout::{Gap, Item, StreamInfo, SubId};
use crate::calls::journal::{Cursor, Entry, Forgotten};
use crate::clock::Now;
use crate::hearing::Heard;

/// Entries of a journal taken at a time: enough for one write, too few to hold the call's lock for long.
const BATCH: usize = 64;

/// A listener's side of a subscription.
#[derive(Debug)]
pub(super) struct Sub {
    pub(super) id: SubId,
    pub(super) call: Arc<Call>,
    pub(super) audio: bool,
    journal: String,
    cursor: Cursor,
    entries: VecDeque<Entry>,
    replay: VecDeque<Item>,
    /// What is remembered has not been told yet; live audio waits behind it.
    catching_up: bool,
    pub(super) seat: SeatGuard,
    /// Kept by the listener: it needs the right.
    pub(super) save: bool,
    /// What is kept is what was heard before, and no more of it.
    pub(super) saved: bool,
    /// Since when it is on record that this is heard, and what had been told of it by then.
    pub(super) heard: Option<Heard>,
    /// Bytes of audio told by the session, beside those that its mailbox wrote.
    pub(super) bytes: u64,
}

impl Sub {
    /// A subscription, and the `subscribed` that comes before all else of it.
    pub(super) fn new(
        id: SubId,
        call: Arc<Call>,
        ask: &Subscribe,
        made: Subscription,
    ) -> (Sub, ServerMessage) {
        let sub = Sub {
            id,
            call,
            audio: ask.audio,
            save: ask.save,
            saved: ask.saved.is_some(),
            heard: None,
            bytes: 0,
            journal: made.journal,
            cursor: made.cursor,
            entries: VecDeque::new(),
            replay: made.replay,
            catching_up: true,
            seat: made.seat,
        };
        let subscribed = sub.subscribed(made.stream, made.resumed);
        (sub, subscribed)
    }

    /// It is on record that this is heard by the bearer of `grant`; `written` bytes of it have left by its mailbox.
    pub(super) fn begin(&mut self, now: Now, grant: &Grant, written: u64) {
        self.heard = Some(Heard::begin(now, grant, &self.call, self.bytes + written));
    }

    /// What says that this subscription stands, or that its stream is another.
    pub(super) fn subscribed(&self, stream: Option<StreamInfo>, resumed: bool) -> ServerMessage {
        ServerMessage::Subscribed {
            call_sid: self.call.sid().clone(),
            audio_id: stream.map(|stream| stream.audio_id),
            journal: self.journal.clone(),
            resumed,
            zero_at: stream.map(|stream| stream.zero_at),
        }
    }

    /// Whether what is heard can go on as it is: nothing is to be heard before what is live, and no call that has come
    /// back is yet to be put on record.
    pub(super) fn hears_on(&self) -> bool {
        let comes_back = self.seat.is_muted() && self.call.ended().is_none();
        let waits = self.seat.awaits_replay() || self.seat.has_replay() || !self.replay.is_empty();
        self.audio && !waits && !comes_back && !self.seat.is_lost()
    }

    /// Is wanted otherwise, and keeps its place: what is heard goes on, lines and events come after what the listener
    /// has. What says so; `None` where the place is lost.
    pub(super) fn stay(&mut self, ask: &Subscribe) -> Option<ServerMessage> {
        let (anew, resumed) = self.seat.read_after(ask.after.as_ref())?;
        (self.save, self.saved) = (ask.save, ask.saved.is_some());
        self.journal = anew.journal;
        self.cursor = anew.cursor;
        self.entries.clear();
        self.catching_up = true;
        Some(self.subscribed(anew.stream, resumed))
    }

    /// What says one item of audio.
    pub(super) fn told(&mut self, item: Item) -> Told {
        match item {
            Item::Frame(frame) => {
                self.bytes += frame.mulaw().len() as u64;
                Told::Audio(frame.bytes().clone())
            }
            Item::Gap(gap) => Told::Text(to_text(&self.gap(gap))),
            Item::Stream(stream) => Told::Text(to_text(&self.subscribed(Some(stream), true))),
        }
    }

    fn gap(&self, gap: Gap) -> ServerMessage {
        ServerMessage::Gap {
            call_sid: self.call.sid().clone(),
            track: gap.track,
            from_chunk: gap.from_chunk,
            to_chunk: gap.to_chunk,
            reason: gap.reason,
        }
    }

    /// Whether what is remembered is still on its way from another relay, or has just come.
    pub(super) fn waits(&self) -> bool {
        self.catching_up && !self.seat.is_lost() && (self.seat.awaits_replay() || self.seat.has_replay())
    }

    /// What is remembered has been told.
    pub(super) fn is_live(&self) -> bool {
        !self.catching_up
    }

    /// The next remembered thing: lines, events, then audio.
    pub(super) fn catch_up(&mut self) -> Result<Option<Told>, Forgotten> {
        if self.seat.is_lost() {
            self.replay.clear();
        }
        if let Some(text) = self.read_on()? {
            return Ok(Some(Told::Shared(text)));
        }
        if let Some(come) = self.seat.take_replay() {
            self.replay = come;
        }
        if let Some(item) = self.replay.pop_front() {
            return Ok(Some(self.told(item)));
        }
        self.catching_up = self.waits();
        Ok(None)
    }

    /// What says that the call is numbered anew, where it is: all that is remembered is read again after that, and audio
    /// goes on. `None` where it is not.
    pub(super) fn anew(&mut self) -> Option<ServerMessage> {
        let anew = self.seat.renumbered()?;
        self.journal = anew.journal;
        self.cursor = anew.cursor;
        self.entries.clear();
        Some(self.subscribed(anew.stream, false))
    }

    /// The next line or event after what has been told.
    pub(super) fn read_on(&mut self) -> Result<Option<Arc<str>>, Forgotten> {
        if self.seat.is_lost() {
            self.entries.clear();
        }
        if self.entries.is_empty() {
            self.entries = self.seat.read(&mut self.cursor, BATCH)?.into();
        }
        Ok(self
            .entries
            .pop_front()
            .map(|entry| entry.encoded().message().clone()))
    }
}

/// A message of a subscription.
pub(super) enum Told {
    Text(String),
    /// The same for every listener.
    Shared(Arc<str>),
    Audio(Bytes),
}
