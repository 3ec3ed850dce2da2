//! Twilio's door: who may be rung, what we answer, and whether a request is really theirs.

pub mod dial;
pub mod signature;
pub mod twiml;
