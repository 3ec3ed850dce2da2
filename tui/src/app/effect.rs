//! What the app wants done. It does nothing itself: `run` carries these out.
//!
//! A call is followed from its `Follow` to its `Unfollow`, and heard from its `Listen` to its `StopListening`,
//! which lie between the two. A second `Follow` or `Listen` is for a call that the connection has given up, and
//! that has come back.

use partyline_shared::track::{PerTrack, Role};

use crate::event::{CallKey, Mix, RelayId};

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask for a call's lines and events.
    Follow(CallKey),
    /// No longer.
    Unfollow(CallKey),
    /// Ask for a call's audio too, and play it instead of what plays.
    Listen {
        /// Which call.
        call: CallKey,
        /// Who is on which track.
        roles: PerTrack<Role>,
    },
    /// Play nothing; the call's lines and events are still wanted, until its `Unfollow`.
    StopListening(CallKey),
    /// It has turned out who is on which track of the call that is heard.
    Roles(PerTrack<Role>),
    /// Hold the sound, or go on where it was held.
    Pause(bool),
    /// Leave out what was held back.
    Live,
    /// How it is to sound.
    Mix(Mix),
    /// Have a call held back from everybody, or let go; the relay answers.
    Hold {
        /// Which call.
        call: CallKey,
        /// Held back, or let go.
        on: bool,
    },
    /// Ask for levels, so many a second; 0 ends it.
    Watch(RelayId, u8),
    /// Put a text into the clipboard of whoever sits before the terminal.
    Copy(String),
    /// Connect now instead of later.
    Retry(RelayId),
    /// Draw everything anew.
    Redraw,
    /// Into the background.
    Suspend,
    /// The end.
    Quit,
}
