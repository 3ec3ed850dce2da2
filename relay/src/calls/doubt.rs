//! Whether a line may be of what was said while its call was paused. A line comes after the words it is of, and few
//! engines say when those began: where it is not certain that they began after the pause, the line is not kept. No
//! clock, no I/O.

use std::time::Duration;

use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Track};
use serde::{Deserialize, Serialize};

/// How long after its first word an utterance is heard of, from an engine that says partial lines: engines take one or
/// two seconds, and what arrives out of order is put right for half of one.
pub const LATENCY: Duration = Duration::from_secs(3);

/// The longest utterance of an engine that says only what is final: those end one after a minute at the latest.
pub const LONGEST: Duration = Duration::from_secs(60);

/// Engines of a track that are told apart: those of a fail-over order, and some workers. Of more than these nothing is
/// known, so that each of their lines is doubted for longest.
const ENGINES: usize = 8;

/// What is known of each track's utterances.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Doubt {
    /// When the call was let go last.
    resumed_ms: Option<i64>,
    /// By engine: what one says tells nothing of how late another is.
    sides: PerTrack<Vec<Side>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Side {
    engine: String,
    /// When the utterance that is open was first heard of.
    open_ms: Option<i64>,
    /// When the last one was closed.
    closed_ms: Option<i64>,
    /// The engine says partial lines.
    says_partials: bool,
}

impl Doubt {
    /// The call is let go.
    pub fn resumed(&mut self, at: UtcTime) {
        self.resumed_ms = Some(at.unix_ms());
    }

    /// Takes note of a line of a track, told at `at`; whether its words may have begun before the call was let go.
    pub fn is_of_a_pause(&mut self, track: Track, engine: &str, is_final: bool, at: UtcTime) -> bool {
        let sides = self.sides.get_mut(track);
        if sides.len() < ENGINES && sides.iter().all(|side| side.engine != engine) {
            sides.push(Side {
                engine: engine.to_owned(),
                ..Side::default()
            });
        }
        let mut stranger = Side::default();
        let known = sides.iter_mut().find(|side| side.engine == engine);
        let is_known = known.is_some();
        let side = known.unwrap_or(&mut stranger);
        let first_heard = *side.open_ms.get_or_insert(at.unix_ms());
        side.says_partials |= !is_final;
        let before = |at_ms: i64, by: Duration| {
            at_ms.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
        };
        let most = if is_known && side.says_partials {
            LATENCY
        } else {
            LONGEST
        };
        let mut begun = before(first_heard, most);
        // Words of a track come one after the other, from one engine.
        if let Some(closed) = side.closed_ms {
            begun = begun.max(before(closed, LATENCY));
        }
        if is_final {
            side.open_ms = None;
            side.closed_ms = Some(at.unix_ms());
        }
        self.resumed_ms.is_some_and(|resumed| begun < resumed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const I: Track = Track::Inbound;

    fn at(ms: i64) -> UtcTime {
        UtcTime::from_unix_ms(1_000_000 + ms)
    }

    #[test]
    fn an_utterance_that_was_open_is_not_kept_to_its_final() {
        let mut doubt = Doubt::default();
        assert!(
            !doubt.is_of_a_pause(I, "e", false, at(0)),
            "nothing was ever paused"
        );
        doubt.resumed(at(10_000));
        for (is_final, ms) in [(false, 12_000), (false, 15_000), (true, 20_000)] {
            assert!(doubt.is_of_a_pause(I, "e", is_final, at(ms)), "at {ms}");
        }
        assert!(!doubt.is_of_a_pause(I, "e", false, at(20_500)));
        assert!(!doubt.is_of_a_pause(I, "e", true, at(21_000)));
        assert!(
            !doubt.is_of_a_pause(Track::Outbound, "e", false, at(13_000)),
            "the other track had none open"
        );
    }

    #[test]
    fn what_is_first_heard_of_soon_after_may_have_begun_before() {
        let mut doubt = Doubt::default();
        doubt.resumed(at(0));
        assert!(doubt.is_of_a_pause(I, "e", false, at(2_999)));
        assert!(doubt.is_of_a_pause(I, "e", true, at(4_000)));
        // The next one cannot have begun before that one's end.
        assert!(!doubt.is_of_a_pause(I, "e", false, at(4_100)));
        let mut other = Doubt::default();
        other.resumed(at(0));
        assert!(!other.is_of_a_pause(I, "e", false, at(3_000)));
        assert!(
            other.is_of_a_pause(Track::Outbound, "e", false, at(-5)),
            "said before by its own time"
        );
    }

    #[test]
    fn of_an_engine_that_says_only_finals_the_first_is_doubted_for_longer() {
        let mut doubt = Doubt::default();
        assert!(!doubt.is_of_a_pause(I, "e", true, at(-90_000)));
        doubt.resumed(at(0));
        assert!(doubt.is_of_a_pause(I, "e", true, at(2_000)));
        assert!(
            doubt.is_of_a_pause(I, "e", true, at(30_000)),
            "two sentences after one another"
        );
        assert!(!doubt.is_of_a_pause(I, "e", true, at(40_000)));
        let mut quiet = Doubt::default();
        quiet.resumed(at(0));
        assert!(!quiet.is_of_a_pause(I, "e", true, at(60_000)));
    }

    #[test]
    fn that_one_engine_is_quick_says_nothing_of_another() {
        let mut doubt = Doubt::default();
        doubt.resumed(at(0));
        // One says partial lines and its first utterance after the pause is over; a worker posts what is whole.
        doubt.is_of_a_pause(I, "quick", false, at(5_000));
        assert!(!doubt.is_of_a_pause(I, "quick", true, at(6_000)));
        assert!(doubt.is_of_a_pause(I, "worker", true, at(10_000)));
        assert!(!doubt.is_of_a_pause(I, "worker", true, at(60_001)));
        for n in 0..2 * ENGINES {
            assert!(doubt.is_of_a_pause(I, &n.to_string(), false, at(10)));
        }
        assert!(doubt.is_of_a_pause(I, &(2 * ENGINES).to_string(), false, at(59_000)));
        assert_eq!(doubt.sides.get(I).len(), ENGINES);
    }
}
