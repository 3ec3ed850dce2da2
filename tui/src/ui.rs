//! What the monitor looks like: functions from [`App`] to a ratatui [`Buffer`]. They change
//! nothing, ask nothing of the terminal and read no clock, so that a picture is the same each time it is taken.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`screen`], [`layout`] | the whole picture · which pane gets which rectangle |
//! | [`calls`], [`columns`] | the list · which of its columns have room |
//! | [`call`] | who, how long, waveform, how it sounds |
//! | [`transcript`], [`events`], [`scroll`] | what was said · what happened · what both have in common |
//! | [`status`], [`help`], [`picker`] | relays, user, sound and notices · the keys · the sound cards |
//! | [`meter`], [`waveform`] | our two widgets |
//! | [`theme`], [`glyphs`] | colours · characters, for three sorts of terminal |
//! | [`text`], [`pen`], [`words`] | widths by grapheme · writing into a row · durations, states, masks |
//! | [`plain`] | the same for ears: lines instead of a screen |
//!
//! [`App`]: crate::app::state::App
//! [`Buffer`]: ratatui::buffer::Buffer

pub mod call;
pub mod calls;
pub mod columns;
pub mod events;
pub mod glyphs;
pub mod help;
pub mod layout;
pub mod meter;
pub mod pen;
pub mod picker;
pub mod plain;
pub mod screen;
pub mod scroll;
pub mod status;
pub mod text;
pub mod theme;
pub mod transcript;
pub mod waveform;
pub mod words;

#[cfg(test)]
mod tests;

use glyphs::Glyphs;
use theme::Theme;

/// How it is drawn, the same from start to end.
#[derive(Debug, Clone)]
pub struct Look {
    /// Colours.
    pub theme: Theme,
    /// Characters.
    pub glyphs: Glyphs,
}
