//! How long the small parts take that are run for each message, frame and picture: `cargo bench -p partyline-tests
//! --bench micro`, with a word to run only what has it in its name. Times and no tests: a slow machine is no
//! reason to fail.
//!
//! | room | what is timed |
//! | --- | --- |
//! | [`relay`] | a message becomes a frame; how loud it is |
//! | [`fanout`] | a frame goes to those who listen |
//! | [`sound`] | a frame becomes what the card takes |
//! | [`screen`] | a picture of 200 columns and 60 rows |
//! | [`input`] | what all of them are given |
// What fails here cannot be timed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod fanout;
mod input;
mod relay;
mod screen;
mod sound;

use std::time::Duration;

/// Least time for each, so that a moment in which the machine did something else does not count for much.
const LEAST: Duration = Duration::from_millis(500);

/// Most time for each, what is made for it included: all of them together take less than half a minute.
const MOST: Duration = Duration::from_secs(1);

/// Runs between two looks at the clock, which is too coarse for a run of some ns.
const RUNS: u32 = 32;

fn main() {
    divan::Divan::default()
        .sample_size(RUNS)
        .min_time(LEAST)
        .max_time(MOST)
        .config_with_args()
        .main();
}
