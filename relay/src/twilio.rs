//! Twilio's door: its webhooks and its streams come in here and become changes of calls.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`stream`] | sans-I/O: a stream's messages in, frames and gaps out |
//! | [`socket`], [`seat`] | pumps one socket through [`stream`] into a call · where it waits before |
//! | [`door`] | every webhook: shown to be Twilio's, and done once |
//! | [`voice`], [`webhook`] | what to do with a call · what is said of it later |
//! | [`dial`], [`twiml`] | who may be rung (pure) · the XML that we answer with (pure) |
//! | [`signature`], [`refused`] | is this really theirs (pure) · why not, counted and told |
//! | `measure` | how long a stream's frames take |
//! | [`gate`], [`pass`] | whether a stream is let in · what it shows to be the one that our TwiML asked for |
//! | [`replays`], [`marks`] | what was seen before, and its answer · the same across a restart |

pub mod dial;
pub mod door;
pub mod gate;
pub mod marks;
mod measure;
pub mod pass;
pub mod refused;
pub mod replays;
pub mod seat;
pub mod signature;
pub mod socket;
pub mod stream;
#[cfg(test)]
mod tests_support;
pub mod twiml;
pub mod voice;
pub mod webhook;
