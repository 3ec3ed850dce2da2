//! What a listener has around it whatever it speaks, and how what it hears goes on record. Writes nothing itself before
//! something is heard: that is asked for, and waited for, by the session.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::server::Relays;
use partyline_shared::time::UtcTime;
use tokio::sync::watch;

use crate::access::{Access, Grant};
use crate::audit::{Audit, Entry, Event};
use crate::calls::call::Call;
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::presence::Presence;

/// What listeners have around them.
#[derive(Debug, Clone)]
pub struct Host {
    /// Every call.
    pub registry: Arc<Registry>,
    /// Who may what.
    pub access: Arc<Access>,
    /// Who heard what.
    pub audit: Arc<Audit>,
    /// Who is connected.
    pub presence: Arc<Presence>,
    /// Where this listener is.
    pub address: IpAddr,
    /// By which way it came in, as the record names it.
    pub door: &'static str,
    /// How the relay stands with the others; `None` where it shares its calls with none. Who is told of it is woken by
    /// having its rights looked at again.
    pub relays: Option<watch::Receiver<Relays>>,
}

/// Listening that is on record.
#[derive(Debug)]
pub struct Heard {
    since: UtcTime,
    bytes_before: u64,
    /// Who, and whose call it was then: the end of it is of the same.
    grant: Grant,
    customer: Option<String>,
}

impl Heard {
    /// It is on record that the bearer of `grant` hears `call`, of which `bytes` of audio have been told by then.
    pub fn begin(now: Now, grant: &Grant, call: &Call, bytes: u64) -> Heard {
        Heard {
            since: now.wall,
            bytes_before: bytes,
            grant: grant.clone(),
            customer: call.customer_id(),
        }
    }
}

/// Why a subscription is refused; which of the two it was is not told.
pub const NOT_GRANTED: &str = "the call is not granted, or there is none";

/// Writes down what is to be on disk before somebody hears a call; whether it is. The first says that they begin: where
/// another is not written, they do not.
#[expect(clippy::disallowed_methods, reason = "they go to disk together, by one write")]
pub async fn record(audit: &Audit, entries: Vec<Entry>) -> bool {
    let begin = entries.first().cloned();
    let written = join_all(entries.into_iter().map(|entry| audit.write(entry))).await;
    let all = written.iter().all(Result::is_ok);
    if let Some(begin) = begin.filter(|_| !all && written.first().is_some_and(Result::is_ok)) {
        let end = Entry {
            at: Now::take().wall,
            event: Event::ListenEnd,
            ..begin
        };
        audit.tell(end.because("it could not be put on record"));
    }
    all
}

impl Host {
    /// A line of the record about a call that is granted.
    pub fn entry(&self, now: Now, event: Event, grant: &Grant, call: &Call) -> Entry {
        let customer = call.customer_id();
        self.entry_of(now, event, grant, call.sid(), customer.as_deref())
    }

    fn entry_of(
        &self,
        now: Now,
        event: Event,
        grant: &Grant,
        sid: &CallSid,
        customer: Option<&str>,
    ) -> Entry {
        Entry::new(now.wall, event)
            .by(grant.name(), grant.role(), grant.token_id())
            .through(self.door, self.address)
            .of_call(sid.clone(), customer)
    }

    /// A subscription was refused: on record, sparingly. The record is for those who run the relay: it says whose the
    /// call is, where there is one.
    pub fn refuse(&self, now: Now, grant: &Grant, sid: &CallSid, why: &'static str) {
        self.registry.metrics().subscriptions_refused.add_one();
        let customer = self.registry.known(sid).and_then(|call| call.customer_id());
        let refused = self.entry_of(now, Event::Refused, grant, sid, customer.as_deref());
        self.audit.refuse(now.mono, refused, why);
    }

    /// What was heard ends here, with `bytes` of audio told in all, and that goes on record.
    pub fn end(&self, now: Now, heard: Heard, sid: &CallSid, bytes: u64, why: &'static str) {
        let Heard {
            since,
            bytes_before,
            grant,
            customer,
        } = heard;
        let ms = now.wall.unix_ms().saturating_sub(since.unix_ms()).max(0);
        let entry = self.entry_of(now, Event::ListenEnd, &grant, sid, customer.as_deref());
        let entry = entry.span(
            since,
            now.wall,
            ms as f64 / 1000.0,
            bytes.saturating_sub(bytes_before),
        );
        self.audit.tell(entry.because(why));
    }

    /// The record of somebody who was to keep what they heard, and did not come to.
    pub fn unkept(&self, now: Now, grant: &Grant, sid: &CallSid) {
        let unkept = self.entry_of(now, Event::Refused, grant, sid, None);
        self.audit
            .tell(unkept.because("the call, or the right to keep it, was gone before it was kept"));
    }

    /// The record of somebody who did not come to hear anything.
    pub fn end_unheard(&self, now: Now, grant: &Grant, sid: &CallSid, why: &'static str) {
        let end = self.entry_of(now, Event::ListenEnd, grant, sid, None);
        self.audit.tell(end.because(why));
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::audit::tests_support::kept;

    /// Whether somebody may begin where the disk has room for so many lines, and what is told afterwards.
    fn recorded(room: usize) -> (bool, Vec<Event>) {
        let (audit, kept) = kept();
        let entry = |event| Entry::new(Now::take().wall, event);
        let mut recording = pin!(record(
            &audit,
            vec![entry(Event::ListenBegin), entry(Event::Save)]
        ));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(recording.as_mut().poll(&mut cx).is_pending());
        kept.answer(room);
        let Poll::Ready(all) = recording.poll(&mut cx) else {
            panic!("both were answered")
        };
        (all, kept.take().into_iter().map(|entry| entry.event).collect())
    }

    #[tokio::test]
    async fn who_is_half_on_record_does_not_begin_and_that_is_on_record() {
        assert_eq!(recorded(2), (true, vec![]));
        assert_eq!(recorded(1), (false, vec![Event::ListenEnd]));
        assert_eq!(recorded(0), (false, vec![]), "there is nothing to end");
    }
}
