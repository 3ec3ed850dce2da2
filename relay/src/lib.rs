//! The relay.

pub mod simulate;
