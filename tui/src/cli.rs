//! The command line (contract 2).

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;

use crate::record::{Format, Kept};

/// Hear and read live calls from a terminal.
#[allow(rustdoc::bare_urls)] // the text is also --help's, where brackets would be in the way
#[derive(Debug, Parser)]
#[command(name = "partyline", version, about, after_help = EXIT_CODES)]
pub struct Cli {
    /// The relay: a URL (https://relay.example.com), or a name out of config.toml
    /// [default: config.toml's first, else http://127.0.0.1:8080]
    #[arg(long, global = true, env = "PARTYLINE_RELAY", value_name = "URL")]
    pub relay: Option<String>,

    /// A file that holds the token; PARTYLINE_TOKEN holds one itself
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// What to do; nothing is the full-screen monitor.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 usage, 3 not authorised, 4 no such call.
For tests, PARTYLINE_BACKOFF_FLOOR_MS sets the shortest limit of the wait before reconnecting (500).";

/// The commands that need no screen.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List calls: a line, or with --json an object, each
    Calls(Calls),
    /// Hear a call, or write it into a file
    Listen(Listen),
    /// Print what was said in a call
    Transcript(Transcript),
    /// Print what happened in a call, or in all live ones
    Events(Events),
}

/// `partyline calls`.
#[derive(Debug, Args)]
pub struct Calls {
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Also ended calls, as long as the relay remembers them
    #[arg(long)]
    pub all: bool,
    /// Stay, and print each change
    #[arg(long)]
    pub watch: bool,
}

/// `partyline listen`.
#[derive(Debug, Args)]
pub struct Listen {
    /// Which call
    #[arg(value_parser = call_sid)]
    pub call_sid: CallSid,
    /// Write the audio here; - is stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which side
    #[arg(long, value_enum, default_value_t = TrackArg::Both)]
    pub track: TrackArg,
    /// wav: 16 bit, 8 kHz, stereo for both (left inbound); raw: µ-law of one track
    #[arg(long, value_enum, default_value_t = FormatArg::Wav)]
    pub format: FormatArg,
    /// Begin so long ago, as far as the relay remembers: 10s, 1m30s
    #[arg(long, value_name = "DURATION", value_parser = partyline_shared::duration::parse, default_value = "0s")]
    pub replay: Duration,
    /// Wait for the call where it does not exist yet, and take it from its first frame
    #[arg(long)]
    pub wait: bool,
    /// At the end, say what came and what was missing
    #[arg(long)]
    pub stats: bool,
    /// Messages as one JSON object a line, on stdout unless the audio is there
    #[arg(long)]
    pub json: bool,
}

/// `partyline transcript`.
#[derive(Debug, Args)]
pub struct Transcript {
    /// Which call
    #[arg(value_parser = call_sid)]
    pub call_sid: CallSid,
    /// Go on until the call ends
    #[arg(long)]
    pub follow: bool,
    /// One JSON object a line, with --follow also lines that are not final yet
    #[arg(long)]
    pub json: bool,
}

/// `partyline events`.
#[derive(Debug, Args)]
pub struct Events {
    /// Which call; all live ones without
    #[arg(value_parser = call_sid)]
    pub call_sid: Option<CallSid>,
    /// Go on until the call ends; without a call, for ever
    #[arg(long)]
    pub follow: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `--track`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TrackArg {
    /// What Twilio hears from the leg
    Inbound,
    /// What it plays to it
    Outbound,
    /// Both sides
    Both,
}

impl From<TrackArg> for Kept {
    fn from(track: TrackArg) -> Self {
        match track {
            TrackArg::Inbound => Kept::One(Track::Inbound),
            TrackArg::Outbound => Kept::One(Track::Outbound),
            TrackArg::Both => Kept::Both,
        }
    }
}

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// A WAV file
    Wav,
    /// The bytes as Twilio sent them
    Raw,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Wav => Format::Pcm,
            FormatArg::Raw => Format::Mulaw,
        }
    }
}

fn call_sid(text: &str) -> Result<CallSid, String> {
    CallSid::parse(text).map_err(|bad| bad.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
