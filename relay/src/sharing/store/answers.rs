//! What Redis answers to the scripts, read; `None` for what none of them says. No I/O.

use std::time::Duration;

use partyline_shared::id::CallSid;
use redis::Value;

use super::{Beat, Claim, Listed, PAGE, REMOVALS, Rival, Stored, Taken};
use crate::calls::mirror::{Kind, Numbered};

pub(super) fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(values) => Some(values),
        _ => None,
    }
}

pub(super) fn word(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

pub(super) fn int(value: &Value) -> Option<u64> {
    match value {
        Value::Int(n) => u64::try_from(*n).ok(),
        value => word(value)?.parse::<f64>().ok().map(|n| n as u64),
    }
}

pub(super) fn beat(answer: &Value) -> Option<Beat> {
    let [epoch, version, nodes] = list(answer)? else {
        return None;
    };
    let node = |node: &Value| {
        let [name, age, version, _, draining] = list(node)? else {
            return None;
        };
        let draining = word(draining)? == "1";
        let age = Duration::from_millis(int(age)?);
        Some((word(name)?.into(), age, word(version)?.to_owned(), draining))
    };
    Some(Beat {
        epoch: word(epoch)?.to_owned(),
        version: int(version)?,
        nodes: list(nodes)?.iter().filter_map(node).collect(),
    })
}

pub(super) fn rival(owner: &Value, token: &Value, rank: &Value) -> Option<Rival> {
    Some(Rival {
        owner: word(owner)?.into(),
        token: int(token)?,
        rank: int(rank)?,
    })
}

pub(super) fn taken(answer: &Value) -> Option<Taken> {
    let [how, rest @ ..] = list(answer)? else {
        return None;
    };
    Some(match (word(how)?, rest) {
        ("ok", [version, token]) => Taken::Yes {
            version: int(version)?,
            token: int(token)?,
        },
        ("theirs", [owner, token, rank]) => Taken::Theirs(rival(owner, token, rank)?),
        ("behind", _) => Taken::Behind,
        ("erased", _) => Taken::Erased,
        _ => return None,
    })
}

pub(super) fn claim(answer: &Value) -> Option<Claim> {
    let [how, rest @ ..] = list(answer)? else {
        return None;
    };
    Some(match (word(how)?, rest) {
        ("won", [token, from, there, before, version]) => Claim::Won {
            token: int(token)?,
            from: word(from)?.into(),
            there: int(there)? == 1,
            before: int(before)?,
            version: int(version)?,
        },
        ("mine", [token, version]) => Claim::Mine {
            token: int(token)?,
            version: int(version)?,
        },
        ("theirs", [owner, token, rank]) => Claim::Theirs(rival(owner, token, rank)?),
        ("erased", _) => Claim::Erased,
        _ => return None,
    })
}

pub(super) fn listed(answer: &Value) -> Option<Listed> {
    let [epoch, version, calls, gone, erased] = list(answer)? else {
        return None;
    };
    let sid = |value: &Value| CallSid::parse(word(value)?).ok();
    let pairs = list(calls)?.chunks(2);
    // Also where some of them are no calls' names.
    let is_full = pairs.len() >= PAGE;
    Some(Listed {
        epoch: word(epoch)?.to_owned(),
        version: int(version)?,
        more_after: pairs
            .clone()
            .next_back()
            .and_then(|pair| int(pair.last()?))
            .filter(|_| is_full),
        calls: pairs.filter_map(|pair| sid(pair.first()?)).collect(),
        more_gone: list(gone)?.len() + list(erased)?.len() >= REMOVALS,
        gone: list(gone)?.iter().filter_map(sid).collect(),
        erased: list(erased)?.iter().filter_map(sid).collect(),
    })
}

pub(super) fn stored(answer: &Value) -> Option<Stored> {
    let [owner, token, version, rank, snapshot, entries] = list(answer)? else {
        return None;
    };
    let entry = |entry: &[Value]| match entry {
        [kind, _, json] => {
            let kind = if word(kind)? == "l" {
                Kind::Lines
            } else {
                Kind::Events
            };
            Numbered::of(kind, word(json)?)
        }
        _ => None,
    };
    Some(Stored {
        owner: word(owner)?.into(),
        token: int(token)?,
        version: int(version)?,
        rank: int(rank)?,
        snapshot: serde_json::from_str(word(snapshot)?).ok(),
        entries: list(entries)?.chunks(3).filter_map(entry).collect(),
    })
}
