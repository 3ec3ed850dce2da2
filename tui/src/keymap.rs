//! Which key means what: one table, from which keys are read and the help is drawn, so that the help cannot be
//! wrong. What an intent does is the app's business.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::event::Intent;

/// What keys mean depends on what is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The panes.
    Normal,
    /// A filter or search is typed: letters are letters.
    Typing,
    /// The help is open: keys move it, or close it.
    Help,
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// As it is; of a letter, with Shift as it changes the letter.
    Plain(KeyCode),
    /// With Ctrl.
    Ctrl(char),
}

/// Keys that mean the same.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// The keys.
    pub keys: &'static [Key],
    /// As the help writes them.
    pub shown: &'static str,
    /// What they mean.
    pub intent: Intent,
    /// What that does, in a few words.
    pub help: &'static str,
    /// The help's heading.
    pub group: &'static str,
}

const fn key(c: char) -> Key {
    Key::Plain(KeyCode::Char(c))
}

const MOVE: &str = "Move";
const HEAR: &str = "Listen";
const FIND: &str = "Find and show";
const PROGRAM: &str = "Program";

macro_rules! bindings {
    ($($group:ident: [$($key:expr),*] $shown:literal $intent:ident $help:literal;)*) => {
        &[$(Binding { keys: &[$($key),*], shown: $shown, intent: Intent::$intent, help: $help, group: $group },)*]
    };
}

/// All keys of the panes, in the order of the help.
pub const BINDINGS: &[Binding] = bindings! {
    MOVE: [Key::Plain(KeyCode::Up), key('k')] "↑ k" Up "one up";
    MOVE: [Key::Plain(KeyCode::Down), key('j')] "↓ j" Down "one down";
    MOVE: [Key::Plain(KeyCode::PageUp), Key::Ctrl('u')] "PgUp Ctrl-U" PageUp "a page up";
    MOVE: [Key::Plain(KeyCode::PageDown), Key::Ctrl('d')] "PgDn Ctrl-D" PageDown "a page down";
    MOVE: [Key::Plain(KeyCode::Home), key('g')] "Home g" Home "the first";
    MOVE: [Key::Plain(KeyCode::End), key('G')] "End G" End "the last; follow a text";
    MOVE: [Key::Plain(KeyCode::Tab)] "Tab" NextPane "the next pane";
    MOVE: [Key::Plain(KeyCode::BackTab)] "Shift-Tab" PrevPane "the pane before";
    HEAR: [Key::Plain(KeyCode::Enter)] "Enter" Listen "hear the selected call";
    HEAR: [key('s')] "s" Stop "stop listening";
    HEAR: [key(' ')] "Space" Pause "pause the sound, continue";
    HEAR: [key('l')] "l" Live "back to live";
    HEAR: [key('+'), key('=')] "+ =" Louder "louder";
    HEAR: [key('-')] "-" Quieter "quieter";
    HEAR: [key('m')] "m" Mute "mute, or not";
    HEAR: [key('1')] "1" OnlyCustomer "only the customer";
    HEAR: [key('2')] "2" OnlyAgent "only the agent";
    HEAR: [key('0')] "0" BothSides "both";
    HEAR: [key('o')] "o" Stereo "stereo or mono";
    HEAR: [key('H')] "H" Hold "hold the call back, let it go";
    FIND: [key('/')] "/" Find "filter calls, search text";
    FIND: [key('n')] "n" NextMatch "the next match";
    FIND: [key('N')] "N" PrevMatch "the match before";
    FIND: [key('y')] "y" Copy "copy the call's id or line";
    FIND: [key('e')] "e" Ended "show or hide ended calls";
    FIND: [key('>')] ">" NextSort "sort by the next thing";
    FIND: [key('<')] "<" PrevSort "sort by the thing before";
    FIND: [key('p')] "p" Privacy "mask numbers and text";
    PROGRAM: [key('R')] "R" Retry "try away relays now";
    PROGRAM: [key('?')] "?" Help "these keys";
    PROGRAM: [Key::Plain(KeyCode::Esc)] "Esc" Cancel "drop a search or filter";
    PROGRAM: [Key::Ctrl('l')] "Ctrl-L" Redraw "draw everything anew";
    PROGRAM: [Key::Ctrl('z')] "Ctrl-Z" Suspend "into the background";
    PROGRAM: [key('q'), Key::Ctrl('c')] "q Ctrl-C" Quit "quit";
};

/// What a key means; `None` for nothing.
pub fn intent(mode: Mode, key: KeyEvent) -> Option<Intent> {
    if !matches!(key.kind, KeyEventKind::Press | KeyEventKind::Repeat) {
        return None;
    }
    let key = read(key)?;
    match mode {
        Mode::Normal => bound(key),
        Mode::Typing => typed(key),
        Mode::Help => match (key, bound(key)?) {
            // Out of the help first, as out of anything that covers the screen.
            (Key::Plain(_), Intent::Quit) => Some(Intent::Cancel),
            (_, intent) => in_help(intent).then_some(intent),
        },
    }
}

/// Ctrl with a letter is one key; Alt with anything is none, since a terminal writes it as Esc and that key.
fn read(key: KeyEvent) -> Option<Key> {
    let others = key.modifiers - KeyModifiers::SHIFT;
    match key.code {
        KeyCode::Char(c) if c.is_control() => None,
        KeyCode::Char(c) if others == KeyModifiers::CONTROL => Some(Key::Ctrl(c.to_ascii_lowercase())),
        // Shift-Tab is told in either way.
        KeyCode::Tab if key.modifiers == KeyModifiers::SHIFT => Some(Key::Plain(KeyCode::BackTab)),
        code if others.is_empty() => Some(Key::Plain(code)),
        _ => None,
    }
}

fn bound(key: Key) -> Option<Intent> {
    let binding = BINDINGS.iter().find(|binding| binding.keys.contains(&key))?;
    Some(binding.intent)
}

fn typed(key: Key) -> Option<Intent> {
    match key {
        Key::Plain(KeyCode::Char(c)) => Some(Intent::Type(c)),
        Key::Plain(KeyCode::Backspace) => Some(Intent::Erase),
        Key::Ctrl('h') => Some(Intent::Erase),
        Key::Ctrl('u') => Some(Intent::EraseAll),
        Key::Plain(KeyCode::Enter) => Some(Intent::Accept),
        Key::Plain(KeyCode::Esc) => Some(Intent::Cancel),
        // What is found can be walked through while it is typed.
        Key::Plain(KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown)
        | Key::Ctrl('c' | 'z' | 'l') => bound(key),
        _ => None,
    }
}

fn in_help(intent: Intent) -> bool {
    use Intent as I;
    matches!(
        intent,
        I::Up
            | I::Down
            | I::PageUp
            | I::PageDown
            | I::Home
            | I::End
            | I::Help
            | I::Cancel
            | I::Quit
            | I::Redraw
            | I::Suspend
    )
}

#[cfg(test)]
mod tests;
