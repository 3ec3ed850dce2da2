//! The command line (contract 2).

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;

use crate::event::Ears;
use crate::record::{Format, Kept};
use crate::run::{Glyphs, ThemeChoice};

/// Hear and read live calls from a terminal.
///
/// Without a command it is the full-screen monitor, over all relays of config.toml.
#[derive(Debug, Parser)]
#[command(name = "partyline", version, about, after_help = EXIT_CODES)]
pub struct Cli {
    /// What every command may be told.
    #[command(flatten)]
    pub global: Global,

    /// What to do; nothing is the full-screen monitor.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The flags that stand before or after any command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The relay: a URL, or a name out of config.toml; PARTYLINE_RELAY says it too
    /// [default: config.toml's, else where `login` was last, else http://127.0.0.1:8080]
    #[arg(long, global = true, value_name = "URL")]
    pub relay: Option<String>,

    /// A file that holds the token; PARTYLINE_TOKEN holds one itself. Where several relays are meant, it is the first's
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// The sound card, by name or id; `partyline devices` lists them [default: the system's]
    #[arg(long, global = true, value_name = "NAME")]
    pub device: Option<String>,

    /// Play at a desk where `partyline ear` listens, reached at this address: `ssh -R 7331:localhost:7331` from there leads to
    /// 127.0.0.1:7331 here. It asks for the code that is shown there
    #[arg(long, global = true, value_name = "ADDR")]
    pub ear: Option<String>,

    /// A file that holds the ear's code; PARTYLINE_EAR_CODE holds one itself
    #[arg(long, global = true, value_name = "FILE")]
    pub ear_code_file: Option<PathBuf>,

    /// Samples a second to ask of the sound card, e.g. 44100 where another rate than its own is to be tried
    #[arg(long, global = true, value_name = "HZ", value_parser = clap::value_parser!(u32).range(8_000..=384_000))]
    pub rate: Option<u32>,

    /// What goes to which ear [default: stereo]
    #[arg(long, global = true, value_enum, value_name = "HOW")]
    pub ears: Option<EarsArg>,

    /// Lines instead of a screen, for screen readers
    #[arg(long, global = true)]
    pub plain: bool,

    /// Change nothing at a relay and keep no audio
    #[arg(long, global = true)]
    pub read_only: bool,

    /// What to draw for [default: what the terminal says of its background; mono where NO_COLOR is set]
    #[arg(long, global = true, value_enum, value_name = "THEME")]
    pub theme: Option<ThemeArg>,

    /// What meters and waveforms are drawn with [default: braille where the locale is UTF-8, else ascii]
    #[arg(long, global = true, value_enum, value_name = "KIND")]
    pub glyphs: Option<GlyphsArg>,

    /// Print what is configured and by whom, and end
    #[arg(long, global = true)]
    pub print_config: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 usage, 3 not authorised, 4 no such call.
For tests, PARTYLINE_BACKOFF_FLOOR_MS sets the shortest limit of the wait before reconnecting (500), and
PARTYLINE_TEST_PANIC=\"loop 100\" or \"task 100\" has the monitor fail inside after so many ms.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the monitor over a relay and three simulated calls, all in this process
    #[cfg(feature = "demo")]
    Demo,
    /// Keep a relay's token, for this user alone
    Login(Login),
    /// Forget a relay's token
    Logout(Logout),
    /// List calls: a line, or with --json an object, each
    Calls(Calls),
    /// Hear a call, or write it into a file
    Listen(Listen),
    /// Print what was said in a call
    Transcript(Transcript),
    /// Print what happened in a call, or in all live ones
    Events(Events),
    /// Hold a call back: nobody hears or reads what is said, and none of it is kept
    Pause(Hold),
    /// Let a call go that was held back
    Resume(Hold),
    /// Play here what a monitor elsewhere (`partyline --ear ADDR`) hears
    Ear(Ear),
    /// List the sound cards
    Devices(Devices),
    /// Print what is needed to help: versions, files, relays, terminal, sound
    Info(Info),
    /// Print a completion script
    Completions(Completions),
    /// Print the manual page
    Man,
}

/// `partyline login`.
#[derive(Debug, Args)]
pub struct Login {
    /// Which relay, a URL or a name out of config.toml [default: as for --relay]
    #[arg(value_name = "URL")]
    pub url: Option<String>,
}

/// `partyline logout`.
#[derive(Debug, Args)]
pub struct Logout {
    /// Which relay, a URL or a name out of config.toml [default: as for --relay]
    #[arg(value_name = "URL")]
    pub url: Option<String>,
}

/// `partyline ear`.
#[derive(Debug, Args)]
pub struct Ear {
    /// Where to listen for the monitor
    #[arg(long, value_name = "ADDR", default_value = crate::ear::LISTEN)]
    pub listen: String,
}

/// `partyline devices`.
#[derive(Debug, Args)]
pub struct Devices {
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `partyline info`.
#[derive(Debug, Args)]
pub struct Info {
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// `partyline completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// For which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
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
    /// Write the audio here instead of playing it; - is stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which side
    #[arg(long, value_enum, default_value_t = TrackArg::Both)]
    pub track: TrackArg,
    /// Of what is written. wav: 16 bit, 8 kHz, stereo for both (left inbound); raw: µ-law of one track [default: wav]
    #[arg(long, value_enum)]
    pub format: Option<FormatArg>,
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

/// `partyline pause` and `partyline resume`.
#[derive(Debug, Args)]
pub struct Hold {
    /// Which call
    #[arg(value_parser = call_sid)]
    pub call_sid: CallSid,
    /// The call as it stands then, as one JSON object
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

/// `--ears`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EarsArg {
    /// Customer left and agent right, each a little on the other ear too
    Stereo,
    /// Customer left and agent right, and nothing of the other
    Wide,
    /// Both on both
    Mono,
}

impl From<EarsArg> for Ears {
    fn from(ears: EarsArg) -> Self {
        match ears {
            EarsArg::Stereo => Ears::Stereo,
            EarsArg::Wide => Ears::Wide,
            EarsArg::Mono => Ears::Mono,
        }
    }
}

/// `--theme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ThemeArg {
    /// Light letters on a dark background
    Dark,
    /// Dark letters on a light background
    Light,
    /// No colour at all
    Mono,
}

impl From<ThemeArg> for ThemeChoice {
    fn from(theme: ThemeArg) -> Self {
        match theme {
            ThemeArg::Dark => ThemeChoice::Dark,
            ThemeArg::Light => ThemeChoice::Light,
            ThemeArg::Mono => ThemeChoice::Mono,
        }
    }
}

/// `--glyphs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GlyphsArg {
    /// Dots, eight a cell
    Braille,
    /// Blocks, in eighths of a cell
    Block,
    /// Nothing but ASCII
    Ascii,
}

impl From<GlyphsArg> for Glyphs {
    fn from(glyphs: GlyphsArg) -> Self {
        match glyphs {
            GlyphsArg::Braille => Glyphs::Braille,
            GlyphsArg::Block => Glyphs::Block,
            GlyphsArg::Ascii => Glyphs::Ascii,
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
