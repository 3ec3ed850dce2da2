//! The dialled leg: it rings, hears its notice, answers, hangs up, and tells of each where it was asked
//! to.

use std::time::Duration;

use partyline_shared::call::CallStatus;
use tokio::time::{Instant, sleep};

use super::clock::Moment;
use super::form::Leg;
use super::http::Client;
use super::notes::Notes;
use super::sid;
use super::twiml::{self, Dial};

/// Between dialling and ringing, and between ringing and an answer. People take longer, but nothing is
/// learnt from waiting for them.
const RINGS: Duration = Duration::from_millis(150);

/// A leg that was answered.
pub(super) struct Child<'a> {
    client: &'a Client,
    dial: &'a Dial,
    leg: Leg,
    sequence: u32,
    answered: Instant,
}

/// Dials: initiated, ringing, the notice for who is dialled, answered.
pub(super) async fn ring<'a>(client: &'a Client, parent: &Leg, dial: &'a Dial, notes: &Notes) -> Child<'a> {
    let mut child = Child {
        client,
        dial,
        leg: Leg {
            sid: sid::new("CA"),
            parent: Some(parent.sid.clone()),
            account: parent.account.clone(),
            from: dial.caller_id.clone().unwrap_or_else(|| parent.from.clone()),
            to: dial.to.clone(),
            direction: "outbound-dial",
        },
        sequence: 0,
        answered: Instant::now(),
    };
    child.tell("initiated", CallStatus::Initiated, notes).await;
    sleep(RINGS).await;
    child.tell("ringing", CallStatus::Ringing, notes).await;
    sleep(RINGS).await;
    child.hear_notice(notes).await;
    child.answered = Instant::now();
    child.tell("answered", CallStatus::InProgress, notes).await;
    child
}

impl Child<'_> {
    /// The end of the leg.
    pub(super) async fn hang_up(mut self, notes: &Notes) {
        self.tell("completed", CallStatus::Completed, notes).await;
    }

    async fn tell(&mut self, event: &str, status: CallStatus, notes: &Notes) {
        let Some(callback) = &self.dial.status else { return };
        if !self.dial.events.iter().any(|wanted| wanted == event) {
            return;
        }
        let seconds = whole_seconds(self.answered.elapsed());
        let form = self
            .leg
            .status(status, self.sequence, Moment::now(), seconds, &mut rand::rng());
        self.sequence += 1;
        let told = self
            .client
            .callback(callback.method.clone(), &callback.url, &form)
            .await;
        notes.unless_ok(told.map_err(|e| format!("status callback {}: {e}", status.as_str())));
    }

    /// Fetches what the dialled party is told first. Twilio connects it all the same when that fails.
    async fn hear_notice(&self, notes: &Notes) {
        let Some(notice) = &self.dial.notice else { return };
        let form = self.leg.voice(CallStatus::InProgress, &[], &mut rand::rng());
        let answer = self
            .client
            .callback(notice.method.clone(), &notice.url, &form)
            .await;
        let said = answer.map_err(|e| e.to_string()).and_then(|answer| {
            let twiml = twiml::read(&answer.body, &notice.url).map_err(|e| e.to_string())?;
            if twiml.says.is_empty() {
                Err("it says nothing".to_owned())
            } else {
                Ok(())
            }
        });
        notes.unless_ok(said.map_err(|e| format!("notice for the dialled party: {e}")));
    }
}

/// A duration as Twilio bills it: begun seconds count.
pub(super) fn whole_seconds(talked: Duration) -> u64 {
    talked.as_millis().div_ceil(1000) as u64
}
