//! One or two channels side by side, as runs of audio and silence; what both have is settled and can be
//! taken. Positions are samples since the first stream's timestamp 0.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use partyline_shared::audio::SILENCE;

#[derive(Debug)]
enum Run {
    Silence(u64),
    Audio(Bytes),
}

impl Run {
    fn len(&self) -> u64 {
        match self {
            Run::Silence(samples) => *samples,
            Run::Audio(bytes) => bytes.len() as u64,
        }
    }
}

/// What one channel has that is not taken yet.
#[derive(Debug, Default)]
struct Channel {
    runs: VecDeque<Run>,
    /// Where it begins and where its next sample goes; both where it was taken to once it was.
    begin: i64,
    end: i64,
    /// Where the next audio belongs; behind `end` when others did not wait for it.
    next: i64,
    started: bool,
}

/// µ-law of both channels, equally long.
pub(super) struct Block {
    pub(super) left: Vec<u8>,
    pub(super) right: Option<Vec<u8>>,
}

#[derive(Debug)]
pub(super) struct Timeline {
    channels: Vec<Channel>,
    /// Up to where has been decided; `None` before the first decision.
    settled: Option<i64>,
}

impl Timeline {
    pub(super) fn new(stereo: bool) -> Self {
        let channels = (0..if stereo { 2 } else { 1 })
            .map(|_| Channel::default())
            .collect();
        Timeline {
            channels,
            settled: None,
        }
    }

    /// The end of the longer channel; 0 before any.
    pub(super) fn end(&self) -> i64 {
        self.channels
            .iter()
            .filter(|c| c.started)
            .map(|c| c.end)
            .max()
            .unwrap_or(0)
    }

    /// A channel's (next) stream begins at `at`; not inside what the channel has, and not further than
    /// `most` from it or from the other channel's end.
    pub(super) fn start(&mut self, index: usize, at: i64, most: u64) {
        let any = self.channels.iter().any(|c| c.started);
        let end = self.end();
        let at = if any && at.abs_diff(end) > most { end } else { at };
        let settled = self.settled.is_some();
        let Some(channel) = self.channels.get_mut(index) else {
            return;
        };
        if channel.started {
            channel.go_to(at.max(channel.next));
        } else if settled {
            // The file began without it, and it is silent up to where that is decided.
            channel.started = true;
            channel.go_to(at);
        } else {
            *channel = Channel {
                begin: at,
                end: at,
                next: at,
                started: true,
                ..Channel::default()
            };
        }
        self.settle();
    }

    /// Puts audio where it belongs; false when some of that is already taken, and that much is lost.
    pub(super) fn append(&mut self, index: usize, mut audio: Bytes) -> bool {
        let Some(channel) = self.channels.get_mut(index) else {
            return false;
        };
        let late = (channel.end - channel.next).clamp(0, audio.len() as i64) as usize;
        channel.next += audio.len() as i64;
        audio.advance(late);
        channel.push(Run::Audio(audio));
        self.settle();
        late == 0
    }

    /// The same of silence.
    pub(super) fn silence(&mut self, index: usize, samples: u64) {
        if let Some(channel) = self.channels.get_mut(index).filter(|c| c.started) {
            channel.go_to(channel.next + samples as i64);
            self.settle();
        }
    }

    /// Does not wait for a channel that is more than `hold` behind the other: it is silent up to there.
    pub(super) fn let_go(&mut self, hold: u64) {
        let to = self.end() - hold as i64;
        let begin = self.channels.iter().filter(|c| c.started).map(|c| c.begin).min();
        let Some(from) = self.settled.or(begin).filter(|&from| to > from) else {
            return;
        };
        self.silence_up_to(from, to);
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self) {
        let begin = self.channels.iter().filter(|c| c.started).map(|c| c.begin).min();
        if let Some(from) = self.settled.or(begin) {
            self.silence_up_to(from, self.end());
        }
    }

    /// Up to `most` samples that are decided.
    pub(super) fn take(&mut self, most: usize) -> Option<Block> {
        let settled = self.settled?;
        let begin = self.channels.first()?.begin;
        let samples = (settled - begin).clamp(0, most as i64) as usize;
        if samples == 0 {
            return None;
        }
        let mut taken = self.channels.iter_mut().map(|channel| channel.take(samples));
        Some(Block {
            left: taken.next()?,
            right: taken.next(),
        })
    }

    fn silence_up_to(&mut self, from: i64, to: i64) {
        for channel in &mut self.channels {
            if !channel.started && self.settled.is_none() {
                // It has nothing yet, so it begins where the file does; where its audio will belong is
                // for its first frame to say.
                channel.begin = from;
                channel.end = from;
            }
            channel.extend_to(to);
        }
        self.settle();
    }

    /// What every channel has is decided. The file begins with the earlier one.
    fn settle(&mut self) {
        let forced = self.channels.iter().all(|c| c.started || c.end > c.begin);
        if self.settled.is_none() {
            if !forced {
                return;
            }
            let Some(begin) = self.channels.iter().map(|c| c.begin).min() else {
                return;
            };
            for channel in &mut self.channels {
                channel.begin_at(begin);
            }
        }
        let end = self.channels.iter().map(|c| c.end).min();
        self.settled = self.settled.max(end);
    }
}

impl Channel {
    fn push(&mut self, run: Run) {
        let len = run.len();
        if len == 0 {
            return;
        }
        self.end += len as i64;
        // A long silence is one run, however many gaps tell it.
        if let (Run::Silence(more), Some(Run::Silence(samples))) = (&run, self.runs.back_mut()) {
            *samples += more;
        } else {
            self.runs.push_back(run);
        }
    }

    /// The next audio belongs to `at`, or later.
    fn go_to(&mut self, at: i64) {
        self.next = at;
        self.extend_to(at);
    }

    fn extend_to(&mut self, at: i64) {
        self.push(Run::Silence((at - self.end).max(0) as u64));
    }

    /// Silence before the first sample.
    fn begin_at(&mut self, begin: i64) {
        let lead = self.begin - begin;
        if lead > 0 {
            self.runs.push_front(Run::Silence(lead as u64));
            self.begin = begin;
        }
    }

    fn take(&mut self, samples: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(samples);
        while out.len() < samples {
            let wanted = samples - out.len();
            let Some(run) = self.runs.front_mut() else { break };
            let some = wanted.min(usize::try_from(run.len()).unwrap_or(usize::MAX));
            match run {
                Run::Silence(left) => {
                    out.resize(out.len() + some, SILENCE);
                    *left -= some as u64;
                }
                Run::Audio(bytes) => out.extend_from_slice(&bytes.split_to(some)),
            }
            if run.len() == 0 {
                self.runs.pop_front();
            }
        }
        self.begin += out.len() as i64;
        out
    }
}
