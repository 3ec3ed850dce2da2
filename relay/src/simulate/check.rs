//! `--check`: listens to the call that is played, as any listener would, and compares.

mod ledger;
mod listener;

pub(super) use ledger::Ledger;
pub use ledger::Lost;
pub use listener::ListenError;
pub(super) use listener::{Following, Listener};
