//! Every call this relay knows. Knows no door: Twilio's side writes here, listeners read here, and
//! neither is named.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`registry`] | all calls, until retention ends; deadlines |
//! | [`call`] | one call behind one short lock: the only place that numbers its lines and events |
//! | [`life`] | its status, when it is answered, lost, over (pure) |
//! | [`parties`] | who calls whom, whose call it is (pure) |
//! | [`journal`] | lines and events: numbered, kept, resumable (pure) |
//! | [`order`], [`transcription`] | what arrives out of order · what speech-to-text does (pure) |
//! | [`limiter`] | events that would flood a journal, summed up (pure) |
//! | [`replay`] | the last seconds of audio (pure) |
//! | [`meter`], [`talk`] | how loud it is · who spoke for how long (pure) |
//! | [`pause`], [`doubt`] | what is held back of a paused call · lines that may be of that (pure) |
//! | [`fanout`] | audio to everyone listening: one writer, many bounded mailboxes |
//! | [`lobby`] | the list of calls as snapshot plus changes |
//! | [`mirror`] | what other relays are told of a call, and what they tell |
//! | [`encoded`] | a message encoded once for all who are told it |

pub mod call;
pub mod doubt;
pub mod encoded;
pub mod fanout;
pub mod journal;
pub mod life;
pub mod limiter;
pub mod lobby;
pub mod meter;
pub mod mirror;
pub mod order;
pub mod parties;
pub mod pause;
pub mod registry;
pub mod replay;
pub mod talk;
pub mod transcription;
