//! What a listener was given, against what happened.

use std::collections::BTreeMap;

use partyline::client::session::{MissedReason, Update};
use partyline_shared::track::{PerTrack, Track};

use super::world::Truth;

/// What one listener was given; what can be judged at once is.
pub(super) struct Verdict {
    seed: u64,
    journal: String,
    /// By journal: final lines, events, the last line of any kind.
    read: BTreeMap<String, (Vec<u64>, Vec<u64>, u64)>,
    audio_id: Option<u32>,
    /// By stream and track: up to where every chunk was given or said to be missing.
    accounted: BTreeMap<(u32, Track), u32>,
    stood: bool,
    renumbered: bool,
    /// Of the relay when it took the last `subscribe`.
    pub(super) oldest_remembered: PerTrack<u32>,
    pub(super) frames: u64,
    pub(super) missed: BTreeMap<MissedReason, u64>,
    pub(super) ended: bool,
}

impl Verdict {
    pub(super) fn new(seed: u64, journal: String) -> Verdict {
        Verdict {
            seed,
            journal,
            read: BTreeMap::new(),
            audio_id: None,
            accounted: BTreeMap::new(),
            stood: false,
            renumbered: false,
            oldest_remembered: PerTrack::default(),
            frames: 0,
            missed: BTreeMap::new(),
            ended: false,
        }
    }

    /// Takes one update. `witnessed`: the stream that is replaced was heard to its end.
    pub(super) fn on_update(&mut self, truth: &Truth, update: &Update, witnessed: impl Fn(u32) -> bool) {
        let seed = self.seed;
        match update {
            Update::JournalChanged { journal, .. } => {
                self.journal.clone_from(journal);
                self.renumbered = true;
            }
            Update::Subscribed {
                audio_id,
                resumed,
                new_stream,
                ..
            } => {
                let goes_on = self.stood && !std::mem::take(&mut self.renumbered);
                assert_eq!(*resumed, goes_on, "seed {seed}: resumed");
                if *new_stream {
                    if let Some(old) = self.audio_id.filter(|old| witnessed(*old)) {
                        self.assert_complete(truth, old);
                    }
                    self.audio_id = *audio_id;
                    for track in Track::BOTH.into_iter().filter(|_| self.stood) {
                        self.accounted.insert((audio_id.unwrap(), track), 0);
                    }
                }
                assert_eq!(self.audio_id, *audio_id, "seed {seed}");
                self.stood = true;
            }
            Update::Line { line, .. } => {
                let (finals, _, last) = self.read.entry(self.journal.clone()).or_default();
                assert!(line.seq > *last, "seed {seed}: line {} after {last}", line.seq);
                *last = line.seq;
                finals.extend(line.is_final.then_some(line.seq));
            }
            Update::Event { event, .. } => {
                self.read
                    .entry(self.journal.clone())
                    .or_default()
                    .1
                    .push(event.seq);
            }
            Update::Frame { frame, .. } => {
                self.frames += 1;
                assert_eq!(Some(frame.audio_id()), self.audio_id, "seed {seed}");
                let (track, chunk) = (frame.track(), frame.chunk());
                self.account(track, chunk, chunk);
                let chunks = truth.streams[&frame.audio_id()].get(track);
                let sent = chunks[chunk as usize - 1].as_deref();
                assert_eq!(sent, Some(frame.mulaw()), "seed {seed}: {track} {chunk}");
            }
            Update::Missed {
                track,
                from,
                to,
                reason,
                ..
            } => {
                *self.missed.entry(*reason).or_default() += u64::from(to - from) + 1;
                self.account(*track, *from, *to);
                self.assert_reason(truth, *track, *from, *to, *reason);
            }
            Update::Ended(_) | Update::Missing(_) => self.ended = true,
            Update::BadMessage(why) => panic!("seed {seed}: {why}"),
            Update::Refused { message, .. } | Update::Error { message, .. } => {
                panic!("seed {seed}: {message}")
            }
            _ => {}
        }
    }

    /// Each chunk once and in order: what is told next begins where the last ended.
    fn account(&mut self, track: Track, from: u32, to: u32) {
        let key = (self.audio_id.unwrap(), track);
        let last = self.accounted.insert(key, to);
        assert!(
            last.is_none_or(|last| from == last + 1) && to >= from,
            "seed {}: {key:?}: {from}-{to} after {last:?}",
            self.seed
        );
    }

    fn assert_reason(&self, truth: &Truth, track: Track, from: u32, to: u32, reason: MissedReason) {
        let chunks = truth.streams[&self.audio_id.unwrap()].get(track);
        let reached_the_relay = |chunk: &u32| chunks[*chunk as usize - 1].is_some();
        let had: Vec<u32> = (from..=to).filter(reached_the_relay).collect();
        let fits = match reason {
            MissedReason::Upstream => had.is_empty(),
            MissedReason::SlowListener => true,
            // What the relay remembered when we came back is not missed.
            MissedReason::Away => had
                .iter()
                .all(|chunk| *chunk < *self.oldest_remembered.get(track)),
            _ => false,
        };
        assert!(
            fits,
            "seed {}: {track} {from}-{to} {reason:?}; remembered from {:?} on",
            self.seed, self.oldest_remembered
        );
    }

    fn assert_complete(&self, truth: &Truth, audio_id: u32) {
        for track in Track::BOTH {
            // Of one that was joined late nothing may have been heard.
            if let Some(last) = self.accounted.get(&(audio_id, track)) {
                let chunks = truth.streams[&audio_id].get(track).len() as u32;
                assert_eq!(
                    *last, chunks,
                    "seed {}: the end of stream {audio_id}, {track}",
                    self.seed
                );
            }
        }
    }

    /// When all is over: nothing of the last journal and the last stream is unaccounted for.
    pub(super) fn assert_whole(&self, truth: &Truth) {
        let seed = self.seed;
        let empty = Default::default();
        let (current, _, _) = truth.journals.last().unwrap();
        for (journal, finals, events) in &truth.journals {
            let (read, seen, _) = self.read.get(journal).unwrap_or(&empty);
            if journal == current {
                assert_eq!((read, seen), (finals, events), "seed {seed}: journal {journal}");
            } else {
                // What came while nobody was there went with that relay; nothing before it is skipped.
                assert_eq!(read[..], finals[..read.len()], "seed {seed}: lines of {journal}");
                assert_eq!(seen[..], events[..seen.len()], "seed {seed}: events of {journal}");
            }
        }
        self.assert_complete(truth, self.audio_id.unwrap());
    }
}
