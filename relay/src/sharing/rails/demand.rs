//! Which calls Rails' servers want: each subscribes in Redis to what one of its browsers asked for, so Redis knows. One
//! small question finds the calls, however many there are here, and a second says how many servers want each.

use std::collections::HashMap;

use partyline_shared::id::CallSid;
use redis::{Pipeline, Value, cmd};

use super::channels::{Kind, Prefix};
use crate::broker::{Broker, Failed};

/// Names in one question: a few hundred kilobytes are a millisecond of Redis' time, which all others wait for.
const NAMES: usize = 1_000;

/// How many servers are subscribed to each channel of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) stream: u64,
    pub(super) audio: u64,
    pub(super) transcript: u64,
}

impl Wanted {
    fn set(&mut self, kind: Kind, servers: u64) {
        *match kind {
            Kind::Stream => &mut self.stream,
            Kind::Audio => &mut self.audio,
            Kind::Transcript => &mut self.transcript,
        } = servers;
    }

    pub(super) fn is_nobody(&self) -> bool {
        *self == Wanted::default()
    }
}

/// What is wanted of the calls that are `known` here.
pub(super) async fn ask(
    broker: &Broker,
    prefix: &Prefix,
    known: impl Fn(&CallSid) -> bool,
) -> Result<HashMap<CallSid, Wanted>, Failed> {
    let mut channels = cmd("PUBSUB");
    channels.arg("CHANNELS").arg(prefix.pattern());
    let mut names = texts(broker.command(channels).await?);
    names.retain(|name| prefix.read(name).is_some_and(|(_, call)| known(&call)));
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let mut pipe = Pipeline::new();
    for names in names.chunks(NAMES) {
        pipe.cmd("PUBSUB").arg("NUMSUB").arg(names);
    }
    let mut wanted: HashMap<CallSid, Wanted> = HashMap::new();
    for answer in broker.pipeline(pipe).await? {
        for (name, servers) in counts(answer) {
            if let Some((kind, call)) = prefix.read(&name).filter(|_| servers > 0) {
                wanted.entry(call).or_default().set(kind, servers);
            }
        }
    }
    Ok(wanted)
}

fn texts(answer: Value) -> Vec<String> {
    let Value::Array(values) = answer else {
        return Vec::new();
    };
    values.into_iter().filter_map(text).collect()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// Names and numbers by turns.
fn counts(answer: Value) -> Vec<(String, u64)> {
    let Value::Array(values) = answer else {
        return Vec::new();
    };
    let mut values = values.into_iter();
    let mut counts = Vec::new();
    while let (Some(name), Some(count)) = (values.next(), values.next()) {
        if let (Some(name), Value::Int(count)) = (text(name), count) {
            counts.push((name, u64::try_from(count).unwrap_or_default()));
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn answers_are_read_and_others_are_nothing() {
        let answer = Value::Array(vec![
            bulk("a"),
            Value::Int(2),
            bulk("b"),
            Value::Int(-1),
            bulk("c"),
        ]);
        assert_eq!(counts(answer), [("a".to_owned(), 2), ("b".to_owned(), 0)]);
        let odd = Value::Array(vec![Value::Nil, Value::Int(1), bulk("a"), bulk("b")]);
        assert_eq!(counts(odd), []);
        assert_eq!(counts(Value::Okay), []);
        assert_eq!(texts(Value::Array(vec![bulk("a"), Value::Int(1)])), ["a"]);
        assert!(Wanted::default().is_nobody());
    }
}
