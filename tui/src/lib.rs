//! The listener, as a library with a thin program on top.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`cli`], [`config`] | the command line · the file, and which relay is meant |
//! | [`commands`] | no screen: lines or samples out |
//! | [`client`] | `partyline.v1`, over as many sockets as it takes |
//! | [`record`] | a call into a file, sans-I/O |
//! | [`mod@print`] | the only way to the terminal: lines, cleaned |
//! | [`failure`] | why a command could not do what was asked, and its exit code |

pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod failure;
pub mod print;
pub mod record;
