//! Twilio's messages: the relay reads them, simulator and tests write them.

pub mod callback;
pub mod form;
pub mod media;
