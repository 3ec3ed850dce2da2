//! What the monitor knows and decides, as plain data and functions: no terminal, no sound card, no network,
//! no runtime. `run` feeds it [`crate::event::Event`]s and carries out the [`effect::Effect`]s that come back.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`state`] | App: relays, what is heard, what is open, notices |
//! | [`calls`] | the list: order, filter, selection |
//! | [`seats`] | heard calls behind the one in front, what was said before, whose call is next |
//! | [`text`] | transcript and events of one call, with scroll-back and search |
//! | [`history`], [`mask`] | the last seconds of level, ready to draw · what privacy leaves of numbers and texts |
//! | [`picker`] | the sound cards to choose from, while that is asked |
//! | [`pending`], [`deadline`] | what waits for time to pass · when time has to pass |
//! | [`update`], [`effect`] | (App, Event) to Effects, no await, no I/O · what is to be done |

pub mod calls;
pub mod deadline;
pub mod effect;
pub mod history;
pub mod mask;
pub mod pending;
pub mod picker;
pub mod seats;
pub mod state;
pub mod text;
pub mod update;

#[cfg(test)]
mod tests;
