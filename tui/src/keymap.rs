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
    /// The picker of the sound card is open: keys move in it, choose, or close it.
    Picker,
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
const PAST: &str = "Back in time";
const MIX: &str = "Mix";
const FIND: &str = "Find and show";
const PROGRAM: &str = "Program";

macro_rules! bindings {
    ($($group:ident: [$($key:expr),*] $shown:literal $intent:ident $help:literal;)*) => {
        &[$(Binding { keys: &[$($key),*], shown: $shown, intent: Intent::$intent, help: $help, group: $group },)*]
    };
}

/// All keys of the panes, in the order of the help.
pub const BINDINGS: &[Binding] = bindings! {
    HEAR: [Key::Plain(KeyCode::Enter)] "Enter" Listen "hear the call, play a line";
    HEAR: [key('a')] "a" Also "hear the selected one too";
    HEAR: [key('w')] "w" Switch "the next heard in front";
    HEAR: [key('s')] "s" Stop "stop the one in front";
    HEAR: [key(' ')] "Space" Pause "pause the sound, continue";
    HEAR: [key('F')] "F" FollowOn "then the agent's next call";
    HEAR: [key('M')] "M" Mark "mark this moment for all";
    HEAR: [key('H')] "H" Hold "hold back the call, or not";
    PAST: [Key::Plain(KeyCode::Left)] "←" Back "ten seconds back";
    PAST: [Key::Plain(KeyCode::Right)] "→" Forward "ten seconds forward";
    PAST: [key('l')] "l" Live "back to live";
    PAST: [key('f')] "f" Fast "1.5 times as fast, or not";
    PAST: [key('z')] "z" SkipSilence "leave silence out, or not";
    PAST: [key('c')] "c" Clip "the last 30 s as a file";
    MIX: [key('+'), key('=')] "+ =" Louder "louder";
    MIX: [key('-')] "-" Quieter "quieter";
    MIX: [key('m')] "m" Mute "mute, or not";
    MIX: [key('1')] "1" OnlyCustomer "only the customer";
    MIX: [key('2')] "2" OnlyAgent "only the agent";
    MIX: [key('0')] "0" BothSides "both";
    MIX: [key('3')] "3" CustomerQuieter "the customer quieter";
    MIX: [key('4')] "4" CustomerLouder "the customer louder";
    MIX: [key('5')] "5" AgentQuieter "the agent quieter";
    MIX: [key('6')] "6" AgentLouder "the agent louder";
    MIX: [key('7')] "7" MuteCustomer "mute the customer, or not";
    MIX: [key('8')] "8" MuteAgent "mute the agent, or not";
    MIX: [key('v')] "v" AutoLevel "level voices, or not";
    MIX: [key('o')] "o" Stereo "stereo, wide or mono";
    MOVE: [Key::Plain(KeyCode::Up), key('k')] "↑ k" Up "one up";
    MOVE: [Key::Plain(KeyCode::Down), key('j')] "↓ j" Down "one down";
    MOVE: [Key::Plain(KeyCode::PageUp), Key::Ctrl('u')] "PgUp Ctrl-U" PageUp "a page up";
    MOVE: [Key::Plain(KeyCode::PageDown), Key::Ctrl('d')] "PgDn Ctrl-D" PageDown "a page down";
    MOVE: [Key::Plain(KeyCode::Home), key('g')] "Home g" Home "the first";
    MOVE: [Key::Plain(KeyCode::End), key('G')] "End G" End "the last; follow a text";
    MOVE: [Key::Plain(KeyCode::Tab)] "Tab" NextPane "the next pane";
    MOVE: [Key::Plain(KeyCode::BackTab)] "Shift-Tab" PrevPane "the pane before";
    FIND: [key('/')] "/" Find "filter calls, search text";
    FIND: [key('n')] "n" NextMatch "the next match";
    FIND: [key('N')] "N" PrevMatch "the match before";
    FIND: [key('y')] "y" Copy "copy the call's id or line";
    FIND: [key('e')] "e" Ended "show or hide ended calls";
    FIND: [key('>')] ">" NextSort "sort by the next thing";
    FIND: [key('<')] "<" PrevSort "sort by the thing before";
    FIND: [key('p')] "p" Privacy "mask numbers and text";
    PROGRAM: [key('D')] "D" Devices "choose the sound card";
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
        Mode::Picker => match (key, bound(key)?) {
            (Key::Plain(KeyCode::Enter), _) => Some(Intent::Accept),
            (Key::Plain(_), Intent::Quit) => Some(Intent::Cancel),
            (_, Intent::Devices) => Some(Intent::Devices),
            // The keys that move are the help's; there are no keys in it to be shown.
            (_, intent) => (in_help(intent) && intent != Intent::Help).then_some(intent),
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
