//! What was sent against what arrived. No sockets, no clock: both sides write into it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard};

use partyline_shared::audio::SILENCE;
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::line::Line;
use partyline_shared::text;
use partyline_shared::track::{PerTrack, Track};
use tokio::sync::Notify;

use crate::simulate::voice::Frame;

/// Frames of a track that may be on their way, a minute's: what is older counts as missing.
const ON_THEIR_WAY: usize = 3000;

/// One call's account, shared by who sends and who listens.
#[derive(Default)]
pub(crate) struct Ledger {
    book: Mutex<Book>,
    /// Told whenever something arrived.
    pub(crate) arrived: Notify,
}

#[derive(Default)]
struct Book {
    /// Who sends gives no timestamps: frames are known by what is in them.
    untimed: bool,
    tracks: PerTrack<Sheet>,
    counts: Counts,
}

#[derive(Default)]
struct Sheet {
    frames: VecDeque<(u64, Frame)>,
    lines: VecDeque<String>,
    last_heard: Option<u64>,
    chunk: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Counts {
    frames_sent: u64,
    frames_missing: u64,
    first_missing: Option<(Track, u64)>,
    altered: u64,
    again: u64,
    unknown: u64,
    misnumbered: u64,
    lines_sent: u64,
    lines_missing: u64,
    lines_unknown: u64,
    gaps: u64,
}

/// What of a call did not arrive as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost(Box<Counts>);

impl Ledger {
    /// For a call whose timestamps are the relay's own, which may put silence where nothing came in time.
    pub(crate) fn untimed() -> Ledger {
        let ledger = Ledger::default();
        ledger.book().untimed = true;
        ledger
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    /// A frame leaves.
    pub(crate) fn sent(&self, track: Track, timestamp_ms: u64, frame: &Frame) {
        let mut book = self.book();
        book.counts.frames_sent += 1;
        let sheet = book.tracks.get_mut(track);
        sheet.frames.push_back((timestamp_ms, *frame));
        if sheet.frames.len() > ON_THEIR_WAY {
            book.miss(track);
        }
    }

    /// A final line leaves.
    pub(crate) fn said(&self, track: Track, words: &str) {
        let mut book = self.book();
        book.counts.lines_sent += 1;
        let words = text::clean(words).trim().to_owned();
        book.tracks.get_mut(track).lines.push_back(words);
    }

    /// The final line that was said last has not left after all.
    pub(crate) fn unsaid(&self, track: Track) {
        let mut book = self.book();
        if book.tracks.get_mut(track).lines.pop_back().is_some() {
            book.counts.lines_sent -= 1;
        }
    }

    /// A frame arrived.
    pub(crate) fn heard(&self, frame: &AudioFrame) {
        self.book().heard(frame);
        self.arrived.notify_one();
    }

    /// A line arrived; partials are not counted, since any may be superseded.
    pub(crate) fn read(&self, line: &Line) {
        if line.is_final {
            self.book().read(line);
            self.arrived.notify_one();
        }
    }

    /// The relay says that frames are missing.
    pub(crate) fn gap(&self) {
        self.book().counts.gaps += 1;
    }

    /// Whether nothing is on its way any more.
    pub(crate) fn is_settled(&self) -> bool {
        let book = self.book();
        Track::BOTH.iter().all(|track| {
            let sheet = book.tracks.get(*track);
            sheet.frames.is_empty() && sheet.lines.is_empty()
        })
    }

    /// The account: what is still on its way is missing.
    pub(crate) fn close(&self) -> Result<(), Lost> {
        let mut book = self.book();
        for track in Track::BOTH {
            while book.miss(track) {}
            let lines = std::mem::take(&mut book.tracks.get_mut(track).lines);
            book.counts.lines_missing += lines.len() as u64;
        }
        let counts = book.counts.clone();
        let good = Counts {
            frames_sent: counts.frames_sent,
            lines_sent: counts.lines_sent,
            ..Counts::default()
        };
        if counts == good {
            Ok(())
        } else {
            Err(Lost(Box::new(counts)))
        }
    }
}

impl Book {
    /// Takes the oldest frame on its way for missing; false when there is none.
    fn miss(&mut self, track: Track) -> bool {
        let Some((at, _)) = self.tracks.get_mut(track).frames.pop_front() else {
            return false;
        };
        self.counts.frames_missing += 1;
        self.counts.first_missing.get_or_insert((track, at));
        true
    }

    fn heard(&mut self, frame: &AudioFrame) {
        let (track, at) = (frame.track(), u64::from(frame.timestamp_ms()));
        let sheet = self.tracks.get_mut(track);
        if frame.chunk() != sheet.chunk.wrapping_add(1) {
            self.counts.misnumbered += 1;
        }
        sheet.chunk = frame.chunk();
        if sheet.last_heard.is_some_and(|last| at <= last) {
            self.counts.again += 1;
            return;
        }
        sheet.last_heard = Some(at);
        if self.untimed {
            return self.heard_untimed(track, frame.mulaw());
        }
        while self
            .tracks
            .get(track)
            .frames
            .front()
            .is_some_and(|(sent, _)| *sent < at)
        {
            self.miss(track);
        }
        let sheet = self.tracks.get_mut(track);
        match sheet.frames.front() {
            Some((sent, bytes)) if *sent == at => {
                if bytes.as_slice() != frame.mulaw() {
                    self.counts.altered += 1;
                }
                sheet.frames.pop_front();
            }
            _ => self.counts.unknown += 1,
        }
    }

    fn heard_untimed(&mut self, track: Track, mulaw: &[u8]) {
        let frames = &self.tracks.get(track).frames;
        let is_next = frames.front().is_some_and(|(_, sent)| sent == mulaw);
        let is_filler = !is_next && mulaw.iter().all(|byte| *byte == SILENCE);
        if is_filler {
            return;
        }
        match frames.iter().position(|(_, sent)| sent == mulaw) {
            Some(skipped) => {
                for _ in 0..skipped {
                    self.miss(track);
                }
                self.tracks.get_mut(track).frames.pop_front();
            }
            None => self.counts.unknown += 1,
        }
    }

    fn read(&mut self, line: &Line) {
        let lines = &mut self.tracks.get_mut(line.track).lines;
        match lines.iter().position(|sent| *sent == line.text) {
            Some(skipped) => {
                lines.drain(..=skipped);
                self.counts.lines_missing += skipped as u64;
            }
            None => self.counts.lines_unknown += 1,
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = &self.0;
        write!(f, "of {} frames and {} lines sent", c.frames_sent, c.lines_sent)?;
        let mut before = ": ";
        for (count, what) in [
            (c.frames_missing, "frames are missing"),
            (c.altered, "frames came altered"),
            (c.again, "frames came twice or out of order"),
            (c.unknown, "frames came that were never sent"),
            (c.misnumbered, "frames had a chunk that was not the next"),
            (c.gaps, "gaps were told"),
            (c.lines_missing, "final lines are missing"),
            (
                c.lines_unknown,
                "final lines came twice, out of order, or were never sent",
            ),
        ] {
            if count > 0 {
                write!(f, "{before}{count} {what}")?;
                before = ", ";
            }
        }
        if let Some((track, at)) = c.first_missing {
            write!(f, "; the first missing one is {track}'s at {at} ms")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use partyline_shared::time::UtcTime;

    fn frame(n: u8) -> (u64, Frame) {
        (100 + 20 * u64::from(n), [n; 160])
    }

    fn hear(ledger: &Ledger, chunk: u32, n: u8) {
        let (at, bytes) = frame(n);
        ledger.heard(&AudioFrame::new(Track::Inbound, 7, chunk, at as u32, &bytes));
    }

    fn sent(count: u8) -> Ledger {
        let ledger = Ledger::default();
        for n in 0..count {
            let (at, bytes) = frame(n);
            ledger.sent(Track::Inbound, at, &bytes);
        }
        ledger
    }

    fn line(words: &str) -> Line {
        Line {
            seq: 1,
            at: UtcTime::from_unix_ms(0),
            start_ms: None,
            end_ms: None,
            track: Track::Outbound,
            text: words.into(),
            is_final: true,
            confidence: None,
            engine: None,
            hole_ms: None,
        }
    }

    #[test]
    fn all_in_order_is_no_loss() {
        let ledger = sent(3);
        ledger.said(Track::Outbound, " Hi. ");
        (0..3).for_each(|n| hear(&ledger, u32::from(n) + 1, n));
        assert!(!ledger.is_settled());
        ledger.read(&line("Hi."));
        assert!(ledger.is_settled());
        assert_eq!(ledger.close(), Ok(()));
    }

    #[test]
    fn each_fault_has_its_name() {
        let why = |ledger: &Ledger| ledger.close().unwrap_err().to_string();
        let missing = sent(3);
        hear(&missing, 1, 0);
        hear(&missing, 3, 2);
        assert_eq!(
            why(&missing),
            "of 3 frames and 0 lines sent: 1 frames are missing, 1 frames had a chunk that was not the next; \
             the first missing one is inbound's at 120 ms"
        );
        let tail = sent(2);
        hear(&tail, 1, 0);
        assert!(why(&tail).contains("1 frames are missing"));
        let twice = sent(1);
        hear(&twice, 1, 0);
        hear(&twice, 2, 0);
        assert!(why(&twice).contains("1 frames came twice"));
        let unknown = sent(1);
        hear(&unknown, 1, 0);
        hear(&unknown, 2, 9);
        assert!(why(&unknown).contains("1 frames came that were never sent"));
        let altered = sent(1);
        altered.heard(&AudioFrame::new(Track::Inbound, 7, 1, 100, &[9; 160]));
        assert!(why(&altered).contains("1 frames came altered"));
        let gap = sent(0);
        gap.gap();
        assert!(why(&gap).contains("1 gaps"));
    }

    #[test]
    fn lines_are_wanted_once_and_in_order() {
        let ledger = sent(0);
        for words in ["a", "b", "c"] {
            ledger.said(Track::Outbound, words);
        }
        for words in ["b", "a", "b"] {
            ledger.read(&line(words));
        }
        let why = ledger.close().unwrap_err().to_string();
        assert!(
            why.contains("2 final lines are missing, 2 final lines came twice"),
            "{why}"
        );
    }

    #[test]
    fn without_timestamps_frames_are_known_by_what_is_in_them_and_silence_may_lie_between() {
        let play = |played: &[u8]| {
            let ledger = Ledger::untimed();
            for n in 0..3 {
                ledger.sent(Track::Inbound, u64::from(n) * 20, &[n; 160]);
            }
            for (at, n) in played.iter().enumerate() {
                let chunk = at as u32 + 1;
                ledger.heard(&AudioFrame::new(Track::Inbound, 7, chunk, chunk * 20, &[*n; 160]));
            }
            ledger.close().map_err(|lost| lost.to_string())
        };
        assert_eq!(play(&[SILENCE, 0, 1, SILENCE, SILENCE, 2, SILENCE]), Ok(()));
        assert!(play(&[0, 2]).unwrap_err().contains("1 frames are missing"));
        assert!(play(&[0, 1, 9, 2]).unwrap_err().contains("never sent"));
        let ledger = Ledger::untimed();
        ledger.said(Track::Inbound, "a");
        ledger.unsaid(Track::Inbound);
        assert_eq!(ledger.close(), Ok(()));
    }

    #[test]
    fn what_is_a_minute_late_is_lost() {
        let ledger = Ledger::default();
        for n in 0..=ON_THEIR_WAY as u64 {
            ledger.sent(Track::Inbound, n * 20, &[0; 160]);
        }
        assert_eq!(ledger.book().counts.first_missing, Some((Track::Inbound, 0)));
        assert_eq!(ledger.book().counts.frames_missing, 1);
    }
}
