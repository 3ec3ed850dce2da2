//! What other relays are told of a call, and what they tell. Knows neither how that reaches them nor who they are.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`snapshot`] | a call as it stands, but for its journal's entries and its audio |
//! | [`numbered`] | a line or an event with its number |
//! | [`deed`] | what is done to a call by whoever hears of it, for the relay that has it |
//! | [`feed`] | which calls have something to tell, and deeds on their way |
//! | [`watched`] | how often levels are looked at |

pub mod deed;
pub mod feed;
pub mod numbered;
pub mod snapshot;
pub mod watched;

pub use super::call::Kind;
pub use deed::Deed;
pub use feed::Feed;
pub use numbered::Numbered;
pub use snapshot::{Snapshot, Told};
pub use watched::{Watched, Watching};
