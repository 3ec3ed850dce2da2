//! What the programs must agree on, and nothing else: no I/O, no async, no clock of its own.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`call`], [`mod@line`], [`event`] | a call, a transcript line, an event, as the contract shows them |
//! | [`id`], [`track`], [`time`] | the names of things · which side of a call · media time and wall time |
//! | [`duration`] | DURATION as people write it |
//! | [`phone`], [`text`] | a party's address, masked in any print · what may reach a terminal |
//! | [`audio`] | one frame as its own wire bytes · G.711 µ-law · level · WAV |
//! | [`protocol`] | `partyline.v1`, each direction, with its limits and close codes |
//! | [`twilio`] | Twilio's messages: the relay reads them, simulator and tests write them |

pub mod audio;
pub mod call;
pub mod duration;
pub mod event;
pub mod id;
pub mod line;
pub mod phone;
pub mod protocol;
pub mod text;
pub mod time;
pub mod track;
pub mod twilio;
