//! What this program is told, and by whom: flag beats environment beats `config.toml` beats what `login` stored
//! beats default. A token goes to the relay that it was given for, and to no other; nothing here prints one.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`paths`] | where files lie on this platform |
//! | [`mod@file`] | `config.toml`, with its lines |
//! | [`credentials`] | what `login` stored |
//! | [`relays`] | which relays are meant, and as whom |
//! | [`values`] | how values are written |
//! | `show` | `--print-config` |

pub mod credentials;
pub mod file;
pub mod paths;
pub mod relays;
mod show;
pub mod values;

use std::fmt;
use std::path::PathBuf;

use credentials::Credentials;
use file::File;
use relays::{Asked, Chosen};

use crate::cli::Global;
use crate::event::Ears;
use crate::failure::Failure;
use crate::run::{Glyphs, ThemeChoice};

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Flag,
    /// That environment variable.
    Environment(&'static str),
    /// `config.toml`, on that line.
    File(usize),
    /// What `login` stored.
    Login,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Flag => f.write_str("flag"),
            Source::Environment(name) => f.write_str(name),
            Source::File(line) => write!(f, "config.toml line {line}"),
            Source::Login => f.write_str("login"),
            Source::Default => f.write_str("default"),
        }
    }
}

/// A value, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub source: Source,
}

fn sourced<T>(value: T, source: Source) -> Sourced<T> {
    Sourced { value, source }
}

/// Everything that this program is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// The config folder; `None` where the user has no home.
    pub folder: Option<PathBuf>,
    /// `config.toml`.
    pub file: File,
    /// The relays of the monitor, never empty; commands ask the first.
    pub relays: Vec<Chosen>,
    /// Which sound card, by name or id; the system's default without.
    pub device: Sourced<Option<String>>,
    /// Where the ear is that plays what is heard; this machine plays without.
    pub ear: Sourced<Option<String>>,
    /// A file that holds the ear's code.
    pub ear_code_file: Option<PathBuf>,
    /// Samples a second; the card's own choice without.
    pub rate: Sourced<Option<u32>>,
    /// What goes to which ear, until a key says otherwise.
    pub ears: Sourced<Ears>,
    /// The background; the terminal is asked without.
    pub theme: Sourced<Option<ThemeChoice>>,
    /// What meters and waveforms are drawn with.
    pub glyphs: Sourced<Glyphs>,
    /// Lines instead of a screen.
    pub plain: Sourced<bool>,
    /// Nothing is changed at a relay, and no audio is kept.
    pub read_only: Sourced<bool>,
    /// Where clips go; `None` where the user has no home and names none.
    pub clips: Sourced<Option<PathBuf>>,
}

impl Config {
    /// Reads everything. `folder` is the config folder, `env` reads the environment.
    ///
    /// # Errors
    /// [`Failure::Usage`], saying what is wrong and where.
    pub fn load(
        flags: &Global,
        env: &dyn Fn(&str) -> Option<String>,
        folder: Option<PathBuf>,
    ) -> Result<Config, Failure> {
        let file = File::load(folder.as_deref())?;
        let stored = Credentials::load(folder.as_deref())?;
        let set = |name: &str| env(name).filter(|text| !text.is_empty());
        let flag = flags.relay.clone().filter(|text| !text.is_empty());
        let asked = Asked {
            relay: flag.map(|text| sourced(text, Source::Flag)).or_else(|| {
                set("PARTYLINE_RELAY").map(|text| sourced(text, Source::Environment("PARTYLINE_RELAY")))
            }),
            token_file: flags.token_file.clone(),
            token: set("PARTYLINE_TOKEN"),
        };
        let switch = |flag: bool, line: Option<(bool, usize)>| match (flag, line) {
            (true, _) => sourced(true, Source::Flag),
            (false, line) => one(None, line, false),
        };
        // A file and a flag are meant for this program; NO_COLOR is for all, and knows no more.
        let colourless =
            set("NO_COLOR").map(|_| sourced(Some(ThemeChoice::Mono), Source::Environment("NO_COLOR")));
        let theme = one(flags.theme.map(Into::into).map(Some), some(file.theme), None);
        let glyphs = if values::shows_braille(env) {
            Glyphs::Braille
        } else {
            Glyphs::Ascii
        };
        Ok(Config {
            relays: relays::choose(&asked, &file, &stored, folder.as_deref())?,
            device: one(flags.device.clone().map(Some), some(file.device.clone()), None),
            ear: ear(flags.ear.as_deref(), &file)?,
            ear_code_file: flags.ear_code_file.clone(),
            ears: one(flags.ears.map(Into::into), file.ears, Ears::default()),
            rate: one(flags.rate.map(Some), None, None),
            theme: match (theme.source, colourless) {
                (Source::Default, Some(colourless)) => colourless,
                _ => theme,
            },
            glyphs: one(flags.glyphs.map(Into::into), file.glyphs, glyphs),
            plain: switch(flags.plain, file.plain),
            read_only: switch(flags.read_only, file.read_only),
            clips: one(None, some(file.clips.clone()), paths::clips()),
            file,
            folder,
        })
    }

    /// The relay that a command asks.
    pub fn first(&self) -> Result<&Chosen, Failure> {
        // Never empty, by `choose`.
        self.relays
            .first()
            .ok_or_else(|| Failure::Usage("no relay is named: --relay https://relay.example.com".to_owned()))
    }

    /// The effective configuration as a `config.toml`, each value with where it came from, tokens never.
    ///
    /// # Errors
    /// [`Failure::Usage`] where what `login` stored cannot be read.
    pub fn show(&self) -> Result<Vec<String>, Failure> {
        show::lines(self)
    }
}

/// An empty flag is this machine, whatever the file says.
fn ear(flag: Option<&str>, file: &File) -> Result<Sourced<Option<String>>, Failure> {
    let bad = |why| Failure::Usage(format!("--ear: {why}"));
    Ok(match flag {
        Some("") => sourced(None, Source::Flag),
        Some(text) => sourced(Some(values::ear(text).map_err(bad)?), Source::Flag),
        None => one(None, some(file.ear.clone()), None),
    })
}

fn some<T>(line: Option<(T, usize)>) -> Option<(Option<T>, usize)> {
    line.map(|(value, line)| (Some(value), line))
}

fn one<T>(flag: Option<T>, file: Option<(T, usize)>, default: T) -> Sourced<T> {
    match (flag, file) {
        (Some(value), _) => sourced(value, Source::Flag),
        (None, Some((value, line))) => sourced(value, Source::File(line)),
        (None, None) => sourced(default, Source::Default),
    }
}

#[cfg(test)]
mod tests;
