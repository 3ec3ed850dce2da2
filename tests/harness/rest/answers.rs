//! What the stand-in for Twilio's REST API shows of calls, streams, numbers and applications, field for field as
//! Twilio does, and what may be said of them.

use std::collections::BTreeMap;

use partyline_shared::twilio::form::Form;
use serde_json::{Map, Value, json};

use crate::twilio::ACCOUNT;

/// A call as Twilio knows it.
#[derive(Debug, Clone)]
pub struct RestCall {
    /// `in-progress`, `completed` …
    pub status: &'static str,
    /// Who calls.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// The call that dialled it.
    pub parent: Option<String>,
}

impl Default for RestCall {
    fn default() -> Self {
        RestCall {
            status: "in-progress",
            from: "+15550100001".to_owned(),
            to: "+15550100002".to_owned(),
            parent: None,
        }
    }
}

impl RestCall {
    /// One that stands so.
    pub fn is(status: &'static str) -> RestCall {
        RestCall {
            status,
            ..RestCall::default()
        }
    }

    pub(super) fn json(&self, sid: &str) -> Value {
        json!({
            "sid": sid, "account_sid": ACCOUNT, "parent_call_sid": self.parent, "from": self.from, "to": self.to,
            "direction": "inbound", "status": self.status, "start_time": "Sun, 22 Nov 2026 09:30:00 +0000",
            "end_time": null, "duration": null, "price": null, "api_version": "2010-04-01",
        })
    }
}

/// A page of the calls that `Status` names.
pub(super) fn list(calls: &BTreeMap<String, RestCall>, query: &Form, size: usize) -> Value {
    let status = query
        .get("Status")
        .expect("only calls of one status are asked for");
    let page: usize = query
        .get("Page")
        .map_or(0, |page| page.parse().expect("a number"));
    let all: Vec<Value> = calls
        .iter()
        .filter(|(_, call)| call.status == status)
        .map(|(sid, call)| call.json(sid))
        .collect();
    let shown: Vec<Value> = all.iter().skip(page * size).take(size).cloned().collect();
    let more = all.len() > (page + 1) * size;
    let next = format!(
        "/2010-04-01/Accounts/{ACCOUNT}/Calls.json?Status={status}&Page={}",
        page + 1
    );
    json!({ "calls": shown, "page": page, "page_size": size, "next_page_uri": more.then_some(next) })
}

/// A stream.
pub(super) fn stream(call: &str, sid: &str, status: &str) -> Value {
    json!({
        "sid": sid, "account_sid": ACCOUNT, "call_sid": call, "name": null, "status": status,
        "date_updated": "Sun, 22 Nov 2026 09:31:00 +0000",
        "uri": format!("/2010-04-01/Accounts/{ACCOUNT}/Calls/{call}/Streams/{sid}.json"),
    })
}

/// Where a stream is asked for, and what it is to carry; fails the story where a field is none of Twilio's.
pub(super) fn asked_stream(form: &Form) -> (String, Vec<(String, String)>) {
    let url = form.get("Url").expect("Url is required");
    assert!(url.starts_with("wss://") && !url.contains('?'), "{url}");
    let mut names = BTreeMap::new();
    for (field, value) in form.pairs() {
        match field {
            "Url" => {}
            "Track" => assert_eq!(value, "both_tracks"),
            "StatusCallback" => assert!(value.starts_with("https://"), "{value}"),
            "StatusCallbackMethod" => assert_eq!(value, "POST"),
            _ => {
                let rest = field.strip_prefix("Parameter");
                let (number, part) = rest.and_then(|rest| rest.split_once('.')).expect(field);
                let number: u32 = number.parse().expect(field);
                assert!(
                    (1..=99).contains(&number) && ["Name", "Value"].contains(&part),
                    "{field}"
                );
                names
                    .entry(number)
                    .or_insert_with(BTreeMap::new)
                    .insert(part.to_owned(), value.to_owned());
            }
        }
    }
    let pair = |mut pair: BTreeMap<String, String>| {
        let mut part = |name| pair.remove(name).expect("a parameter has a name and a value");
        (part("Name"), part("Value"))
    };
    (url.to_owned(), names.into_values().map(pair).collect())
}

/// A number of the account.
#[derive(Debug, Clone, Default)]
pub struct Number {
    /// `PN…`.
    pub sid: String,
    /// `+1…`.
    pub number: String,
    /// Its settings, by their JSON names.
    pub fields: BTreeMap<String, String>,
}

/// An application of the account.
#[derive(Debug, Clone, Default)]
pub struct App {
    /// `AP…`.
    pub sid: String,
    /// Its settings, by their JSON names.
    pub fields: BTreeMap<String, String>,
}

/// What may be set of an application, and its JSON name.
pub(super) const APP: &[(&str, &str)] = &[
    ("VoiceUrl", "voice_url"),
    ("VoiceMethod", "voice_method"),
    ("VoiceFallbackUrl", "voice_fallback_url"),
    ("StatusCallback", "status_callback"),
    ("StatusCallbackMethod", "status_callback_method"),
];

/// The same of a number.
pub(super) const NUMBER: &[(&str, &str)] = &[
    ("VoiceUrl", "voice_url"),
    ("VoiceMethod", "voice_method"),
    ("VoiceFallbackUrl", "voice_fallback_url"),
    ("StatusCallback", "status_callback"),
    ("StatusCallbackMethod", "status_callback_method"),
    ("VoiceApplicationSid", "voice_application_sid"),
    ("TrunkSid", "trunk_sid"),
];

impl Number {
    pub(super) fn json(&self) -> Value {
        let mut json = shown(&self.fields);
        json.insert("sid".to_owned(), self.sid.clone().into());
        json.insert("phone_number".to_owned(), self.number.clone().into());
        json.into()
    }
}

impl App {
    pub(super) fn json(&self) -> Value {
        let mut json = shown(&self.fields);
        json.insert("sid".to_owned(), self.sid.clone().into());
        json.into()
    }
}

fn shown(fields: &BTreeMap<String, String>) -> Map<String, Value> {
    let named = fields
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()));
    let account = ("account_sid".to_owned(), ACCOUNT.into());
    let friendly = ("friendly_name".to_owned(), "Main line".into());
    named.chain([account, friendly]).collect()
}

/// Sets what was posted; fails the story where that is no field of Twilio's.
pub(super) fn set(fields: &mut BTreeMap<String, String>, form: &Form, known: &[(&str, &str)]) {
    for (field, value) in form.pairs() {
        let json = known.iter().find(|(name, _)| *name == field);
        let (_, json) = json.unwrap_or_else(|| panic!("{field} is no field of Twilio's"));
        fields.insert((*json).to_owned(), value.to_owned());
    }
}
