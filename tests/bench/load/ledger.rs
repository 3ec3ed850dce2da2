//! What one listener should get and what it got, a bit for each frame. Knows neither sockets nor clocks.

/// Frames of a track that may pass before a listener that came late has its first: 50 are a second, longer than
/// anybody waits in silence. What comes after is missing.
const JOINING: u32 = 50;

/// What came of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The first of its track.
    First,
    /// As it should be.
    Next,
    /// After one that was sent later.
    Earlier,
    /// It came before.
    Double,
    /// No frame was sent that has this number.
    Unknown,
}

/// All of one listener's frames.
#[derive(Debug)]
pub(super) struct Ledger {
    /// The number of the call it listens to.
    pub(super) call: usize,
    tracks: Vec<Track>,
}

/// One track's. Chunks count from 1.
#[derive(Debug)]
struct Track {
    /// The first that has to come; for who came late the first that was sent after.
    from: u32,
    late: bool,
    /// Lowest and highest that came.
    first: Option<u32>,
    last: u32,
    /// Different ones that came.
    came: u32,
    bits: Vec<u64>,
}

/// An account at the end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) expected: u64,
    pub(super) delivered: u64,
}

impl Ledger {
    /// Of somebody who is there before the first frame, with room for so many frames of each track.
    pub(super) fn new(call: usize, tracks: usize, frames: u32) -> Ledger {
        let track = || Track {
            from: 1,
            late: false,
            first: None,
            last: 0,
            came: 0,
            bits: vec![0; frames as usize / 64 + 1],
        };
        Ledger {
            call,
            tracks: (0..tracks).map(|_| track()).collect(),
        }
    }

    /// It comes now, after so many frames of each track.
    pub(super) fn joins(&mut self, sent: &[u32]) {
        for (track, sent) in self.tracks.iter_mut().zip(sent) {
            track.late = true;
            track.from = sent + 1;
        }
    }

    /// Books a frame.
    #[inline]
    pub(super) fn book(&mut self, track: u8, chunk: u32) -> Arrival {
        let Some(track) = self.tracks.get_mut(usize::from(track)) else {
            return Arrival::Unknown;
        };
        let bit = 1_u64 << (chunk % 64);
        let word = match track.bits.get_mut(chunk as usize / 64) {
            Some(word) if chunk > 0 => word,
            _ => return Arrival::Unknown,
        };
        if *word & bit != 0 {
            return Arrival::Double;
        }
        *word |= bit;
        track.came += 1;
        let before = track.first;
        track.first = Some(before.map_or(chunk, |first| first.min(chunk)));
        if chunk < track.last {
            return Arrival::Earlier;
        }
        track.last = chunk;
        before.map_or(Arrival::First, |_| Arrival::Next)
    }

    /// What should have come of so many frames of each track, and what did.
    pub(super) fn account(&self, sent: &[u32]) -> Account {
        let mut account = Account::default();
        for (track, sent) in self.tracks.iter().zip(sent) {
            let from = if track.late {
                let latest = track.from.saturating_add(JOINING);
                track.first.map_or(latest, |first| first.min(latest))
            } else {
                track.from
            };
            account.expected += u64::from((sent + 1).saturating_sub(from).max(track.came));
            account.delivered += u64::from(track.came);
        }
        account
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(ledger: &Ledger, sent: &[u32]) -> (u64, u64) {
        let Account { expected, delivered } = ledger.account(sent);
        (expected, delivered)
    }

    #[test]
    fn all_in_order_is_all() {
        let mut ledger = Ledger::new(0, 2, 200);
        for track in [0, 1] {
            assert_eq!(ledger.book(track, 1), Arrival::First);
            for chunk in 2..=200 {
                assert_eq!(ledger.book(track, chunk), Arrival::Next);
            }
        }
        assert_eq!(account(&ledger, &[200, 200]), (400, 400));
    }

    #[test]
    fn what_did_not_come_is_missing_wherever_it_was() {
        let mut ledger = Ledger::new(0, 1, 100);
        assert_eq!(account(&ledger, &[100]), (100, 0));
        for chunk in [2, 3, 64, 99] {
            ledger.book(0, chunk);
        }
        assert_eq!(account(&ledger, &[100]), (100, 4));
    }

    #[test]
    fn doubles_and_wrong_order_are_seen_and_nothing_counts_twice() {
        let mut ledger = Ledger::new(0, 1, 100);
        let came = [1, 3, 2, 3, 4, 4].map(|chunk| ledger.book(0, chunk));
        use Arrival::{Double, Earlier, First, Next};
        assert_eq!(came, [First, Next, Earlier, Double, Next, Double]);
        assert_eq!(account(&ledger, &[4]), (4, 4));
    }

    #[test]
    fn a_frame_that_was_never_sent_is_unknown() {
        let mut ledger = Ledger::new(0, 1, 63);
        for (track, chunk) in [(0, 0), (0, 64), (0, u32::MAX), (1, 1), (255, 1)] {
            assert_eq!(ledger.book(track, chunk), Arrival::Unknown, "{track} {chunk}");
        }
        assert_eq!(account(&ledger, &[63]), (63, 0));
    }

    #[test]
    fn who_comes_late_expects_from_its_first_frame_on() {
        let mut ledger = Ledger::new(0, 1, 300);
        ledger.joins(&[30]);
        // Nothing may be expected yet, and nothing for ever is not enough.
        assert_eq!(account(&ledger, &[40]), (0, 0));
        assert_eq!(account(&ledger, &[300]), (220, 0));
        for chunk in (35..=100).filter(|chunk| *chunk != 50) {
            ledger.book(0, chunk);
        }
        assert_eq!(account(&ledger, &[100]), (66, 65));
    }

    #[test]
    fn a_first_frame_too_late_is_no_excuse() {
        let mut ledger = Ledger::new(0, 1, 300);
        ledger.joins(&[30]);
        for chunk in 200..=300 {
            ledger.book(0, chunk);
        }
        assert_eq!(account(&ledger, &[300]), (220, 101));
    }
}
