//! The listener, as a library with a thin program on top.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`cli`], [`config`] | the command line · the file, and which relay is meant |
//! | [`commands`] | no screen: lines or samples out |
//! | [`client`] | `partyline.v1`, over as many sockets as it takes |
//! | [`run`] | the monitor's loop: wait, update, perform effects, draw |
//! | [`audio`] | sound: jitter, decode, mix, resample, card |
//! | [`record`] | a call into a file, sans-I/O |
//! | [`event`], [`app`] | all that can happen to the monitor · what it knows and decides, as plain data |
//! | [`mod@print`] | the only way to the terminal: lines, cleaned |
//! | [`failure`] | why a command could not do what was asked, and its exit code |

pub mod app;
pub mod audio;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod event;
pub mod failure;
pub mod print;
pub mod record;
pub mod run;
