//! Stories over the real programs, and the house rules that a machine can read.
// What fails here is meant to fail the story.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod any_order;
mod api;
mod asks;
mod bench;
mod cable;
mod coalesces;
mod configures;
mod configures_itself;
mod doctor;
mod doors;
mod ear;
mod entitled;
mod erases;
mod gives_tokens;
mod hears_the_call;
mod hostile_stream;
mod idles;
mod keeps;
mod keeps_alive;
mod leaks;
mod leaves;
mod limits;
mod listeners;
mod monitor;
mod monitor_bytes;
mod on_record;
mod once_among_all;
mod only_twilio;
mod openapi;
mod operates;
#[cfg(target_os = "linux")]
mod packages;
mod page;
mod page_units;
mod pauses;
mod plays;
#[cfg(target_os = "linux")]
mod pressed;
#[cfg(target_os = "linux")]
mod proxies;
#[cfg(target_os = "linux")]
mod rails;
mod reattaches;
mod reloads;
mod resumes;
#[cfg(target_os = "linux")]
mod several;
mod shows;
mod simulates;
mod slow_listener;
mod sounds_right;
mod sources;
mod takes_over;
mod terminal;
mod tidy;
mod tls;
mod twiml;
mod wire_noise;
