//! Twilio's part by hand: one call's webhook and callbacks, field for field as Twilio posts them, in
//! whatever order a story wants. Its stream is [`crate::media`].

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use ::http::Method;
use partyline_relay::twilio::signature;
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;
use partyline_shared::twilio::form::Form;

use crate::http::{self, Answer};
use crate::media::MediaSocket;
use crate::relay::Relay;
use crate::signed::{ORIGIN, SignedRelay, TOKEN};

/// The account that all calls of stories belong to.
pub const ACCOUNT: &str = "AC11111111111111111111111111111111";

/// Keys that Twilio always sends, empty where the carrier told nothing.
const GEO: [&str; 16] = [
    "FromCity",
    "FromState",
    "FromZip",
    "FromCountry",
    "ToCity",
    "ToState",
    "ToZip",
    "ToCountry",
    "CallerCity",
    "CallerState",
    "CallerZip",
    "CallerCountry",
    "CalledCity",
    "CalledState",
    "CalledZip",
    "CalledCountry",
];

/// A SID that no other has in this process: prefix and 32 hexadecimal digits.
pub fn new_sid(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}{:016x}{count:016x}", std::process::id())
}

/// The time now.
pub fn now() -> UtcTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcTime::from_unix_ms(since.as_millis() as i64)
}

/// One call as Twilio sees it.
pub struct TwilioCall {
    relay: SocketAddr,
    sid: CallSid,
    transcription: String,
    /// The SequenceId of the next transcription callback; a story may set it.
    pub next_sequence_id: u64,
    /// The SequenceNumber of the next status callback of the call's own leg.
    pub next_status: u64,
    /// `From`; `client:agent` unless set.
    pub from: String,
    /// `To`; a made-up number unless set.
    pub to: String,
    /// `Direction`; `inbound` unless set.
    pub direction: String,
    /// The auth token and the origin that requests are signed with; nothing is signed without.
    pub signs: Option<(&'static str, &'static str)>,
}

impl TwilioCall {
    /// A new call that will be told to this relay.
    pub fn new(relay: &Relay) -> TwilioCall {
        Self::at(relay.addr())
    }

    /// A new call that will be told to this address.
    pub fn at(relay: SocketAddr) -> TwilioCall {
        TwilioCall {
            relay,
            sid: CallSid::parse(&new_sid("CA")).expect("a SID is an id"),
            transcription: new_sid("GT"),
            next_sequence_id: 1,
            next_status: 0,
            from: "client:agent".to_owned(),
            to: "+15550100002".to_owned(),
            direction: "inbound".to_owned(),
            signs: None,
        }
    }

    /// Its CallSid.
    pub fn sid(&self) -> &CallSid {
        &self.sid
    }

    /// Leads what follows to another address, e.g. that of a relay that was started anew.
    pub fn aim(&mut self, relay: SocketAddr) {
        self.relay = relay;
    }

    /// A new call of the relay's own account, signed as Twilio signs.
    pub fn signed(relay: &SignedRelay) -> TwilioCall {
        TwilioCall {
            signs: Some((TOKEN, ORIGIN)),
            ..Self::at(relay.addr())
        }
    }

    /// POST of a form to the relay, signed where the call signs.
    pub async fn post(&self, path: &str, form: &Form) -> Answer {
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded; charset=UTF-8")];
        let signature = self
            .signs
            .map(|(token, origin)| signature::sign(token, &format!("{origin}{path}"), form));
        headers.extend(
            signature
                .as_deref()
                .map(|signature| (signature::HEADER, signature)),
        );
        http::send(self.relay, Method::POST, path, &headers, form.encode()).await
    }

    /// The fields of every voice request: `changes` replace fields of the same name, or are added.
    pub fn voice_form(&self, status: &str, changes: &[(&str, &str)]) -> Form {
        let mut fields: Vec<(&str, &str)> = vec![
            ("To", &self.to),
            ("From", &self.from),
            ("Called", &self.to),
            ("Caller", &self.from),
            ("CallSid", self.sid.as_str()),
            ("CallStatus", status),
            ("Direction", &self.direction),
            ("AccountSid", ACCOUNT),
            ("ApiVersion", "2010-04-01"),
        ];
        fields.extend(GEO.map(|name| (name, "")));
        changed(fields, changes)
    }

    /// POST /twilio/voice; the answer is TwiML.
    pub async fn webhook(&self, changes: &[(&str, &str)]) -> Answer {
        let form = self.voice_form("ringing", changes);
        self.post("/twilio/voice", &form).await
    }

    /// POST /twilio/status about the call's own leg, numbered and dated as Twilio does.
    pub async fn status(&mut self, status: &str, changes: &[(&str, &str)]) -> Answer {
        let sequence = self.next_status.to_string();
        self.next_status += 1;
        let time = now().to_rfc2822();
        let mut all = vec![
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", sequence.as_str()),
            ("Timestamp", time.as_str()),
        ];
        if status == "completed" {
            // Minutes, rounded up, beside seconds.
            all.extend([("Duration", "1"), ("CallDuration", "42")]);
        }
        all.extend(changes);
        self.post("/twilio/status", &self.voice_form(status, &all)).await
    }

    /// POST /twilio/status about a leg that our TwiML dialled.
    pub async fn leg_status(&mut self, leg: &str, status: &str, changes: &[(&str, &str)]) -> Answer {
        let parent = self.sid.to_string();
        let mut all = vec![
            ("CallSid", leg),
            ("ParentCallSid", parent.as_str()),
            ("Direction", "outbound-dial"),
        ];
        all.extend(changes);
        self.status(status, &all).await
    }

    /// POST /twilio/stream: `stream-started`, `stream-stopped` or `stream-error`.
    pub async fn stream_callback(&self, stream: &str, event: &str, changes: &[(&str, &str)]) -> Answer {
        let time = now().to_iso_nanos();
        let fields = vec![
            ("StreamName", stream),
            ("StreamEvent", event),
            ("CallSid", self.sid.as_str()),
            ("Timestamp", &time),
            ("AccountSid", ACCOUNT),
            ("StreamSid", stream),
        ];
        self.post("/twilio/stream", &changed(fields, changes)).await
    }

    /// POST /twilio/transcription: `transcription-started`, `-stopped` or `-error`.
    pub async fn transcription(&mut self, event: &str, changes: &[(&str, &str)]) -> Answer {
        let sequence = self.next_sequence_id.to_string();
        self.next_sequence_id += 1;
        let time = now().to_iso_nanos();
        let mut fields = vec![
            ("LanguageCode", "en-US"),
            ("TranscriptionSid", self.transcription.as_str()),
            ("TranscriptionEvent", event),
            ("CallSid", self.sid.as_str()),
            ("Timestamp", &time),
            ("AccountSid", ACCOUNT),
            ("SequenceId", &sequence),
        ];
        if event == "transcription-started" {
            fields.extend([
                ("Track", "both_tracks"),
                ("TranscriptionEngine", "google"),
                ("PartialResults", "true"),
            ]);
        }
        self.post("/twilio/transcription", &changed(fields, changes))
            .await
    }

    /// What somebody said: a guess so far, or final.
    pub async fn says(&mut self, track: Track, text: &str, is_final: bool) -> Answer {
        let mut data = serde_json::json!({ "transcript": text });
        if is_final {
            data["confidence"] = 0.9554443.into();
        }
        let (track, data) = (format!("{track}_track"), data.to_string());
        let is_final = if is_final { "true" } else { "false" };
        let fields = [
            ("Track", track.as_str()),
            ("TranscriptionData", &data),
            ("Final", is_final),
        ];
        self.transcription("transcription-content", &fields).await
    }

    /// Opens the stream's socket on /cable; nothing is said on it yet.
    pub async fn open_stream(&self) -> MediaSocket {
        let signature = self.signs.map(|(token, origin)| {
            let url = format!("{}/cable", origin.replacen("https", "wss", 1));
            signature::sign(token, &url, &Form::default())
        });
        let headers: Vec<_> = signature
            .iter()
            .map(|s| (signature::HEADER, s.as_str()))
            .collect();
        let opened = MediaSocket::try_open(self.relay, self.sid.as_str(), &headers).await;
        opened.unwrap_or_else(|e| panic!("/cable refused the stream: {e}"))
    }

    /// A stream that is live: `connected` and `start` with both tracks were said.
    pub async fn live_stream(&self) -> MediaSocket {
        let mut stream = self.open_stream().await;
        stream.connected().await;
        stream.start(&[]).await;
        stream
    }
}

/// The pass in a voice webhook's answer.
pub fn pass(answer: &Answer) -> String {
    let mark = r#"name="partyline_pass" value=""#;
    let rest = answer.text().split_once(mark);
    let (_, rest) = rest.unwrap_or_else(|| panic!("there is no pass in {}", answer.text()));
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// `fields` with some replaced by name, the new ones at the end; the last word of a name stands.
fn changed<'a>(mut fields: Vec<(&'a str, &'a str)>, changes: &[(&'a str, &'a str)]) -> Form {
    for (name, value) in changes {
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = value,
            None => fields.push((*name, *value)),
        }
    }
    Form::from_pairs(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sids_are_sids_and_differ() {
        let (one, other) = (new_sid("CA"), new_sid("CA"));
        assert_ne!(one, other);
        assert_eq!(one.len(), 34);
    }

    #[test]
    fn changes_replace_or_join() {
        let form = changed(
            vec![("a", "1"), ("b", "2")],
            &[("b", "3"), ("c", "4"), ("c", "5")],
        );
        let pairs: Vec<_> = form.pairs().collect();
        assert_eq!(pairs, [("a", "1"), ("b", "3"), ("c", "5")]);
    }
}
