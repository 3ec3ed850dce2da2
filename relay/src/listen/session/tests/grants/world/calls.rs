//! What becomes of the calls of the model, whoever listens.

use super::*;

impl World {
    pub(super) fn frames(&mut self, call: usize) {
        let (Some(known), Some(&key)) = (self.known(call), self.keys.get(&call)) else {
            return;
        };
        let chunk = self.chunks.entry(key).or_default();
        self.story.frames(&known, key, *chunk + 1..=*chunk + 3);
        *chunk += 3;
    }

    pub(super) fn end_call(&mut self, call: usize) {
        if let Some(known) = self.known(call) {
            self.story.end(&known);
        }
    }

    pub(super) fn revive(&mut self, call: usize) {
        let key = self.next_key;
        self.next_key += 1;
        self.keys.insert(call, key);
        self.judge.stream(key, sid(call));
        let call = self.story.live_call(sid(call).as_str(), key);
        self.judge.owned(call.sid().clone(), call.customer_id());
    }

    pub(super) fn webhook(&mut self, call: usize, customer: usize) {
        let call = self.story.call(sid(call).as_str());
        let from = FromWebhook {
            customer_id: Some((customer % CUSTOMERS).to_string()),
            ..FromWebhook::default()
        };
        call.webhook(self.story.now, from, None);
        self.judge.owned(call.sid().clone(), call.customer_id());
    }

    pub(super) fn regrant(&mut self, user: usize, role: usize, first: usize, many: usize, save: bool) {
        const ROLES: [Role; 6] = [
            Role::User,
            Role::User,
            Role::User,
            Role::Transcriber,
            Role::Admin,
            Role::Source,
        ];
        let customers = (first..first + many).map(|n| (n % CUSTOMERS).to_string());
        let grant = grant(user, ROLES[role % ROLES.len()], customers.collect(), save);
        self.office.set(user, Some(grant));
        self.story.presence.recheck();
    }
}
