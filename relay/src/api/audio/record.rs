//! That somebody hears a call, and that it is over, on record: the begin before the first sample, the end whenever the
//! listener is gone, whatever the reason.

use std::sync::{Arc, OnceLock};

use futures_util::future::join;
use http::StatusCode;
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;

use crate::access::Grant;
use crate::audit::{Audit, Entry, Event};
use crate::calls::call::Call;
use crate::clock::Now;
use crate::doorman::At;
use crate::respond::Refusal;

/// Why somebody is refused who may hear the call.
pub(super) const NEEDS_SAVE: &str = "keeping audio needs the right save";

/// Why it is over, where nobody has said anything else.
const LEFT: &str = "the connection ended";

/// Why somebody hears no more; the first reason counts.
pub(super) type Why = Arc<OnceLock<&'static str>>;

/// Somebody who hears a call. When this is dropped, that is over.
#[derive(Debug)]
pub(super) struct Heard {
    audit: Arc<Audit>,
    at: At,
    grant: Grant,
    call: CallSid,
    /// Whose the call was then.
    customer: Option<String>,
    /// When it was on record; `None` until it is.
    since: Option<UtcTime>,
    bytes: u64,
    why: Why,
    /// There may be a begin that wants an end.
    is_asked: bool,
}

impl Heard {
    /// Puts it on record, and that it is kept.
    ///
    /// # Errors
    /// 503 where that cannot be written: nobody may begin.
    pub(super) async fn begin(
        audit: Arc<Audit>,
        at: At,
        grant: &Grant,
        call: &Call,
    ) -> Result<Heard, Refusal> {
        let mut heard = Heard {
            audit: audit.clone(),
            at,
            grant: grant.clone(),
            call: call.sid().clone(),
            customer: call.customer_id(),
            since: None,
            bytes: 0,
            why: Why::default(),
            // Who goes while it is being written is on record as gone.
            is_asked: true,
        };
        let now = Now::take().wall;
        let (begun, saved) = join(
            audit.write(heard.entry(now, Event::ListenBegin)),
            audit.write(heard.entry(now, Event::Save)),
        )
        .await;
        if begun.is_err() || saved.is_err() {
            // A begin that stands alone would be of somebody who hears without end.
            heard.is_asked = begun.is_ok();
            let _ = heard.why.set("it could not be put on record");
            let message = "who listens cannot be put on record now, so nobody may begin; try again later";
            return Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "not_on_record",
                message,
            ));
        }
        heard.since = Some(Now::take().wall);
        Ok(heard)
    }

    /// So many bytes of samples were given.
    pub(super) fn sent(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// Where it is said why it is over.
    pub(super) fn why(&self) -> &Why {
        &self.why
    }

    fn entry(&self, at: UtcTime, event: Event) -> Entry {
        Entry::new(at, event)
            .by(self.grant.name(), self.grant.role(), self.grant.token_id())
            .through(self.at.door, self.at.address)
            .of_call(self.call.clone(), self.customer.as_deref())
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        if !self.is_asked {
            return;
        }
        let now = Now::take().wall;
        let end = self.entry(now, Event::ListenEnd);
        let end = match self.since {
            None => end,
            Some(since) => {
                let ms = now.unix_ms().saturating_sub(since.unix_ms()).max(0);
                end.span(since, now, ms as f64 / 1000.0, self.bytes)
            }
        };
        self.audit.tell(end.because(*self.why.get().unwrap_or(&LEFT)));
    }
}
