//! What is asked of Redis, in the few words that are needed here. Answers are text; whatever else comes is none.

use std::fmt;
use std::pin::Pin;

use redis::{Pipeline, Value, cmd};
use tokio::sync::watch;

use super::super::{Broker, Link};
use super::KEY;

/// One thing to do with a key, by its tail.
#[derive(Debug, Clone, Copy)]
pub(super) enum Word<'a> {
    /// What stands there.
    Get(&'a str),
    /// The same, and it is gone.
    Take(&'a str),
    /// This stands there from now on, for so many ms.
    Set(&'a str, &'a str, u64),
    /// The same where nothing stands; answered with nothing where something does.
    SetIfNone(&'a str, &'a str, u64),
    /// The same, without an end.
    SetForEver(&'a str, &'a str),
}

/// An answer to each word, or that there is none.
pub(super) type Answers<'a> = Pin<Box<dyn Future<Output = Option<Vec<Option<String>>>> + Send + 'a>>;

/// Redis, or in tests what is like it.
pub(super) trait Line: fmt::Debug + Send + Sync {
    fn is_up(&self) -> bool;
    fn link(&self) -> watch::Receiver<Link>;
    fn ask<'a>(&'a self, words: &'a [Word<'a>]) -> Answers<'a>;
}

impl Line for Broker {
    fn is_up(&self) -> bool {
        Broker::is_up(self)
    }

    fn link(&self) -> watch::Receiver<Link> {
        Broker::link(self)
    }

    fn ask<'a>(&'a self, words: &'a [Word<'a>]) -> Answers<'a> {
        let mut pipe = Pipeline::new();
        for word in words {
            pipe.add_command(match *word {
                Word::Get(tail) => cmd("GET").arg(self.key(tail)).take(),
                Word::Take(tail) => cmd("GETDEL").arg(self.key(tail)).take(),
                Word::Set(tail, value, ms) => {
                    cmd("SET").arg(self.key(tail)).arg(value).arg("PX").arg(ms).take()
                }
                Word::SetIfNone(tail, value, ms) => {
                    let mut set = cmd("SET");
                    set.arg(self.key(tail)).arg(value).arg("NX").arg("PX").arg(ms);
                    set
                }
                Word::SetForEver(tail, value) => cmd("SET").arg(self.key(tail)).arg(value).arg("NX").take(),
            });
        }
        Box::pin(async move { self.pipeline(pipe).await.ok()?.into_iter().map(text).collect() })
    }
}

/// `None` where Redis refused: then nothing is known.
fn text(value: Value) -> Option<Option<String>> {
    match value {
        Value::ServerError(_) => None,
        Value::Okay => Some(Some(String::new())),
        Value::SimpleString(text) => Some(Some(text)),
        Value::BulkString(bytes) => Some(String::from_utf8(bytes).ok()),
        _ => Some(None),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn unhex(text: &str) -> Option<[u8; KEY]> {
    let mut key = [0; KEY];
    if text.len() != 2 * KEY || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}
