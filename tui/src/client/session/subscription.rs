//! One wanted call: asked for on every socket with what was seen of it.

use std::collections::VecDeque;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::event::{Event, EventKind};
use partyline_shared::id::CallSid;
use partyline_shared::line::Line;
use partyline_shared::protocol::client::{ClientMessage, Saved, Subscribe};
use partyline_shared::protocol::server::GapReason;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;

use super::audio::Stream;
use super::ending::Ending;
use super::journal::Journals;
use super::update::{Update, Want};

/// More replay than the time since what was heard last, ms: one track may be behind the other, and both
/// clocks differ a little. What was heard already is dropped by its number.
const REPLAY_SLACK_MS: u64 = 2_000;

/// How long a call that we followed may be unknown to the relay before it counts as over, ms: as long as
/// a relay that was restarted needs to hear of it again (contract 3: 30 s without sign of life).
const MISSING_MS: u64 = 30_000;

#[derive(Debug, Default)]
pub(super) struct Subscription {
    want: Want,
    wanted_at: u64,
    journals: Journals,
    stream: Option<Stream>,
    /// The stream that the relay names now is the one above.
    live: bool,
    /// When the last frame that was given was live, which is not when it came: what follows it is what a
    /// relay has to replay.
    heard_at: Option<u64>,
    /// Whether it ever stood.
    stood: bool,
    /// Whether the relay was asked, over this socket.
    asked: bool,
    /// Whether the relay has confirmed, over this socket.
    standing: bool,
    /// Whether the relay has shown the call, over this socket.
    known: bool,
    /// Since when a call that stood is unknown to the relay, over this socket.
    missing_since: Option<u64>,
    ending: Ending,
    over: bool,
}

impl Subscription {
    pub(super) fn set(&mut self, now: u64, want: Want) {
        if want.audio && !self.want.audio {
            // Who begins to hear has missed nothing of what was said before.
            self.heard_at = None;
            if let Some(stream) = self.stream.as_mut() {
                stream.join();
            }
        }
        self.want = want;
        self.wanted_at = now;
        self.asked = false;
    }

    /// Goes on in journals that were read before.
    pub(super) fn resume(&mut self, journals: Journals) {
        self.journals = journals;
    }

    /// What it knows of journals, to go on with another time.
    pub(super) fn leave(&mut self) -> Journals {
        std::mem::take(&mut self.journals)
    }

    pub(super) fn is_known(&self) -> bool {
        self.known
    }

    pub(super) fn is_asked(&self) -> bool {
        self.asked
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether it is asked for only once the relay shows the call.
    pub(super) fn waits(&self) -> bool {
        self.want.wait && !self.stood
    }

    pub(super) fn hears(&self, audio_id: u32) -> bool {
        self.want.audio && self.live && self.stream.as_ref().is_some_and(|stream| stream.id == audio_id)
    }

    /// The message that asks for it: what follows what was seen, and audio for as long as none came.
    pub(super) fn ask(&mut self, now: u64, call: &CallSid) -> ClientMessage {
        self.asked = true;
        let replay_ms = match self.heard_at {
            _ if !self.want.audio => 0,
            Some(heard) => now.saturating_sub(heard) + REPLAY_SLACK_MS,
            None if self.stood => self
                .want
                .replay_ms
                .saturating_add(now.saturating_sub(self.wanted_at)),
            None => self.want.replay_ms,
        };
        ClientMessage::Subscribe(Subscribe {
            call_sid: call.clone(),
            audio: self.want.audio,
            after: self.journals.after(),
            replay_ms,
            save: self.want.save,
            saved: None,
        })
    }

    /// The message that asks to keep what was heard of it, and changes nothing else; `None` where it does not stand.
    pub(super) fn ask_to_keep(&self, call: &CallSid, saved: Saved) -> Option<ClientMessage> {
        let again = || self.ask_as_it_stands(call, true, Some(saved));
        (self.standing && self.asked).then(again)
    }

    /// And no longer.
    pub(super) fn ask_no_longer(&self, call: &CallSid) -> ClientMessage {
        self.ask_as_it_stands(call, self.want.save, None)
    }

    fn ask_as_it_stands(&self, call: &CallSid, save: bool, saved: Option<Saved>) -> ClientMessage {
        ClientMessage::Subscribe(Subscribe {
            call_sid: call.clone(),
            audio: self.want.audio,
            after: self.journals.after(),
            // What is on its way comes.
            replay_ms: 0,
            save,
            saved,
        })
    }

    pub(super) fn on_closed(&mut self) {
        self.asked = false;
        self.standing = false;
        self.known = false;
        // While no relay is there, none says that it does not know the call: the next is asked first.
        self.missing_since = None;
        self.ending.on_closed();
        if let Some(stream) = self.stream.as_mut() {
            stream.on_closed();
        }
    }

    #[allow(clippy::too_many_arguments)] // the message's fields, each once
    pub(super) fn on_subscribed(
        &mut self,
        now: u64,
        call: &CallSid,
        audio_id: Option<u32>,
        journal: String,
        resumed: bool,
        zero_at: Option<UtcTime>,
        media_zero: Option<i64>,
        listed: bool,
        updates: &mut VecDeque<Update>,
    ) {
        let new_stream = audio_id.is_some() && audio_id != self.stream.as_ref().map(|stream| stream.id);
        if let Some(id) = audio_id.filter(|_| new_stream) {
            self.flush(call, updates);
            self.stream = Some(Stream::new(id, self.stood, !self.standing));
        }
        if let Some((stream, zero)) = self.stream.as_mut().zip(media_zero) {
            stream.began(zero);
        }
        self.live = audio_id.is_some();
        if self.journals.enter(&journal) {
            updates.push_back(Update::JournalChanged {
                call: call.clone(),
                journal,
            });
        }
        self.stood = true;
        self.standing = true;
        self.missing_since = None;
        self.ending.on_item(now);
        updates.push_back(Update::Subscribed {
            call: call.clone(),
            audio_id,
            zero_at,
            resumed,
            new_stream,
        });
        if listed {
            self.on_listed(now);
        }
    }

    /// The list of calls is complete. It has all live ones, so a call that can be subscribed and is not
    /// in it has ended, longer ago than the list goes back.
    pub(super) fn on_listed(&mut self, now: u64) {
        if self.standing && !self.known {
            self.ending.set(now, true);
        }
    }

    /// The relay shows the call, and whether it has ended.
    pub(super) fn on_call(&mut self, now: u64, ended: bool) {
        self.known = true;
        self.missing_since = None;
        self.ending.set(now, ended);
    }

    /// `no_such_call` came; whether to wait for the call instead of giving up.
    pub(super) fn on_unknown(&mut self, now: u64) -> bool {
        self.asked = false;
        self.known = false;
        if self.stood {
            self.missing_since.get_or_insert(now);
        }
        self.stood || self.want.wait
    }

    pub(super) fn on_line(&mut self, now: u64, call: &CallSid, line: Line, updates: &mut VecDeque<Update>) {
        self.ending.on_item(now);
        if self.standing && self.journals.take_line(line.seq) {
            updates.push_back(Update::Line {
                call: call.clone(),
                line,
            });
        }
    }

    pub(super) fn on_event(
        &mut self,
        now: u64,
        call: &CallSid,
        event: Event,
        updates: &mut VecDeque<Update>,
    ) {
        // That others leave an ended call says nothing of it, and they would keep each other waiting.
        if !matches!(event.kind, EventKind::ListenerJoined | EventKind::ListenerLeft) {
            self.ending.on_item(now);
        }
        if self.standing && self.journals.take_event(event.seq) {
            updates.push_back(Update::Event {
                call: call.clone(),
                event,
            });
        }
    }

    pub(super) fn on_frame(
        &mut self,
        now: u64,
        call: &CallSid,
        frame: AudioFrame,
        updates: &mut VecDeque<Update>,
    ) {
        self.ending.on_item(now);
        let track = frame.track();
        let Some(stream) = self.stream.as_mut() else {
            return;
        };
        let Some(missing) = stream.on_chunk(track, frame.chunk()) else {
            return;
        };
        self.heard_at = self.heard_at.max(stream.live_at(now, &frame));
        for (from, to, reason) in missing {
            updates.push_back(Update::Missed {
                call: call.clone(),
                track,
                from,
                to,
                reason,
            });
        }
        updates.push_back(Update::Frame {
            call: call.clone(),
            frame,
        });
    }

    pub(super) fn on_gap(
        &mut self,
        call: &CallSid,
        track: Track,
        from: u32,
        to: u32,
        reason: GapReason,
        updates: &mut VecDeque<Update>,
    ) {
        let missing = self
            .stream
            .as_mut()
            .and_then(|s| s.on_gap(track, from, to, reason.into()));
        if let Some((from, to, reason)) = missing {
            updates.push_back(Update::Missed {
                call: call.clone(),
                track,
                from,
                to,
                reason,
            });
        }
    }

    /// Reports what was announced as missing and never reached.
    pub(super) fn flush(&mut self, call: &CallSid, updates: &mut VecDeque<Update>) {
        for (track, (from, to, reason)) in self.stream.as_mut().map(Stream::flush).unwrap_or_default() {
            updates.push_back(Update::Missed {
                call: call.clone(),
                track,
                from,
                to,
                reason,
            });
        }
    }

    pub(super) fn on_ping(&mut self, id: u64) {
        if self.standing {
            self.ending.on_ping(id);
        }
    }

    pub(super) fn on_pong(&mut self, now: u64, id: u64) {
        self.ending.on_pong(now, id);
    }

    pub(super) fn deadline(&self) -> u64 {
        let ending = if self.standing {
            self.ending.deadline()
        } else {
            u64::MAX
        };
        ending.min(self.missing_since.map_or(u64::MAX, |since| since + MISSING_MS))
    }

    /// Ends it when it has been quiet, or missing, for long enough; whether a ping is to be sent first.
    pub(super) fn on_deadline(
        &mut self,
        now: u64,
        call: &CallSid,
        greeted: bool,
        updates: &mut VecDeque<Update>,
    ) -> bool {
        let missing = self.missing_since.is_some_and(|since| now >= since + MISSING_MS);
        if missing || (self.standing && self.ending.is_over(now)) {
            self.flush(call, updates);
            let end = if missing { Update::Missing } else { Update::Ended };
            updates.push_back(end(call.clone()));
            self.over = true;
            return false;
        }
        greeted && self.standing && self.ending.needs_ping()
    }
}
