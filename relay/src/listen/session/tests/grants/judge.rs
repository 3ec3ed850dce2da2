//! Holds what listeners are told against what their grants cover at that moment. It believes no session: whose a call
//! is it asks the call, what somebody may it asks the login.

use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use http_body_util::BodyExt;

use super::super::*;
use super::office::Office;
use crate::api;
use crate::api::query::Query;
use crate::audit::{Entry, Event};
use crate::presence::Presence;
use crate::respond::{Answer as Http, Refusal};

/// How the change of one call begins.
const CALL: &str = r#"{"type":"call","call":"#;

/// What matters of a call here.
#[derive(serde::Deserialize)]
struct Whose {
    call_sid: String,
    customer_id: Option<String>,
}

/// A name that no call has.
const NONE: &str = "CAnone";

#[derive(Debug, Default)]
struct Told {
    user: usize,
    /// Calls of its list.
    shown: BTreeSet<CallSid>,
    subscribed: BTreeSet<CallSid>,
    /// By call, whose beginnings have no end yet.
    on_record: BTreeMap<CallSid, Vec<String>>,
    /// It has shown a wrong token.
    wrong: bool,
    /// Its rights ended at some time: it may have been seen too late to stay.
    had_none: bool,
}

#[derive(Debug, Default)]
pub(super) struct Judge {
    listeners: BTreeMap<usize, Told>,
    /// Which call a stream is of.
    streams: BTreeMap<u32, CallSid>,
    /// Whose the calls are, and whose each was that is no longer remembered: who reads it may do so to its end.
    owners: BTreeMap<CallSid, [Option<Option<String>>; 2]>,
}

impl Judge {
    pub(super) fn came(&mut self, id: usize, user: usize, grant: &Grant) {
        let told = Told {
            user,
            had_none: grant.expires().is_some(),
            ..Told::default()
        };
        self.listeners.insert(id, told);
    }

    pub(super) fn left(&mut self, id: usize) {
        let told = self.listeners.remove(&id).unwrap();
        let open: Vec<_> = told
            .on_record
            .iter()
            .filter(|(_, open)| !open.is_empty())
            .collect();
        assert!(open.is_empty(), "{id} left, and on record it hears {open:?}");
    }

    pub(super) fn stream(&mut self, key: u32, sid: CallSid) {
        self.streams.insert(key, sid);
    }

    /// A call is this customer's.
    pub(super) fn owned(&mut self, sid: CallSid, customer: Option<String>) {
        self.owners.entry(sid).or_default()[0] = Some(customer);
    }

    /// A call is no longer remembered.
    pub(super) fn forgotten(&mut self, sid: &CallSid) {
        if let Some([now, before]) = self.owners.get_mut(sid)
            && now.is_some()
        {
            *before = now.take();
        }
    }

    /// Everybody has read all.
    pub(super) fn all_read(&mut self) {
        self.owners.values_mut().for_each(|owners| owners[1] = None);
    }

    pub(super) fn recorded(&mut self, id: usize, entries: &[Entry]) {
        let told = self.listeners.get_mut(&id).unwrap();
        for entry in entries.iter().filter(|entry| entry.event == Event::ListenBegin) {
            let who = entry.who.clone().unwrap();
            assert_eq!(who, format!("user{}", told.user));
            told.on_record
                .entry(entry.call_sid.clone().unwrap())
                .or_default()
                .push(who);
        }
    }

    pub(super) fn ended(&mut self, id: usize, entry: &Entry) {
        if entry.event != Event::ListenEnd {
            return;
        }
        let told = self.listeners.get_mut(&id).unwrap();
        let open = told.on_record.get_mut(entry.call_sid.as_ref().unwrap());
        let begun = open.and_then(|open| {
            let at = open.iter().position(|who| Some(who) == entry.who.as_ref())?;
            Some(open.remove(at))
        });
        assert!(begun.is_some(), "{id}: an end without a beginning: {entry:?}");
    }

    pub(super) fn showed(&mut self, id: usize, token: &str, grant: Option<&Grant>) {
        let told = self.listeners.get_mut(&id).unwrap();
        match token.split('.').nth(1) {
            Some(user) if grant.is_some() => told.user = user.parse().unwrap(),
            _ => told.wrong = true,
        }
        told.had_none |= grant.is_some_and(|grant| grant.expires().is_some());
    }

    /// The token of a user is taken away, or ends.
    pub(super) fn ends(&mut self, user: usize) {
        let mine = self.listeners.values_mut().filter(|told| told.user == user);
        mine.for_each(|told| told.had_none = true);
    }

    /// Frames that went past a session.
    pub(super) fn past(&mut self, id: usize, mut bytes: &[u8], story: &Story, office: &Office) {
        while !bytes.is_empty() {
            let length = match bytes[1] {
                126 => usize::from(u16::from_be_bytes([bytes[2], bytes[3]])) + 4,
                short => usize::from(short) + 2,
            };
            let head = if bytes[1] == 126 { 4 } else { 2 };
            let message = Transmit::Binary(Bytes::copy_from_slice(&bytes[head..length]));
            self.told(id, message, story, office);
            bytes = &bytes[length..];
        }
    }

    /// One message; answers whether it was the last.
    pub(super) fn told(&mut self, id: usize, transmit: Transmit, story: &Story, office: &Office) -> bool {
        let told = self.listeners.get_mut(&id).unwrap();
        let grant = office.known(told.user, story.now.wall).filter(|_| !told.wrong);
        let message = match transmit {
            // Parsed in full it would take most of the time.
            Transmit::Shared(text) if text.starts_with(CALL) => {
                let call: Whose = serde_json::from_str(&text[CALL.len()..text.len() - 1]).unwrap();
                json!({ "type": "call", "call": { "call_sid": call.call_sid, "customer_id": call.customer_id } })
            }
            other => as_json(other),
        };
        let kind = message["type"].as_str().unwrap().to_owned();
        let Some(grant) = grant else {
            assert_eq!(
                message,
                json!({ "type": "close", "code": 4001 }),
                "{id} is not authorised"
            );
            return true;
        };
        let covered = |sid: &CallSid| story.registry.find(&grant, sid).is_some();
        let sid = |value: &Value| CallSid::parse(value.as_str().unwrap()).unwrap();
        let read = |sid: &CallSid| {
            let owners = self.owners[sid].iter().flatten();
            let covers = |owner: &Option<String>| grant.covers(owner.as_deref());
            assert!(
                owners.into_iter().any(covers),
                "{id} with {grant:?} reads {sid}: {message}"
            );
        };
        let check = |sid: &CallSid| {
            assert!(covered(sid), "{id} with {grant:?} is told of {sid} by {kind}");
        };
        match kind.as_str() {
            "hello" | "ws_ping" | "pong" => {}
            "calls" => {
                for call in message["calls"].as_array().unwrap() {
                    let sid = sid(&call["call_sid"]);
                    check(&sid);
                    assert!(grant.covers(call["customer_id"].as_str()), "{call}");
                    told.shown.insert(sid);
                }
            }
            "call" => {
                let sid = sid(&message["call"]["call_sid"]);
                check(&sid);
                assert!(grant.covers(message["call"]["customer_id"].as_str()), "{message}");
                told.shown.insert(sid);
            }
            "call_removed" => {
                let sid = sid(&message["call_sid"]);
                assert!(told.shown.remove(&sid), "{id} was never told of {sid}");
                told.subscribed.remove(&sid);
            }
            "levels" => {
                for level in message["levels"].as_array().unwrap() {
                    check(&sid(&level["call_sid"]));
                }
            }
            "subscribed" => {
                let sid = sid(&message["call_sid"]);
                check(&sid);
                told.shown.insert(sid.clone());
                told.subscribed.insert(sid);
            }
            "unsubscribed" => {
                told.subscribed.remove(&sid(&message["call_sid"]));
            }
            "transcript" | "event" | "gap" => {
                let sid = sid(&message["call_sid"]);
                read(&sid);
                assert!(told.subscribed.contains(&sid), "{message}");
            }
            "frame" => {
                let key = u32::try_from(message["audio_id"].as_u64().unwrap()).unwrap();
                let sid = self.streams[&key].clone();
                read(&sid);
                assert!(told.subscribed.contains(&sid), "{id}: {message}");
                let mine = format!("user{}", told.user);
                let on_record = told.on_record.get(&sid).is_some_and(|open| open.contains(&mine));
                assert!(on_record, "{id}, {mine}, hears {sid} off the record");
            }
            "error" => {
                let code = message["code"].as_str().unwrap();
                let sid = sid(&message["re"]);
                if covered(&sid) {
                    return false;
                }
                let none =
                    json!({ "type": "error", "code": "no_such_call", "message": "no such call", "re": sid });
                assert_eq!(message, none, "{code} tells that there is {sid}");
            }
            "close" => {
                assert!(told.had_none && message["code"] == 4001, "{id}: {message}");
                return true;
            }
            other => panic!("{other}: {message}"),
        }
        false
    }

    /// All was read: what is shown is what is covered, and who hears is on record, once.
    pub(super) fn calm(&self, id: usize, story: &Story, office: &Office) {
        let told = &self.listeners[&id];
        let grant = office
            .known(told.user, story.now.wall)
            .expect("who has no rights is gone");
        let covered: BTreeSet<CallSid> = story
            .registry
            .list(&grant)
            .into_iter()
            .map(|listed| listed.call_sid)
            .collect();
        assert_eq!(told.shown, covered, "{id}: what is shown is not what is covered");
        assert!(told.subscribed.is_subset(&covered), "{id}: {:?}", told.subscribed);
        for (sid, open) in &told.on_record {
            let ended = story
                .registry
                .find(&grant, sid)
                .is_none_or(|call| call.ended().is_some());
            let most = usize::from(!ended && told.subscribed.contains(sid));
            assert!(
                open.len() <= most,
                "{id}: {} beginnings of {sid} have no end",
                open.len()
            );
        }
    }

    /// A script's reads.
    pub(super) fn ask(&self, registry: &Registry, grant: &Grant, sid: &CallSid) {
        let query = Query::parse(None).unwrap();
        let none = CallSid::parse(NONE).unwrap();
        let reads = |sid: &CallSid| {
            [
                api::calls::one(registry, grant, sid),
                api::transcript::lines(registry, grant, sid, &query),
                api::transcript::events(registry, grant, sid, &query),
                api::listeners::of_call(registry, &Presence::default(), grant, sid),
            ]
        };
        let there = registry.find(&Grant::insecure(), sid);
        let covered = there.is_some_and(|call| grant.covers(call.customer_id().as_deref()));
        for (read, none) in reads(sid).into_iter().zip(reads(&none)) {
            let (status, body) = whole(read);
            if covered {
                assert!(status == 200 || (status == 403 && !grant.is_admin()), "{body}");
            } else {
                assert_eq!(
                    (status, body),
                    whole(none),
                    "{sid} is told from one that does not exist"
                );
            }
        }
        let (_, list) = whole(api::calls::list(
            registry,
            grant,
            &Query::parse(Some("status=all")).unwrap(),
        ));
        let list: Value = serde_json::from_str(&list).unwrap();
        for call in list["calls"].as_array().unwrap() {
            let sid = CallSid::parse(call["call_sid"].as_str().unwrap()).unwrap();
            assert!(registry.find(grant, &sid).is_some() && grant.covers(call["customer_id"].as_str()));
        }
    }
}

/// Status and body of an answer.
fn whole(answer: Result<Http, Refusal>) -> (u16, String) {
    let answer = answer.unwrap_or_else(|refusal| refusal.answer());
    let (head, body) = answer.into_parts();
    let body = body.collect().now_or_never().unwrap().unwrap().to_bytes();
    (head.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
}
