//! What Rails wants is looked at a few times a second: calls begin to be published by it, or are so no longer. What was
//! said since the look before is published too, so that a browser which came meanwhile misses nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;

use super::Rails;
use super::demand::{self, Wanted};
use super::post::Post;
use super::record::OnRecord;
use crate::calls::call::Call;
use crate::calls::journal::Cursor;
use crate::clock::Now;

/// Where the record cannot be written it is tried again after so long: the disk is known to fail for as long as that.
const RECORD_AGAIN: Duration = Duration::from_secs(1);

/// The most audio of a call's past that is published, ms: a look that comes late is no reason to fill a browser's ears.
const MOST_PAST_MS: u64 = 1_000;

/// A call that goes on as far as this relay knows.
pub(super) struct Known {
    call: Arc<Call>,
    /// What had been said when it was looked at.
    cursor: Cursor,
    /// Up to when it was published since, and is not again.
    told: Option<UtcTime>,
}

impl Known {
    /// What was published of it since ends here.
    pub(super) fn told_up_to(&mut self, at: UtcTime, cursor: Cursor) {
        self.told = Some(at);
        self.cursor = cursor;
    }

    /// It is over since: all that there was of it has been published by then.
    pub(super) fn is_over(&self) -> bool {
        self.call.ended().is_some()
    }
}

/// A call that is being put on record.
pub(super) struct Waiting {
    call: Arc<Call>,
    cursor: Cursor,
    /// Since when what was said is published; `None` for what comes.
    since: Option<UtcTime>,
    pub(super) wanted: Wanted,
}

impl Rails {
    /// Looks, where the link is up.
    pub(super) async fn look(&mut self) {
        let now = Now::take();
        let live = self.registry.live(&self.grant, |_| true).into_iter();
        // Before Redis is asked: what is said from here on comes after whoever is there now.
        let live = live.map(|call| {
            let cursor = call.read_to();
            let told = None;
            (call.sid().clone(), Known { call, cursor, told })
        });
        let live: HashMap<CallSid, Known> = live.collect();
        let known = |sid: &CallSid| {
            live.contains_key(sid) || self.known.contains_key(sid) || self.posts.contains_key(sid)
        };
        let asked = demand::ask(&self.broker, &self.prefix, known).await;
        let mut wanted = match asked {
            Ok(wanted) => wanted,
            Err(failed) => return self.not_told(&failed),
        };
        for (_, post) in self.posts.extract_if(|sid, _| !wanted.contains_key(sid)) {
            post.end("nobody subscribes to it any more");
        }
        for (sid, waiting) in &mut self.waiting {
            waiting.wanted = wanted.remove(sid).unwrap_or_default();
        }
        for (sid, wanted) in wanted {
            match self.posts.get_mut(&sid) {
                Some(post) => post.want(wanted),
                None => self.ask_to_begin(now, &sid, wanted, &live),
            }
        }
        self.known = live;
        self.looked = Some(now);
    }

    /// Has it put on record that a call of ours is published.
    fn ask_to_begin(&mut self, now: Now, sid: &CallSid, wanted: Wanted, live: &HashMap<CallSid, Known>) {
        if self.record_again.is_some_and(|at| now.mono < at) {
            return;
        }
        // As it was at the look before; a call that was not there has said nothing by then.
        let before = self.known.get(sid);
        let Some(Known { call, .. }) = live.get(sid).or(before) else {
            return;
        };
        if !call.is_ours() || call.is_forgotten() {
            return;
        }
        let cursor = match before {
            Some(known) => known.cursor,
            None if self.looked.is_some() => Cursor::default(),
            None => call.read_to(),
        };
        let looked = self.looked.map(|looked| looked.wall);
        let since = before.and_then(|known| known.told).or(looked);
        let (audit, customer) = (self.audit.clone(), call.customer_id());
        let begin = OnRecord::begin(audit, sid.clone(), customer, since.unwrap_or(now.wall));
        let named = sid.clone();
        self.begins.push(begin.map(move |record| (named, record)).boxed());
        let waiting = Waiting {
            call: call.clone(),
            cursor,
            since,
            wanted,
        };
        self.waiting.insert(sid.clone(), waiting);
    }

    /// It is on record, or could not be.
    pub(super) fn begun(&mut self, sid: &CallSid, record: Option<OnRecord>) {
        let now = Now::take();
        let Some(waiting) = self.waiting.remove(sid) else {
            return;
        };
        let Some(record) = record else {
            self.record_again = Some(Instant::now() + RECORD_AGAIN);
            return;
        };
        if waiting.wanted.is_nobody() || !self.broker.is_up() {
            return record.end("nobody subscribes to it any more");
        }
        let past = waiting
            .since
            .map_or(0, |since| now.wall.unix_ms().saturating_sub(since.unix_ms()));
        let past = u64::try_from(past).unwrap_or_default().min(MOST_PAST_MS);
        let Waiting {
            call, cursor, wanted, ..
        } = waiting;
        // The grant covers every call.
        if let Some(post) = Post::begin(now, &self.way(), call, cursor, past, wanted, record) {
            self.posts.insert(sid.clone(), post);
        }
    }
}
