//! Action Cable's door: what Rails' JavaScript client and its kin speak, over the same calls as every other.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`message`] | Action Cable's JSON, both ways |
//! | [`channel`] | what an identifier asks for, and what is told on it |
//! | [`form`] | a frame as a message, once for all who spell their identifier alike |
//! | [`session`] | sans-I/O: commands in, messages out |
//! | [`socket`] | one client's socket from its coming in to its end |

pub mod channel;
pub mod form;
pub mod message;
pub mod session;
pub mod socket;
