//! The relay.

pub mod config;
pub mod origin;
pub mod twilio;
