//! What the app wants done. It does nothing itself: `run` carries these out.
//!
//! A call is followed from its `Follow` to its `Unfollow`, and heard from its `Listen` to its `StopListening`,
//! which lie between the two. A second `Follow` or `Listen` is for a call that the connection has given up, and
//! that has come back.

use partyline_shared::time::UtcTime;
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
    /// It has turned out who is on which track of a heard call.
    Roles {
        /// Which call.
        call: CallKey,
        /// Who is on which track.
        roles: PerTrack<Role>,
    },
    /// Hold the sound, or go on where it was held.
    Pause(bool),
    /// Leave out what was held back.
    Live,
    /// Hear a call too, in front of those that are heard.
    Also {
        /// Which call.
        call: CallKey,
        /// Who is on which track.
        roles: PerTrack<Role>,
    },
    /// A heard call comes to the front, where it is paused, sought in and kept; the others are quieter behind it.
    Front(CallKey),
    /// The call in front goes so many ms forward, or back where it is less.
    Seek(i32),
    /// The call in front goes to what was said then.
    SeekTo(UtcTime),
    /// What lies behind live is played faster, or not.
    Fast(bool),
    /// Of what lies behind live, silence is left out, or not.
    SkipSilence(bool),
    /// Keep the last of a heard call as a file; the answer comes as [`crate::event::Event::Kept`].
    Clip(CallKey),
    /// Mark a moment of a call for all who see it; the relay answers.
    Mark {
        /// Which call.
        call: CallKey,
        /// When: what is heard, where that lies behind what is said; without, now, by the relay's clock.
        at: Option<UtcTime>,
    },
    /// Which sound cards there are; the answer comes as [`crate::event::FromSound::Devices`].
    ListDevices,
    /// Play on this card from now on; the system's own choice without.
    UseDevice(Option<String>),
    /// How they are to sound.
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
