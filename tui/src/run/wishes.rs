//! What one relay is wanted for, as a whole: the loop changes it and never waits, the relay's task compares it
//! with what it has asked for already. So there is no queue that could be full, and the newest wish counts.

use std::collections::BTreeMap;

use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::Saved;
use partyline_shared::time::UtcTime;

use super::once::{Handed, Once};
use crate::audio::player::Inlet;
use crate::clip::Clip;

/// All wishes.
#[derive(Clone, Default)]
pub(super) struct Wishes {
    calls: BTreeMap<CallSid, Wish>,
    /// Calls that are to be held back or let go, each wish with its number; one a call, the newest.
    holds: BTreeMap<CallSid, (u64, bool)>,
    /// Moments to be marked.
    marks: Once<(CallSid, Option<UtcTime>)>,
    /// What of calls is to be kept.
    keeps: Once<(CallSid, Saved, Handed<Clip>)>,
    /// Levels a second.
    pub(super) levels_hz: u8,
    /// How often it was wanted that the next attempt be now.
    pub(super) retries: u64,
    /// Numbers lives and hearings; grows.
    newest: u64,
}

/// What is wanted of one call.
#[derive(Clone)]
struct Wish {
    /// Another number is another time of being followed: all of it is to come anew.
    life: u64,
    hearing: Option<(u64, Handed<Inlet>)>,
    /// The connection has given it up.
    is_gone: bool,
}

/// One thing to ask of the connection.
pub(super) enum Ask {
    /// Lines and events.
    Follow(CallSid),
    /// Audio too.
    Hear(CallSid, Handed<Inlet>),
    /// No longer.
    Leave(CallSid),
    /// Held back from everybody, or let go.
    Hold(CallSid, bool),
    /// A moment is to be marked.
    Mark(CallSid, Option<UtcTime>),
    /// The last of it is to be kept, once that is on record.
    Keep(CallSid, Saved, Handed<Clip>),
    /// Levels a second.
    Watch(u8),
    /// An attempt now.
    Retry,
}

impl Wishes {
    pub(super) fn follow(&mut self, call: CallSid) {
        let life = self.number();
        let hearing = None;
        self.calls.insert(
            call,
            Wish {
                life,
                hearing,
                is_gone: false,
            },
        );
    }

    pub(super) fn unfollow(&mut self, call: &CallSid) {
        self.calls.remove(call);
    }

    pub(super) fn hear(&mut self, call: &CallSid, inlet: Inlet) {
        let number = self.number();
        if let Some(wish) = self.calls.get_mut(call) {
            wish.hearing = Some((number, Handed::new(inlet)));
        }
    }

    pub(super) fn stop_hearing(&mut self, call: &CallSid) {
        if let Some(wish) = self.calls.get_mut(call) {
            wish.hearing = None;
        }
    }

    pub(super) fn hold(&mut self, call: CallSid, on: bool) {
        let number = self.number();
        self.holds.insert(call, (number, on));
    }

    pub(super) fn mark(&mut self, call: CallSid, at: Option<UtcTime>) {
        self.marks.add((call, at));
    }

    pub(super) fn keep(&mut self, call: CallSid, saved: Saved, clip: Clip) {
        self.keeps.add((call, saved, Handed::new(clip)));
    }

    fn number(&mut self) -> u64 {
        self.newest += 1;
        self.newest
    }

    /// The connection has given a call up: until it is followed anew, nothing is asked of it.
    pub(super) fn lose(&mut self, call: &CallSid) {
        if let Some(wish) = self.calls.get_mut(call) {
            wish.is_gone = true;
        }
    }

    /// Makes these wishes those, and says what is to be asked for it.
    pub(super) fn become_as(&mut self, wanted: &Wishes) -> Vec<Ask> {
        let mut asks = Vec::new();
        for (call, wish) in &self.calls {
            if wanted.calls.get(call).is_none_or(|new| new.life != wish.life) {
                asks.push(Ask::Leave(call.clone()));
            }
        }
        let mut calls = wanted.calls.clone();
        for (call, new) in &mut calls {
            let old = self.calls.get(call).filter(|old| old.life == new.life);
            new.is_gone = old.is_some_and(|old| old.is_gone);
            let heard = |wish: &Wish| wish.hearing.as_ref().map(|(number, _)| *number);
            if new.is_gone || old.is_some_and(|old| heard(old) == heard(new)) {
                continue;
            }
            asks.push(match &new.hearing {
                Some((_, slot)) => Ask::Hear(call.clone(), slot.clone()),
                None => Ask::Follow(call.clone()),
            });
        }
        for (call, wish) in &wanted.holds {
            if self.holds.get(call) != Some(wish) {
                asks.push(Ask::Hold(call.clone(), wish.1));
            }
        }
        let marks = wanted.marks.after(&self.marks);
        asks.extend(marks.map(|(call, at)| Ask::Mark(call, at)));
        let keeps = wanted.keeps.after(&self.keeps);
        asks.extend(keeps.map(|(call, saved, clip)| Ask::Keep(call, saved, clip)));
        if wanted.levels_hz != self.levels_hz {
            asks.push(Ask::Watch(wanted.levels_hz));
        }
        if wanted.retries != self.retries {
            asks.push(Ask::Retry);
        }
        *self = Wishes {
            calls,
            ..wanted.clone()
        };
        asks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::player::{Player, Settings};
    use crate::event::Mix;
    use partyline_shared::track::{PerTrack, Role};

    fn call(name: &str) -> CallSid {
        CallSid::parse(name).unwrap()
    }

    fn roles() -> PerTrack<Role> {
        PerTrack {
            inbound: Role::Customer,
            outbound: Role::Agent,
        }
    }

    fn inlet() -> Inlet {
        let settings = Settings {
            silent: true,
            ..Settings::default()
        };
        Player::start(settings, |_| {}).hear(roles(), Mix::default())
    }

    /// What is asked, as text.
    fn asked(done: &mut Wishes, wanted: &Wishes) -> Vec<String> {
        let text = |ask| match ask {
            Ask::Follow(call) => format!("follow {call}"),
            Ask::Hear(call, slot) => format!("hear {call} {}", slot.take().is_some()),
            Ask::Leave(call) => format!("leave {call}"),
            Ask::Hold(call, on) => format!("hold {call} {on}"),
            Ask::Mark(call, at) => format!("mark {call} {at:?}"),
            Ask::Keep(call, _, clip) => format!("keep {call} {}", clip.take().is_some()),
            Ask::Watch(hz) => format!("watch {hz}"),
            Ask::Retry => "retry".to_owned(),
        };
        done.become_as(wanted).into_iter().map(text).collect()
    }

    #[test]
    fn a_call_that_is_followed_and_heard_is_asked_for_once_each_time() {
        let (mut done, mut wanted) = (Wishes::default(), Wishes::default());
        wanted.follow(call("CA1"));
        assert_eq!(asked(&mut done, &wanted), ["follow CA1"]);
        assert!(asked(&mut done, &wanted).is_empty());
        wanted.hear(&call("CA1"), inlet());
        assert_eq!(asked(&mut done, &wanted), ["hear CA1 true"]);
        wanted.follow(call("CA2"));
        assert_eq!(asked(&mut done, &wanted), ["follow CA2"]);
        wanted.stop_hearing(&call("CA1"));
        assert_eq!(asked(&mut done, &wanted), ["follow CA1"]);
        wanted.unfollow(&call("CA1"));
        assert_eq!(asked(&mut done, &wanted), ["leave CA1"]);
        wanted.follow(call("CA3"));
        wanted.hear(&call("CA3"), inlet());
        wanted.unfollow(&call("CA2"));
        wanted.hold(call("CA2"), true);
        wanted.levels_hz = 5;
        wanted.retries = 1;
        assert_eq!(
            asked(&mut done, &wanted),
            ["leave CA2", "hear CA3 true", "hold CA2 true", "watch 5", "retry"]
        );
    }

    #[test]
    fn who_is_left_and_wanted_anew_begins_anew_however_quick_it_was() {
        let (mut done, mut wanted) = (Wishes::default(), Wishes::default());
        wanted.follow(call("CA1"));
        asked(&mut done, &wanted);
        wanted.unfollow(&call("CA1"));
        wanted.follow(call("CA1"));
        assert_eq!(asked(&mut done, &wanted), ["leave CA1", "follow CA1"]);
        wanted.unfollow(&call("CA1"));
        wanted.follow(call("CA1"));
        wanted.unfollow(&call("CA1"));
        assert_eq!(asked(&mut done, &wanted), ["leave CA1"]);
        wanted.follow(call("CA1"));
        wanted.unfollow(&call("CA1"));
        assert!(asked(&mut done, &wanted).is_empty());
    }

    #[test]
    fn nothing_is_asked_of_a_call_that_was_given_up() {
        let (mut done, mut wanted) = (Wishes::default(), Wishes::default());
        wanted.follow(call("CA1"));
        wanted.hear(&call("CA1"), inlet());
        asked(&mut done, &wanted);
        done.lose(&call("CA1"));
        wanted.stop_hearing(&call("CA1"));
        assert!(asked(&mut done, &wanted).is_empty());
        wanted.unfollow(&call("CA1"));
        wanted.follow(call("CA1"));
        assert_eq!(asked(&mut done, &wanted), ["leave CA1", "follow CA1"]);
    }
}
