//! Who heard what is on record, over relays as processes: before the first byte, to the last one, after a kill, on a
//! full disk, and so that nobody changes it unseen.

mod full_disk;
mod hearings;
mod kills;
mod rotates;
mod tampered;

use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::Subscribe;

/// `subscribe` with audio.
fn hear(call: &CallSid, replay_ms: u64, save: bool) -> Subscribe {
    Subscribe {
        call_sid: call.clone(),
        audio: true,
        after: None,
        replay_ms,
        save,
        saved: None,
    }
}
