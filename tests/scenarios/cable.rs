//! Action Cable's clients meet the relay as they met Rails: the real ones, and those that say what a story wants.

mod comes_back;
mod ends;
mod hears;
mod refused;
mod slow;

use harness::TwilioCall;
use partyline_shared::track::Track;

/// `CallStreamChannel`.
const STREAM: &str = "CallStreamChannel";
/// `TwilioMediaChannel`.
const MEDIA: &str = "TwilioMediaChannel";

/// Says these as finals.
async fn say_all(call: &mut TwilioCall, lines: &[String]) {
    for line in lines {
        call.says(Track::Inbound, line, true).await.expect(204);
    }
}
