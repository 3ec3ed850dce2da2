//! A call as other relays are told it, and one that stands as its owner says.

use crate::calls::call::audio::{Accepted, Stream};
use crate::calls::call::state::State;
use crate::calls::fanout::{Item, StreamInfo};
use crate::calls::life::Life;
use crate::calls::mirror::Snapshot;
use crate::calls::mirror::snapshot::KeptStream;
use crate::calls::transcription::Transcription;
use crate::clock::Now;
use partyline_shared::call::StreamState;

impl State {
    /// As other relays are told it.
    pub(super) fn snapshot(&mut self) -> Snapshot {
        self.meter.settle(&mut self.replay);
        Snapshot {
            life: self.life.keep(),
            known: self.known.clone(),
            transcription: self.transcription.keep(),
            doubt: self.doubt.clone(),
            pause: self.pause.clone(),
            stream: self.stream.as_ref().map(|stream| KeptStream {
                audio_id: stream.key,
                zero_at: stream.info.zero_at,
                sid: stream.sid.clone(),
                over: stream.over,
            }),
            tracks: self.tracks.clone(),
            lost_chunks: self.lost_chunks,
            seen: self.seen.clone(),
            talk: self.meter.talk(),
            listeners: self.listeners(),
            journal: self.journal.keep(),
            applied: self.mirror.applied.clone(),
        }
    }

    /// It stands as its owner says.
    pub(super) fn adopt(&mut self, now: Now, snapshot: &Snapshot) {
        self.adopt_facts(now, snapshot);
        if let Some(kept) = &snapshot.stream {
            let info = StreamInfo {
                audio_id: kept.audio_id,
                zero_at: kept.zero_at,
            };
            self.hear_stream(info);
            if let Some(stream) = self.stream.as_mut().filter(|stream| stream.key == kept.audio_id) {
                stream.sid.clone_from(&kept.sid);
                stream.over = kept.over;
            }
        }
        self.tracks.clone_from(&snapshot.tracks);
    }

    /// The same for one whose stream is here.
    pub(super) fn adopt_for_stream(&mut self, now: Now, snapshot: &Snapshot) {
        let Some(taken) = self.mirror.taken.take() else {
            return;
        };
        self.adopt_facts(now, snapshot);
        self.life.stream_accepted(taken.now);
        let Accepted {
            account_sid,
            customer_id,
            tracks,
            ..
        } = taken.accepted;
        self.known.start(account_sid, customer_id);
        self.tracks = tracks;
        self.pause.stream_begins();
        match taken.over {
            Some(StreamState::Stopped) => drop(self.life.stream_stopped(now)),
            Some(_) => drop(self.life.stream_lost(now)),
            None => {}
        }
    }

    fn adopt_facts(&mut self, now: Now, snapshot: &Snapshot) {
        self.life = Life::restore(now, &snapshot.life);
        self.known = snapshot.known.clone();
        self.transcription = Transcription::restore(now.mono, snapshot.transcription.clone());
        self.doubt = snapshot.doubt.clone();
        self.pause = snapshot.pause.clone();
        self.lost_chunks = snapshot.lost_chunks;
        self.seen.clone_from(&snapshot.seen);
        self.meter.settle(&mut self.replay);
        self.meter.resume(snapshot.talk);
        self.mirror.listeners = snapshot.listeners;
        self.mirror.applied.clone_from(&snapshot.applied);
    }

    /// A stream of theirs: who hears it is told before its first frame. An older one than is heard already is none.
    pub(in crate::calls::call) fn hear_stream(&mut self, info: StreamInfo) {
        let known = self.stream_info();
        if known.is_some_and(|known| known.audio_id == info.audio_id) {
            return;
        }
        // Of one that is over it does not count when it began: that was by another relay's clock, maybe.
        let goes_on = self.stream.as_ref().filter(|stream| !stream.over);
        if goes_on.is_some_and(|stream| stream.info.zero_at > info.zero_at) {
            return;
        }
        self.meter.settle(&mut self.replay);
        self.meter.restart();
        self.replay.clear();
        self.stream = Some(Stream {
            key: info.audio_id,
            info,
            sid: String::new(),
            over: false,
        });
        for ear in self.ears() {
            ear.mailbox.send(ear.sub, Item::Stream(info));
        }
    }
}
