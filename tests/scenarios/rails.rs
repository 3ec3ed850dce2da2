//! A Rails application goes on serving its browsers while people move: what a call says reaches them by Rails' own
//! Action Cable, over the Redis that relays share.

mod browsers;
mod channels;

use std::path::Path;

use harness::{Redis, Relay};
use partyline_shared::id::CallSid;
use serde_json::Value;

/// Rails' channel prefix.
const PREFIX: &str = "smart_production";

/// A relay that publishes; `more` are more arguments of `serve`.
async fn publishing(redis: &Redis, more: &[&str]) -> Relay {
    let url = redis.url();
    let own = ["--redis", &url, "--redis-rails-prefix", PREFIX];
    Relay::start(&[&own, more].concat()).await
}

/// What Rails calls a call's channels.
fn channels(call: &CallSid) -> Vec<String> {
    let kinds = ["stream", "audio", "transcript"];
    kinds.map(|kind| format!("{PREFIX}:call_{kind}_{call}")).into()
}

/// Whole lines of the audit about calls that are published, as they stand now.
fn published(audit: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(audit).expect("an audit");
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines
        .filter(|line: &Value| line["event"] == "published_to_rails")
        .collect()
}
