//! One call, from the webhook to its final status, in the order that Twilio does it.

use std::sync::Arc;

use http::Method;
use partyline_shared::call::CallStatus;
use partyline_shared::id::CallSid;
use partyline_shared::twilio::form::Form;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::check::{Following, Ledger, Listener};
use super::clock::Moment;
use super::dial::{self, whole_seconds};
use super::error::CallError;
use super::form::{self, Leg};
use super::http::refusal;
use super::notes::Notes;
use super::plan::Plan;
use super::stream;
use super::transcription::{Speech, Transcriber, Words};
use super::twiml::{self, Stream, Twiml};

/// Plays one call; `stop` ends it as a hang-up does, `started` is told when the relay has taken it.
///
/// # Errors
/// [`CallError`]: the call failed, or something of it did.
pub(super) async fn play(
    plan: &Plan,
    sid: &CallSid,
    stop: &CancellationToken,
    started: &(dyn Fn() + Sync),
) -> Result<(), CallError> {
    let leg = Leg {
        sid: sid.to_string(),
        parent: None,
        account: plan.account.clone(),
        from: plan.from.clone(),
        to: plan.to.clone(),
        direction: "inbound",
    };
    let listener = if plan.check {
        Some(Listener::open(&plan.client, plan.bearer.as_deref()).await?)
    } else {
        None
    };
    let call = Call {
        plan,
        stop,
        leg,
        notes: Notes::default(),
    };
    let answered = Instant::now();
    let twiml = call.ask().await?;
    let outcome = match twiml {
        Ok(twiml) => call.obey(&twiml, listener, sid, started).await,
        Err(bad) => Err(bad.into()),
    };
    // A call has a last status whatever became of it.
    call.end(answered).await;
    let following = outcome?;
    if let Some(following) = following {
        following.settle().await??;
    }
    match call.notes.problems() {
        Some(problems) => Err(CallError::Problems(problems)),
        None => Ok(()),
    }
}

struct Call<'a> {
    plan: &'a Plan,
    stop: &'a CancellationToken,
    leg: Leg,
    notes: Notes,
}

impl Call<'_> {
    /// The voice webhook.
    async fn ask(&self) -> Result<Result<Twiml, twiml::BadTwiml>, CallError> {
        let plan = self.plan;
        // A softphone brings its own parameters; a number's webhook has what its owner wrote into the URL.
        let customer = plan
            .customer_id
            .as_ref()
            .map(|id| ("customer_id".to_owned(), id.clone()));
        let (own, query) = if self.leg.from.starts_with("client:") {
            (customer, None)
        } else {
            (None, customer.map(|pair| Form::from_pairs([pair]).encode()))
        };
        let own: Vec<_> = own.into_iter().collect();
        let url = plan.public.at("/twilio/voice", query);
        let form = self.leg.voice(CallStatus::Ringing, &own, &mut rand::rng());
        let answer = plan
            .client
            .send(Method::POST, &url, &form)
            .await
            .map_err(CallError::Webhook)?;
        if answer.status != 200 {
            return Err(CallError::Webhook(refusal(&url, &answer)));
        }
        Ok(twiml::read(&answer.body, &plan.public))
    }

    /// Does what the TwiML says, until the call is over.
    async fn obey(
        &self,
        twiml: &Twiml,
        listener: Option<Listener>,
        sid: &CallSid,
        started: &(dyn Fn() + Sync),
    ) -> Result<Option<Following>, CallError> {
        if !twiml.goes_on {
            let why = match (&twiml.stream, twiml.says.join(" ")) {
                (Some(_), _) => "its TwiML starts a stream and then ends, which ends the call".to_owned(),
                (None, says) if says.is_empty() => "its TwiML hangs up".to_owned(),
                (None, says) => format!(
                    "its TwiML says {says:?} and hangs up: its log has the reason (a route, default_dial, \
                     dial_allow or caller_id is missing)"
                ),
            };
            return Err(CallError::Refused(why));
        }
        started();
        let Some(stream) = &twiml.stream else {
            self.unheard(twiml).await;
            return Err(CallError::NotStreamed);
        };
        let ledger = Arc::new(Ledger::default());
        let following = match listener {
            // Subscribed before the first frame can come.
            Some(listener) => Some(listener.follow(sid, ledger.clone()).await?),
            None => None,
        };
        self.stream(twiml, stream, following.is_some().then_some(&*ledger))
            .await?;
        Ok(following)
    }

    /// A call that nobody can listen to: it rings, people talk, they hang up.
    async fn unheard(&self, twiml: &Twiml) {
        let child = match &twiml.dial {
            Some(dial) => Some(dial::ring(&self.plan.client, &self.leg, dial, &self.notes).await),
            None => None,
        };
        match self.plan.program.length() {
            Some(length) => drop(self.stop.run_until_cancelled(sleep(length)).await),
            None => self.stop.cancelled().await,
        }
        if let Some(child) = child {
            child.hang_up(&self.notes).await;
        }
    }

    async fn stream(&self, twiml: &Twiml, verb: &Stream, ledger: Option<&Ledger>) -> Result<(), CallError> {
        let plan = self.plan;
        let open = stream::open(&plan.client, &self.leg, verb, plan.chunks, &plan.program).await;
        let open = match open {
            Ok(open) => open,
            Err(error) => {
                let sid = super::sid::new("MZ");
                self.tell_stream(verb, &sid, "stream-error", Some(&error.to_string()))
                    .await;
                return Err(error.into());
            }
        };
        let (sid, zero) = (open.sid.clone(), open.zero());
        let (end, ended) = oneshot::channel();
        let media = open.play(
            &plan.program,
            self.stop,
            |track, at, frame| {
                if let Some(ledger) = ledger {
                    ledger.sent(track, at, frame);
                }
            },
            |ms| {
                // Nobody waits for it where nothing is transcribed.
                let _ = end.send(ms);
            },
        );
        let ring = async {
            match &twiml.dial {
                Some(dial) => Some(dial::ring(&plan.client, &self.leg, dial, &self.notes).await),
                None => None,
            }
        };
        let transcribe = async {
            let verb = twiml.transcription.as_ref();
            let begun = verb.and_then(|verb| {
                let words = Words::new(&plan.lines, &verb.tracks, plan.program.period_ms());
                Some((
                    Transcriber::new(&plan.client, &self.leg, verb, &self.notes)?,
                    words,
                ))
            });
            if let Some((transcriber, words)) = begun {
                let said = |track, text: &str| {
                    if let Some(ledger) = ledger {
                        ledger.said(track, text);
                    }
                };
                let ended = async { ended.await.unwrap_or_default() };
                transcriber.play(Speech::new(words, zero, ended), said).await;
            }
        };
        let (played, (), child, ()) = tokio::join!(
            Box::pin(media),
            self.tell_stream(verb, &sid, "stream-started", None),
            Box::pin(ring),
            Box::pin(transcribe),
        );
        match &played {
            Ok(_) => self.tell_stream(verb, &sid, "stream-stopped", None).await,
            Err(error) => {
                self.tell_stream(verb, &sid, "stream-error", Some(&error.to_string()))
                    .await
            }
        }
        if let Some(child) = child {
            child.hang_up(&self.notes).await;
        }
        let frames = played?;
        tracing::info!(call = %self.leg.sid, frames, "simulated call over");
        Ok(())
    }

    async fn tell_stream(&self, verb: &Stream, sid: &str, event: &str, error: Option<&str>) {
        let Some(callback) = &verb.callback else { return };
        let form = form::stream(&self.leg, sid, verb, event, error, Moment::now());
        let told = self
            .plan
            .client
            .callback(callback.method.clone(), &callback.url, &form)
            .await;
        self.notes
            .unless_ok(told.map_err(|e| format!("stream callback {event}: {e}")));
    }

    /// The call's own final status, which a number's status callback is told.
    async fn end(&self, answered: Instant) {
        let seconds = whole_seconds(answered.elapsed());
        let url = self.plan.public.at("/twilio/status", None);
        let form = self
            .leg
            .status(CallStatus::Completed, 0, Moment::now(), seconds, &mut rand::rng());
        let told = self.plan.client.callback(Method::POST, &url, &form).await;
        self.notes
            .unless_ok(told.map_err(|e| format!("status callback completed: {e}")));
    }
}
