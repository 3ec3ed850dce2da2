//! A relay's registry with one call in which something happens every 20 ms, and what really happened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use partyline_relay::access::Grant;
use partyline_relay::calls::call::{Accepted, Call, Kind};
use partyline_relay::calls::encoded::Encoded;
use partyline_relay::calls::fanout::{Batch, Gap, Item};
use partyline_relay::calls::journal::NewLine;
use partyline_relay::calls::registry::{Registry, Settings};
use partyline_relay::calls::transcription::Heard;
use partyline_relay::clock::Now;
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::{PerTrack, Track};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Audio that the relay remembers: longer than most cuts, shorter than some.
pub(super) const HISTORY_MS: u64 = 5000;

/// Frames of a track in [`HISTORY_MS`].
const REMEMBERED_FRAMES: usize = HISTORY_MS as usize / 20;

/// Every chunk of one track: its audio, or nothing where it never reached the relay.
pub(super) type Chunks = Vec<Option<Vec<u8>>>;

/// What really happened.
#[derive(Default)]
pub(super) struct Truth {
    /// By audio_id.
    pub(super) streams: BTreeMap<u32, PerTrack<Chunks>>,
    /// Journals of relays that are no more, and the last one's when all is over: final lines, events.
    pub(super) journals: Vec<(String, Vec<u64>, Vec<u64>)>,
}

pub(super) struct World {
    pub(super) registry: Arc<Registry>,
    pub(super) truth: Truth,
    pub(super) dice: SmallRng,
    /// Since the beginning.
    pub(super) ms: u64,
    /// The newest stream.
    pub(super) audio_id: u32,
    call: Arc<Call>,
    begun: Now,
    /// Frames that are being lost on their way here.
    losing: PerTrack<u32>,
    words: u64,
}

pub(super) fn sid() -> CallSid {
    CallSid::parse("CA1").unwrap()
}

fn relay(now: Now) -> (Arc<Registry>, Arc<Call>) {
    let settings = Settings {
        retention: Duration::from_secs(600),
        history: Duration::from_millis(HISTORY_MS),
        max_calls: 10,
    };
    let registry = Arc::new(Registry::new("n".into(), settings, Arc::default()));
    let call = registry.open(now, &sid()).unwrap();
    (registry, call)
}

impl World {
    pub(super) fn begin(seed: u64) -> World {
        let begun = Now::take();
        let (registry, call) = relay(begun);
        let mut world = World {
            registry,
            truth: Truth::default(),
            dice: SmallRng::seed_from_u64(seed),
            ms: 0,
            audio_id: 0,
            call,
            begun,
            losing: PerTrack::default(),
            words: 0,
        };
        world.take_over();
        world
    }

    pub(super) fn now(&self) -> Now {
        self.begun.plus(Duration::from_millis(self.ms))
    }

    /// True once in `n` times.
    pub(super) fn once_in(&mut self, n: u32) -> bool {
        self.dice.random_range(0..n) == 0
    }

    /// Another stream takes over.
    pub(super) fn take_over(&mut self) {
        self.audio_id += 1;
        let accepted = Accepted {
            stream_sid: format!("MZ{}", self.audio_id),
            tracks: Track::BOTH.to_vec(),
            ..Accepted::default()
        };
        self.call.accept_stream(self.now(), self.audio_id, accepted);
        self.losing = PerTrack::default();
        self.truth.streams.insert(self.audio_id, PerTrack::default());
    }

    /// The relay ends and another begins; Twilio connects its stream anew.
    pub(super) fn restart(&mut self) {
        let journal = self.journal();
        self.truth.journals.push(journal);
        (self.registry, self.call) = relay(self.now());
        self.take_over();
    }

    /// 20 ms of the call.
    pub(super) fn live(&mut self) {
        self.ms += 20;
        for track in Track::BOTH {
            let lost = self.losing.get(track);
            let goes_on = *lost == 0 || self.once_in(3);
            if goes_on && !self.once_in(40) {
                let lost = std::mem::take(self.losing.get_mut(track));
                self.frame(track, lost);
            } else {
                *self.losing.get_mut(track) += 1;
            }
        }
        if self.once_in(15) {
            self.line();
        }
        if self.once_in(40) {
            // An event of a kind that is not summed up.
            self.call.stream_note(self.now(), None, None, Some("trouble"));
        }
        if self.ms.is_multiple_of(100) {
            self.registry.on_deadline(self.now());
        }
    }

    /// One frame, after so many that were lost.
    fn frame(&mut self, track: Track, lost: u32) {
        let byte: u8 = self.dice.random();
        let chunks = self.truth.streams.get_mut(&self.audio_id).unwrap().get_mut(track);
        let from_chunk = chunks.len() as u32 + 1;
        let chunk = from_chunk + lost;
        chunks.resize(chunk as usize - 1, None);
        chunks.push(Some(vec![byte; 160]));
        let gap = Item::Gap(Gap {
            track,
            from_chunk,
            to_chunk: chunk - 1,
            reason: GapReason::Upstream,
        });
        let frame = AudioFrame::new(track, self.audio_id, chunk, chunk * 20, &[byte; 160]);
        let items = (lost > 0).then_some(gap).into_iter();
        let items: Vec<Item> = items.chain([Item::Frame(frame)]).collect();
        let mut wire = Vec::new();
        let mut batch = Batch::new(&items, &mut wire);
        self.call.media(self.now().mono, self.audio_id, &mut batch);
    }

    fn line(&mut self) {
        self.words += 1;
        let line = NewLine {
            at: self.now().wall,
            start_ms: None,
            end_ms: None,
            track: if self.once_in(2) {
                Track::Inbound
            } else {
                Track::Outbound
            },
            text: format!("words {}", self.words),
            is_final: self.once_in(3),
            confidence: None,
            engine: "twilio".into(),
            sequence: None,
        };
        let heard = (self.now().wall, Heard::Line(line));
        self.call.transcribed(self.now(), None, "", None, heard);
    }

    /// Twilio says `stop`: the call is over.
    pub(super) fn hang_up(&mut self) {
        self.call.stream_stopped(self.now(), self.audio_id);
    }

    /// The oldest frame of a track that can be replayed.
    pub(super) fn oldest_remembered(&self, track: Track) -> u32 {
        let chunks = self.truth.streams[&self.audio_id].get(track);
        let frames: Vec<usize> = (0..chunks.len()).filter(|at| chunks[*at].is_some()).collect();
        let first = frames.len().saturating_sub(REMEMBERED_FRAMES);
        frames.get(first).map_or(0, |at| *at as u32 + 1)
    }

    fn remembered(&self, kind: Kind) -> (String, Vec<Encoded>) {
        let told = self.call.remembered(&Grant::insecure(), kind, None);
        told.expect("an admin reads all")
    }

    /// What the journal has come to: its name, final lines, events.
    pub(super) fn journal(&self) -> (String, Vec<u64>, Vec<u64>) {
        let (journal, lines) = self.remembered(Kind::Lines);
        let (_, events) = self.remembered(Kind::Events);
        let read = |told: &Encoded| serde_json::from_str::<serde_json::Value>(told.json()).unwrap();
        let lines = lines.iter().map(read);
        let finals = lines
            .filter(|line| line["final"] == true)
            .filter_map(|line| line["seq"].as_u64())
            .collect();
        let events = events
            .iter()
            .filter_map(|told| read(told)["seq"].as_u64())
            .collect();
        (journal, finals, events)
    }
}
