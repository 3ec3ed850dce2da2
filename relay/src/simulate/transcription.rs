//! What Twilio's transcription would tell of a script: guesses that grow while a line is spoken, and the
//! line itself when it ends.

mod speech;
mod words;

use partyline_shared::track::Track;
use rand::RngExt;

use super::clock::Moment;
use super::form::{self, Heard, Leg};
use super::http::Client;
use super::notes::Notes;
use super::sid;
use super::twiml::{Callback, Transcription};

pub(super) use speech::Speech;
pub(super) use words::{Spoken, Words};

/// One call's transcription.
pub(super) struct Transcriber<'a> {
    client: &'a Client,
    leg: &'a Leg,
    verb: &'a Transcription,
    callback: &'a Callback,
    notes: &'a Notes,
    sid: String,
    sequence: u64,
}

impl<'a> Transcriber<'a> {
    /// `None` where the verb names no callback: then nothing is delivered.
    pub(super) fn new(
        client: &'a Client,
        leg: &'a Leg,
        verb: &'a Transcription,
        notes: &'a Notes,
    ) -> Option<Self> {
        Some(Transcriber {
            client,
            leg,
            verb,
            callback: verb.callback.as_ref()?,
            notes,
            sid: sid::new("GT"),
            sequence: 0,
        })
    }

    /// Tells of what is spoken until the call is over. Every final is shown to `said` before it is told.
    pub(super) async fn play(mut self, mut speech: Speech<'_>, said: impl Fn(Track, &str)) {
        self.tell(Heard::Started).await;
        while let Some(spoken) = speech.next().await {
            if spoken.is_final || self.verb.partial_results {
                self.content(spoken, &said).await;
            }
        }
        self.tell(Heard::Stopped).await;
    }

    async fn content(&mut self, spoken: Spoken, said: &impl Fn(Track, &str)) {
        if spoken.is_final {
            said(spoken.track, &spoken.text);
        }
        let confidence = f64::from(rand::rng().random_range(850..990_u32)) / 1000.0;
        self.tell(Heard::Content {
            track: spoken.track,
            text: spoken.text,
            confidence: spoken.is_final.then_some(confidence),
        })
        .await;
    }

    async fn tell(&mut self, heard: Heard) {
        self.sequence += 1;
        let form = form::transcription(
            self.leg,
            &self.sid,
            self.verb,
            &heard,
            self.sequence,
            Moment::now(),
            &mut rand::rng(),
        );
        let told = self
            .client
            .callback(self.callback.method.clone(), &self.callback.url, &form)
            .await;
        self.notes
            .unless_ok(told.map_err(|e| format!("transcription callback: {e}")));
    }
}
