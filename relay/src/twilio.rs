//! Twilio's door: whether a request is really theirs.

pub mod signature;
