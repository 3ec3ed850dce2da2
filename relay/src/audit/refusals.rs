//! Refusals on record: told sparingly, each bearer's by themselves, so that nobody can fill the record, nor hide behind
//! what others are refused. Pure: time is handed in.

use std::collections::HashMap;
use std::time::Instant;

use crate::sparing::Sparing;

/// Bearers counted by themselves; where there are more of them that are refused all the time, the others are counted
/// with those who are nobody.
const BEARERS: usize = 1024;

/// How much was told of whom.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    strangers: Sparing,
    bearers: HashMap<String, Sparing>,
}

impl Refusals {
    /// Somebody was refused; `who` is a bearer's name, `None` for one who has shown nothing valid. As [`Sparing::tell`].
    pub(super) fn tell(&mut self, now: Instant, who: Option<&str>) -> Option<u64> {
        let Some(who) = who else {
            return self.strangers.tell(now);
        };
        if !self.bearers.contains_key(who) {
            if self.bearers.len() >= BEARERS {
                self.bearers.retain(|_, told| !told.is_fresh(now));
            }
            if self.bearers.len() >= BEARERS {
                return self.strangers.tell(now);
            }
        }
        self.bearers.entry(who.to_owned()).or_default().tell(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sparing::{AT_ONCE, EVERY};

    #[test]
    fn nobody_hides_behind_what_others_are_refused() {
        let (now, mut refusals) = (Instant::now(), Refusals::default());
        let mut told = |who| (0..1000).filter(|_| refusals.tell(now, who).is_some()).count();
        assert_eq!(told(None), AT_ONCE as usize);
        assert_eq!(told(Some("alice")), AT_ONCE as usize);
        assert_eq!(told(Some("bob")), AT_ONCE as usize);
    }

    #[test]
    fn of_many_bearers_those_are_forgotten_who_have_nothing_to_tell() {
        let (now, mut refusals) = (Instant::now(), Refusals::default());
        for n in 0..BEARERS {
            refusals.tell(now, Some(&n.to_string()));
        }
        refusals.tell(now, Some("one more"));
        assert_eq!(refusals.bearers.len(), BEARERS, "counted with the strangers");
        refusals.tell(now + 2 * EVERY, Some("another"));
        assert_eq!(refusals.bearers.len(), 1);
    }
}
