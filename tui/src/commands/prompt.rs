//! Asks for a secret: on a terminal without showing it, else from stdin.

use std::io::{self, IsTerminal, Read, Write};

use crate::failure::Failure;

/// Most bytes read: a signed token of many claims has a few thousand.
const MOST: u64 = 64 << 10;

/// What was typed; `question` is asked on a terminal, and `without` says what is wrong where nothing can be read.
pub(super) async fn secret(question: &str, without: &str) -> Result<String, Failure> {
    let asks = io::stdin().is_terminal();
    let hidden = if asks { Some(hide(question)?) } else { None };
    let read = tokio::task::spawn_blocking(move || if asks { line() } else { all() });
    let text = tokio::select! {
        text = read => text.map_err(|fault| Failure::Failed(format!("stdin could not be read: {fault}")))?,
        // The terminal shows again what is typed; the thread that still reads ends with the program.
        () = super::listen::stop() => Err(io::Error::other("interrupted")),
    };
    drop(hidden);
    if asks {
        // The line's end was not shown either.
        let _ = writeln!(io::stderr());
    }
    text.map_err(|error| Failure::Failed(format!("{without}: {error}")))
}

fn line() -> io::Result<String> {
    let mut text = String::new();
    io::BufRead::read_line(&mut io::BufReader::new(io::stdin().take(MOST)), &mut text)?;
    Ok(text)
}

fn all() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().take(MOST).read_to_string(&mut text)?;
    Ok(text)
}

fn ask(question: &str) {
    let mut err = io::stderr();
    let _ = write!(err, "{question} (it is not shown): ");
    let _ = err.flush();
}

/// The terminal as it was, when dropped.
#[cfg(unix)]
struct Shown(rustix::termios::Termios);

#[cfg(unix)]
fn hide(question: &str) -> Result<Shown, Failure> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let failed =
        |error: rustix::io::Errno| Failure::Failed(format!("the terminal cannot be made to hide: {error}"));
    let before = tcgetattr(io::stdin()).map_err(failed)?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    // What was typed ahead is not dropped: a paste may be faster than this.
    tcsetattr(io::stdin(), OptionalActions::Now, &quiet).map_err(failed)?;
    let shown = Shown(before);
    ask(question);
    Ok(shown)
}

#[cfg(unix)]
impl Drop for Shown {
    fn drop(&mut self) {
        let now = rustix::termios::OptionalActions::Now;
        let _ = rustix::termios::tcsetattr(io::stdin(), now, &self.0);
    }
}

#[cfg(not(unix))]
fn hide(_question: &str) -> Result<(), Failure> {
    let text = "nothing can be typed unseen here: give it by stdin, < FILE";
    Err(Failure::Failed(text.to_owned()))
}
