//! `--via api`: one call of a source that is not Twilio. It makes the call by HTTP, sends both tracks in pieces a little
//! before their time, posts what is said, and completes it.

mod connection;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use partyline_shared::audio::{FRAME_BYTES, FRAME_MS};
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::check::{Ledger, Listener};
use super::error::CallError;
use super::http::HttpError;
use super::notes::Notes;
use super::plan::Plan;
use super::transcription::{Speech, Spoken, Words};
use super::{Progress, sid};
use connection::{Connection, Said};

/// Frames in a piece: 200 ms, as a source sends that gathers a little.
const PIECE: u64 = 10;
/// How much before its time a piece leaves: the machine may be busy for so long without anybody hearing it.
const LEAD: Duration = Duration::from_millis(600);
/// How long the relay lets audio wait before it is heard.
const HEARD_AFTER: Duration = Duration::from_millis(100);
/// How often a piece is sent again that the relay had no room for.
const AGAIN: u32 = 5;
/// Whose call it is where nobody says.
const NOBODY: &str = "simulated";
/// The relay's way in.
const CALLS: &str = "/api/v1/call_streams";

/// Plays one call; `stop` ends it as a hang-up does. Gives its name: one of ours where the relay gave none.
pub(super) async fn play(
    plan: &Plan,
    stop: &CancellationToken,
    report: &(dyn Fn(Progress<'_>) + Send + Sync),
) -> (CallSid, Result<(), CallError>) {
    // What it is called here, so that a call which is asked for twice is one.
    let mut sid = sid::call();
    let played = whole(plan, stop, report, &mut sid).await;
    (sid, played)
}

async fn whole(
    plan: &Plan,
    stop: &CancellationToken,
    report: &(dyn Fn(Progress<'_>) + Send + Sync),
    sid: &mut CallSid,
) -> Result<(), CallError> {
    let listener = if plan.check {
        Some(Listener::open(&plan.client, plan.bearer.as_deref()).await?)
    } else {
        None
    };
    let mut api = Connection::new(&plan.client, plan.bearer.as_deref());
    let made = json!({
        "customer_id": plan.customer_id.as_deref().unwrap_or(NOBODY),
        "from": plan.from,
        "to": plan.to,
        "direction": "inbound",
        "external_id": sid.as_str(),
    });
    let said = done(CALLS, api.post(CALLS, &made).await)?;
    let named: Option<Value> = serde_json::from_str(&said.body).ok();
    let named = named.as_ref().and_then(|named| named.get("call_sid")?.as_str());
    let named = named.and_then(|named| CallSid::parse(named).ok());
    *sid = named.ok_or(CallError::NoSid)?;
    report(Progress::Started(sid));
    let ledger = Arc::new(Ledger::untimed());
    let following = match listener {
        // Subscribed before the first frame can come.
        Some(listener) => Some(listener.follow(sid, ledger.clone()).await?),
        None => None,
    };
    let call = Call {
        plan,
        sid,
        ledger: following.is_some().then_some(&*ledger),
        notes: Notes::default(),
    };
    let (end, ended) = oneshot::channel();
    let zero = Instant::now() + HEARD_AFTER;
    let (spoken, ()) = tokio::join!(
        Box::pin(async {
            let spoken = call.speak(&mut api, stop).await;
            // Nobody waits for it where nothing is written.
            let _ = end.send(*spoken.as_ref().unwrap_or(&0));
            spoken
        }),
        Box::pin(call.write(zero, async { ended.await.unwrap_or_default() }, report)),
    );
    let complete = format!("{CALLS}/complete");
    let over = api.post(&complete, &json!({ "call_sid": sid })).await;
    spoken?;
    done(&complete, over)?;
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
    sid: &'a CallSid,
    ledger: Option<&'a Ledger>,
    notes: Notes,
}

impl Call<'_> {
    /// Sends both tracks to their end, or until somebody hangs up; gives how many ms that were.
    async fn speak(&self, api: &mut Connection<'_>, stop: &CancellationToken) -> Result<u64, CallError> {
        let program = &self.plan.program;
        let mut random = StdRng::from_rng(&mut rand::rng());
        let began = Instant::now();
        let mut frames = 0;
        loop {
            let left = program
                .total()
                .map_or(PIECE, |total| total.saturating_sub(frames));
            let piece = left.min(PIECE);
            let due = began + millis(frames).saturating_sub(LEAD);
            let goes_on = stop.run_until_cancelled(sleep_until(due)).await.is_some();
            if piece == 0 || !goes_on {
                break;
            }
            for track in Track::BOTH {
                let mut audio = Vec::with_capacity(FRAME_BYTES * piece as usize);
                for number in frames..frames + piece {
                    let frame = program.frame(track, number, &mut random);
                    if let Some(ledger) = self.ledger {
                        ledger.sent(track, number * u64::from(FRAME_MS), &frame);
                    }
                    audio.extend(frame);
                }
                self.send(api, track, &audio).await?;
            }
            frames += piece;
        }
        // What was sent before its time is still to be heard.
        let heard = began + HEARD_AFTER + millis(frames);
        stop.run_until_cancelled(sleep_until(heard)).await;
        Ok(frames * u64::from(FRAME_MS))
    }

    async fn send(&self, api: &mut Connection<'_>, track: Track, audio: &[u8]) -> Result<(), CallError> {
        let path = format!("{CALLS}/stream");
        let body = json!({
            "call_sid": self.sid,
            "track": track,
            "payload": STANDARD.encode(audio),
        });
        for _ in 0..AGAIN {
            let said = api.post(&path, &body).await.map_err(CallError::Api)?;
            match said.retry_after.filter(|_| said.status == 429) {
                Some(wait) => sleep(wait).await,
                None => return done(&path, Ok(said)).map(drop),
            }
        }
        let said = api.post(&path, &body).await;
        done(&path, said).map(drop)
    }

    /// Posts what is said, until the call is over or the relay does not want it.
    async fn write(
        &self,
        zero: Instant,
        ended: impl Future<Output = u64> + Send,
        report: &(dyn Fn(Progress<'_>) + Send + Sync),
    ) {
        let words = Words::new(&self.plan.lines, &Track::BOTH, self.plan.program.period_ms());
        let mut speech = Speech::new(words, zero, ended);
        let mut api = Connection::new(&self.plan.client, self.plan.bearer.as_deref());
        let path = format!("/api/v1/calls/{}/transcript", self.sid);
        while let Some(spoken) = speech.next().await {
            if spoken.is_final
                && let Some(ledger) = self.ledger
            {
                ledger.said(spoken.track, &spoken.text);
            }
            let said = api.post(&path, &line(&spoken)).await;
            if said.as_ref().is_ok_and(|said| said.status == 403) {
                if spoken.is_final
                    && let Some(ledger) = self.ledger
                {
                    ledger.unsaid(spoken.track);
                }
                return report(Progress::Unwritten(self.sid));
            }
            self.notes.unless_ok(done(&path, said));
        }
    }
}

fn line(spoken: &Spoken) -> Value {
    json!({ "track": spoken.track, "text": spoken.text, "final": spoken.is_final })
}

fn millis(frames: u64) -> Duration {
    Duration::from_millis(frames * u64::from(FRAME_MS))
}

/// Any answer but 2xx is an error.
fn done(path: &str, said: Result<Said, HttpError>) -> Result<Said, CallError> {
    let said = said.map_err(CallError::Api)?;
    if (200..300).contains(&said.status) {
        Ok(said)
    } else {
        Err(CallError::Api(said.refusal(path)))
    }
}
