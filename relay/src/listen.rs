//! The listener's door: `partyline.v1`.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `entrance` | a listener that has shown no token yet |
//! | [`session`] | sans-I/O: what a listener says in, what it is told out |
//! | [`subscription`] | one call that it hears or reads |
//! | [`levels`] | loudness for its list of calls |
//! | [`socket`] | pumps one socket through [`session`] |

mod entrance;
pub mod levels;
pub mod session;
pub mod socket;
pub mod subscription;
