//! The log, on stderr: one line an event, whatever is in it, and nothing of what other people's code says below
//! `info`. It decides how lines look and which leave; what is in them is for those who write them, and no token,
//! number, payload or query may be.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use partyline_shared::text::is_unsafe;
use tracing::field::Field;
use tracing::subscriber::set_global_default;
use tracing::{Level, Subscriber, error};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::{EnvFilter, Registry, registry};

use crate::config::LogFormat;

#[cfg(test)]
mod tests;

/// Our crates: what they say is written with the rules of this log in mind.
const OURS: &str = "partyline";

/// What leaves, and can be told otherwise while the relay runs.
type Filter = Handle<EnvFilter, Registry>;

/// The level of the log that [`start`] made.
static LEVEL: OnceLock<Filter> = OnceLock::new();

/// Why the level stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum NoLevel {
    /// The text says nothing about what is to be logged.
    #[error(
        "`{0}` is no level: write error, warn, info, debug or trace, or parts with levels, `info,partyline_relay::twilio=debug`"
    )]
    Unknown(String),
    /// The relay runs inside another program, whose log it is.
    #[error("the log is another program's")]
    NotOurs,
}

/// Where a colour begins. On a terminal it is one of the log's own.
const COLOUR: &str = "\u{1b}[";

/// Says all that is logged from here on to stderr, and that a task panicked.
pub fn start(format: LogFormat, level: &str) {
    let colours = format == LogFormat::Text && io::stderr().is_terminal();
    let (subscriber, level) = subscriber(format, level, colours, io::stderr);
    // There is one already where the relay runs in another program.
    if set_global_default(subscriber).is_ok() {
        let _ = LEVEL.set(level);
    }
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(tracing::field::display);
        let trace = Backtrace::capture();
        let trace = (trace.status() == BacktraceStatus::Captured).then(|| tracing::field::display(trace));
        let thread = std::thread::current();
        let said = said(panic.payload());
        error!(
            at,
            thread = thread.name(),
            said,
            trace,
            "a fault of the relay: please report it"
        );
    }));
}

/// Logs from here on what `level` says, as --log-level takes it.
///
/// # Errors
/// [`NoLevel`]: it stays as it was.
pub fn set_level(level: &str) -> Result<(), NoLevel> {
    set(LEVEL.get().ok_or(NoLevel::NotOurs)?, level)
}

fn set(handle: &Filter, level: &str) -> Result<(), NoLevel> {
    let filter = EnvFilter::try_new(level).map_err(|_| NoLevel::Unknown(level.to_owned()))?;
    handle.reload(filter).map_err(|_| NoLevel::NotOurs)
}

fn subscriber<W>(
    format: LogFormat,
    level: &str,
    colours: bool,
    to: W,
) -> (Box<dyn Subscriber + Send + Sync>, Filter)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    // Libraries show headers and frames there, and those have tokens and voices in them.
    let harmless =
        filter_fn(|metadata| *metadata.level() <= Level::INFO || metadata.target().starts_with(OURS));
    let (filter, handle) = reload::Layer::new(filter);
    let registry = registry().with(filter).with(harmless);
    let lines = Lines { to, format, colours };
    let subscriber: Box<dyn Subscriber + Send + Sync> = match format {
        // All spans stand in the list: the innermost need not stand there twice.
        LogFormat::Json => {
            Box::new(registry.with(layer().json().with_current_span(false).with_writer(lines)))
        }
        LogFormat::Text => {
            let lines = layer().with_ansi(colours).with_writer(lines);
            Box::new(registry.with(lines.fmt_fields(debug_fn(field).delimited(" "))))
        }
    };
    (subscriber, handle)
}

/// A value without escapes of its own: what is a colour in the line is then the log's.
fn field(to: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = one_line(&format!("{value:?}"), LogFormat::Text, false);
    match field.name() {
        "message" => to.write_str(&value),
        name => write!(to, "{name}={value}"),
    }
}

/// What a panic said, where that is a text of the program: one that was made as it ran may quote what it failed on.
fn said(payload: &dyn Any) -> Option<&'static str> {
    payload.downcast_ref::<&'static str>().copied()
}

/// Writes each event as one line.
struct Lines<W> {
    to: W,
    format: LogFormat,
    colours: bool,
}

/// One event on its way.
struct Event<W> {
    to: W,
    format: LogFormat,
    colours: bool,
}

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Lines<W> {
    type Writer = Event<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        Event {
            to: self.to.make_writer(),
            format: self.format,
            colours: self.colours,
        }
    }
}

impl<W: Write> Write for Event<W> {
    /// Takes an event whole, as the subscriber hands it on.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let mut line = one_line(
            text.strip_suffix('\n').unwrap_or(&text),
            self.format,
            self.colours,
        );
        line.push('\n');
        self.to.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The text with all that would break the line, or act on a terminal, written as an escape.
fn one_line(text: &str, format: LogFormat, colours: bool) -> String {
    let mut line = String::with_capacity(text.len() + 1);
    for (at, c) in text.char_indices() {
        let is_colour = || colours && text.get(at..).is_some_and(|rest| rest.starts_with(COLOUR));
        if !is_unsafe(c) || (c == '\u{1b}' && is_colour()) {
            line.push(c);
            continue;
        }
        // Into a `String` it does not fail.
        let _ = match format {
            LogFormat::Text => write!(line, "{}", c.escape_default()),
            // Whatever is unsafe stands within a JSON string, since JSON itself is ASCII without controls.
            LogFormat::Json => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .try_for_each(|unit| write!(line, "\\u{unit:04x}")),
        };
    }
    line
}
