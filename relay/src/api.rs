//! The scripts' door: what is known of calls, as JSON.

pub mod calls;
pub mod listeners;
pub mod tickets;
pub mod transcript;
