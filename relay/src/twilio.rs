//! Twilio's door: its webhooks and its streams come in here and become changes of calls.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`stream`] | sans-I/O: a stream's messages in, frames and gaps out |
//! | [`socket`] | pumps one socket through [`stream`] into a call |
//! | [`webhook`] | the voice webhook and the callbacks |
//! | [`dial`], [`twiml`] | who may be rung · the XML that we answer with (pure) |
//! | [`signature`] | is this really theirs (pure) |

pub mod dial;
pub mod signature;
pub mod socket;
pub mod stream;
pub mod twiml;
pub mod webhook;
