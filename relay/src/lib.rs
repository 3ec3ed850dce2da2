//! The relay: takes a company's calls from Twilio and hands them to whoever may listen.
//!
//! Doors (`twilio`, `listen`, `api`, `ops`) → `calls` → nothing of ours; doors never import doors; only
//! `serve` and `route` know them all. `access` and `metrics` are leaves.

pub mod access;
pub mod calls;
pub mod clock;
pub mod config;
pub mod listen;
mod lock;
pub mod metrics;
pub mod origin;
pub mod twilio;
