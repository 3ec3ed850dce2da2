//! A relay in a page: one call, its journals and its streams, no socket. What it says waits in a queue
//! that a cut empties.

use std::collections::VecDeque;

use bytes::Bytes;
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{ClientMessage, Subscribe};
use partyline_shared::protocol::codec;
use partyline_shared::track::{PerTrack, Track};

use crate::client::session::{Session, Update};

/// Frames of a track that the model remembers.
const HISTORY: usize = 20;

/// Even numbers out of a seed (splitmix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Dice(seed)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

pub(super) fn sid() -> CallSid {
    CallSid::parse("CA1").unwrap()
}

pub(super) fn call_json(ended: bool) -> String {
    let end = if ended {
        "\"2026-11-22T09:01:00.000Z\""
    } else {
        "null"
    };
    format!(
        r#"{{"call_sid":"CA1","roles":{{"inbound":"customer","outbound":"agent"}},"status":"in-progress","stream":"live","ended_at":{end}}}"#
    )
}

pub(super) fn line_json(seq: u64, is_final: bool) -> String {
    format!(
        r#"{{"type":"transcript","call_sid":"CA1","line":{{"seq":{seq},"at":"2026-11-22T09:00:00.000Z","track":"inbound","text":"t","final":{is_final}}}}}"#
    )
}

pub(super) fn event_json(seq: u64) -> String {
    format!(
        r#"{{"type":"event","call_sid":"CA1","event":{{"seq":{seq},"at":"2026-11-22T09:00:00.000Z","kind":"mark","detail":{{}}}}}}"#
    )
}

/// An update of audio in short.
pub(super) fn told(update: &Update) -> Option<String> {
    match update {
        Update::Frame { frame, .. } => Some(format!("frame {}", frame.chunk())),
        Update::Missed { from, to, reason, .. } => Some(format!("missed {from}-{to} {}", reason.as_str())),
        _ => None,
    }
}

enum Said {
    Text(String),
    Audio(Bytes),
}

struct Journal {
    name: String,
    /// Seq and finality of every line.
    lines: Vec<(u64, bool)>,
    events: u64,
}

pub(super) struct ModelRelay {
    pub(super) journal: String,
    pub(super) id: u32,
    journals: Vec<Journal>,
    chunks: PerTrack<u32>,
    history: PerTrack<VecDeque<AudioFrame>>,
    queue: VecDeque<Said>,
    listening: bool,
}

impl ModelRelay {
    pub(super) fn new() -> Self {
        let mut relay = ModelRelay {
            journal: String::new(),
            id: 100,
            journals: Vec::new(),
            chunks: PerTrack::default(),
            history: PerTrack::default(),
            queue: VecDeque::new(),
            listening: false,
        };
        relay.begin();
        relay
    }

    fn begin(&mut self) {
        self.journal = format!("j{}", self.journals.len());
        self.journals.push(Journal {
            name: self.journal.clone(),
            lines: Vec::new(),
            events: 0,
        });
        self.id += 1;
        self.chunks = PerTrack::default();
        self.history = PerTrack::default();
    }

    /// The process ends and another begins: another journal, another stream.
    pub(super) fn restart(&mut self) {
        self.begin();
    }

    pub(super) fn finals(&self, name: &str) -> impl Iterator<Item = u64> {
        let journal = self.journals.iter().find(|j| j.name == name).unwrap();
        journal.lines.iter().filter(|line| line.1).map(|line| line.0)
    }

    pub(super) fn events(&self, name: &str) -> u64 {
        self.journals.iter().find(|j| j.name == name).unwrap().events
    }

    pub(super) fn last_chunk(&self, track: Track) -> u32 {
        *self.chunks.get(track)
    }

    pub(super) fn on_message(&mut self, text: &str) {
        if let Some(ClientMessage::Subscribe(subscribe)) = codec::from_client(text).unwrap() {
            self.subscribe(&subscribe);
        }
    }

    fn subscribe(&mut self, asked: &Subscribe) {
        let after = asked.after.clone().unwrap_or_default();
        let resumed = after.journal.as_ref() == Some(&self.journal);
        self.queue.clear();
        self.listening = true;
        // The first of the list is there before the answer, the rest after it.
        self.text(format!(
            r#"{{"type":"calls","calls":[{}],"more":true}}"#,
            call_json(false)
        ));
        self.text(format!(
            r#"{{"type":"subscribed","call_sid":"CA1","audio_id":{},"journal":"{}","resumed":{resumed},"zero_at":null}}"#,
            self.id, self.journal
        ));
        // Every third resume counts as one that cannot be continued: all comes again.
        let again = self.chunks.inbound.is_multiple_of(3);
        let (line, event) = if resumed && !again {
            (after.transcript, after.event)
        } else {
            (0, 0)
        };
        let journal = self.journals.last().unwrap();
        let open = journal
            .lines
            .iter()
            .rev()
            .take_while(|line| !line.1)
            .map(|line| line.0)
            .next();
        let lines: Vec<(u64, bool)> = journal
            .lines
            .iter()
            .copied()
            .filter(|&(seq, is_final)| seq > line && (is_final || Some(seq) == open))
            .collect();
        for (seq, is_final) in lines {
            self.text(line_json(seq, is_final));
        }
        for seq in event + 1..=self.journals.last().unwrap().events {
            self.text(event_json(seq));
        }
        let frames = (asked.replay_ms / 20) as usize;
        for track in Track::BOTH {
            let history = self.history.get(track);
            let replay: Vec<Bytes> = history
                .iter()
                .skip(history.len().saturating_sub(frames))
                .map(|f| f.replayed().bytes().clone())
                .collect();
            self.queue.extend(replay.into_iter().map(Said::Audio));
        }
        self.text(r#"{"type":"calls","calls":[],"more":false}"#.to_owned());
    }

    /// Something happens in the call.
    pub(super) fn live(&mut self, dice: &mut Dice) {
        match dice.below(10) {
            0 | 1 => {
                let is_final = dice.below(3) == 0;
                let journal = self.journals.last_mut().unwrap();
                let seq = journal.lines.len() as u64 + 1;
                journal.lines.push((seq, is_final));
                self.say(Said::Text(line_json(seq, is_final)));
            }
            2 => {
                let journal = self.journals.last_mut().unwrap();
                journal.events += 1;
                let text = event_json(journal.events);
                self.say(Said::Text(text));
            }
            3 => {
                let from = self.chunks.inbound + 1;
                let to = from + dice.below(4) as u32;
                self.chunks.inbound = to;
                let gap = format!(
                    r#"{{"type":"gap","call_sid":"CA1","track":"inbound","from_chunk":{from},"to_chunk":{to},"reason":"upstream"}}"#
                );
                self.say(Said::Text(gap));
            }
            n => {
                let track = if n % 2 == 0 {
                    Track::Inbound
                } else {
                    Track::Outbound
                };
                let chunk = self.chunks.get_mut(track);
                *chunk += 1;
                let frame = AudioFrame::new(track, self.id, *chunk, *chunk * 20, &[1; 160]);
                let history = self.history.get_mut(track);
                history.push_back(frame.clone());
                if history.len() > HISTORY {
                    history.pop_front();
                }
                self.say(Said::Audio(frame.bytes().clone()));
            }
        }
    }

    /// Gives up to `most` messages to the session.
    pub(super) fn deliver(&mut self, session: &mut Session, now: u64, most: usize) {
        for _ in 0..most {
            match self.queue.pop_front() {
                Some(Said::Text(text)) => session.on_text(now, &text),
                Some(Said::Audio(bytes)) => session.on_binary(now, bytes),
                None => return,
            }
        }
    }

    fn text(&mut self, text: String) {
        self.queue.push_back(Said::Text(text));
    }

    fn say(&mut self, said: Said) {
        if self.listening {
            self.queue.push_back(said);
        }
    }
}
