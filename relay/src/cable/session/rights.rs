//! What a client may, while it is there: tokens are revoked, grants end, calls change hands, admins end listeners. Each
//! acts before anything more is told.

use super::{Said, Session};
use crate::access::Grant;
use crate::cable::message::Disconnect;
use crate::clock::Now;

impl Session {
    /// What the bearer may is looked at again.
    pub fn recheck(&mut self, now: Now) {
        if self.here.is_dismissed() {
            // Also where it was about to go for a reason that lets it come back.
            self.closing = Some(Disconnect::REMOTE);
            return;
        }
        match self.host.access.renewed(&self.grant, now.wall) {
            None => self.closing = Some(Disconnect::UNAUTHORIZED),
            Some(grant) if grant == self.grant => self.expire_at(now),
            Some(grant) => self.regrant(now, grant),
        }
        while let Some(at) = self.subs.iter().position(|sub| sub.seat.is_lost()) {
            let sub = self.leave_place(now, at, "no longer granted");
            self.lost(&sub.identifier);
        }
    }

    fn regrant(&mut self, now: Now, grant: Grant) {
        self.here.regrant(&grant);
        self.grant = grant;
        self.expire_at(now);
        for sub in &self.subs {
            sub.seat.regrant(&self.grant);
        }
    }

    /// Whether something that was said, and may not have left yet, is no longer for this client.
    pub fn has_lost_rights(&self) -> bool {
        let lost = |said: &Said| matches!(said, Said::Lost(_));
        self.must_go() || self.subs.iter().any(|sub| sub.seat.is_lost()) || self.control.iter().any(lost)
    }

    /// It is to go, and to be told nothing more but that.
    pub fn must_go(&self) -> bool {
        matches!(self.closing, Some(Disconnect::UNAUTHORIZED | Disconnect::REMOTE))
    }

    pub(super) fn why_gone(&self) -> &'static str {
        match self.closing {
            Some(Disconnect::UNAUTHORIZED) => "the token counts no longer",
            Some(Disconnect::REMOTE) => "ended by an admin",
            _ => "the connection ended",
        }
    }
}
