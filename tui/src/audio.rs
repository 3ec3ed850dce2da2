//! Sound: from a frame that came to the sample that the card takes. Knows no relay and no screen; the network
//! side puts [`player::Heard`] into an [`player::Ear`] that it was handed, the screen side looks when it draws.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`player`] | the handle: hear, stop, pause, gain, device |

pub mod player;
