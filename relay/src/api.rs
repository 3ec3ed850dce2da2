//! The scripts' door: what is known of calls, as JSON, what may be done to them, what others than Twilio publish of them,
//! and their audio for any player.

pub mod audio;
pub mod body;
pub mod calls;
pub mod control;
pub mod lines;
pub mod listeners;
pub mod marks;
pub mod openapi;
pub mod query;
pub mod sources;
pub mod tickets;
pub mod transcript;
