//! The list of calls as the relay shows it, and what that says of calls that are wanted.

use partyline_shared::call::Call;
use partyline_shared::id::CallSid;

use super::{Session, Update};

impl Session {
    pub(super) fn on_calls(&mut self, now: u64, calls: Vec<Call>, more: bool) {
        for call in &calls {
            self.on_call(now, call);
        }
        let Some(all) = self.link.page(calls, more) else {
            return;
        };
        for sub in self.wants.values_mut() {
            sub.on_listed(now);
        }
        self.updates.push_back(Update::Snapshot(all));
    }

    pub(super) fn on_call(&mut self, now: u64, call: &Call) {
        self.link.saw(call);
        let Some(sub) = self.wants.get_mut(&call.call_sid) else {
            return;
        };
        sub.on_call(now, call.is_ended());
        if self.link.greeted && !sub.is_asked() {
            let message = sub.ask(now, &call.call_sid);
            self.send(&message);
        }
    }

    pub(super) fn on_removed(&mut self, call: CallSid) {
        self.past.take(&call);
        self.link.forget(&call);
        self.keeping_gone(&call);
        if let Some(sub) = self.wants.get_mut(&call) {
            sub.flush(&call, &mut self.updates);
            // What waits for a call waits for the next of that name, too.
            if !sub.waits() {
                self.wants.remove(&call);
            }
        }
        self.updates.push_back(Update::CallRemoved(call));
    }
}
