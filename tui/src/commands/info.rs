//! `partyline info`: what somebody who helps would ask for. No token is in it, nor anything of a call.

use std::time::Duration;

use serde_json::{Value, json};

use partyline_shared::text::clean;

use super::devices;
use crate::client::api;
use crate::config::relays::Chosen;
use crate::config::{Config, paths, values};
use crate::failure::Failure;
use crate::print::{self, Lines};

/// How long a relay may take to answer; all are asked at once.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(as_json: bool, config: &Config) -> Result<(), Failure> {
    let shown = |path: Option<std::path::PathBuf>| path.map(|path| path.display().to_string());
    let asked: Vec<_> = config
        .relays
        .iter()
        .cloned()
        .map(|chosen| tokio::spawn(async move { ask(&chosen).await }))
        .collect();
    let mut relays = Vec::new();
    for (chosen, answer) in config.relays.iter().zip(asked) {
        let state = answer
            .await
            .unwrap_or_else(|fault| format!("could not be asked: {fault}"));
        relays.push(json!({"name": chosen.name, "url": chosen.address.to_string(),
            "from": chosen.source.to_string(), "token": chosen.token_from()?.to_string(), "state": state}));
    }
    let sound = devices::summary(config.device.value.as_deref());
    let info = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": partyline_shared::protocol::PROTOCOL,
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "sound_built_in": cfg!(feature = "device"),
        "demo_built_in": cfg!(feature = "demo"),
        "config": shown(config.file.path.clone()),
        "config_exists": config.file.exists,
        "log": shown(paths::log()),
        "relays": relays,
        "terminal": terminal(),
        "sound": {"device": sound.as_ref().ok(), "trouble": sound.as_ref().err()},
    });
    let mut out = Lines::stdout();
    if as_json {
        return out.json(&info);
    }
    text(&info).iter().try_for_each(|line| out.text(line))
}

/// Whether a relay is there, and what it makes of us.
async fn ask(chosen: &Chosen) -> String {
    let asking = async {
        let relay = chosen.relay()?;
        let health = api::status(&relay, "/healthz").await?;
        let list = api::status(&relay, "/api/v1/calls?limit=1").await?;
        Ok::<_, Failure>(match (health.as_u16(), list.as_u16()) {
            (_, 200) => "reachable".to_owned(),
            (_, 401 | 403) => "reachable, but it does not take this token (`partyline login`)".to_owned(),
            (200, status) => format!("reachable, but it answers {status}"),
            (status, _) => format!("answers {status}: this is no Partyline relay"),
        })
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(state)) => state,
        Ok(Err(failure)) => failure.to_string(),
        Err(_) => "no answer within 5 s".to_owned(),
    }
}

fn terminal() -> Value {
    let env = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let is_there = std::io::IsTerminal::is_terminal(&std::io::stdout());
    let size = crossterm::terminal::size().ok().filter(|_| is_there);
    let term = env("TERM");
    let colours = match (env("COLORTERM").as_deref(), term.as_deref()) {
        _ if env("NO_COLOR").is_some() => "none (NO_COLOR)",
        (Some("truecolor" | "24bit"), _) => "16 million",
        (_, Some(term)) if term.contains("256color") => "256",
        (_, None | Some("dumb")) => "none",
        _ => "16",
    };
    json!({"stdout": is_there, "columns": size.map(|s| s.0), "rows": size.map(|s| s.1), "term": term,
        "colours": colours, "utf8": values::speaks_utf8(&|name| env(name))})
}

/// The same for people. Nothing is in it that is not in the JSON.
fn text(info: &Value) -> Vec<String> {
    let of = |value: &Value| match value {
        Value::String(text) => clean(text),
        Value::Null => "none".to_owned(),
        other => print::json(other),
    };
    let yes = |value: &Value| {
        if value == &Value::Bool(true) {
            ""
        } else {
            " (not there)"
        }
    };
    let with = |value: &Value| {
        if value == &Value::Bool(true) {
            "with"
        } else {
            "without"
        }
    };
    let at = |pointer: &str| info.pointer(pointer).unwrap_or(&Value::Null);
    let mut lines = vec![
        format!(
            "partyline {} ({}), {}, {} sound, {} demo",
            of(at("/version")),
            of(at("/protocol")),
            of(at("/system")),
            with(at("/sound_built_in")),
            with(at("/demo_built_in"))
        ),
        format!("config    {}{}", of(at("/config")), yes(at("/config_exists"))),
        format!("log       {}", of(at("/log"))),
    ];
    for relay in at("/relays").as_array().into_iter().flatten() {
        let of = |name: &str| of(relay.get(name).unwrap_or(&Value::Null));
        lines.push(format!(
            "relay     {} (by {}; {}): {}",
            of("url"),
            of("from"),
            match of("token").as_str() {
                "none" => "no token".to_owned(),
                from => format!("token by {from}"),
            },
            of("state")
        ));
    }
    let size = match (at("/terminal/columns"), at("/terminal/rows")) {
        (Value::Number(columns), Value::Number(rows)) => format!("{columns}×{rows}"),
        _ => "stdout is none".to_owned(),
    };
    let utf8 = if at("/terminal/utf8") == &Value::Bool(true) {
        "UTF-8"
    } else {
        "no UTF-8"
    };
    lines.push(format!(
        "terminal  {size}, TERM {}, colours {}, {utf8}",
        of(at("/terminal/term")),
        of(at("/terminal/colours"))
    ));
    lines.push(match at("/sound/device") {
        Value::Null => format!("sound     {}", of(at("/sound/trouble"))),
        device => format!("sound     {}", of(device)),
    });
    lines
}
