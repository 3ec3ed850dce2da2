//! The relay.

pub mod config;
