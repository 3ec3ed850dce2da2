//! The relay: takes a company's calls from Twilio and hands them to whoever may listen.
//!
//! Doors (`twilio`, `listen`, `cable`, `api`, `page`, `ops`) → `calls` → nothing of ours; doors never import doors;
//! only `serve` and `route` know them all. `access` and `metrics` are leaves.

pub mod access;
pub mod admin;
pub mod api;
pub mod attach;
pub mod audit;
pub mod cable;
pub mod calls;
pub mod cli;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod doorman;
mod fetch;
pub mod hearing;
pub mod limits;
pub mod listen;
pub mod load;
mod lock;
pub mod log;
pub mod metrics;
pub mod notify;
pub mod ops;
pub mod origin;
pub mod pace;
pub mod page;
pub mod peer;
pub mod presence;
pub mod pump;
pub mod respond;
pub mod rest;
pub mod route;
pub mod serve;
mod server;
pub mod shards;
pub mod simulate;
pub mod sparing;
pub mod stamp;
pub mod state;
pub mod stop;
pub mod tls;
pub mod trust;
pub mod twilio;
pub mod upgrade;
pub mod ws;
