//! `partyline man` and `completions`: made from the command line's own description, so that they are never older
//! than the program.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::cli::Cli;
use crate::failure::Failure;
use crate::print::written;

/// What the flags' help does not say.
const EXTRA: [(&str, &str); 3] = [
    (
        "ENVIRONMENT",
        "PARTYLINE_RELAY is --relay and PARTYLINE_TOKEN is a token; a flag beats either, and either beats config.toml, \
         which beats what `partyline login` stored. NO_COLOR is --theme mono where neither --theme nor config.toml \
         says otherwise. LC_ALL, LC_CTYPE and LANG say whether braille can be shown. SSL_CERT_FILE and SSL_CERT_DIR \
         name other certificate authorities than this machine's.",
    ),
    (
        "FILES",
        "config.toml in the platform's config folder under partyline/ ($XDG_CONFIG_HOME, else ~/.config; on macOS \
         ~/Library/Application Support): device, ears, theme, glyphs, plain, read_only, and for each relay a [[relay]] with \
         name, url and token_file. credentials.toml beside it is what `partyline login` stored. partyline.log in \
         partyline/ of $XDG_STATE_HOME, else ~/.local/state (on macOS ~/Library/Logs) is the monitor's log.",
    ),
    (
        "EXIT STATUS",
        "0 done, 1 failed, 2 usage, 3 not authorised, 4 no such call.",
    ),
];

/// A script for that shell, on stdout.
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "partyline", &mut script);
    put(&script)
}

/// One page with all commands, on stdout.
pub(super) fn page() -> Result<(), Failure> {
    let mut page = Vec::new();
    render(&mut page).map_err(|e| written(&e))?;
    put(&page)
}

fn render(page: &mut Vec<u8>) -> std::io::Result<()> {
    let mut command = Cli::command().after_help("");
    command.build();
    let whole = Man::new(command.clone()).manual("Partyline");
    whole.render_title(page)?;
    whole.render_name_section(page)?;
    whole.render_synopsis_section(page)?;
    whole.render_description_section(page)?;
    whole.render_options_section(page)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let mut roff = Roff::default();
        let heading = format!("partyline {}", sub.get_name()).to_uppercase();
        roff.control("SH", [heading.as_str()]);
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        roff.text([roman(about)]);
        roff.to_writer(page)?;
        // What every command takes has been said above, once.
        let own = sub.clone().mut_args(|arg| {
            let global = arg.is_global_set() || arg.get_id() == "help";
            arg.hide(global)
        });
        let (man, mut sections) = (Man::new(own), Vec::new());
        man.render_synopsis_section(&mut sections)?;
        man.render_options_section(&mut sections)?;
        for line in String::from_utf8_lossy(&sections).lines() {
            // Sections of a command are parts of the page's.
            let line = match line.strip_prefix(".SH ") {
                Some(heading) => format!(".SS {heading}"),
                None => line.to_owned(),
            };
            writeln!(page, "{line}")?;
        }
    }
    for (heading, text) in EXTRA {
        let mut roff = Roff::default();
        roff.control("SH", [heading]);
        roff.text([roman(text)]);
        roff.to_writer(page)?;
    }
    whole.render_version_section(page)
}

fn put(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|e| written(&e))
}
