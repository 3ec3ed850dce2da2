//! The listener's door: `partyline.v1`.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`session`] | sans-I/O: what a listener says in, what it is told out |
//! | [`subscription`] | one call that it hears or reads |
//! | [`levels`] | loudness for its list of calls |
//! | [`socket`] | pumps one socket through [`session`] |

pub mod levels;
pub mod session;
pub mod socket;
pub mod subscription;
