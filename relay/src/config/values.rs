//! How single values are written, and what is said of those that are not.

use std::time::Duration;

use partyline_shared::duration::{self, BadDuration};
use std::net::{Ipv4Addr, SocketAddr};

use super::keys::nearest;
use super::origins::{Origin, shown};
use super::problem::Fault;

/// Who writes a call's transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Twilio's real-time transcription, started by our TwiML.
    Twilio,
}

/// Whether frames for one listener may wait for one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coalesce {
    /// Each leaves at once.
    Off,
    /// Only under load.
    Auto,
    /// Always, for so long.
    Always(Duration),
}

/// The longest that a frame may be made to wait: more is no longer a tenth of a second to the ear.
const MAX_COALESCE: Duration = Duration::from_millis(60);

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The levels of a log.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

pub(super) fn listen(text: &str) -> Result<SocketAddr, Fault> {
    // The one name that needs nobody to ask.
    if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse().map_err(|_| {
        let fix = "write IP:PORT, for example 127.0.0.1:8080 or [::1]:8080";
        Fault::new(format!("`{text}` is no address to listen on"), fix)
    })
}

pub(super) fn public_url(text: &str) -> Result<Origin, Fault> {
    Origin::parse(text).ok_or_else(|| {
        let fix = "write the origin only, https://HOST or https://HOST:PORT, without a path";
        Fault::new(format!("{} is no origin", shown(text)), fix)
    })
}

pub(super) fn switch(text: &str) -> Result<bool, Fault> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(Fault::new(
            format!("`{text}` is neither true nor false"),
            "write true or false",
        )),
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, Fault> {
    duration::parse(text).map_err(|bad| match bad {
        BadDuration::Form(_) => Fault::new(
            format!("`{text}` is not a duration"),
            "write for example 10s, 5m, 1h30m or 90d",
        ),
        BadDuration::TooLong(_) => {
            Fault::new(format!("`{text}` is too long"), "100 years (36500d) are the most")
        }
    })
}

pub(super) fn coalesce(text: &str) -> Result<Coalesce, Fault> {
    let fix = "write off, auto, or a duration from 1ms to 60ms";
    match text {
        "off" => Ok(Coalesce::Off),
        "auto" => Ok(Coalesce::Auto),
        _ => match duration::parse(text) {
            Ok(Duration::ZERO) => Ok(Coalesce::Off),
            Ok(window) if window <= MAX_COALESCE => Ok(Coalesce::Always(window)),
            Ok(_) => Err(Fault::new(format!("`{text}` is too long for a live call"), fix)),
            Err(_) => Err(Fault::new(format!("`{text}` says nothing about waiting"), fix)),
        },
    }
}

pub(super) fn count(text: &str) -> Result<usize, Fault> {
    let fix = "write a whole number from 1 on";
    text.parse()
        .ok()
        .filter(|n| *n > 0)
        .ok_or_else(|| Fault::new(format!("`{text}` is no number of them"), fix))
}

/// One name of the transcription list; `None` for `none`.
pub(super) fn engine(text: &str) -> Result<Option<Engine>, Fault> {
    match text {
        "twilio" => Ok(Some(Engine::Twilio)),
        "none" => Ok(None),
        "deepgram" | "vosk" | "command" => {
            let what = format!("the engine `{text}` comes with a later version");
            Err(Fault::new(what, "write twilio or none until then"))
        }
        _ => {
            let near = nearest(text, ["twilio", "none"].into_iter()).unwrap_or_default();
            Err(Fault::new(
                format!("there is no engine `{text}`"),
                format!("write twilio or none; the nearest is {near}"),
            ))
        }
    }
}

/// The list as a whole.
pub(super) fn engines(named: &[Option<Engine>]) -> Result<Vec<Engine>, Fault> {
    match named {
        [] => Err(Fault::new(
            "no engine is named",
            "write twilio, or none for no transcript",
        )),
        [None] => Ok(Vec::new()),
        [Some(engine)] => Ok(vec![*engine]),
        several if several.contains(&None) => Err(Fault::new(
            "`none` stands beside an engine",
            "write none alone, or leave it out",
        )),
        _ => Err(Fault::new("an engine is named twice", "name each once")),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, Fault> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(Fault::new(
            format!("there is no log format `{text}`"),
            "write text or json",
        )),
    }
}

/// A level, or `part=level`, comma-separated. `tracing` would take a misspelt level for the name of a part.
pub(super) fn log_level(text: &str) -> Result<String, Fault> {
    let is_level = |level: &str| LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level));
    for item in text.split(',') {
        let level = match item.split_once('=') {
            Some((part, level))
                if !part.is_empty()
                    && part
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"_:".contains(&b)) =>
            {
                level
            }
            Some(_) => "",
            None => item,
        };
        if !is_level(level) {
            let near = nearest(level, LEVELS.into_iter()).unwrap_or_default();
            let fix = format!("write one of {}; the nearest is {near}", LEVELS.join(", "));
            return Err(Fault::new(format!("there is no log level `{item}`"), fix));
        }
    }
    Ok(text.to_owned())
}
