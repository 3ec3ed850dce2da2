//! That a call is published goes on record as what somebody hears does: on disk before the first byte, and its end is
//! told. Both lines are `published_to_rails`; the end is the one with `to`.

use std::sync::Arc;

use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;

use crate::audit::{Audit, Entry, Event};
use crate::clock::Now;

/// Who hears it and by which way, as the record names it.
pub(super) const RAILS: &str = "rails";

/// The call is on record as published, until this is dropped.
#[derive(Debug)]
pub(super) struct OnRecord {
    audit: Arc<Audit>,
    call: CallSid,
    customer: Option<String>,
    since: UtcTime,
    bytes: u64,
    why: &'static str,
    /// There is a beginning that wants an end.
    begun: bool,
}

impl OnRecord {
    /// Writes that `call` is published from `since` on; `None` where that is not on disk.
    pub(super) async fn begin(
        audit: Arc<Audit>,
        call: CallSid,
        customer: Option<String>,
        since: UtcTime,
    ) -> Option<OnRecord> {
        let mut record = OnRecord {
            audit,
            call,
            customer,
            since,
            bytes: 0,
            why: "the relay leaves",
            // Who stops waiting does not know whether it was written.
            begun: true,
        };
        let begin = Entry {
            from: Some(since),
            ..record.entry()
        };
        record.begun = record.audit.clone().write(begin).await.is_ok();
        record.begun.then_some(record)
    }

    fn entry(&self) -> Entry {
        Entry {
            who: Some(RAILS.to_owned()),
            door: Some(RAILS),
            ..Entry::new(Now::take().wall, Event::PublishedToRails)
        }
        .of_call(self.call.clone(), self.customer.as_deref())
    }

    /// So many bytes of audio more.
    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Ends it, and says why.
    pub(super) fn end(mut self, why: &'static str) {
        self.why = why;
    }
}

impl Drop for OnRecord {
    fn drop(&mut self) {
        if !self.begun {
            return;
        }
        let end = self.entry();
        let (from, to) = (self.since, end.at);
        let ms = to.unix_ms().saturating_sub(from.unix_ms()).max(0);
        let end = end.span(from, to, ms as f64 / 1000.0, self.bytes);
        self.audit.tell(end.because(self.why));
    }
}
