//! Twilio's door: who may be rung, and whether a request is really theirs.

pub mod dial;
pub mod signature;
