//! Numberings. A line or event is known by its journal and number. The journal's name is told only when it
//! changes, so what comes again, after a call was let go of, is known by number and content.

use super::Texts;

/// How far a call's journal was read; 0 for not at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Journal {
    /// The highest number of a line.
    pub line: u64,
    /// The highest number of an event.
    pub event: u64,
    /// Whether the relay may begin at the beginning again: of this journal, or of another.
    pub comes_again: bool,
}

/// What to make of something that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is new.
    New,
    /// It is known.
    Known,
    /// It has the number of something else: it is of another journal.
    Foreign,
}

/// What a number says. `last` is the highest that was taken; `kept` are the numbers of this journal that are still
/// there, ascending, and whether what is known by each is this; `forgotten`, whether any before them was let go of.
pub(super) fn judge(
    seq: u64,
    last: u64,
    comes_again: bool,
    forgotten: bool,
    kept: impl Iterator<Item = (u64, bool)>,
) -> Verdict {
    if seq > last {
        return Verdict::New;
    }
    if !comes_again {
        return Verdict::Known;
    }
    let mut kept = kept.peekable();
    let first = kept.peek().map_or(0, |&(first, _)| first);
    match kept.find(|&(known, _)| known == seq) {
        Some((_, true)) => Verdict::Known,
        Some((_, false)) => Verdict::Foreign,
        None if forgotten && seq < first => Verdict::Known,
        // Numbers of superseded partials are not given again, so a number between known ones is no number of ours.
        None => Verdict::Foreign,
    }
}

impl Texts {
    /// What follows is numbered anew: what is here is kept, and marked.
    pub fn renumber(&mut self) {
        for line in &mut self.lines {
            line.is_old = true;
        }
        for event in &mut self.events {
            event.is_old = true;
        }
        self.journal = Journal::default();
    }

    /// The call is asked for, after it was not: what is here may come again.
    pub fn begin(&mut self) {
        (self.is_known, self.is_refused) = (false, false);
        self.journal.comes_again = self.journal.line > 0 || self.journal.event > 0;
    }

    /// The relay has taken up the call; where it goes on after what it was told, nothing comes again.
    pub fn follow(&mut self, resumed: bool) {
        self.is_following = true;
        self.is_known = true;
        self.journal.comes_again &= !resumed;
    }
}
