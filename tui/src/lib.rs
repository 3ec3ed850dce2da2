//! The listener, as a library with a thin program on top.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`cli`], [`config`] | the command line · flag, environment, file and login: which relay, as whom, and how |
//! | [`commands`] | one each: lines, samples or a screen out |
//! | [`client`] | `partyline.v1`, over as many sockets as it takes |
//! | [`run`] | the monitor's loop: wait, update, perform effects, draw |
//! | [`mod@terminal`], [`logging`] | entered and left by one guard · error output beside the screen |
//! | [`audio`] | sound: jitter, decode, mix, resample, card |
//! | [`ear`] | the same at a desk, while the monitor runs on a server |
//! | [`record`], [`clip`] | a call into a file, sans-I/O · the last of one into two files, whole or not at all |
//! | [`event`], [`keymap`], [`app`] | all that can happen to the monitor · which key means what · what it knows and decides, as plain data |
//! | [`ui`] | what it looks like: functions from the app to a picture, and to lines that are read out |
//! | [`mod@print`] | the only way to the terminal: lines, cleaned |
//! | `demo` | a relay and three simulated calls in this process |
//! | [`failure`] | why a command could not do what was asked, and its exit code |

pub mod app;
pub mod audio;
pub mod cli;
pub mod client;
pub mod clip;
pub mod commands;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod ear;
pub mod event;
pub mod failure;
pub mod keymap;
pub mod logging;
pub mod print;
pub mod record;
pub mod run;
pub mod terminal;
pub mod ui;
