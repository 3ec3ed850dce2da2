//! A script as what is told of it, and when. Sans-I/O: times are ms of the audio.

use partyline_shared::track::{PerTrack, Track};

use crate::simulate::script::Line;

/// Least time between two guesses at one line, ms: engines send a few a second.
const GUESS_MS: u64 = 400;

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spoken {
    /// When, ms of the audio.
    pub(crate) at_ms: u64,
    /// Who.
    pub(crate) track: Track,
    /// The line, or its words so far.
    pub(crate) text: String,
    /// Whether it is the line.
    pub(crate) is_final: bool,
}

/// All that is to be told, in the order of time, over and over where the audio repeats.
pub(crate) struct Words {
    spoken: Vec<Spoken>,
    period_ms: Option<u64>,
    next: u64,
    open: PerTrack<Option<Spoken>>,
}

impl Words {
    /// Of the lines on `tracks`; `period_ms` is after what time the audio begins anew.
    pub(crate) fn new(lines: &[(Track, Line)], tracks: &[Track], period_ms: Option<u64>) -> Self {
        let mut spoken: Vec<Spoken> = lines
            .iter()
            .filter(|(track, _)| tracks.contains(track))
            .flat_map(|(track, line)| line_of(*track, line))
            .collect();
        for spoken in &mut spoken {
            // What outlasts the audio is over when that begins anew.
            spoken.at_ms = spoken.at_ms.min(period_ms.unwrap_or(u64::MAX));
        }
        spoken.sort_by_key(|spoken| spoken.at_ms);
        Words {
            spoken,
            period_ms,
            next: 0,
            open: PerTrack::default(),
        }
    }

    /// When the next one is due; `None` when all is told.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.peek().map(|spoken| spoken.at_ms)
    }

    /// The next one, whether it is due or not.
    pub(crate) fn take(&mut self) -> Option<Spoken> {
        let spoken = self.peek()?;
        self.next += 1;
        *self.open.get_mut(spoken.track) = (!spoken.is_final).then(|| spoken.clone());
        Some(spoken)
    }

    /// What stays of lines that the call's end cut off: the words so far.
    pub(crate) fn cut(&mut self) -> Vec<Spoken> {
        let open = Track::BOTH
            .iter()
            .filter_map(|track| self.open.get_mut(*track).take());
        open.map(|spoken| Spoken {
            is_final: true,
            ..spoken
        })
        .collect()
    }

    fn peek(&self) -> Option<Spoken> {
        let all = self.spoken.len() as u64;
        let round = self.next.checked_div(all)?;
        let spoken = self.spoken.get((self.next % all) as usize)?;
        let begins = match self.period_ms {
            Some(period_ms) => round * period_ms,
            None if round == 0 => 0,
            None => return None,
        };
        Some(Spoken {
            at_ms: begins + spoken.at_ms,
            ..spoken.clone()
        })
    }
}

/// One line's guesses, a word longer each as time allows, and the line.
fn line_of(track: Track, line: &Line) -> Vec<Spoken> {
    let text = line.text.trim();
    let lasts = line.until_ms - line.at_ms;
    let ends: Vec<usize> = text.match_indices(' ').map(|(end, _)| end).collect();
    let words = ends.len() as u64 + 1;
    let mut told = Vec::new();
    let mut earliest = 0;
    for (number, end) in ends.iter().enumerate() {
        let at_ms = line.at_ms + lasts * (number as u64 + 1) / words;
        let guess = text.get(..*end).unwrap_or_default();
        if at_ms >= earliest && !guess.ends_with(' ') {
            earliest = at_ms + GUESS_MS;
            told.push((at_ms, guess, false));
        }
    }
    told.push((line.until_ms, text, true));
    let spoken = |(at_ms, text, is_final): (u64, &str, bool)| Spoken {
        at_ms,
        track,
        text: text.to_owned(),
        is_final,
    };
    told.into_iter().map(spoken).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use partyline_shared::track::Role;

    fn line(track: Track, at_ms: u64, until_ms: u64, text: &str) -> (Track, Line) {
        let line = Line {
            at_ms,
            until_ms,
            who: Role::Agent,
            text: text.into(),
        };
        (track, line)
    }

    fn told(words: &mut Words) -> Vec<(u64, String, bool)> {
        std::iter::from_fn(|| words.take())
            .take(9)
            .map(|s| (s.at_ms, s.text, s.is_final))
            .collect()
    }

    #[test]
    fn guesses_grow_to_the_line() {
        let lines = [line(Track::Inbound, 100, 1300, "one two three four five six")];
        let mut words = Words::new(&lines, &Track::BOTH, None);
        let expected = [
            (300, "one", false),
            (700, "one two three", false),
            (1100, "one two three four five", false),
            (1300, "one two three four five six", true),
        ];
        assert_eq!(
            told(&mut words),
            expected.map(|(at, text, last)| (at, text.to_owned(), last))
        );
        assert_eq!(words.next_at(), None);
        assert_eq!(words.cut(), []);
    }

    #[test]
    fn tracks_interleave_and_only_those_asked_for_are_told() {
        use Track::{Inbound, Outbound};
        let lines = [line(Inbound, 0, 1000, "a b"), line(Outbound, 200, 700, "c d")];
        let mut words = Words::new(&lines, &Track::BOTH, None);
        let order: Vec<_> = std::iter::from_fn(|| words.take())
            .map(|s| (s.track, s.is_final))
            .collect();
        assert_eq!(
            order,
            [
                (Outbound, false),
                (Inbound, false),
                (Outbound, true),
                (Inbound, true)
            ]
        );
        let mut one = Words::new(&lines, &[Outbound], None);
        assert_eq!(told(&mut one).len(), 2);
    }

    #[test]
    fn repeated_audio_repeats_its_words() {
        let lines = [
            line(Track::Inbound, 0, 150, "a"),
            line(Track::Outbound, 10, 50, "b"),
        ];
        let mut words = Words::new(&lines, &Track::BOTH, Some(100));
        let times: Vec<_> = told(&mut words).into_iter().map(|(at, ..)| at).take(5).collect();
        assert_eq!(times, [50, 100, 150, 200, 250]);
    }

    #[test]
    fn a_hang_up_leaves_the_words_so_far() {
        let lines = [line(Track::Inbound, 0, 1000, "a b c")];
        let mut words = Words::new(&lines, &Track::BOTH, None);
        words.take();
        let cut = words.cut();
        assert_eq!((cut.len(), cut[0].text.as_str(), cut[0].is_final), (1, "a", true));
        assert_eq!(words.cut(), []);
    }
}
