//! `/readyz` with its reasons: the same verdict as the public one, and what it is made of. For who runs the relay: paths of
//! its files are in it, no secret is.

use http::StatusCode;
use partyline_shared::time::UtcTime;
use serde_json::{Value, json};

use super::redis;
use crate::clock::Now;
use crate::config::Config;
use crate::respond::{Answer, with_type};
use crate::route::Relay;

/// 200 where new calls and listeners are welcome, else 503.
pub(super) fn answer(relay: &Relay) -> Answer {
    let detail = detail(relay, &relay.config.load(), Now::take());
    let status = if relay.takes_work() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    with_type(status, "application/json", format!("{detail}\n"))
}

fn detail(relay: &Relay, config: &Config, now: Now) -> Value {
    let census = relay.registry.census();
    let metrics = &relay.metrics;
    let uptime = now.mono.saturating_duration_since(relay.began.mono).as_secs();
    json!({
        "ready": relay.takes_work(),
        "draining": relay.is_draining(),
        "node": relay.registry.node(),
        "version": env!("CARGO_PKG_VERSION"),
        "started_at": relay.began.wall,
        "uptime_s": uptime,
        "calls": { "live": census.live, "max": config.max_calls },
        "streams": { "live": census.streams },
        "listeners": { "connected": metrics.listeners.get(), "max": config.max_listeners },
        "audit": config.audit.as_ref().map(|path| json!({
            "file": path,
            "writable": relay.doorman.audit().works(),
            "takes_listeners": relay.doorman.audit().is_open(),
        })),
        "tokens": config.tokens.as_ref().map(|path| json!({
            "file": path,
            "known": relay.doorman.access().tokens(),
            "problem": relay.doorman.access().problem().as_deref(),
        })),
        "tls": config.tls.as_ref().map(|files| json!({
            "certificate": files.cert,
            "not_after": relay.tls.as_ref().map(|tls| tls.certificate().not_after),
        })),
        "state": config.state.as_ref().map(|path| json!({ "file": path })),
        "redis": redis::detail(relay, now),
        "reloaded_at": moment(metrics.moments.reloaded.get()),
        "reloads_refused": metrics.config_reloads_refused.get(),
    })
}

fn moment(seconds: u64) -> Option<UtcTime> {
    let ms = i64::try_from(seconds).ok()?.checked_mul(1000)?;
    (ms > 0).then(|| UtcTime::from_unix_ms(ms))
}
